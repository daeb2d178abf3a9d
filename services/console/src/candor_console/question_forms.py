"""From an answer to a question of the duty officer's to the command that it stands for."""

from collections.abc import Callable, Mapping
from typing import Any

from candor.escalation.v1 import service_pb2 as escalation
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import NULL_VALUE, ListValue, Value

from candor_console import incident_forms, rpcs
from candor_console.calls import Rpc
from candor_console.incident_forms import Fields, WrongField

SOURCE = "console"
_BOOLEANS = {"yes": True, "no": False}


_Asked = tuple[Rpc[Any, Any], Message]


def answer(fields: Fields, incident_id: str) -> _Asked:
    """What to ask of which RPC: a fact, an instant, its correction, or the end. Raises WrongField."""
    kind = fields.get("kind", "")
    if kind not in _ANSWERS:
        raise WrongField("kind")
    return _ANSWERS[kind](fields, incident_id)


def value(fields: Fields) -> Value:
    """The fact as its type wants it; null where nobody knows it yet."""
    if fields.get("unknown", "") or fields.get("value", "") == "unknown":
        return Value(null_value=NULL_VALUE)
    return _VALUES.get(fields.get("answer", ""), _free)(fields)


def _free(fields: Fields) -> Value:
    return incident_forms.value(incident_forms.text(fields, "value"))


def _boolean(fields: Fields) -> Value:
    written = incident_forms.text(fields, "value")
    if written not in _BOOLEANS:
        raise WrongField("value")
    return Value(bool_value=_BOOLEANS[written])


def _text(fields: Fields) -> Value:
    """What is chosen, or written beside the choices."""
    other = fields.get("other", "").strip()
    return Value(string_value=other or incident_forms.text(fields, "value"))


def _texts(fields: Fields) -> Value:
    lines = incident_forms.text(fields, "value").splitlines()
    items = [Value(string_value=line.strip()) for line in lines if line.strip()]
    return Value(list_value=ListValue(values=items))


_VALUES: Mapping[str, Callable[[Fields], Value]] = {
    "bool": _boolean,
    "number": lambda fields: incident_forms.number(fields, "value"),
    "text": _text,
    "texts": _texts,
}


def _fact(fields: Fields, incident_id: str) -> _Asked:
    command = escalation.RecordFactsRequest(
        command_id=incident_forms.text(fields, "command_id"),
        incident_id=incident_id,
        facts={incident_forms.text(fields, "name"): value(fields)},
        source=SOURCE,
        reason=fields.get("reason", "").strip(),
    )
    return rpcs.RECORD_FACTS, command


def _settled(fields: Fields, incident_id: str) -> _Asked:
    """Only with a reason do other sources' words stand no longer."""
    incident_forms.text(fields, "reason")
    return _fact(fields, incident_id)


def _anchor(fields: Fields, incident_id: str) -> _Asked:
    anchor = escalation.ReportedAnchor(
        name=incident_forms.text(fields, "name"),
        at=incident_forms.time(fields, "at"),
        evidence=fields.get("evidence", "").strip(),
    )
    command = escalation.RecordFactsRequest(
        command_id=incident_forms.text(fields, "command_id"), incident_id=incident_id, anchors=[anchor], source=SOURCE
    )
    return rpcs.RECORD_FACTS, command


def _corrected(fields: Fields, incident_id: str) -> _Asked:
    command = escalation.CorrectAnchorRequest(
        command_id=incident_forms.text(fields, "command_id"),
        incident_id=incident_id,
        name=incident_forms.text(fields, "name"),
        at=incident_forms.time(fields, "at"),
        reason=incident_forms.text(fields, "reason"),
    )
    return rpcs.CORRECT_ANCHOR, command


def _closed(fields: Fields, incident_id: str) -> _Asked:
    command = escalation.CloseIncidentRequest(
        command_id=incident_forms.text(fields, "command_id"),
        incident_id=incident_id,
        reason=incident_forms.text(fields, "reason"),
    )
    return rpcs.CLOSE_INCIDENT, command


_ANSWERS: Mapping[str, Callable[[Fields, str], _Asked]] = {
    "fact": _fact,
    "contradiction": _settled,
    "anchor": _anchor,
    "dispute": _corrected,
    "triage": _closed,
}
