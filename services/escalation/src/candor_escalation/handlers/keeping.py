"""Keeping evidence: what generation is told of an incident's hold, and what it answered."""

from dataclasses import dataclass
from datetime import datetime

from candor.generation.v1 import hold_pb2
from candor_kit.transaction import Tx

from candor_escalation import codec, store
from candor_escalation.domain import evidence as rules
from candor_escalation.domain.evidence import Hold
from candor_escalation.store import evidence

_AT_ONCE = 1_000


@dataclass(frozen=True)
class Errand:
    """What is to be told: either a placing (or prolonging) or a release. ``generations`` are those that it names."""

    hold: Hold
    place: hold_pb2.PlaceHoldRequest | None = None
    release: hold_pb2.ReleaseHoldRequest | None = None
    generations: tuple[str, ...] = ()
    until: datetime | None = None


class Keeping:
    """One errand at a time: leased, told outside of any transaction, and its answer recorded."""

    async def next(self, tx: Tx, lease_seconds: float) -> Errand | None:
        """The errand that is due, claimed for a while; None when there is none.

        A process that dies while it tells leaves its claim to run out. Told twice, generation does the same twice: a
        hold keeps its id, and to place it again only prolongs it.
        """
        hold = await evidence.lease(tx.connection, lease_seconds)
        if hold is None:
            return None
        now = await store.now(tx.connection)
        if hold.release_at is not None and hold.release_at <= now:
            if hold.held_until is None:
                return Errand(hold)  # generation was never told
            return Errand(hold, release=hold_pb2.ReleaseHoldRequest(command_id=tx.new_id(), hold_id=hold.hold_id))
        return await self._place(tx, hold, now)

    async def _place(self, tx: Tx, hold: Hold, now: datetime) -> Errand:
        waiting = await evidence.waiting(tx.connection, hold.incident_id, _AT_ONCE)
        named = waiting or await evidence.any_of(tx.connection, hold.incident_id)
        generations = tuple(named)
        until = rules.until(now)
        place = hold_pb2.PlaceHoldRequest(
            command_id=tx.new_id(),
            hold_id=hold.hold_id,
            generation_ids=generations,
            incident_id=hold.incident_id,
            reason=rules.REASON,
            citation=rules.CITATION,
            until=codec.timestamp(until),
        )
        return Errand(hold, place=place, generations=generations, until=until)

    async def done(self, tx: Tx, errand: Errand) -> None:
        """Generation did it."""
        now = await store.now(tx.connection)
        if errand.until is None:
            if not await evidence.released(tx.connection, errand.hold, now):
                await self.renamed(tx, errand)
            return
        await evidence.held(tx.connection, errand.hold, errand.generations, errand.until)
        await evidence.next_due(tx.connection, errand.hold, rules.prolong_at(errand.until))

    async def failed(self, tx: Tx, errand: Errand) -> None:
        """Generation does not answer, or refused: it is told again later, without end."""
        await evidence.failed(tx.connection, errand.hold, rules.pause(errand.hold.failures))

    async def renamed(self, tx: Tx, errand: Errand) -> None:
        """Somebody ended the hold in generation while the incident lasts: place a new one over everything."""
        await evidence.anew(tx.connection, errand.hold, tx.new_id())
