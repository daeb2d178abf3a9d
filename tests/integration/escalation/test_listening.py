"""What the other services announce: incidents, evidence that is held, requests over time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from candor.escalation.v1 import model_pb2, service_pb2
from candor.generation.v1 import facts_pb2 as generation_pb2
from candor.generation.v1 import hold_pb2, hold_pb2_grpc
from candor.generation.v1 import model_pb2 as generation_model_pb2
from candor.refutation.v1 import facts_pb2 as refutation_pb2
from candor.refutation.v1 import model_pb2 as refutation_model_pb2
from candor.rights.v1 import facts_pb2 as rights_pb2
from candor.rights.v1 import model_pb2 as rights_model_pb2
from candor_cli.session import command_id
from google.protobuf import json_format
from google.protobuf.message import Message

from .desk import ONE_LAW, Desk, instant, stamp, until

UPHELD = generation_model_pb2.REVIEW_OUTCOME_UPHELD
RELEASED = generation_model_pb2.REVIEW_OUTCOME_RELEASED


async def tell(desk: Desk, service: str, fact: Message) -> None:
    await desk.deployment.tell(service, fact, at=datetime.now(UTC))


async def seen(desk: Desk, words: str) -> service_pb2.GetIncidentResponse:
    """The one incident with these words in its title, once there is one."""

    async def listed() -> list[str]:
        answer = await desk.stub("on_call").ListIncidents(service_pb2.ListIncidentsRequest(page_size=1000))
        return [incident.incident_id for incident in answer.incidents if words in incident.title]

    (incident_id,) = await until(listed, bool, 60)
    return await desk.incident(incident_id)


def known(answer: service_pb2.GetIncidentResponse) -> dict[str, object]:
    return {fact.name: json_format.MessageToDict(fact.value) for fact in answer.facts}


def flagged(product: str, generation_id: str) -> Message:
    return generation_pb2.GenerationFlagged(
        generation_id=generation_id,
        product=product,
        occurred_at=stamp(datetime.now(UTC)),
        verdict=generation_model_pb2.Verdict(decision=generation_model_pb2.DECISION_BLOCK),
    )


def decided(product: str, generation_id: str, outcome: generation_model_pb2.ReviewOutcome.ValueType) -> Message:
    return generation_pb2.ReviewDecided(
        generation_id=generation_id,
        subject="user-4711",
        product=product,
        machine_decision=generation_model_pb2.DECISION_REVIEW,
        outcome=outcome,
        categories=["fraud"],
        decided_at=stamp(datetime.now(UTC)),
    )


async def test_what_people_decide_of_blocked_outputs_is_known_in_the_incident(desk: Desk) -> None:
    product, one, two = f"chat-{command_id()[-8:]}", command_id(), command_id()
    for generation_id in (one, two):
        await tell(desk, "generation", flagged(product, generation_id))
    await until(lambda: seen(desk, product), lambda answer: answer.incident.signals == 2, 60)
    await tell(desk, "generation", decided(product, one, RELEASED))
    await tell(desk, "generation", decided(product, two, RELEASED))
    released = await until(lambda: seen(desk, product), lambda answer: known(answer).get("reviews_released") == 2, 60)
    await tell(desk, "generation", decided(product, two, UPHELD))
    upheld = await until(lambda: seen(desk, product), lambda answer: known(answer).get("reviews_upheld") == 1, 60)

    assert known(released)["false_alarm"] is True
    assert known(upheld)["false_alarm"] is False
    assert known(upheld)["reviews_released"] == 1


@pytest.mark.clause("Deep Synthesis 10")
async def test_what_only_a_person_found_illegal_is_reported_from_then_on(desk: Desk) -> None:
    product, released = f"chat-{command_id()[-8:]}", f"calm-{command_id()[-8:]}"
    await tell(desk, "generation", decided(released, command_id(), RELEASED))
    await tell(desk, "generation", decided(product, command_id(), UPHELD))
    found = await seen(desk, product)

    assert found.incident.kind == "illegal_content"
    assert found.clocks[0].anchor.evidence.startswith("a person confirmed")
    stored = await desk.deployment.rows("escalation", "SELECT jsonb_agg(s)::text AS all FROM signal s")
    assert "user-4711" not in stored[0]["all"]
    everything = await desk.stub("on_call").ListIncidents(service_pb2.ListIncidentsRequest(page_size=1000))
    assert not [incident for incident in everything.incidents if released in incident.title]


async def test_a_flood_that_put_a_feature_to_rest_is_for_a_person(desk: Desk) -> None:
    feature = generation_model_pb2.Feature(
        feature_id=command_id(), mode=generation_model_pb2.FEATURE_MODE_SHADOW, category="fraud"
    )
    flood = generation_model_pb2.Flood(hits=900, screened=1000, until=stamp(datetime.now(UTC)))
    await tell(desk, "generation", generation_pb2.FeatureModeChanged(feature=feature, changed_by="li"))
    await tell(desk, "generation", generation_pb2.FeatureModeChanged(feature=feature, flood=flood))
    found = await seen(desk, feature.feature_id)

    assert (found.incident.kind, found.incident.signals) == ("feature_flood", 1)
    assert [question.kind for question in found.questions] == [model_pb2.QUESTION_KIND_TRIAGE]


async def test_the_refutation_and_the_verdict_of_a_claim_are_known_in_its_incident(desk: Desk) -> None:
    claim_id = command_id()
    at = stamp(datetime.now(UTC))
    await tell(desk, "refutation", refutation_pb2.SpreadDetected(claim_id=claim_id, level=1, matches=9, window_end=at))
    await seen(desk, claim_id)
    await tell(desk, "refutation", refutation_pb2.RefutationPublished(claim_id=claim_id, url="https://x.example/1"))
    await tell(
        desk,
        "refutation",
        refutation_pb2.VerdictRecorded(claim_id=claim_id, verdict=refutation_model_pb2.VERDICT_MISLEADING),
    )
    found = await until(lambda: seen(desk, claim_id), lambda answer: "verdict" in known(answer), 60)

    assert known(found)["verdict"] == "misleading"
    assert known(found)["refutation_url"] == "https://x.example/1"


@pytest.mark.clause("PIPL 50")
@pytest.mark.clause("GDPR 12(3)")
async def test_a_request_whose_time_passes_is_an_incident_and_its_answer_is_noted(desk: Desk) -> None:
    late, answered = command_id(), command_id()
    for request_id, due in ((answered, timedelta(seconds=2)), (late, timedelta(0))):
        opened = rights_pb2.RequestOpened(
            request_id=request_id,
            right=rights_model_pb2.RIGHT_DELETION,
            received_at=stamp(datetime.now(UTC)),
            strict_due=stamp(datetime.now(UTC) + due),
        )
        await tell(desk, "rights", opened)
        if request_id == answered:
            await tell(desk, "rights", rights_pb2.RequestRefused(request_id=request_id, ground="unknown"))
    found = await seen(desk, late)
    await tell(desk, "rights", rights_pb2.RequestClosed(request_id=late))
    noted = await until(lambda: seen(desk, late), lambda answer: "answered" in known(answer), 60)

    assert (found.incident.kind, known(found)["right"]) == ("rights_overdue", "deletion")
    assert known(noted)["answered"] is True
    everything = await desk.stub("on_call").ListIncidents(service_pb2.ListIncidentsRequest(page_size=1000))
    assert not [incident for incident in everything.incidents if answered in incident.title]


@pytest.mark.clause("PIPL 47")
async def test_the_generations_of_an_open_incident_are_held_and_let_go_as_long_after_it_as_the_law_asks(
    desk: Desk, oncall_environment: dict[str, str]
) -> None:
    product = f"chat-{command_id()[-8:]}"
    desk.deployment.runner.kill_service("generation")
    await tell(desk, "generation", flagged(product, command_id()))
    incident_id = (await seen(desk, product)).incident.incident_id
    desk.deployment.runner.restart_service("escalation", oncall_environment)
    desk.deployment.runner.start_service("generation")
    holds = hold_pb2_grpc.HoldServiceStub(desk.deployment.channel("generation", "privacy_officer"))

    async def ours() -> list[hold_pb2.Hold]:
        answer = await holds.ListHolds(hold_pb2.ListHoldsRequest(page_size=1000))
        return [hold for hold in answer.holds if hold.incident_id == incident_id]

    async def hold_with(generations: int) -> hold_pb2.Hold:
        found = await until(ours, lambda held: bool(held) and held[0].generations == generations, 90)
        assert len(found) == 1
        return found[0]

    first = await hold_with(1)
    await tell(desk, "generation", flagged(product, command_id()))
    second = await hold_with(2)
    await desk.tell(incident_id, ONE_LAW)
    clock = await desk.clock(incident_id, "cn.deep-synthesis.10", "report")
    await desk.not_report(clock.clock_id, "li", "wang")
    (row,) = await desk.deployment.rows(
        "escalation", "SELECT release_at, due_at FROM evidence_hold WHERE incident_id = %s", incident_id
    )
    closed_at = instant((await desk.clock(incident_id, "cn.deep-synthesis.10", "report")).stopped_at)
    await desk.deployment.rows(
        "escalation",
        "UPDATE evidence_hold SET release_at = clock_timestamp(), due_at = clock_timestamp()"
        " WHERE incident_id = %s RETURNING 1",
        incident_id,
    )
    await until(ours, lambda held: held[0].state != hold_pb2.HOLD_STATE_ACTIVE, 90)

    assert first.hold_id == second.hold_id
    assert first.placed_by == "escalation"
    assert first.state == hold_pb2.HOLD_STATE_ACTIVE
    assert abs(row["release_at"] - closed_at - timedelta(days=183)) < timedelta(minutes=1)
