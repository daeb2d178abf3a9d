from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import grpc
import pytest
from candor.escalation.v1 import facts_pb2, model_pb2, report_pb2
from candor_kit.errors import Refusal

from .desk import ONE_LAW, Desk

if TYPE_CHECKING:
    from .conftest import Channels


async def refused(call: object) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call  # type: ignore[misc]
    refusal = Refusal.from_rpc(error.value)
    return refusal.reason if refusal else ""


async def blocked(desk: Desk) -> tuple[str, str]:
    reported = await desk.report("illegal_content", ONE_LAW, aware=datetime.now(UTC))
    return reported.incident_id, reported.clock_ids[0]


async def test_a_draft_in_two_languages_names_what_is_missing_and_is_written_again(desk: Desk) -> None:
    incident_id, clock_id = await blocked(desk)
    first = await desk.draft(clock_id)
    await desk.tell(
        incident_id, {"disposal": "已删除", "sanctions": "警示", "records_kept": "已保存", "categories": "煽动"}
    )
    second = await desk.draft(clock_id)

    assert set(first) == {"zh", "en"}
    assert set(first["zh"].missing) == {"categories", "disposal", "sanctions", "records_kept"}
    assert "【待补：已采取的处置措施】" in first["zh"].text
    assert "[missing: Disposal measures taken]" in first["en"].text
    assert "示例公司" in first["zh"].text
    assert (second["zh"].revision, second["en"].revision) == (2, 2)
    assert list(second["zh"].missing) == list(second["en"].missing) == []
    assert "六、已采取的处置措施：已删除" in second["zh"].text
    assert "5. Outputs concerned: 1" in second["en"].text
    assert second["zh"].sha256 == hashlib.sha256(second["zh"].text.encode()).digest()


async def test_only_the_receipt_stops_the_clock_and_then_nobody_is_paged(desk: Desk, channels: Channels) -> None:
    incident_id, clock_id = await blocked(desk)
    await channels.wait(incident_id, "duty-officer")
    drafts = await desk.draft(clock_id)
    submission_id = await desk.submit(clock_id, drafts["zh"].revision)
    submitted = await desk.incident(incident_id)
    state = await desk.receipt(submission_id)
    closed = await desk.incident(incident_id)

    assert submitted.clocks[0].state == model_pb2.CLOCK_STATE_RUNNING
    assert submitted.submissions[0].sha256 == drafts["zh"].sha256
    assert submitted.submissions[0].submitted_by == "officer"
    assert state == closed.clocks[0].state == model_pb2.CLOCK_STATE_RECEIPTED
    assert closed.incident.state == model_pb2.INCIDENT_STATE_CLOSED
    assert closed.submissions[0].receipt.reference == "12387-2026-0001"
    assert [milestone for milestone in closed.clocks[0].milestones if not milestone.HasField("reached_at")] == []
    stopped = await desk.deployment.facts("escalation", facts_pb2.ClockStopped, lambda fact: fact.clock_id == clock_id)
    assert [fact.state for fact in stopped] == [model_pb2.CLOCK_STATE_RECEIPTED]
    assert await desk.deployment.facts(
        "escalation", facts_pb2.IncidentClosed, lambda fact: fact.incident_id == incident_id
    )
    assert channels.about(incident_id, "director") == []


async def test_two_persons_decide_not_to_report(desk: Desk) -> None:
    incident_id, clock_id = await blocked(desk)

    assert await refused(desk.not_report(clock_id, "li", approved_by="li")) == "SAME_PERSON"
    assert (await desk.incident(incident_id)).clocks[0].state == model_pb2.CLOCK_STATE_RUNNING
    assert await desk.not_report(clock_id, "li", approved_by="wang") == model_pb2.CLOCK_STATE_NOT_REPORTED
    shown = await desk.reports("auditor").GetReport(report_pb2.GetReportRequest(clock_id=clock_id))
    assert (shown.proposal.proposed_by, shown.proposal.asked, shown.proposal.approved_by) == ("li", "wang", "wang")
    decided = await desk.deployment.facts(
        "escalation", facts_pb2.NotReportingDecided, lambda fact: fact.clock_id == clock_id
    )
    assert [(fact.decided_by, fact.approved_by) for fact in decided] == [("li", "wang")]


async def test_nothing_is_done_to_a_clock_that_was_stopped(desk: Desk) -> None:
    incident_id, clock_id = await blocked(desk)
    drafts = await desk.draft(clock_id)
    submission_id = await desk.submit(clock_id, drafts["en"].revision, "en")
    await desk.receipt(submission_id)

    assert await refused(desk.receipt(submission_id)) == "CLOCK_STOPPED"
    assert await refused(desk.draft(clock_id)) == "CLOCK_STOPPED"
    assert await refused(desk.submit(clock_id, 1)) == "CLOCK_STOPPED"
    assert await refused(desk.not_report(clock_id, "li", "wang")) == "CLOCK_STOPPED"
    assert await refused(desk.tell(incident_id, {"disposal": "x"})) == "INCIDENT_CLOSED"


async def test_what_was_never_drafted_cannot_be_submitted(desk: Desk) -> None:
    _, clock_id = await blocked(desk)

    assert await refused(desk.submit(clock_id, 1)) == "DRAFT_UNKNOWN"


async def test_the_summary_keeps_an_incident_open_until_the_disposal_ended_and_it_is_reported(desk: Desk) -> None:
    unconcerned = ("personal_information", "data_concerned", "attack", "crime_suspected", "details_pending")
    reported = await desk.report(
        "security",
        {"grade": "larger", **dict.fromkeys(unconcerned, False)},
        aware=datetime.now(UTC) - timedelta(hours=1),
    )
    assert await desk.clock(reported.incident_id, "cn.incident-reporting", "other")
    for clock in (await desk.incident(reported.incident_id)).clocks:
        await desk.not_report(clock.clock_id, "li", "wang")
    waiting = await desk.incident(reported.incident_id)
    started = await desk.tell(reported.incident_id, {}, disposal_ended=datetime.now(UTC))
    summary = await desk.clock(reported.incident_id, "cn.incident-reporting", "summary")
    await desk.not_report(summary.clock_id, "li", "wang")
    closed = await desk.incident(reported.incident_id)

    assert waiting.incident.state == model_pb2.INCIDENT_STATE_OPEN
    assert summary.clock_id in started.clock_ids
    assert closed.incident.state == model_pb2.INCIDENT_STATE_CLOSED
