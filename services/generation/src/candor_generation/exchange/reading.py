"""Reading features out of a file, row by row."""

from __future__ import annotations

import csv
import io
import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from candor.generation.v1 import service_pb2
from candor.generation.v1.service_pb2 import FeatureFormat, ProposeFeatureRequest
from candor_kit import validation
from candor_kit.errors import Refusal

from candor_generation.domain.feature import Kind
from candor_generation.domain.generation import Decision
from candor_generation.domain.refusal import Refused
from candor_generation.exchange.rows import COLUMNS, FORMAT, SEPARATOR, STIX_PROPERTY, STIX_TYPE, TOLD, derived_id
from candor_generation.library_codec import DECISIONS, KINDS

_TRUE, _FALSE = frozenset({"true", "yes", "1"}), frozenset({"", "false", "no", "0"})
# A row of the schema is at most some 60 kB; a file cannot make us hold more in one cell.
_LARGEST_CELL = 131_072
# And a quote that is never closed cannot swallow the rest of the file.
_MOST_LINES = 200
Row = Mapping[str, Any]


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be taken: its number, the field, a reason of the edge's or ours, and what is wrong."""

    number: int
    field: str
    reason: str
    message: str


@dataclass(frozen=True)
class Proposal:
    """A row that can be proposed; the command id is still empty."""

    number: int
    command: ProposeFeatureRequest


@dataclass(frozen=True)
class Tombstone:
    """A row that says that a feature is no longer held, by kind and value."""

    number: int
    kind: Kind
    value: str


Item = Proposal | Tombstone | BadRow


@dataclass(frozen=True)
class Defaults:
    """What stands for a row's own words where it has none."""

    source: str = ""
    reason: str = ""


class _RowError(ValueError):
    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def read(file_format: FeatureFormat.ValueType, content: bytes, defaults: Defaults) -> Iterator[Item]:
    """A file's rows in order, each as a proposal, a tombstone, or why it is neither.

    Raises:
        Refused: FILE_INVALID, it cannot be told into rows.

    Spec: STIX 2.1 4.7; RFC 4180
    """
    text = decoded(content)
    if file_format == service_pb2.FEATURE_FORMAT_CSV:
        return (_item(number, row, defaults) for number, row in _csv_rows(text))
    document = document_of(text)
    if file_format == service_pb2.FEATURE_FORMAT_STIX:
        return _stix_items(objects_of(document), defaults)
    return (_item(number, row, defaults) for number, row in enumerate(features_of(document), 1))


def decoded(content: bytes) -> str:
    """A file's text.

    Raises:
        Refused: FILE_INVALID, it is not UTF-8.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"the file is not UTF-8 (byte {error.start}); a spreadsheet may have saved it as GB 18030"
        raise Refused("FILE_INVALID", message, field="content") from error


def document_of(text: str) -> Any:  # noqa: ANN401 - whatever a file holds
    """What a JSON file holds.

    Raises:
        Refused: FILE_INVALID, it is no JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        where = f"line {error.lineno}: {error.msg}" if isinstance(error, json.JSONDecodeError) else "nested too deeply"
        raise Refused("FILE_INVALID", f"the file is not JSON: {where}", field="content") from error


def features_of(document: object) -> Sequence[object]:
    """The features of a document of our own.

    Raises:
        Refused: FILE_INVALID, it is none.
    """
    if isinstance(document, dict) and document.get("format") == FORMAT and isinstance(document.get("features"), list):
        features: list[object] = document["features"]
        return features
    message = f'the file is no {{"format": "{FORMAT}", "features": [...]}}'
    raise Refused("FILE_INVALID", message, field="content")


def objects_of(document: object) -> Sequence[object]:
    """The objects of a STIX bundle.

    Raises:
        Refused: FILE_INVALID, it is none.
    """
    if isinstance(document, dict) and document.get("type") == "bundle" and isinstance(document.get("objects"), list):
        objects: list[object] = document["objects"]
        return objects
    raise Refused("FILE_INVALID", "the file is no STIX bundle with objects", field="content")


def csv_records(lines: Sequence[str], at: int) -> Iterator[tuple[int, int, list[str] | str]]:
    """Records from line `at` on: first line, line after the last, and the cells or what is wrong.

    Where one is broken, the line after its first is tried next.
    """
    csv.field_size_limit(_LARGEST_CELL)
    while at < len(lines):
        first, reader = at, csv.reader(lines[at : at + _MOST_LINES], strict=True)
        found: list[str] | str
        try:
            found = next(reader)
            at += reader.line_num
        except csv.Error as error:
            found = f"the line is no CSV: {error}"
            at += 1
        yield first, at, found


def csv_lines(text: str) -> list[str]:
    """Lines with their ends; a quoted cell may hold several."""
    return list(io.StringIO(text, newline=""))


def _csv_rows(text: str) -> Iterator[tuple[int, Row]]:
    """Rows with the number of the line that each begins on."""
    lines = csv_lines(text)
    names, begin = csv_header(lines)
    for first, _end, found in csv_records(lines, begin):
        if isinstance(found, str):
            yield first + 1, {"": found}
        elif any(found):
            yield first + 1, _named(names, found)


def csv_header(lines: Sequence[str]) -> tuple[list[str], int]:
    """The columns' names, and how many lines they take.

    Raises:
        Refused: FILE_INVALID, the first line does not name the columns.
    """
    reader = csv.reader(lines[:_MOST_LINES], strict=True)
    try:
        names = [name.strip() for name in next(reader)]
    except (StopIteration, csv.Error) as error:
        raise Refused("FILE_INVALID", "the file has no line that names the columns", field="content") from error
    missing = {"kind", "value", "category", "decision", "citation"} - set(names)
    if missing or len(set(names)) != len(names):
        wrong = f"lack {', '.join(sorted(missing))}" if missing else "name one twice"
        raise Refused("FILE_INVALID", f"the columns {wrong}", field="content")
    return names, reader.line_num


def _named(names: Sequence[str], cells: Sequence[str]) -> Row:
    if len(cells) != len(names):
        return {"": f"the line has {len(cells)} cells, and there are {len(names)} columns"}
    row: dict[str, Any] = {name: cell.removeprefix("'") for name, cell in zip(names, cells, strict=True)}
    row["exceptions"] = [word for word in row.get("exceptions", "").split(SEPARATOR) if word]
    flag = row.get("within_words", "").strip().lower()
    if flag in _TRUE | _FALSE:
        row["within_words"] = flag in _TRUE
    return {name: value for name, value in row.items() if value != ""}


def _stix_items(objects: Iterable[object], defaults: Defaults) -> Iterator[Item]:
    """Indicators; other objects of a bundle (identities, markings) are not ours and pass by."""
    for number, found in enumerate(objects, 1):
        if not isinstance(found, dict):
            yield BadRow(number, "", "INVALID_FIELD", "it is no object")
        elif found.get("type") == "indicator":
            yield _indicator(number, found, defaults)


def _indicator(number: int, found: Row, defaults: Defaults) -> Item:
    kind, value = _stix_kind(found.get("pattern_type")), found.get("pattern")
    if kind is None:
        return BadRow(number, "pattern_type", "INVALID_FIELD", f"must be {STIX_TYPE}<kind>")
    if found.get("revoked") is True:
        return _tombstone(number, kind, found)
    row = {name: found[STIX_PROPERTY + name] for name in COLUMNS if STIX_PROPERTY + name in found}
    row |= {"kind": kind.value, "value": value}
    row |= {name: found[name] for name in ("valid_from", "valid_until") if name in found}
    return _item(number, row, defaults)


def _tombstone(number: int, kind: Kind, found: Row) -> Item:
    try:
        value = _text(found, "pattern")
    except _RowError as error:
        return BadRow(number, error.field, "INVALID_FIELD", str(error))
    if not value or "\0" in value:
        return BadRow(number, "pattern", "INVALID_FIELD", "is no value that a feature can have")
    return Tombstone(number, kind, value)


def _stix_kind(pattern_type: object) -> Kind | None:
    if not isinstance(pattern_type, str) or not pattern_type.startswith(STIX_TYPE):
        return None
    name = pattern_type.removeprefix(STIX_TYPE).replace("-", "_")
    return next((kind for kind in Kind if kind.value == name), None)


def _item(number: int, row: object, defaults: Defaults) -> Item:
    try:
        command = _command(row, defaults)
        # The id of the command is made when it is proposed; any will do to check the rest.
        command.command_id = str(uuid.UUID(int=0))
        validation.check(command)
    except _RowError as error:
        return BadRow(number, error.field, "INVALID_FIELD", str(error))
    except Refusal as refusal:
        violation = refusal.violations[0] if refusal.violations else None
        field, message = (violation.field, violation.description) if violation else ("", refusal.message)
        return BadRow(number, field, refusal.reason, message)
    return Proposal(number, command)


def _command(row: object, defaults: Defaults) -> ProposeFeatureRequest:
    if not isinstance(row, Mapping):
        raise _RowError("", "it is no object")
    if "" in row:
        raise _RowError("", str(row[""]))
    unknown = sorted(str(name) for name in set(row) - {*COLUMNS, *TOLD})
    if unknown:
        # A name may hold what no answer can carry.
        raise _RowError(unknown[0][:64].encode("ascii", "replace").decode(), "there is no such field")
    kind = _choice(row, "kind", {item.value: item for item in Kind})
    value = _text(row, "value")
    command = ProposeFeatureRequest(
        feature_id=_text(row, "feature_id") or derived_id(kind, value),
        kind=KINDS[kind],
        value=value,
        category=_text(row, "category"),
        decision=DECISIONS[_choice(row, "decision", {"review": Decision.REVIEW, "block": Decision.BLOCK})],
        citation=_text(row, "citation"),
        exceptions=_words(row, "exceptions"),
        within_words=_flag(row, "within_words"),
        source=_text(row, "source") or defaults.source,
        reason=_text(row, "reason") or defaults.reason,
    )
    for name in ("valid_from", "valid_until"):
        at = _instant(row, name)
        if at is not None:
            getattr(command, name).FromDatetime(at)
    return command


def _text(row: Row, field: str) -> str:
    value = row.get(field, "")
    if not isinstance(value, str):
        raise _RowError(field, "must be a string")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise _RowError(field, "holds half of a character (a lone surrogate)") from error
    return value


def _choice(row: Row, field: str, choices: Mapping[str, Any]) -> Any:  # noqa: ANN401 - the caller's type
    value = _text(row, field)
    if value not in choices:
        raise _RowError(field, f"must be one of {', '.join(choices)}")
    return choices[value]


def _words(row: Row, field: str) -> list[str]:
    value = row.get(field, [])
    if not isinstance(value, list):
        raise _RowError(field, "must be a list of strings")
    return [_text({field: word}, field) for word in value]


def _flag(row: Row, field: str) -> bool:
    value = row.get(field, False)
    if not isinstance(value, bool):
        raise _RowError(field, "must be true or false")
    return value


def _instant(row: Row, field: str) -> datetime | None:
    value = _text(row, field)
    if not value:
        return None
    try:
        at = datetime.fromisoformat(value)
        there = at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _RowError(field, "must be a time as 2026-11-22T00:00:00Z") from error
    if at.tzinfo is None:
        raise _RowError(field, "must name its offset from UTC, as 2026-11-22T00:00:00Z does")
    return there
