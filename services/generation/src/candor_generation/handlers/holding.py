"""What the rights service asks of a holder: to count, to export, to erase (PIPL 45, 47; GDPR 15, 17)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from candor.generation.v1.facts_pb2 import SubjectErased
from candor.rights.v1 import model_pb2
from candor.rights.v1.facts_pb2 import TaskAsked
from candor.rights.v1.holder_pb2 import ExportRequest, ExportResponse
from candor_kit import log
from candor_kit.holding import nothing_held
from candor_kit.keys import SubjectKeys
from candor_kit.query import Query
from candor_kit.transaction import Tx

from candor_generation import codec, sealing
from candor_generation.domain.hold import Restriction
from candor_generation.handlers.leaves import Leaves
from candor_generation.handlers.personal import Personal
from candor_generation.handlers.restricting import Erasure, Kept, Restricting
from candor_generation.store import acts, holds, records, reviews, unlabelled
from candor_generation.store.unlabelled import Held

_BASIS = "PIPL 47; GDPR 17"
_DELIVERIES = "Generative AI Labelling Measures 9"
_LOG = log.get(__name__)


@dataclass(frozen=True)
class Holding:
    """The generation service as a holder of personal data.

    Attributes:
        keys: the subjects' keys.
        copies_last: how long a copy may stay in this service's intake and dead-letter topics.
        leaves: takes the erasure itself.
        restricting: keeps what legal holds cover.
    """

    keys: SubjectKeys
    copies_last: timedelta
    leaves: Leaves
    restricting: Restricting

    async def carry_out(self, tx: Tx, fact: TaskAsked) -> model_pb2.Proof:
        """Count or erase, and prove it.

        Consents and their withdrawal are the consent service's; nothing is kept here that they could change.
        """
        if fact.right == model_pb2.RIGHT_ACCESS:
            return _proof(tx.now, await Personal(self.keys).counts(tx.connection, fact.subject), Restriction())
        if fact.right == model_pb2.RIGHT_DELETION:
            return await self._erase(tx, fact)
        return nothing_held(tx.now)

    async def export(self, query: Query, request: ExportRequest) -> AsyncIterator[ExportResponse]:
        """Everything held about a person (PIPL 45, GDPR 15)."""
        async for item in Personal(self.keys).items(query.connection, request.subject):
            yield item

    async def _erase(self, tx: Tx, fact: TaskAsked) -> model_pb2.Proof:
        """Destroy the subject's key and empty the records; the log stays as it is (PIPL 47, GDPR 17).

        1. The holds are locked, and then the key is destroyed: that waits for records that are just being written under
           it, and none can follow.
        2. What holds cover is kept under their keys and restricted.
        3. The rest is emptied, with what people wrote and what was found; deliveries that the law keeps stay, without
           their purpose (Labelling Measures 9 asks for the log of recipients, not for the content).
        4. What was made after the request is not asked for: it goes under a new key. What was made before it and has
           not arrived yet will be discarded when it does, but its copy stays in the topic until that expires.
        """
        subject, until = fact.subject, codec.time_of(fact.requested_at)
        await holds.lock(tx.connection)
        old_key = await self.keys.key(tx.connection, subject)
        await self.keys.erase(tx.connection, subject, until)
        kept = await self.restricting.of_person(tx, subject, old_key, until, Erasure(fact.task_id, _BASIS))
        erased = await self._empty(tx, subject, until)
        deliveries = await unlabelled.erase(tx.connection, subject, tx.now)
        await acts.erase(tx.connection, self.keys.pseudonym(subject))
        await self._keep_newer(tx, subject, old_key)
        await self._tell(tx, fact.task_id, erased, deliveries.erased)
        _LOG.info("subject erased", records=erased, restricted=kept.records, task_id=fact.task_id)
        return self._proven(tx.now, erased, kept, deliveries)

    async def _empty(self, tx: Tx, subject: str, until: datetime) -> int:
        erased = await records.erase(tx.connection, subject, until, tx.now)
        # What was found in a text says something of it.
        await records.replace_facts(
            tx.connection, {identifier: codec.without_hits(told) for identifier, told in erased if told}
        )
        await reviews.erase(tx.connection, [identifier for identifier, _ in erased], tx.now)
        return len(erased)

    async def _keep_newer(self, tx: Tx, subject: str, old_key: bytes) -> None:
        wrapped = await records.wrapped_keys(tx.connection, subject)
        if not wrapped:
            return
        new_key = await self.keys.key(tx.connection, subject)
        again = {
            identifier: sealing.wrap(new_key, sealing.unwrap(old_key, key, identifier), identifier)
            for identifier, key in wrapped.items()
        }
        await records.replace_wrapped_keys(tx.connection, again)

    async def _tell(self, tx: Tx, task_id: str, erased: int, deliveries: int) -> None:
        if not erased and not deliveries:
            return
        counted = {"records": erased, **({"deliveries": deliveries} if deliveries else {})}
        await self.leaves.add(tx, "erasure", {"basis": _BASIS, **counted})
        said = SubjectErased(task_id=task_id, records=erased, erased_at=codec.timestamp(tx.now))
        await tx.publish(said, key=task_id)

    def _proven(self, now: datetime, erased: int, kept: Kept, deliveries: Held) -> model_pb2.Proof:
        counts = {
            "generation": erased,
            "generation_restricted": kept.records,
            "unlabelled_delivery": deliveries.erased,
            "unlabelled_delivery_restricted": deliveries.held,
        }
        restriction = kept.restriction
        if deliveries.until is not None:
            restriction = restriction.also(_DELIVERIES, deliveries.until)
        proof = _proof(now, counts, restriction)
        proof.last_copy_expires_at.FromDatetime(now + self.copies_last)
        return proof


def _proof(at: datetime, counts: Mapping[str, int], restriction: Restriction) -> model_pb2.Proof:
    if not any(counts.values()):
        return nothing_held(at)
    proof = model_pb2.Proof(
        outcome=model_pb2.OUTCOME_DONE,
        kinds=[model_pb2.KindCount(kind=kind, count=count) for kind, count in counts.items() if count],
        completed_at=codec.timestamp(at),
    )
    if restriction.until is not None:
        proof.outcome = model_pb2.OUTCOME_RESTRICTED
        proof.restriction_basis = restriction.basis
        proof.restricted_until.FromDatetime(restriction.until)
    return proof
