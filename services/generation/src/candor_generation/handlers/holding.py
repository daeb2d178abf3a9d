"""What the rights service asks of a holder: to count, to export, to erase (PIPL 45, 47; GDPR 15, 17)."""

from __future__ import annotations

from collections.abc import AsyncIterator
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
from candor_generation.handlers import payloads
from candor_generation.handlers.leaves import Leaves
from candor_generation.store import acts, records

_KIND = "generation"
_BASIS = "PIPL 47; GDPR 17"
_LOG = log.get(__name__)


@dataclass(frozen=True)
class Holding:
    """The generation service as a holder of personal data.

    Attributes:
        keys: the subjects' keys.
        copies_last: how long a copy may stay in this service's intake and dead-letter topics.
        leaves: takes the erasure itself.
    """

    keys: SubjectKeys
    copies_last: timedelta
    leaves: Leaves

    async def carry_out(self, tx: Tx, fact: TaskAsked) -> model_pb2.Proof:
        """Count or erase, and prove it.

        Consents and their withdrawal are the consent service's; nothing is kept here that they could change.
        """
        if fact.right == model_pb2.RIGHT_ACCESS:
            return _proof(tx.now, await records.count_of_subject(tx.connection, fact.subject))
        if fact.right == model_pb2.RIGHT_DELETION:
            return await self._erase(tx, fact)
        return nothing_held(tx.now)

    async def export(self, query: Query, request: ExportRequest) -> AsyncIterator[ExportResponse]:
        """Everything held about a person, oldest first (PIPL 45, GDPR 15)."""
        async for record, payload in payloads.of_subject(query.connection, self.keys, request.subject):
            if payload is not None:
                yield codec.export_message(record, payload)

    async def _erase(self, tx: Tx, fact: TaskAsked) -> model_pb2.Proof:
        """Destroy the subject's key and empty the records; the log stays as it is (PIPL 47, GDPR 17).

        What was made after the request is not asked for: it goes under a new key. What was made before it and has not
        arrived yet will be discarded when it does, but its copy stays in the topic until that expires.
        """
        until = codec.time_of(fact.requested_at)
        old_key = await self.keys.key(tx.connection, fact.subject)
        # First the key: that waits for records that are just being written under it, and none can follow.
        await self.keys.erase(tx.connection, fact.subject, until)
        erased = await records.erase(tx.connection, fact.subject, until, tx.now)
        # What was found in a text says something of it.
        await records.replace_facts(
            tx.connection, {identifier: codec.without_hits(told) for identifier, told in erased if told}
        )
        await acts.erase(tx.connection, self.keys.pseudonym(fact.subject))
        await self._keep_newer(tx, fact.subject, old_key)
        if erased:
            await self.leaves.add(tx, "erasure", {"basis": _BASIS, "records": len(erased)})
            said = SubjectErased(task_id=fact.task_id, records=len(erased), erased_at=codec.timestamp(tx.now))
            await tx.publish(said, key=fact.task_id)
        _LOG.info("subject erased", records=len(erased), task_id=fact.task_id)
        proof = _proof(tx.now, len(erased))
        proof.last_copy_expires_at.FromDatetime(tx.now + self.copies_last)
        return proof

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


def _proof(at: datetime, count: int) -> model_pb2.Proof:
    if not count:
        return nothing_held(at)
    return model_pb2.Proof(
        outcome=model_pb2.OUTCOME_DONE,
        kinds=[model_pb2.KindCount(kind=_KIND, count=count)],
        completed_at=codec.timestamp(at),
    )
