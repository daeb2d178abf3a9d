"""Incidents: what the law asks for within hours, and how it ends with a receipt."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from candor.escalation.v1 import facts_pb2 as escalation_facts
from candor.escalation.v1 import model_pb2 as escalation_model
from candor.escalation.v1 import report_pb2, report_pb2_grpc
from candor.escalation.v1 import service_pb2 as escalation_pb2
from candor.escalation.v1 import service_pb2_grpc as escalation_grpc

from candor_cli.demo.pager import PhoneOfOnCall
from candor_cli.demo.rumour import Spread
from candor_cli.demo.telling import Telling
from candor_cli.demo.traffic import StoryError
from candor_cli.session import Session, command_id

_LEAK_FACTS = {
    "persons": 1_200_000.0,
    "personal_information": True,
    "severity": "large",
    "nature": "A backup was readable from outside for two hours",
}


async def of_the_spread(session: Session, telling: Telling, spread: Spread) -> None:
    """The spread alone, without anybody calling, opens an incident with its clock."""
    started = await session.facts(
        "escalation",
        escalation_facts.ClockStarted,
        lambda fact: fact.clock.pack_id == "cn.deep-synthesis.11",
        timeout=60,
    )
    clock = started[0].clock
    due = clock.strict_due.ToDatetime(UTC)
    telling.ok(f"the spread of level {spread.level} opened an incident: {clock.citation}; due {due:%Y-%m-%d %H:%M}")


async def leak(session: Session, telling: Telling, phone: PhoneOfOnCall) -> None:
    """A leak: clocks of several laws, a page that nobody answers, one that is, a report, a receipt."""
    _drain(phone)
    on_call = escalation_grpc.EscalationServiceStub(session.channel("escalation", "on_call", name="oncall"))
    reported = await on_call.ReportSignal(_signal())
    shown = await _incident(session, reported.incident_id)
    for clock in shown.clocks:
        source = "by law" if clock.legal_number else "our own objective; the law says at once"
        due = clock.strict_due.ToDatetime(UTC)
        telling.ok(f"clock {clock.pack_id} ({clock.citation}): due {due:%Y-%m-%d %H:%M} UTC, {source}")
    if not {"cn.pipl.57", "eu.gdpr.33"} <= {clock.pack_id for clock in shown.clocks}:
        raise StoryError("the leak should start the clocks of PIPL 57 and GDPR 33")
    telling.figure("legal clocks of the leak", len(shown.clocks))
    # What happened is one page: about the clock that falls due first.
    clock = min(shown.clocks, key=lambda clock: (clock.strict_due.ToNanoseconds(), clock.clock_id))
    await _page(session, telling, phone, clock)
    await _report(session, telling, on_call, clock)


async def _page(session: Session, telling: Telling, phone: PhoneOfOnCall, clock: escalation_model.Clock) -> None:
    first = await _take(phone, clock.clock_id, "chen")
    telling.ok(f"{first['contact']} was paged and does not answer")
    second = await _take(phone, clock.clock_id, "mueller")
    await session.facts(
        "escalation", escalation_facts.PageEscalated, lambda fact: fact.incident_id == clock.incident_id, timeout=30
    )
    telling.ok(f"{second['contact']} was paged next, and it is on record that nobody answered before")
    status = await phone.acknowledge(second["ack_url"])
    if status >= 400:  # noqa: PLR2004 - the first status that is an error
        raise StoryError(f"the acknowledge link answered {status}")
    await session.facts(
        "escalation", escalation_facts.PageAcknowledged, lambda fact: fact.contact == "mueller", timeout=30
    )
    shown = await _clock(session, clock)
    if shown.state != escalation_model.CLOCK_STATE_RUNNING:
        raise StoryError("an acknowledgement must not stop the clock")
    telling.ok("acknowledged through the signed link; the clock still runs")


async def _report(
    session: Session,
    telling: Telling,
    on_call: escalation_grpc.EscalationServiceAsyncStub,
    clock: escalation_model.Clock,
) -> None:
    drafted = await on_call.DraftReport(
        escalation_pb2.DraftReportRequest(command_id=command_id(), clock_id=clock.clock_id)
    )
    languages = ", ".join(sorted(draft.locale for draft in drafted.drafts))
    telling.ok(f"report drafted in {languages}; still missing: {', '.join(drafted.drafts[0].missing) or 'nothing'}")
    officer = report_pb2_grpc.ReportServiceStub(session.channel("escalation", "privacy_officer", name="officer"))
    approved = await officer.ApproveReport(
        report_pb2.ApproveReportRequest(
            command_id=command_id(), clock_id=clock.clock_id, revision=drafted.drafts[0].revision
        )
    )
    telling.ok(f"approved by a second person, {approved.approval.approved_by}")
    sent = escalation_pb2.RecordSubmissionRequest(
        command_id=command_id(),
        clock_id=clock.clock_id,
        revision=drafted.drafts[0].revision,
        locale="en",
        channel="portal",
        format=escalation_model.FILE_FORMAT_PDF,
    )
    sent.submitted_at.GetCurrentTime()
    submission = await on_call.RecordSubmission(sent)
    if (await _clock(session, clock)).state != escalation_model.CLOCK_STATE_RUNNING:
        raise StoryError("a submission without a receipt must not stop the clock")
    receipt = escalation_pb2.RecordReceiptRequest(
        command_id=command_id(), submission_id=submission.submission_id, reference="SA-2026-0001"
    )
    receipt.received_at.GetCurrentTime()
    await on_call.RecordReceipt(receipt)
    stopped = await session.facts(
        "escalation", escalation_facts.ClockStopped, lambda fact: fact.clock_id == clock.clock_id, timeout=30
    )
    left = clock.strict_due.ToDatetime(UTC) - stopped[0].stopped_at.ToDatetime(UTC)
    telling.ok(
        f"submitted, receipt SA-2026-0001 recorded: the clock stopped with {left.total_seconds() / 3600:.0f} h left"
    )
    telling.figure("clocks stopped by a receipt", len(stopped))


def _signal() -> escalation_pb2.ReportSignalRequest:
    signal = escalation_pb2.ReportSignalRequest(
        command_id=command_id(),
        kind="pi_leak",
        title="A backup bucket was readable from outside",
        correlation_key="backup-bucket",
        source="on-call",
    )
    for name, value in _LEAK_FACTS.items():
        if isinstance(value, bool):
            signal.facts[name].bool_value = value
        elif isinstance(value, float):
            signal.facts[name].number_value = value
        else:
            signal.facts[name].string_value = str(value)
    anchor = signal.anchors.add(name="aware", evidence="alert of the storage team")
    anchor.at.FromDatetime(datetime.now(UTC) - timedelta(minutes=5))
    return signal


async def _take(phone: PhoneOfOnCall, clock_id: str, contact: str) -> dict[str, str]:
    """Wait for the page about this clock to this contact; pages about other clocks are left unanswered."""
    async with asyncio.timeout(60):
        while True:
            page = await phone.pages.get()
            if page["contact"] == contact and page["clock_id"] == clock_id:
                return page


def _drain(phone: PhoneOfOnCall) -> None:
    while not phone.pages.empty():
        phone.pages.get_nowait()


async def _incident(session: Session, incident_id: str) -> escalation_pb2.GetIncidentResponse:
    stub = escalation_grpc.EscalationServiceStub(session.channel("escalation", "auditor", name="auditor"))
    return await stub.GetIncident(escalation_pb2.GetIncidentRequest(incident_id=incident_id))


async def _clock(session: Session, clock: escalation_model.Clock) -> escalation_model.Clock:
    shown = await _incident(session, clock.incident_id)
    return next(found for found in shown.clocks if found.clock_id == clock.clock_id)
