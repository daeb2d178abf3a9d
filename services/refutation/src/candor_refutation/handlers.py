"""One transaction each: load and lock, decide, save, publish."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from candor.generation.v1.facts_pb2 import GenerationRecorded
from candor.refutation.v1 import facts_pb2, service_pb2
from candor.rights.v1 import model_pb2 as rights_pb2
from candor.rights.v1.facts_pb2 import TaskAsked
from candor_kit.holding import nothing_held
from candor_kit.transaction import Tx

from candor_refutation import codec, store
from candor_refutation.domain.claim import Claim, admit, decide
from candor_refutation.domain.matching import Match
from candor_refutation.domain.notice import notice_url
from candor_refutation.domain.refusal import Refused
from candor_refutation.domain.spread import Levels, Spread, confirm, window_start
from candor_refutation.domain.step import Step, StepKind

# log index -> the claims that the output there repeats
Place = tuple[str, int]
"""A log's origin and an index in it."""

Found = Mapping[Place, Sequence[Match]]


@dataclass(frozen=True)
class Handlers:
    """The commands and facts of the service.

    Attributes:
        levels: when a claim spreads.
        notice_base: base address of the public notices.
    """

    levels: Levels
    notice_base: str

    async def register_claim(
        self, tx: Tx, command: service_pb2.RegisterClaimRequest
    ) -> service_pb2.RegisterClaimResponse:
        """Put a claim on record. Refuses CLAIM_TOO_SHORT, CLAIM_EXISTS."""
        claim = codec.claim_of(command, tx.new_id(), tx.now)
        if not await store.add_claim(tx.connection, claim, admit(claim.text)):
            raise Refused("CLAIM_EXISTS", "a claim with the same wording is on record", field="text")
        await _step(tx, claim.claim_id, StepKind.REGISTERED, "registered")
        await tx.publish(facts_pb2.ClaimRegistered(claim_id=claim.claim_id, locale=claim.locale), key=claim.claim_id)
        return service_pb2.RegisterClaimResponse(claim_id=claim.claim_id)

    async def record_verdict(
        self, tx: Tx, command: service_pb2.RecordVerdictRequest
    ) -> service_pb2.RecordVerdictResponse:
        """Give a claim its verdict and, where that refutes it, publish the notice. Refuses SOURCES_REQUIRED."""
        verdict = codec.verdict_of(command.verdict)
        claim = await _locked(tx, command.claim_id)
        claim = decide(claim, verdict, command.explanation, codec.sources_of(command), tx.now)
        await store.save_verdict(tx.connection, claim)
        await _step(tx, claim.claim_id, StepKind.VERDICT, f"{verdict}, {len(claim.sources)} sources")
        decided = facts_pb2.VerdictRecorded(
            claim_id=claim.claim_id, verdict=command.verdict, decided_at=codec.timestamp(tx.now)
        )
        await tx.publish(decided, key=claim.claim_id)
        if claim.refuted:
            await self._publish_notice(tx, claim)
        spreading = await store.find_spreading(tx.connection, claim.claim_id, tx.now)
        return service_pb2.RecordVerdictResponse(claim=codec.claim_to(spreading) if spreading else None)

    async def _publish_notice(self, tx: Tx, claim: Claim) -> None:
        url = notice_url(self.notice_base, claim.claim_id)
        await _step(tx, claim.claim_id, StepKind.NOTICE_PUBLISHED, url)
        published = facts_pb2.RefutationPublished(
            claim_id=claim.claim_id, url=url, published_at=codec.timestamp(tx.now)
        )
        await tx.publish(published, key=claim.claim_id)

    async def nominate_spread(
        self, tx: Tx, command: service_pb2.NominateSpreadRequest
    ) -> service_pb2.NominateSpreadResponse:
        """Recount the nominated hour and announce every level that it reaches and that was not announced.

        The view may have counted twice or late; PostgreSQL decides, and the lock on the claim makes it decide once.
        """
        claim = await _locked(tx, command.claim_id)
        end = codec.time_of(command.window_end)
        note = f"level {command.level}, hour until {end.isoformat()}"
        await _step(tx, claim.claim_id, StepKind.SPREAD_NOMINATED, note, command.level)
        matches = await store.recount(tx.connection, claim.claim_id, window_start(end), end)
        announced = await store.announced_level(tx.connection, claim.claim_id)
        spreads = confirm(self.levels, matches, announced, end) if claim.refuted else ()
        for spread in spreads:
            await _announce(tx, claim.claim_id, spread)
        return service_pb2.NominateSpreadResponse(announced=bool(spreads), matches=matches)

    async def record_matches(self, tx: Tx, fact: GenerationRecorded, found: Found) -> None:
        """Put the matches of one output on record; a pair of claim and generation once, however often it comes."""
        occurred_at = codec.time_of(fact.occurred_at)
        for match in found.get((fact.origin, fact.log_index), ()):
            if await store.add_match(tx.connection, match, fact.generation_id, fact.log_index, occurred_at, tx.now):
                matched = codec.matched_to(match, fact.generation_id, fact.log_index, fact.occurred_at)
                await tx.publish(matched, key=match.claim_id)


async def carry_out(tx: Tx, _fact: TaskAsked) -> rights_pb2.Proof:
    """Do what a task of rights asks: nothing about a person is held here, whichever right is exercised.

    A match holds a random generation id and no subject; what links that id to a person is generation's, and goes
    with generation's erasure. A claim is a public rumour. No command of this service names a subject, so no copy
    waits in a topic either.

    Source: PIPL 45; PIPL 47
    """
    return nothing_held(tx.now)


async def _announce(tx: Tx, claim_id: str, spread: Spread) -> None:
    await store.add_spread(tx.connection, claim_id, spread, tx.now)
    await _step(tx, claim_id, StepKind.SPREAD_DETECTED, f"level {spread.level}, {spread.matches} matches", spread.level)
    await tx.publish(codec.spread_to(claim_id, spread), key=claim_id)


async def _locked(tx: Tx, claim_id: str) -> Claim:
    claim = await store.lock_claim(tx.connection, claim_id)
    if claim is None:
        raise Refused("CLAIM_UNKNOWN", "no claim has this id", field="claim_id")
    return claim


async def _step(tx: Tx, claim_id: str, kind: StepKind, note: str, level: int = 0) -> None:
    await store.add_step(tx.connection, claim_id, Step(kind, tx.now, tx.caller.name, note, level))
