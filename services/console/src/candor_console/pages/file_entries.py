"""An incident's record as one list in order: signals, instants, facts with what they correct, and every act."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from candor.escalation.v1 import act_pb2 as act
from candor.escalation.v1 import model_pb2 as model
from google.protobuf import json_format
from google.protobuf.timestamp_pb2 import Timestamp

from candor_console.proofs import hex_of
from candor_console.rendering import plain, when

Json = None | bool | float | str | list["Json"] | dict[str, "Json"]
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z")
_WORD = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")
_RANK = {"signal": 0, "anchor": 1, "fact": 2, "act": 3}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that an entry says: by name, and a text or an instant. `is_word`: the text names an enum's value."""

    name: str
    text: str = ""
    at: datetime | None = None
    is_word: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the record. `kind` is "signal", "anchor", "fact" or "act"; `fact_id` is what an act is proven by."""

    at: datetime
    kind: str
    title: str
    by: str = ""
    lines: Sequence[Line] = ()
    fact_id: str = ""


def entries(
    notes: Iterable[act.IncidentNote], facts: Iterable[model.IncidentFact], acts: Iterable[act.IncidentAct]
) -> list[Entry]:
    """Everything on record, oldest first; what is of one instant stands in the order of cause and effect."""
    found = [*map(_note, notes), *_facts(facts), *map(_act, acts)]
    return sorted(found, key=lambda entry: (entry.at, _RANK[entry.kind]))


def _note(note: act.IncidentNote) -> Entry:
    lines = [Line("at", at=when(note.at))] if note.HasField("at") else []
    if note.evidence:
        lines.append(Line("evidence", note.evidence))
    if note.source:
        lines.append(Line("source", note.source))
    return Entry(when(note.recorded_at), note.kind, note.name, note.recorded_by, lines)


def _facts(facts: Iterable[model.IncidentFact]) -> list[Entry]:
    """Facts, each with the value that it corrects."""
    known: dict[str, str] = {}
    found = []
    for fact in facts:
        value = plain(fact.value)
        lines = [Line("value", value)]
        if fact.name in known:
            lines.append(Line("corrects", known[fact.name]))
        if fact.source:
            lines.append(Line("source", fact.source))
        known[fact.name] = value
        found.append(Entry(when(fact.recorded_at), "fact", fact.name, fact.recorded_by, lines))
    return found


def _act(item: act.IncidentAct) -> Entry:
    told = json_format.MessageToDict(item.told)
    lines = list(_lines(told, item.incident_id))
    return Entry(when(item.recorded_at), "act", item.type.rpartition(".")[2], "", lines, item.fact_id)


def _lines(told: Json, incident_id: str, name: str = "") -> Iterable[Line]:
    """What a fact says, a line for each field, but not the incident's own id again and again."""
    if isinstance(told, dict):
        for key, value in told.items():
            yield from _lines(value, incident_id, f"{name}.{key}" if name else str(key))
    elif isinstance(told, list):
        if all(isinstance(item, (str, float, bool)) for item in told):
            yield Line(name, ", ".join(_text(item) for item in told))
        else:
            for number, item in enumerate(told, 1):
                yield from _lines(item, incident_id, f"{name}.{number}")
    elif told != incident_id and told is not None:
        yield _line(name, told)


def _line(name: str, value: Json) -> Line:
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        stamp = Timestamp()
        stamp.FromJsonString(value)
        return Line(name, at=stamp.ToDatetime(tzinfo=UTC))
    if name.endswith("sha256") and isinstance(value, str):
        return Line(name, hex_of(value))
    return Line(name, _text(value), is_word=isinstance(value, str) and _WORD.fullmatch(value) is not None)


def _text(value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
