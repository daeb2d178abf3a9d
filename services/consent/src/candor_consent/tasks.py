"""What the rights service asks of the registry as a holder of personal data, and the proof that it was done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta

from candor.consent.v1 import facts_pb2
from candor.rights.v1 import facts_pb2 as rights_facts_pb2
from candor.rights.v1 import model_pb2
from candor_kit.keys import SubjectKeys
from candor_kit.transaction import Tx

from candor_consent import codec
from candor_consent.domain.act import Act, must_outlast_erasure
from candor_consent.domain.ending import refuse_training, withdraw_all
from candor_consent.domain.holding import count, part
from candor_consent.domain.refusal import Refused
from candor_consent.people import People
from candor_consent.store import record, register

# kind -> how many items a task was done to.
Counts = Mapping[str, int]
Work = Callable[[Tx, rights_facts_pb2.TaskAsked], Awaitable[Counts]]


class Tasks:
    """Carries out the tasks that name this holder.

    Args:
        keys: the persons' keys.
        people: takes persons in hand.
        copies_stay: how long a copy of a command may stay in intake and dead-letter topics.
    """

    def __init__(self, keys: SubjectKeys, people: People, copies_stay: timedelta) -> None:
        self._keys = keys
        self._people = people
        self._copies_stay = copies_stay
        self._works: Mapping[int, Work] = {
            model_pb2.RIGHT_ACCESS: self._count,
            model_pb2.RIGHT_DELETION: self._erase,
            model_pb2.RIGHT_CONSENT_WITHDRAWAL: self._withdraw_all,
            model_pb2.RIGHT_TRAINING_REFUSAL: self._refuse_training,
        }

    async def carry_out(self, tx: Tx, fact: rights_facts_pb2.TaskAsked) -> model_pb2.Proof:
        """Do what a task asks and prove it: how many acts of which kind it was done to."""
        work = self._works.get(fact.right)
        counts = await work(tx, fact) if work else {}
        proof = model_pb2.Proof(
            outcome=model_pb2.OUTCOME_DONE if counts else model_pb2.OUTCOME_NOTHING_HELD,
            kinds=[model_pb2.KindCount(kind=kind, count=number) for kind, number in sorted(counts.items())],
            completed_at=codec.stamp(tx.now),
        )
        if fact.right == model_pb2.RIGHT_DELETION:
            # Even who is not on record may have been named by a command that was set aside.
            proof.last_copy_expires_at.CopyFrom(codec.stamp(tx.now + self._copies_stay))
        return proof

    async def _count(self, tx: Tx, fact: rights_facts_pb2.TaskAsked) -> Counts:
        """Access: the kinds and counts that an export will give."""
        return count(await record.acts_of(tx.connection, self._keys.pseudonym(fact.subject)))

    async def _erase(self, tx: Tx, fact: rights_facts_pb2.TaskAsked) -> Counts:
        """Deletion: the acts stay, so that consent can be proven, and nothing tells any more whose they were.

        The person is taken in hand even when nothing is on record, so that an act arriving at the same time waits.
        """
        until = codec.instant(fact.requested_at)
        held = await self._people.take(tx, fact.subject)
        parting = part(await record.history(tx.connection, held.pseudonym, held.key), until)
        await self._people.erase(tx, held, parting.erased, parting.kept, until)
        if parting.erased:
            erased = facts_pb2.SubjectErased(
                task_id=fact.task_id, records=len(parting.erased), erased_at=codec.stamp(tx.now)
            )
            await tx.publish(erased, key=fact.task_id)
        return count(parting.erased)

    async def _withdraw_all(self, tx: Tx, fact: rights_facts_pb2.TaskAsked) -> Counts:
        """Withdrawal: every consent in force when the person asked."""
        if await record.lock(tx.connection, self._keys.pseudonym(fact.subject)) is None:
            return {}
        held = await self._people.take(tx, fact.subject)
        acts = await record.acts_of(tx.connection, held.pseudonym)
        purposes = await register.all_versions(tx.connection)
        withdrawals = withdraw_all(acts, purposes, codec.instant(fact.requested_at), tx.now, tx.new_id)
        await self._people.save(tx, held, withdrawals)
        return count(withdrawals)

    async def _refuse_training(self, tx: Tx, fact: rights_facts_pb2.TaskAsked) -> Counts:
        """Refusal of training: put on record even for a person who never agreed, but not for one erased since."""
        try:
            async with tx.savepoint():
                refusal = await self._refused(tx, fact.subject, codec.instant(fact.requested_at))
        except Refused as refused:
            if refused.reason != "SUBJECT_ERASED":
                raise
            return {}
        return count(refusal)

    async def _refused(self, tx: Tx, subject: str, refused_at: datetime) -> Sequence[Act]:
        held = await self._people.take(tx, subject)
        must_outlast_erasure(refused_at, held.erased_at)
        acts = await record.acts_of(tx.connection, held.pseudonym)
        purposes = await register.training_versions(tx.connection)
        refusal = refuse_training(acts, purposes, refused_at, tx.now, tx.new_id)
        done = [refusal.act, *refusal.withdrawals]
        await self._people.save(tx, held, done)
        return done
