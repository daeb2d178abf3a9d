"""From the fields of a form to the command they stand for. The service checks the command; here its form is read."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from candor.escalation.v1 import report_pb2 as report
from candor.escalation.v1 import service_pb2 as escalation
from google.protobuf.struct_pb2 import Value
from google.protobuf.timestamp_pb2 import Timestamp

Fields = Mapping[str, str]

FACT = "fact."
_YES_NO = {"yes": True, "true": True, "是": True, "no": False, "false": False, "否": False}
# At most 15 digits: more would not come back as they were written.
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,6})?", re.ASCII)


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


def facts(fields: Fields, incident_id: str) -> escalation.RecordFactsRequest:
    """What is known of an incident by now: the fields `fact.NAME` that are not empty."""
    told = {
        name.removeprefix(FACT): _value(text.strip())
        for name, text in fields.items()
        if name.startswith(FACT) and text.strip()
    }
    if not told:
        raise WrongField("facts")
    return escalation.RecordFactsRequest(
        command_id=_text(fields, "command_id"), incident_id=incident_id, facts=told, source="console"
    )


def draft_anew(fields: Fields) -> escalation.DraftReportRequest:
    """The draft that follows facts: a command of its own in the same form."""
    return escalation.DraftReportRequest(
        command_id=_text(fields, "draft_command_id"), clock_id=_text(fields, "clock_id")
    )


def approval(fields: Fields) -> report.ApproveReportRequest:
    """The revision that was read and is approved."""
    return report.ApproveReportRequest(
        command_id=_text(fields, "command_id"), clock_id=_text(fields, "clock_id"), revision=_number(fields, "revision")
    )


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


def _value(text: str) -> Value:
    """A fact as a person writes it: yes or no, a number, or a text. A number with a leading zero is a text."""
    if text.lower() in _YES_NO:
        return Value(bool_value=_YES_NO[text.lower()])
    if _NUMBER.fullmatch(text):
        return Value(number_value=float(text))
    return Value(string_value=text)


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
