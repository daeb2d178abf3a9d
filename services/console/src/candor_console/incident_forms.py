"""From the fields of a form to the command they stand for. The service checks the command; here its form is read."""

from collections.abc import Mapping
from datetime import UTC, datetime

from candor.escalation.v1 import service_pb2 as escalation
from google.protobuf.timestamp_pb2 import Timestamp

Fields = Mapping[str, str]


class WrongField(Exception):
    """A field is missing or not in its form."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


def acknowledge(fields: Fields) -> escalation.AcknowledgePageRequest:
    """The page to acknowledge."""
    return escalation.AcknowledgePageRequest(command_id=_text(fields, "command_id"), page_id=_text(fields, "page_id"))


def draft(fields: Fields) -> escalation.DraftReportRequest:
    """The clock to draft for."""
    return escalation.DraftReportRequest(command_id=_text(fields, "command_id"), clock_id=_text(fields, "clock_id"))


def submission(fields: Fields) -> escalation.RecordSubmissionRequest:
    """What was sent, when and by which channel."""
    return escalation.RecordSubmissionRequest(
        command_id=_text(fields, "command_id"),
        clock_id=_text(fields, "clock_id"),
        revision=_number(fields, "revision"),
        locale=_text(fields, "locale"),
        channel=_text(fields, "channel"),
        submitted_at=_time(fields, "submitted_at"),
        unapproved_reason=fields.get("unapproved_reason", "").strip(),
    )


def receipt(fields: Fields) -> escalation.RecordReceiptRequest:
    """The authority's reference, when it came, and the digest of the proof if there is one."""
    return escalation.RecordReceiptRequest(
        command_id=_text(fields, "command_id"),
        submission_id=_text(fields, "submission_id"),
        reference=_text(fields, "reference"),
        received_at=_time(fields, "received_at"),
        proof_sha256=_digest(fields, "proof_sha256"),
    )


def decision(fields: Fields) -> escalation.DecideNotToReportRequest:
    """Why it is not reported, and who approved."""
    return escalation.DecideNotToReportRequest(
        command_id=_text(fields, "command_id"),
        clock_id=_text(fields, "clock_id"),
        reason=_text(fields, "reason"),
        approved_by=_text(fields, "approved_by"),
    )


def _text(fields: Fields, name: str) -> str:
    value = fields.get(name, "").strip()
    if not value:
        raise WrongField(name)
    return value


def _number(fields: Fields, name: str) -> int:
    value = _text(fields, name)
    if not value.isascii() or not value.isdigit() or len(value) > 9:  # noqa: PLR2004 - fits an int32
        raise WrongField(name)
    return int(value)


def _time(fields: Fields, name: str) -> Timestamp:
    """A time as <input type="datetime-local"> sends it; the form says that it is UTC."""
    try:
        at = datetime.fromisoformat(_text(fields, name))
        stamp = Timestamp()
        stamp.FromDatetime(at.replace(tzinfo=UTC) if at.tzinfo is None else at)
    except ValueError as error:
        raise WrongField(name) from error
    return stamp


def _digest(fields: Fields, name: str) -> bytes:
    try:
        digest = bytes.fromhex(fields.get(name, "").strip())
    except ValueError as error:
        raise WrongField(name) from error
    if len(digest) not in {0, 32}:
        raise WrongField(name)
    return digest
