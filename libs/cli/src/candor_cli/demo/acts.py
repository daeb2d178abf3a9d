"""The log of compliance acts: every fact that the services told is a leaf of it."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

from candor.consent.v1.facts_pb2 import ConsentWithdrawn
from candor.escalation.v1.facts_pb2 import ClockStopped
from candor.generation.v1 import service_pb2 as generation_pb2
from candor.generation.v1 import service_pb2_grpc as generation_grpc
from candor.generation.v1.facts_pb2 import CheckpointPublished, GenerationRecorded

from candor_cli.demo import proof
from candor_cli.demo.telling import Telling
from candor_cli.demo.traffic import StoryError
from candor_cli.session import Published, Session

_SERVICES = ("consent", "rights", "generation", "refutation", "escalation")
_PATIENCE_SECONDS = 60
_SHOWN = 4


async def logged(session: Session, telling: Telling, folder: Path) -> None:
    """Compare the topics with the log, read the log as an outsider, and open one act of it and not another."""
    log_url, vkey = await _log(session)
    facts = await _told_and_logged(session, log_url)
    whole = await proof.verify("--vkey", vkey, "--log-url", log_url)
    proof.demand(whole, expected=0)
    kinds = Counter(fact.type.rpartition(".")[2] for fact in facts).most_common()
    named = ", ".join(f"{count} {kind}" for kind, count in kinds[:_SHOWN])
    telling.ok(
        f"each of {len(facts)} facts of the five services is a leaf: {named} and {len(kinds) - _SHOWN} other kinds"
    )
    stopped = await _evidence(session, _first(facts, ClockStopped.DESCRIPTOR.full_name))
    proof.demand(await proof.verify(proof.write(folder / "act.json", stopped), "--vkey", vkey), expected=0)
    telling.ok(f"that a receipt stopped the clock is leaf {stopped.log_index}: it verifies, and opens to what was told")
    withdrawn = await _evidence(session, _first(facts, ConsentWithdrawn.DESCRIPTOR.full_name))
    if withdrawn.fact or withdrawn.commitment_key:
        raise StoryError("an act of the erased person can still be opened")
    proof.demand(await proof.verify(proof.write(folder / "act-erased.json", withdrawn), "--vkey", vkey), expected=0)
    telling.ok(
        f"the erased person's withdrawal is leaf {withdrawn.log_index}: it verifies, and no key opens whose it was"
    )
    telling.figure("facts that are leaves of the log of acts", f"{len(facts)} of {len(facts)}")


async def _log(session: Session) -> tuple[str, str]:
    """Where the present log of acts is served, and its key."""
    stub = generation_grpc.GenerationServiceStub(session.channel("generation", "auditor", name="auditor"))
    found = (await stub.ListLogs(generation_pb2.ListLogsRequest())).logs
    log = max((log for log in found if log.size and "/acts/" in log.origin), key=lambda log: log.starts_at.seconds)
    return "/".join([session.http("generation"), "log", *log.origin.split("/")[-2:]]), log.vkey


async def _told_and_logged(session: Session, log_url: str) -> list[Published]:
    """Wait until the log has as many leaves as there are facts; one more on either side would be a fault."""
    facts, leaves = await _count(session, log_url)
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while leaves != len(facts):
                await asyncio.sleep(0.2)
                facts, leaves = await _count(session, log_url)
    except TimeoutError as error:
        raise StoryError(f"{len(facts)} facts were told, and {leaves} are leaves of the log of acts") from error
    return facts


async def _count(session: Session, log_url: str) -> tuple[list[Published], int]:
    told = [fact for service in _SERVICES for fact in await session.published(service) if not _passed(fact)]
    return told, int((await proof.get(f"{log_url}/checkpoint")).splitlines()[1])


def _passed(fact: Published) -> bool:
    """Whether a fact is no act: it tells of a leaf already, or is a checkpoint of this very log."""
    if fact.type == GenerationRecorded.DESCRIPTOR.full_name:
        return True
    if fact.type != CheckpointPublished.DESCRIPTOR.full_name:
        return False
    return "/acts/" in CheckpointPublished.FromString(fact.value).origin


def _first(facts: list[Published], kind: str) -> Published:
    return next(fact for fact in facts if fact.type == kind)


async def _evidence(session: Session, fact: Published) -> generation_pb2.GetActEvidenceResponse:
    stub = generation_grpc.GenerationServiceStub(session.channel("generation", "auditor", name="auditor"))
    return await stub.GetActEvidence(generation_pb2.GetActEvidenceRequest(fact_id=fact.fact_id, source=fact.source))
