"""Logs cut into months: what was made in another month goes to that month's log, and is read, proven, matched there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from candor.generation.v1 import facts_pb2, model_pb2, service_pb2, service_pb2_grpc
from candor.refutation.v1 import facts_pb2 as refutation_facts
from candor.refutation.v1 import model_pb2 as refutation_model
from candor.refutation.v1 import service_pb2 as refutation_pb2
from candor.refutation.v1 import service_pb2_grpc as refutation_grpc
from candor_cli.session import command_id
from candor_kit.ids import uuid7
from deployment import Deployment

from .auditor import Auditor, logs

ROOT = Path(__file__).resolve().parents[3]
RUMOUR = "紧急扩散：城东大桥的第三根桥墩昨晚裂开了一条四米长的口子，今天全天封闭，千万不要再走那里！"
ORDINARY = "The bridge in the east of the town has four pillars and was built a long time ago."
LAST_MONTH = timedelta(days=34)
"""No month has more than 31 days, and an id is taken for 35."""


@pytest.fixture(scope="module")
async def monthly(stack_folder: Path, jar_cache: Path) -> AsyncIterator[Deployment]:
    """A deployment whose logs are cut into months, of the two services that this is about."""
    with pytest.MonkeyPatch.context() as environment:
        for name in ("KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL"):
            environment.delenv(name, raising=False)
        environment.setenv("CANDOR_LOG_PERIOD_MONTHS", "1")
        folder = stack_folder / "monthly"
        async with Deployment(folder, jar_cache, ROOT / "packs", ("generation", "refutation")) as running:
            yield running


async def record(deployment: Deployment, output: str, made_at: datetime) -> str:
    """Record an output whose id was made at a moment, as by a backend that had been cut off until now."""
    command = service_pb2.RecordRequest(
        command_id=str(uuid7(made_at)),
        subject="reader",
        provider="example",
        model="example-7b",
        product="chat",
        locale="zh-CN",
        modality=model_pb2.MODALITY_TEXT,
        prompt="?",
        output=output,
    )
    command.occurred_at.FromDatetime(made_at)
    stub = service_pb2_grpc.GenerationServiceStub(deployment.channel("generation", "backend"))
    return str((await stub.Record(command)).generation_id)


async def test_a_match_is_of_the_text_at_that_index_of_that_log(monthly: Deployment, tmp_path: Path) -> None:
    """Both logs have an index 0; only the older one's repeats the claim, and then the other way round."""
    auditor = Auditor(monthly, tmp_path)
    claim_id = await refute(monthly)
    now = datetime.now(UTC)
    ids = [
        await record(monthly, output, made_at)
        for output, made_at in (
            (RUMOUR, now - LAST_MONTH),
            (ORDINARY, now),
            (ORDINARY, now - LAST_MONTH),
            (RUMOUR, now),
        )
    ]
    facts = await monthly.facts(
        "generation", facts_pb2.GenerationRecorded, lambda fact: fact.generation_id in ids, count=4
    )
    places = {fact.generation_id: (fact.origin, fact.log_index) for fact in facts}
    older, present = places[ids[0]][0], places[ids[1]][0]
    assert [places[identifier] for identifier in ids] == [(older, 0), (present, 0), (older, 1), (present, 1)]
    assert older != present

    matches = await monthly.facts(
        "refutation", refutation_facts.ClaimMatched, lambda fact: fact.claim_id == claim_id, count=2, timeout=60
    )
    assert {(match.generation_id, match.log_index) for match in matches} == {(ids[0], 0), (ids[3], 1)}

    # Each is proven in its own log, and each log is whole by itself.
    for identifier, index in zip(ids, (0, 0, 1, 1), strict=True):
        answer = await auditor.stub.GetEvidence(service_pb2.GetEvidenceRequest(generation_id=identifier))
        origin = places[identifier][0]
        assert (answer.origin, answer.log_index) == (origin, index)
        listed = next(log for log in logs(monthly) if log["origin"] == origin)
        log = ("--key", listed["vkey"], "--log-url", auditor.log_url(origin))
        code, said = await auditor.verify(auditor.lay(answer), *log)
        assert code == 0, said
        code, said = await auditor.verify(*log)
        assert code == 0, said
        assert "2 entries give the root" in said
    present_ones = [(log["kind"], log["origin"]) for log in logs(monthly) if log["is_present"]]
    assert [kind for kind, _ in sorted(present_ones)] == ["acts", "generation"]
    assert ("generation", present) in present_ones


async def refute(deployment: Deployment) -> str:
    """Register the rumour as a claim that is false; return its id once outputs are compared with it."""
    stub = refutation_grpc.RefutationServiceStub(deployment.channel("refutation", "on_call"))
    registered = await stub.RegisterClaim(
        refutation_pb2.RegisterClaimRequest(command_id=command_id(), text=RUMOUR, locale="zh")
    )
    await stub.RecordVerdict(
        refutation_pb2.RecordVerdictRequest(
            command_id=command_id(),
            claim_id=registered.claim_id,
            verdict=refutation_model.VERDICT_FALSE,
            explanation="桥梁管理处：大桥完好，正常通行。",
            sources=[refutation_model.Source(title="Statement", url="https://example.com/bridge")],
        )
    )
    return str(registered.claim_id)
