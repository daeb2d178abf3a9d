"""What is unknown, contradictory or disputed: asked, counted on the shortest assumption, settled, never lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import grpc
import pytest
from candor.escalation.v1 import facts_pb2, model_pb2, service_pb2
from candor_kit.errors import Refusal

from .desk import Desk, instant

HOUR = timedelta(hours=1)
FALLEN, RUNNING = model_pb2.CLOCK_STATE_FALLEN, model_pb2.CLOCK_STATE_RUNNING


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def reason(error: pytest.ExceptionInfo[grpc.aio.AioRpcError]) -> str:
    refusal = Refusal.from_rpc(error.value)
    return refusal.reason if refusal else ""


async def test_an_unknown_fact_is_asked_and_its_answer_stops_the_clock_or_lets_it_rise_again(desk: Desk) -> None:
    aware = now() - HOUR
    reported = await desk.report("pi_leak", {"persons": 5}, aware=aware)
    incident_id = reported.incident_id
    asked = await desk.open_questions(incident_id)
    before = await desk.clock(incident_id, "eu.gdpr.33", "authority")

    await desk.tell(incident_id, {"risk_unlikely": True})
    fell = await desk.clock(incident_id, "eu.gdpr.33", "authority")
    after = await desk.open_questions(incident_id)
    rose_ids = (await desk.tell(incident_id, {"risk_unlikely": False})).clock_ids
    rose = await desk.clock(incident_id, "eu.gdpr.33", "authority")

    assert asked["risk_unlikely"] == model_pb2.QUESTION_KIND_FACT
    assert list(before.unknown) == ["risk_unlikely"]
    assert fell.state == FALLEN
    assert [milestone for milestone in fell.milestones if not milestone.HasField("reached_at")] == []
    assert "risk_unlikely" not in after
    assert list(rose_ids) == [rose.clock_id] == [before.clock_id]
    assert rose.state == RUNNING
    assert (instant(rose.anchor.at), rose.strict_due) == (aware, before.strict_due)
    assert [(one.cause, one.state, one.revision) for one in rose.history] == [
        ("started", RUNNING, 1),
        ("facts", FALLEN, 1),
        ("facts", RUNNING, 2),
    ]
    stopped = await desk.deployment.facts(
        "escalation", facts_pb2.ClockStopped, lambda fact: fact.clock_id == rose.clock_id
    )
    assert [fact.state for fact in stopped] == [FALLEN]
    answered = await desk.deployment.facts(
        "escalation",
        facts_pb2.QuestionAnswered,
        lambda fact: (fact.question.incident_id, fact.question.name) == (incident_id, "risk_unlikely"),
    )
    assert [fact.question.state for fact in answered] == [model_pb2.QUESTION_STATE_ANSWERED]


async def test_an_incident_whose_last_duty_fell_closes_and_opens_again_with_it(desk: Desk) -> None:
    reported = await desk.report("service_change", service_change=now() - HOUR)
    incident_id = reported.incident_id
    assert len(reported.clock_ids) > 1

    await desk.tell(incident_id, {"public_opinion": False})
    closed = await desk.incident(incident_id)
    await desk.tell(incident_id, {"public_opinion": True})
    again = await desk.incident(incident_id)

    assert closed.incident.state == model_pb2.INCIDENT_STATE_CLOSED
    assert {clock.state for clock in closed.clocks} == {FALLEN}
    assert {question.state for question in closed.questions} <= {
        model_pb2.QUESTION_STATE_ANSWERED,
        model_pb2.QUESTION_STATE_LAPSED,
    }
    assert again.incident.state == model_pb2.INCIDENT_STATE_OPEN
    assert {clock.state for clock in again.clocks} == {RUNNING}
    assert {clock.clock_id for clock in again.clocks} == {clock.clock_id for clock in closed.clocks}
    assert await desk.deployment.facts(
        "escalation", facts_pb2.IncidentReopened, lambda fact: fact.incident.incident_id == incident_id
    )


async def test_contradictory_facts_are_both_kept_and_the_shortest_assumption_is_used_until_it_is_settled(
    desk: Desk,
) -> None:
    aware = now() - HOUR
    incident_id = (await desk.report("pi_leak", {"persons": 10}, aware=aware)).incident_id
    started = await desk.tell(incident_id, {"persons": 2_000_000}, source="monitoring")
    disputed = await desk.incident(incident_id)
    asked = await desk.open_questions(incident_id)
    report = await desk.clock(incident_id, "cn.incident-reporting", "other")

    await desk.tell(incident_id, {"persons": 12}, source="audit", reason="Counted anew, twice.")
    settled = await desk.incident(incident_id)
    fell = await desk.clock(incident_id, "cn.incident-reporting", "other")

    said = [(fact.source, fact.value.number_value, fact.disputed) for fact in disputed.facts if fact.name == "persons"]
    assert said == [("on-call", 10, True), ("monitoring", 2_000_000, True)]
    assert report.clock_id in started.clock_ids
    assert list(report.disputed) == ["persons"]
    assert "disputed: persons" in report.anchor.evidence
    assert instant(report.strict_due) == aware + 4 * HOUR
    assert asked["persons"] == model_pb2.QUESTION_KIND_CONTRADICTION
    assert fell.state == FALLEN
    assert "persons" not in await desk.open_questions(incident_id)
    kept = [(fact.source, fact.disputed, fact.reason) for fact in settled.facts if fact.name == "persons"]
    assert kept == [("on-call", False, ""), ("monitoring", False, ""), ("audit", False, "Counted anew, twice.")]


async def test_an_anchor_is_corrected_to_a_later_instant_for_a_reason_and_the_history_stays(desk: Desk) -> None:
    aware = now() - 5 * HOUR
    incident_id = (await desk.report("pi_leak", {"persons": 5, "harm_avoided": True}, aware=aware)).incident_id
    counted = await desk.correct(incident_id, "aware", aware + 2 * HOUR)
    seen = await desk.incident(incident_id)
    clock = await desk.clock(incident_id, "eu.gdpr.33", "authority")

    assert set(counted) == {one.clock_id for one in seen.clocks}
    assert instant(clock.strict_due) == aware + 74 * HOUR
    assert [milestone.kind for milestone in clock.milestones if not milestone.HasField("reached_at")] == [
        "half",
        "quarter",
        "hour_left",
        "due",
        "overdue",
    ]
    assert [(one.cause, instant(one.anchor.at), one.changed_by, one.reason) for one in clock.history] == [
        ("started", aware, "someone", ""),
        ("anchor_corrected", aware + 2 * HOUR, "li", "The log says so."),
    ]
    assert [(one.act, instant(one.anchor.at), one.reason, one.stands) for one in seen.anchors] == [
        (model_pb2.ANCHOR_ACT_REPORT, aware, "", False),
        (model_pb2.ANCHOR_ACT_CORRECTION, aware + 2 * HOUR, "The log says so.", True),
    ]
    moved = await desk.deployment.facts(
        "escalation", facts_pb2.ClockReanchored, lambda fact: fact.clock.clock_id == clock.clock_id
    )
    assert [(fact.cause, instant(fact.previous_anchor.at)) for fact in moved] == [("anchor_corrected", aware)]


async def test_a_disputed_anchor_counts_from_the_earliest_instant_until_it_is_confirmed(desk: Desk) -> None:
    aware = now() - 2 * HOUR
    incident_id = (await desk.report("pi_leak", {"persons": 5}, aware=aware)).incident_id
    await desk.dispute(incident_id, "aware", aware - HOUR)
    disputed = await desk.clock(incident_id, "eu.gdpr.33", "authority")
    asked = await desk.open_questions(incident_id)
    await desk.correct(incident_id, "aware", aware)
    confirmed = await desk.clock(incident_id, "eu.gdpr.33", "authority")

    assert instant(disputed.strict_due) == aware + 71 * HOUR
    assert disputed.anchor_disputed
    assert asked["aware"] == model_pb2.QUESTION_KIND_DISPUTE
    assert instant(confirmed.strict_due) == aware + 72 * HOUR
    assert not confirmed.anchor_disputed
    assert "aware" not in await desk.open_questions(incident_id)
    assert [one.cause for one in confirmed.history] == ["started", "anchor_disputed", "anchor_corrected"]


async def test_what_has_not_happened_or_was_never_reported_is_no_correction(desk: Desk) -> None:
    incident_id = (await desk.report("pi_leak", {"persons": 5}, aware=now())).incident_id
    with pytest.raises(grpc.aio.AioRpcError) as future:
        await desk.correct(incident_id, "aware", now() + HOUR)
    with pytest.raises(grpc.aio.AioRpcError) as unknown:
        await desk.dispute(incident_id, "discovered")

    assert (reason(future), reason(unknown)) == ("TIME_IN_FUTURE", "ANCHOR_UNKNOWN")


async def test_what_no_pack_knows_is_for_a_person_who_can_close_it(desk: Desk) -> None:
    incident_id = (await desk.report("party_noise", {}, aware=now())).incident_id
    asked = await desk.open_questions(incident_id)
    await desk.close(incident_id)
    closed = await desk.incident(incident_id)
    running = (await desk.report("pi_leak", {}, aware=now())).incident_id
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await desk.close(running)

    assert asked == {"party_noise": model_pb2.QUESTION_KIND_TRIAGE}
    assert closed.incident.state == model_pb2.INCIDENT_STATE_CLOSED
    assert [question.state for question in closed.questions] == [model_pb2.QUESTION_STATE_ANSWERED]
    assert reason(refused) == "CLOCK_RUNNING"


async def test_questions_are_listed_page_by_page(desk: Desk) -> None:
    for _ in range(3):
        await desk.report("pi_leak", {}, aware=now())
    stub = desk.stub("auditor")
    whole = await stub.ListQuestions(service_pb2.ListQuestionsRequest(open_only=True, page_size=1000))
    token, pieces = "", []
    while True:
        piece = await stub.ListQuestions(
            service_pb2.ListQuestionsRequest(open_only=True, page_size=4, page_token=token)
        )
        pieces += [question.question_id for question in piece.questions]
        token = piece.next_page_token
        if not token:
            break

    assert len(pieces) >= 3
    assert pieces == [question.question_id for question in whole.questions]
