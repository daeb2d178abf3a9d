from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from aiokafka import AIOKafkaProducer
from candor.escalation.v1 import model_pb2, service_pb2
from candor.generation.v1 import facts_pb2 as generation_pb2
from candor.generation.v1 import model_pb2 as generation_model_pb2
from candor.refutation.v1 import facts_pb2 as refutation_pb2
from candor.rights.v1 import facts_pb2 as rights_pb2
from candor.rights.v1 import holder_pb2, holder_pb2_grpc
from candor.rights.v1 import model_pb2 as rights_model_pb2
from candor.rights.v1 import service_pb2 as rights_service_pb2
from candor_cli.session import TopicFollower, command_id
from candor_kit import envelope
from google.protobuf.message import Message

from .desk import Desk, instant, stamp, until


class Announcer:
    """Puts facts on other services' public topics, as those services do."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer

    async def announce(self, service: str, fact: Message, key: str) -> None:
        headers = envelope.headers_of(
            identifier=command_id(),
            message_type=fact.DESCRIPTOR.full_name,
            source=f"candor.{service}",
            at=datetime.now(UTC),
        )
        await self._producer.send_and_wait(
            f"candor.{service}.v1", key=key.encode(), value=fact.SerializeToString(), headers=headers
        )


@pytest.fixture(scope="module")
async def announcer(desk: Desk) -> AsyncIterator[Announcer]:
    async with AIOKafkaProducer(bootstrap_servers=desk.deployment.kafka) as producer:
        yield Announcer(producer)


async def incident_titled(desk: Desk, words: str, signals: int) -> model_pb2.Incident:
    async def listed() -> list[model_pb2.Incident]:
        answer = await desk.stub("on_call").ListIncidents(service_pb2.ListIncidentsRequest(page_size=1000))
        return [incident for incident in answer.incidents if words in incident.title]

    found = await until(listed, lambda found: sum(incident.signals for incident in found) >= signals)
    assert len(found) == 1
    return found[0]


def flagged(product: str, at: datetime, decision: generation_model_pb2.Decision.ValueType, category: str) -> Message:
    return generation_pb2.GenerationFlagged(
        generation_id=command_id(),
        subject="user-4711",
        product=product,
        occurred_at=stamp(at),
        verdict=generation_model_pb2.Verdict(
            decision=decision, hits=[generation_model_pb2.Hit(feature_id="f", category=category)]
        ),
    )


@pytest.mark.clause("Deep Synthesis 10")
async def test_blocked_outputs_of_a_product_and_day_are_one_incident_under_article_10(
    desk: Desk, announcer: Announcer
) -> None:
    product = f"chat-{command_id()[-8:]}"
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
    block, review = generation_model_pb2.DECISION_BLOCK, generation_model_pb2.DECISION_REVIEW
    for decision, category in ((block, "incitement"), (review, "gossip"), (block, "fraud")):
        await announcer.announce("generation", flagged(product, at, decision, category), product)
    incident = await incident_titled(desk, product, 2)
    seen = await desk.incident(incident.incident_id)

    assert (incident.kind, incident.signals) == ("illegal_content", 2)
    clocks = {f"{clock.pack_id}/{clock.obligation_id}": clock for clock in seen.clocks}
    assert instant(clocks["cn.deep-synthesis.10/report"].anchor.at) == at
    known = {fact.name: fact.value.string_value for fact in seen.facts}
    assert known == {"product": product, "categories": "fraud, incitement"}
    stored = await desk.deployment.rows(
        "escalation",
        "SELECT (SELECT jsonb_agg(f) FROM fact f)::text || (SELECT jsonb_agg(s) FROM signal s)::text AS all",
    )
    assert "user-4711" not in stored[0]["all"]


async def test_a_backend_whose_clock_is_ahead_keeps_no_duty_from_arising(desk: Desk, announcer: Announcer) -> None:
    product = f"chat-{command_id()[-8:]}"
    ahead = datetime.now(UTC) + timedelta(hours=1)
    await announcer.announce(
        "generation", flagged(product, ahead, generation_model_pb2.DECISION_BLOCK, "fraud"), product
    )
    seen = await desk.incident((await incident_titled(desk, product, 1)).incident_id)

    assert instant(seen.clocks[0].anchor.at) < ahead - timedelta(minutes=59)


@pytest.mark.clause("Deep Synthesis 11")
async def test_a_spreading_claim_is_one_incident_under_article_11(desk: Desk, announcer: Announcer) -> None:
    claim_id = command_id()
    at = datetime.now(UTC).replace(microsecond=0)
    for level, matches in ((1, 10), (2, 50)):
        fact = refutation_pb2.SpreadDetected(
            claim_id=claim_id, level=level, matches=matches, window_start=stamp(at), window_end=stamp(at)
        )
        await announcer.announce("refutation", fact, claim_id)
    incident = await incident_titled(desk, claim_id, 2)
    seen = await desk.incident(incident.incident_id)

    assert incident.kind == "rumour_spread"
    assert [clock.citation for clock in seen.clocks].count("互联网信息服务深度合成管理规定 第十一条") == 1
    assert [fact.value.number_value for fact in seen.facts if fact.name == "matches"] == [10, 50]


async def test_an_ask_of_the_rights_service_is_answered_and_again_with_the_same_proof(
    desk: Desk, announcer: Announcer
) -> None:
    task_id, request_id, subject = command_id(), command_id(), f"user-{command_id()}"
    for attempt in (1, 2):
        asked = rights_pb2.TaskAsked(
            task_id=task_id,
            request_id=request_id,
            holder_id="escalation",
            right=rights_model_pb2.RIGHT_DELETION,
            subject=subject,
            requested_at=stamp(datetime.now(UTC)),
            attempt=attempt,
        )
        await announcer.announce("rights", asked, request_id)
    follower = TopicFollower(desk.deployment.kafka, "candor.rights.intake.v1")
    try:
        answers = await follower.wait(
            rights_service_pb2.AnswerTaskRequest, lambda answer: answer.task_id == task_id, 2, 20
        )
    finally:
        await follower.close()

    assert [answer.proof.outcome for answer in answers] == [rights_model_pb2.OUTCOME_NOTHING_HELD] * 2
    assert answers[0].proof == answers[1].proof
    assert answers[0].command_id != answers[1].command_id


async def test_the_export_of_a_person_is_empty(desk: Desk) -> None:
    stub = holder_pb2_grpc.DataHolderServiceStub(desk.deployment.channel("escalation", "service", name="candor.rights"))
    request = holder_pb2.ExportRequest(task_id=command_id(), subject=f"user-{command_id()}")

    assert [item async for item in stub.Export(request)] == []


async def test_a_backend_reports_a_signal_over_kafka_alone(desk: Desk) -> None:
    key = f"intake-{command_id()[-8:]}"
    await desk.deployment.emit(
        "escalation",
        service_pb2.ReportSignalRequest(
            command_id=command_id(),
            kind="service_start",
            title=f"Service {key}",
            correlation_key=key,
            anchors=[service_pb2.ReportedAnchor(name="service_start", at=stamp(datetime.now(UTC)))],
            source="backend",
        ),
    )
    incident = await incident_titled(desk, key, 1)
    clock = await desk.clock(incident.incident_id, "cn.algorithm-filing", "file")

    assert clock.citation == "互联网信息服务算法推荐管理规定 第二十四条第一款"
    assert "public_opinion" in clock.anchor.evidence


async def test_the_packs_can_be_listed(desk: Desk) -> None:
    packs = (await desk.stub("auditor").ListPacks(service_pb2.ListPacksRequest())).packs

    assert {"cn.pipl.57", "eu.gdpr.33"} <= {pack.pack_id for pack in packs}
    assert {pack.status for pack in packs} == {"draft"}
