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
    return escalation.AcknowledgePageRequest(command_id=text(fields, "command_id"), page_id=text(fields, "page_id"))


def draft(fields: Fields) -> escalation.DraftReportRequest:
    """The clock to draft for."""
    return escalation.DraftReportRequest(command_id=text(fields, "command_id"), clock_id=text(fields, "clock_id"))


def facts(fields: Fields, incident_id: str) -> escalation.RecordFactsRequest:
    """What is known of an incident by now: the fields `fact.NAME` that are not empty."""
    told = {
        name.removeprefix(FACT): value(written.strip())
        for name, written in fields.items()
        if name.startswith(FACT) and written.strip()
    }
    if not told:
        raise WrongField("facts")
    return escalation.RecordFactsRequest(
        command_id=text(fields, "command_id"), incident_id=incident_id, facts=told, source="console"
    )


def draft_anew(fields: Fields) -> escalation.DraftReportRequest:
    """The draft that follows facts: a command of its own in the same form."""
    return escalation.DraftReportRequest(command_id=text(fields, "draft_command_id"), clock_id=text(fields, "clock_id"))


def approval(fields: Fields) -> report.ApproveReportRequest:
    """The revision that was read and is approved."""
    return report.ApproveReportRequest(
        command_id=text(fields, "command_id"), clock_id=text(fields, "clock_id"), revision=_whole(fields, "revision")
    )


def submission(fields: Fields) -> escalation.RecordSubmissionRequest:
    """What was sent, when and by which channel."""
    return escalation.RecordSubmissionRequest(
        command_id=text(fields, "command_id"),
        clock_id=text(fields, "clock_id"),
        revision=_whole(fields, "revision"),
        locale=text(fields, "locale"),
        channel=text(fields, "channel"),
        submitted_at=time(fields, "submitted_at"),
        unapproved_reason=fields.get("unapproved_reason", "").strip(),
    )


def receipt(fields: Fields) -> escalation.RecordReceiptRequest:
    """The authority's reference, when it came, and the digest of the proof if there is one."""
    return escalation.RecordReceiptRequest(
        command_id=text(fields, "command_id"),
        submission_id=text(fields, "submission_id"),
        reference=text(fields, "reference"),
        received_at=time(fields, "received_at"),
        proof_sha256=digest(fields, "proof_sha256"),
    )


def decision(fields: Fields) -> escalation.DecideNotToReportRequest:
    """Why it is not reported, and who approved."""
    return escalation.DecideNotToReportRequest(
        command_id=text(fields, "command_id"),
        clock_id=text(fields, "clock_id"),
        reason=text(fields, "reason"),
        approved_by=text(fields, "approved_by"),
    )


def text(fields: Fields, name: str) -> str:
    """What is written, not empty. Raises WrongField, as the others here."""
    found = fields.get(name, "").strip()
    if not found:
        raise WrongField(name)
    return found


def value(written: str) -> Value:
    """A fact as a person writes it: yes or no, a number, or a text. A number with a leading zero is a text."""
    if written.lower() in _YES_NO:
        return Value(bool_value=_YES_NO[written.lower()])
    if _NUMBER.fullmatch(written):
        return Value(number_value=float(written))
    return Value(string_value=written)


def number(fields: Fields, name: str) -> Value:
    """A number that comes back as it was written."""
    found = text(fields, name)
    if not _NUMBER.fullmatch(found):
        raise WrongField(name)
    return Value(number_value=float(found))


def time(fields: Fields, name: str) -> Timestamp:
    """A time as <input type="datetime-local"> sends it; the form says that it is UTC."""
    try:
        at = datetime.fromisoformat(text(fields, name))
        stamp = Timestamp()
        stamp.FromDatetime(at.replace(tzinfo=UTC) if at.tzinfo is None else at)
    except ValueError as error:
        raise WrongField(name) from error
    return stamp


def digest(fields: Fields, name: str) -> bytes:
    """A SHA-256 in hex, or nothing."""
    try:
        found = bytes.fromhex(fields.get(name, "").strip())
    except ValueError as error:
        raise WrongField(name) from error
    if len(found) not in {0, 32}:
        raise WrongField(name)
    return found


def _whole(fields: Fields, name: str) -> int:
    found = text(fields, name)
    if not found.isascii() or not found.isdigit() or len(found) > 9:  # noqa: PLR2004 - fits an int32
        raise WrongField(name)
    return int(found)
