"""Erasing one record: its key's wrap is destroyed, and nothing else changes (PIPL 47; GDPR 17)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from candor.generation.v1.facts_pb2 import GenerationErased
from candor.generation.v1.hold_pb2 import EraseGenerationRequest, EraseGenerationResponse
from candor_kit import log
from candor_kit.transaction import Tx

from candor_generation import codec
from candor_generation.domain import hold as rules
from candor_generation.domain.hold import Restriction
from candor_generation.domain.refusal import Refused
from candor_generation.handlers.leaves import Leaves
from candor_generation.handlers.restricting import Erasure, Restricting
from candor_generation.store import holds, records, reviews
from candor_generation.store.records import Stored

_LOG = log.get(__name__)


@dataclass(frozen=True)
class Erasures:
    """The command to erase one record.

    Attributes:
        copies_last: how long a copy may stay in this service's intake and dead-letter topics.
        leaves: takes the erasure itself.
        restricting: keeps what legal holds cover.
    """

    copies_last: timedelta
    leaves: Leaves
    restricting: Restricting

    async def erase_generation(self, tx: Tx, command: EraseGenerationRequest) -> EraseGenerationResponse:
        """Erase one record, or restrict it where a hold covers it; asked again, say how long it is kept.

        Raises:
            Refused: GENERATION_UNKNOWN; GENERATION_ERASED, it is erased already.

        Source: PIPL 47; GDPR 17(1)
        """
        identifier = command.generation_id.lower()
        await holds.lock(tx.connection)
        await records.lock(tx.connection, identifier)
        stored = await records.find(tx.connection, identifier)
        if stored is None:
            raise Refused("GENERATION_UNKNOWN", "there is no generation of this id", field="generation_id")
        restriction = await self._restriction(tx, stored, command.basis)
        answer = EraseGenerationResponse(last_copy_expires_at=codec.timestamp(tx.now + self.copies_last))
        if restriction.until is not None:
            answer.restricted_until.FromDatetime(restriction.until)
            answer.restriction_basis = restriction.basis
            return answer
        await self._erase(tx, stored, command.basis)
        answer.erased_at.FromDatetime(tx.now)
        return answer

    async def _restriction(self, tx: Tx, stored: Stored, basis: str) -> Restriction:
        """Why the record is kept, with `until` None where it is not."""
        identifier = stored.generation_id
        if stored.personal is None:
            keeping = await holds.restricting(tx.connection, identifier)
            if not keeping:
                raise Refused("GENERATION_ERASED", "the record is erased already", field="generation_id")
            return rules.restriction(keeping)
        personal = stored.personal
        asked = Erasure(None, basis)
        kept = await self.restricting.of_one(tx, identifier, personal.subject, personal.wrapped_key, asked)
        return kept.restriction

    async def _erase(self, tx: Tx, stored: Stored, basis: str) -> None:
        identifier = stored.generation_id
        await records.erase_one(tx.connection, identifier, tx.now)
        await records.replace_facts(tx.connection, {identifier: codec.without_hits(stored.fact)})
        await reviews.erase(tx.connection, [identifier], tx.now)
        await self.leaves.add(tx, "erasure", {"basis": basis, "records": 1})
        said = GenerationErased(generation_id=identifier, erased_at=codec.timestamp(tx.now), basis=basis)
        await tx.publish(said, key=identifier)
        _LOG.info("record erased", generation_id=identifier)
