"""Protobuf to domain and back."""

import math
from collections.abc import Container, Iterable, Mapping
from datetime import UTC, datetime

from candor.escalation.v1 import facts_pb2, model_pb2, service_pb2
from candor_packs.pack import Pack
from google.protobuf import struct_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from candor_escalation.domain import clock as clocks
from candor_escalation.domain import incident as incidents
from candor_escalation.domain import report as reports
from candor_escalation.domain.approval import Approval
from candor_escalation.domain.clock import Clock
from candor_escalation.domain.incident import Anchor, Fact, Incident, Json, Signal
from candor_escalation.domain.milestone import Milestone
from candor_escalation.domain.paging import Page
from candor_escalation.domain.report import Draft, Submission

_INCIDENT_STATES = {
    incidents.OPEN: model_pb2.INCIDENT_STATE_OPEN,
    incidents.CLOSED: model_pb2.INCIDENT_STATE_CLOSED,
}
_CLOCK_STATES = {
    clocks.RUNNING: model_pb2.CLOCK_STATE_RUNNING,
    clocks.RECEIPTED: model_pb2.CLOCK_STATE_RECEIPTED,
    clocks.NOT_REPORTED: model_pb2.CLOCK_STATE_NOT_REPORTED,
    clocks.FALLEN: model_pb2.CLOCK_STATE_FALLEN,
}
_REPORT_KINDS = {
    reports.FIRST: model_pb2.REPORT_KIND_FIRST,
    reports.SUPPLEMENT: model_pb2.REPORT_KIND_SUPPLEMENT,
    reports.FINAL: model_pb2.REPORT_KIND_FINAL,
}


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant(at: Timestamp) -> datetime:
    """A timestamp as an aware datetime, UTC."""
    return at.ToDatetime(UTC)


def timestamp(at: datetime | None) -> Timestamp | None:
    """An aware datetime as a timestamp; None stays absent."""
    if at is None:
        return None
    since = at - _EPOCH
    return Timestamp(seconds=since.days * 86_400 + since.seconds, nanos=since.microseconds * 1000)


def facts(told: Mapping[str, struct_pb2.Value]) -> dict[str, Json]:
    """What was told, as JSON values. A number that is none (NaN, infinity) is not known."""
    return {name: _json(value) for name, value in told.items()}


def values(known: Mapping[str, Json]) -> dict[str, struct_pb2.Value]:
    """JSON values as they are told."""
    return {name: _value(value) for name, value in known.items()}


def anchors(told: Iterable[service_pb2.ReportedAnchor]) -> tuple[Anchor, ...]:
    """The instants that were told."""
    return tuple(Anchor(anchor.name, instant(anchor.at), anchor.evidence) for anchor in told)


def signal(request: service_pb2.ReportSignalRequest) -> Signal:
    """What was reported."""
    return Signal(
        kind=request.kind,
        title=request.title,
        correlation_key=request.correlation_key,
        facts=facts(request.facts),
        anchors=anchors(request.anchors),
        source=request.source,
    )


def incident_message(incident: Incident) -> model_pb2.Incident:
    """An incident on the wire."""
    return model_pb2.Incident(
        incident_id=incident.incident_id,
        kind=incident.kind,
        title=incident.title,
        state=_INCIDENT_STATES[incident.state],
        opened_at=timestamp(incident.opened_at),
        signals=incident.signals,
        drill=incident.drill,
    )


def fact_message(fact: Fact, disputed: Container[str] = ()) -> model_pb2.IncidentFact:
    """A fact of an incident on the wire; ``disputed`` names the facts that sources disagree about."""
    return model_pb2.IncidentFact(
        name=fact.name,
        value=_value(fact.value),
        recorded_at=timestamp(fact.recorded_at),
        recorded_by=fact.recorded_by,
        source=fact.source,
        disputed=fact.name in disputed,
        reason=fact.reason,
    )


def clock_state(state: str) -> model_pb2.ClockState.ValueType:
    """A clock's state on the wire."""
    return _CLOCK_STATES[state]


def anchor_message(clock: Clock) -> model_pb2.Anchor:
    """What a clock counts from, on the wire."""
    return model_pb2.Anchor(name=clock.anchor.name, at=timestamp(clock.anchor.at), evidence=clock.evidence)


def clock_message(
    clock: Clock, milestones: Iterable[Milestone] = (), history: Iterable[model_pb2.ClockRevision] = ()
) -> model_pb2.Clock:
    """A clock with its milestones on the wire; ``history`` the first change in front."""
    return model_pb2.Clock(
        clock_id=clock.clock_id,
        incident_id=clock.incident_id,
        pack_id=clock.pack_id,
        pack_version=clock.pack_version,
        obligation_id=clock.obligation_id,
        citation=clock.citation,
        recipient=clock.recipient,
        state=clock_state(clock.state),
        anchor=anchor_message(clock),
        strict_due=timestamp(clock.strict_due),
        legal_latest=timestamp(clock.legal_latest),
        provisional=clock.provisional,
        milestones=[_milestone(milestone) for milestone in milestones if milestone.clock_id == clock.clock_id],
        stopped_at=timestamp(clock.stopped_at),
        legal_number=clock.legal_number,
        unknown=clock.missing,
        disputed=clock.disputed,
        anchor_disputed=clock.anchor.disputed,
        anchor_provisional=clock.anchor.provisional,
        revision=clock.revision,
        occurrence=clock.occurrence,
        history=history,
        drill=clock.drill,
    )


def milestone_reached(milestone: Milestone) -> facts_pb2.MilestoneReached:
    """The fact that a milestone was reached."""
    return facts_pb2.MilestoneReached(
        incident_id=milestone.incident_id,
        clock_id=milestone.clock_id,
        kind=milestone.kind,
        due_at=timestamp(milestone.due_at),
        reached_at=timestamp(milestone.reached_at),
        drill=milestone.drill,
    )


def page_message(page: Page) -> model_pb2.Page:
    """A page on the wire, without what came of its single channels."""
    return model_pb2.Page(
        page_id=page.page_id,
        clock_id=page.clock_id,
        contact=page.contact,
        level=page.level,
        sent_at=timestamp(page.sent_at),
        acknowledged_at=timestamp(page.acknowledged_at),
        provider_answer=page.provider_answer,
        delivered=page.delivered,
        cause=page.cause,
        round=page.round,
        channel=page.channel,
        unconfirmed=page.unconfirmed,
        acknowledged_by=page.acknowledged_by,
        acknowledged_until=timestamp(page.acknowledged_until),
        schedule=page.schedule,
    )


def draft_message(draft: Draft, approvals: Iterable[Approval] = ()) -> model_pb2.Draft:
    """A draft on the wire, with who approved its revision."""
    given = next((one for one in approvals if (one.clock_id, one.revision) == (draft.clock_id, draft.revision)), None)
    return model_pb2.Draft(
        clock_id=draft.clock_id,
        revision=draft.revision,
        locale=draft.locale,
        text=draft.text,
        missing=draft.missing,
        sha256=draft.sha256,
        drafted_at=timestamp(draft.drafted_at),
        kind=_REPORT_KINDS[draft.kind],
        drafted_by=draft.drafted_by,
        approved_by=given.approved_by if given else "",
        approved_at=timestamp(given.approved_at) if given else None,
    )


def submission_message(submission: Submission) -> model_pb2.Submission:
    """A submission, with its receipt if there is one, on the wire."""
    receipt = submission.receipt
    return model_pb2.Submission(
        submission_id=submission.submission_id,
        clock_id=submission.clock_id,
        revision=submission.revision,
        channel=submission.channel,
        submitted_by=submission.submitted_by,
        submitted_at=timestamp(submission.submitted_at),
        sha256=submission.sha256,
        receipt=model_pb2.Receipt(
            reference=receipt.reference,
            received_at=timestamp(receipt.received_at),
            recorded_by=receipt.recorded_by,
            proof_sha256=receipt.proof_sha256,
            proof_size=receipt.proof_size,
            proof_media_type=receipt.proof_media_type,
        )
        if receipt
        else None,
        kind=_REPORT_KINDS[submission.kind],
        locale=submission.locale,
        media_type=submission.media_type,
        approved_by=submission.approved_by,
        unapproved_reason=submission.unapproved_reason,
        drill=submission.drill,
    )


def pack_message(pack: Pack) -> service_pb2.PackInfo:
    """What is told of a pack."""
    return service_pb2.PackInfo(
        pack_id=pack.id,
        version=pack.version,
        title=f"{pack.title.zh} / {pack.title.en}",
        jurisdiction=pack.jurisdiction,
        status=pack.status,
        obligations=len(pack.obligations),
    )


def _milestone(milestone: Milestone) -> model_pb2.Milestone:
    return model_pb2.Milestone(
        kind=milestone.kind, due_at=timestamp(milestone.due_at), reached_at=timestamp(milestone.reached_at)
    )


def _value(value: Json) -> struct_pb2.Value:
    if value is None:
        return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
    if isinstance(value, bool):
        return struct_pb2.Value(bool_value=value)
    if isinstance(value, (int, float)):
        return struct_pb2.Value(number_value=value)
    if isinstance(value, str):
        return struct_pb2.Value(string_value=value)
    if isinstance(value, list):
        return struct_pb2.Value(list_value=struct_pb2.ListValue(values=[_value(item) for item in value]))
    fields = {name: _value(item) for name, item in value.items()}
    return struct_pb2.Value(struct_value=struct_pb2.Struct(fields=fields))


def _json(value: struct_pb2.Value) -> Json:
    kind = value.WhichOneof("kind")
    if kind == "bool_value":
        return value.bool_value
    if kind == "number_value":
        return value.number_value if math.isfinite(value.number_value) else None
    if kind == "string_value":
        return value.string_value
    if kind == "list_value":
        return [_json(item) for item in value.list_value.values]
    if kind == "struct_value":
        return {name: _json(item) for name, item in value.struct_value.fields.items()}
    return None
