"""The kill test: each service in turn dies by SIGKILL at a random moment while 5,000 records flow in.

At the end every accepted record has exactly one log index, every fact was published, and nothing was applied twice.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from datetime import UTC, datetime

from candor.generation.v1 import facts_pb2 as generation_facts
from candor.generation.v1.service_pb2 import RecordRequest
from candor.refutation.v1 import facts_pb2 as refutation_facts
from candor.refutation.v1 import model_pb2 as refutation_model
from candor.refutation.v1 import service_pb2 as refutation_pb2
from candor.refutation.v1 import service_pb2_grpc as refutation_grpc
from candor_cli.demo.traffic import GenerationInput, record
from candor_cli.session import command_id
from deployment import Deployment

RECORDS = 5000
CHUNK = 50
_PATIENCE_SECONDS = 60.0
VICTIMS = ("generation", "refutation", "escalation", "rights", "consent")
RUMOUR = "据说本市所有加油站从明天零点起暂停供应汽油，各家各户务必今晚之前把油箱加满，过时不候！"


async def test_kill_9_of_each_service_in_turn_loses_nothing_and_doubles_nothing(deployment: Deployment) -> None:
    claim_id = await _refute(deployment)
    now = datetime.now(UTC)
    # Every hundredth output repeats the rumour, so that the effects reach refutation and escalation as well.
    records = [record(f"chaos-{number % 97}", _said(number), now) for number in range(RECORDS)]
    repeating = {item.command_id for number, item in enumerate(records) if number % 100 == 0}
    for victim, part in zip(VICTIMS, _parts(records), strict=True):
        await _flow(deployment, victim, part)

    wanted = {item.command_id for item in records}
    facts = await deployment.facts(
        "generation",
        generation_facts.GenerationRecorded,
        lambda fact: fact.generation_id in wanted,
        count=RECORDS,
        timeout=300,
    )
    # Topics are at least once: a fact may come twice, but then it is the same fact.
    index_of = {(fact.generation_id, fact.log_index) for fact in facts}
    assert {generation_id for generation_id, _index in index_of} == wanted
    assert len(index_of) == RECORDS
    assert len({index for _generation_id, index in index_of}) == RECORDS

    matches = await deployment.facts(
        "refutation",
        refutation_facts.ClaimMatched,
        lambda fact: fact.claim_id == claim_id,
        count=len(repeating),
        timeout=120,
    )
    assert {fact.generation_id for fact in matches} == repeating
    await _nothing_twice(deployment, claim_id, repeating)


async def _nothing_twice(deployment: Deployment, claim_id: str, repeating: set[str]) -> None:
    stub = refutation_grpc.RefutationServiceStub(deployment.channel("refutation", "auditor"))
    shown = await stub.GetClaim(refutation_pb2.GetClaimRequest(claim_id=claim_id))
    assert shown.claim.matches == len(repeating)
    spreads = await deployment.facts(
        "refutation", refutation_facts.SpreadDetected, lambda fact: fact.claim_id == claim_id, timeout=60
    )
    announced = Counter(fact.level for fact in {fact.SerializeToString(): fact for fact in spreads}.values())
    assert announced == {1: 1}
    for service in VICTIMS:
        await _nothing_waits(deployment, service)


async def _nothing_waits(deployment: Deployment, service: str) -> None:
    """A service that goes on working (escalation pages on-call) always holds something new; nothing of it may stay."""
    rows = await deployment.rows(service, "SELECT id FROM kit_outbox")
    waiting = {row["id"] for row in rows}
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while waiting and time.monotonic() < deadline:
        await asyncio.sleep(0.2)
        waiting &= {row["id"] for row in await deployment.rows(service, "SELECT id FROM kit_outbox")}
    assert not waiting, f"{service} still holds what it should have published"


async def _refute(deployment: Deployment) -> str:
    stub = refutation_grpc.RefutationServiceStub(deployment.channel("refutation", "on_call"))
    registered = await stub.RegisterClaim(
        refutation_pb2.RegisterClaimRequest(command_id=command_id(), text=RUMOUR, locale="zh")
    )
    await stub.RecordVerdict(
        refutation_pb2.RecordVerdictRequest(
            command_id=command_id(),
            claim_id=registered.claim_id,
            verdict=refutation_model.VERDICT_FALSE,
            explanation="石油公司说明：油品供应充足，没有任何停供安排。",
            sources=[refutation_model.Source(title="Statement", url="https://example.com/fuel")],
        )
    )
    return str(registered.claim_id)


def _parts(records: list[RecordRequest]) -> list[list[RecordRequest]]:
    size = RECORDS // len(VICTIMS)
    return [records[start : start + size] for start in range(0, RECORDS, size)]


async def _flow(deployment: Deployment, victim: str, part: list[RecordRequest]) -> None:
    """Put a part of the records on the topic; at a random one the victim dies, and the flow goes on meanwhile."""
    fatal = random.randrange(0, len(part), CHUNK)  # noqa: S311 - the moment is to be random
    restarts: list[asyncio.Future[None]] = []
    for start in range(0, len(part), CHUNK):
        await deployment.emit_many("generation", list(part[start : start + CHUNK]))
        if start == fatal:
            await _some_records_later(deployment)
            await asyncio.to_thread(deployment.runner.kill_service, victim)
            restarts.append(asyncio.ensure_future(asyncio.to_thread(deployment.runner.start_service, victim)))
    await asyncio.gather(*restarts)


async def _some_records_later(deployment: Deployment) -> None:
    """Wait for a random number of further records to be integrated, so that the kill falls into the middle of work."""
    so_far = len(await deployment.facts("generation", generation_facts.GenerationRecorded, count=0))
    further = so_far + random.randint(1, CHUNK)  # noqa: S311 - the moment is to be random
    await deployment.facts("generation", generation_facts.GenerationRecorded, count=further, timeout=120)


def _said(number: int) -> GenerationInput:
    output = RUMOUR if number % 100 == 0 else f"第{number}条回答：这一条没有任何特别之处。"
    return GenerationInput("chaos-model", "zh", f"第{number}个问题", output)
