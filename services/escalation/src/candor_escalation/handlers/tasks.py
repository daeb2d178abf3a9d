"""Tasks of the rights service: count, and erase as far as the law lets go.

An incident names no person in this service. Disposals, complaints, notices, proposals and counts of unfounded notices
do: they are sealed under the person's key, found by a pseudonym, and pass out of reach when the person is erased.
"""

from collections import Counter
from datetime import datetime, timedelta

from candor.escalation.v1 import facts_pb2
from candor.rights.v1 import facts_pb2 as rights_facts_pb2
from candor.rights.v1 import model_pb2
from candor_kit.holding import nothing_held
from candor_kit.transaction import Tx

from candor_escalation import codec
from candor_escalation.domain.disposal import retained_until
from candor_escalation.handlers.notice_keeping import NoticeKeeping
from candor_escalation.sealing import Held, Sealing
from candor_escalation.store import complaints, disposal_texts, disposals, notices
from candor_escalation.store.disposals import Stored
from candor_escalation.store.notices import StoredNotice

BASIS = "Generative AI Measures 14(2); DSA 20(1)"
"""Why the record of a disposal outlives its person's erasure for a while."""


class Tasks:
    """Carries out what the rights service asks.

    Args:
        sealing: the persons' keys.
        months: how long the law keeps the record of a disposal.
        copies_last: how long a copy may stay in this service's topics.
    """

    def __init__(self, sealing: Sealing, months: int, copies_last: timedelta) -> None:
        self._sealing = sealing
        self._months = months
        self._notices = NoticeKeeping(sealing, months)
        self._copies_last = copies_last

    async def carry_out(self, tx: Tx, fact: rights_facts_pb2.TaskAsked) -> model_pb2.Proof:
        """Count or erase, and prove it. Consents are not this service's.

        Source: PIPL 45; PIPL 47
        """
        if fact.right == model_pb2.RIGHT_ACCESS:
            return _proof(tx.now, await self._count(tx, fact.subject), None)
        if fact.right == model_pb2.RIGHT_DELETION:
            return await self._erase(tx, fact)
        return nothing_held(tx.now)

    async def _count(self, tx: Tx, subject: str) -> Counter[str]:
        """The kinds and counts that an export gives."""
        pseudonym = self._sealing.subjects.pseudonym(subject)
        counts = Counter(await complaints.counts_of_person(tx.connection, pseudonym))
        counts["notice"] += len(await notices.of_person(tx.connection, pseudonym))
        for stored in await disposals.of_person(tx.connection, pseudonym):
            counts["disposal"] += 1
            disposal_id = stored.disposal.disposal_id
            counts["disposal_statement"] += len(await disposal_texts.texts_of(tx.connection, disposal_id))
            counts["complaint"] += await complaints.of_disposal(tx.connection, disposal_id) is not None
        return counts

    async def _erase(self, tx: Tx, fact: rights_facts_pb2.TaskAsked) -> model_pb2.Proof:
        """Let go of the person, and of what the law does not keep.

        1. The person is locked, so that nothing new is made about them meanwhile.
        2. Their key is destroyed. What is newer than the request goes under a new one.
        3. A disposal or a notice that the law still keeps goes under a key of its own, restricted, and nobody finds it
           by the person; what it keeps no longer is emptied, and stays as a number in the reports.
        """
        until = codec.instant(fact.requested_at)
        old = await self._sealing.take(tx, fact.subject)
        theirs = await disposals.of_person(tx.connection, old.pseudonym, lock=True)
        given = await notices.of_person(tx.connection, old.pseudonym, lock=True)
        await self._sealing.subjects.erase(tx.connection, fact.subject, until)
        newer = [stored for stored in theirs if stored.disposal.decided_at > until]
        newer_given = [stored for stored in given if stored.notice.received_at > until]
        await self._keep_newer(tx, fact.subject, old, newer, newer_given)
        told = await self._notices.erase(tx, [stored for stored in given if stored not in newer_given], old)
        counts, ends = told.counts, told.ends
        for stored in theirs:
            if stored.disposal.decided_at <= until:
                kept = await self._let_go_or_keep(tx, stored, old)
                counts["disposal_restricted" if kept else "disposal"] += 1
                ends += [kept] if kept else []
        counts["disposal_proposal"] += await complaints.forget_proposals(tx.connection, old.pseudonym, until)
        counts["unfounded_notice"] += await complaints.forget_unfounded(tx.connection, old.pseudonym, until)
        await _tell(tx, fact.task_id, counts)
        proof = _proof(tx.now, counts, max(ends, default=None))
        # Even who is not on record may have been named by a command that was set aside.
        proof.last_copy_expires_at.FromDatetime(tx.now + self._copies_last)
        return proof

    async def _keep_newer(
        self, tx: Tx, subject: str, old: Held, newer: list[Stored], given: list[StoredNotice]
    ) -> None:
        """What was decided or given after the request stays, under a new key; nothing newer, no key."""
        if not newer and not given:
            return
        new = await self._sealing.take(tx, subject)
        await self._notices.renew(tx, given, old, new)
        for stored in newer:
            wrapped = self._sealing.renew(stored, old.key, new)
            await disposals.rewrap(tx.connection, stored.disposal.disposal_id, wrapped, None)

    async def _let_go_or_keep(self, tx: Tx, stored: Stored, old: Held) -> datetime | None:
        """Until when the law keeps a disposal, which is then restricted; None when it lets go."""
        disposal_id = stored.disposal.disposal_id
        complaint = await complaints.of_disposal(tx.connection, disposal_id)
        settled_at = complaint.complaint.decided_at if complaint else None
        until = retained_until(stored.disposal, settled_at, self._months)
        is_open = complaint is not None and not complaint.complaint.outcome
        if until <= tx.now and not is_open:
            await disposals.let_go(tx.connection, disposal_id)
            return None
        until = max(until, complaint.complaint.answer_by) if complaint and is_open else until
        wrapped = await self._sealing.restrict(tx, stored, old.key)
        await disposals.rewrap(tx.connection, disposal_id, wrapped, until)
        return until


async def _tell(tx: Tx, task_id: str, counts: Counter[str]) -> None:
    if counts.total():
        fact = facts_pb2.SubjectErased(task_id=task_id, records=counts.total(), erased_at=codec.timestamp(tx.now))
        await tx.publish(fact, key=task_id)


def _proof(at: datetime, counts: Counter[str], restricted_until: datetime | None) -> model_pb2.Proof:
    if not counts.total():
        return nothing_held(at)
    return model_pb2.Proof(
        outcome=model_pb2.OUTCOME_RESTRICTED if restricted_until else model_pb2.OUTCOME_DONE,
        kinds=[model_pb2.KindCount(kind=kind, count=number) for kind, number in sorted(counts.items()) if number],
        completed_at=codec.timestamp(at),
        restriction_basis=BASIS if restricted_until else "",
        restricted_until=codec.timestamp(restricted_until),
    )
