"""Protobuf to domain and back: reports."""

from candor.escalation.v1 import model_pb2, report_pb2

from candor_escalation import codec, forms
from candor_escalation.domain import report as reports
from candor_escalation.domain import timeliness as times
from candor_escalation.domain.approval import Approval
from candor_escalation.domain.clock import Clock
from candor_escalation.domain.decision import Decision, Proposal
from candor_escalation.domain.difference import Change
from candor_escalation.domain.guide import Both, Channel
from candor_escalation.domain.timeliness import Timeliness

_KINDS = {
    "": model_pb2.REPORT_KIND_UNSPECIFIED,
    reports.FIRST: model_pb2.REPORT_KIND_FIRST,
    reports.SUPPLEMENT: model_pb2.REPORT_KIND_SUPPLEMENT,
    reports.FINAL: model_pb2.REPORT_KIND_FINAL,
}
_ASKED = {value: name for name, value in _KINDS.items()}
_FORMATS = {
    model_pb2.FILE_FORMAT_TEXT: forms.TEXT,
    model_pb2.FILE_FORMAT_HTML: forms.HTML,
    model_pb2.FILE_FORMAT_PDF: forms.PDF,
    model_pb2.FILE_FORMAT_DOCX: forms.DOCX,
}
_PUNCTUALITY = {
    times.OPEN: report_pb2.PUNCTUALITY_OPEN,
    times.IN_TIME: report_pb2.PUNCTUALITY_IN_TIME,
    times.IN_LEGAL_TIME: report_pb2.PUNCTUALITY_IN_LEGAL_TIME,
    times.LATE: report_pb2.PUNCTUALITY_LATE,
}


def kind(value: model_pb2.ReportKind.ValueType) -> str:
    """A kind of report; empty where none was asked for."""
    return _ASKED[value]


def kind_value(name: str) -> model_pb2.ReportKind.ValueType:
    """A kind of report on the wire."""
    return _KINDS[name]


def file_format(value: model_pb2.FileFormat.ValueType, default: str) -> str:
    """A format of files, or the default where none was asked for."""
    return _FORMATS.get(value, default)


def approval_message(approval: Approval) -> report_pb2.Approval:
    """An approval on the wire."""
    return report_pb2.Approval(
        revision=approval.revision,
        approved_by=approval.approved_by,
        approved_at=codec.timestamp(approval.approved_at),
    )


def proposal_message(proposal: Proposal, decision: Decision | None) -> report_pb2.Proposal:
    """A proposal not to report, with who approved it if somebody did, on the wire."""
    return report_pb2.Proposal(
        proposal_id=proposal.proposal_id,
        clock_id=proposal.clock_id,
        reason=proposal.reason,
        proposed_by=proposal.proposed_by,
        proposed_at=codec.timestamp(proposal.proposed_at),
        asked=proposal.asked,
        approved_by=decision.approved_by if decision else "",
        approved_at=codec.timestamp(decision.decided_at) if decision else None,
    )


def punctuality(name: str) -> report_pb2.Punctuality.ValueType:
    """Whether something was in time, on the wire."""
    return _PUNCTUALITY[name]


def timeliness_message(clock: Clock, found: Timeliness) -> report_pb2.Timeliness:
    """Whether a report was in time, on the wire."""
    return report_pb2.Timeliness(
        punctuality=punctuality(found.punctuality),
        anchor=model_pb2.Anchor(name=clock.anchor.name, at=codec.timestamp(clock.anchor.at), evidence=clock.evidence),
        strict_due=codec.timestamp(clock.strict_due),
        legal_latest=codec.timestamp(clock.legal_latest),
        submitted_at=codec.timestamp(found.submitted_at),
        seconds_left=found.seconds_left,
    )


def change_message(change: Change) -> report_pb2.FieldChange:
    """A field that differs between two revisions, on the wire."""
    return report_pb2.FieldChange(
        name=change.name, label=change.label, before=change.before, after=change.after, locale=change.locale
    )


def channel_message(channel: Channel) -> report_pb2.Channel:
    """A way to send a report on the wire."""
    return report_pb2.Channel(
        name=channel.name,
        title=_words(channel.title),
        address=channel.address,
        source=channel.source,
        steps=[_words(step) for step in channel.steps],
        automatic=channel.automatic,
    )


def _words(both: Both) -> report_pb2.Words:
    return report_pb2.Words(zh=both.zh, en=both.en)
