"""Writing features into a file, in pieces."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from candor.generation.v1 import service_pb2
from candor.generation.v1.service_pb2 import FeatureFormat

from candor_generation.domain.feature import Feature, State
from candor_generation.exchange.rows import (
    COLUMNS,
    FORMAT,
    FORMULA,
    SEPARATOR,
    STIX_PROPERTY,
    STIX_TYPE,
    TOLD,
    stix_uuid,
)

Row = Mapping[str, Any]


class Writer(Protocol):
    """Writes a file in pieces: begin, rows any number of times, end."""

    def begin(self) -> bytes:
        """What stands in front of the rows."""

    def rows(self, features: Sequence[Feature]) -> bytes:
        """Some rows."""

    def end(self) -> bytes:
        """What stands behind the rows."""


def writer(file_format: FeatureFormat.ValueType, now: datetime) -> Writer:
    """The writer of a format; reading what it writes gives the same proposals."""
    if file_format == service_pb2.FEATURE_FORMAT_CSV:
        return _CsvWriter()
    if file_format == service_pb2.FEATURE_FORMAT_STIX:
        return _JsonWriter(f'{{"type": "bundle", "id": "bundle--{stix_uuid(now.isoformat())}", "objects": [', _stix)
    return _JsonWriter(f'{{"format": "{FORMAT}", "features": [', _plain)


class _JsonWriter:
    def __init__(self, head: str, row: Callable[[Feature], Row]) -> None:
        self._head, self._row, self._comma = head, row, ""

    def begin(self) -> bytes:
        return self._head.encode()

    def rows(self, features: Sequence[Feature]) -> bytes:
        pieces = []
        for feature in features:
            pieces.append(f"{self._comma}\n{json.dumps(self._row(feature), ensure_ascii=False)}")
            self._comma = ","
        return "".join(pieces).encode()

    def end(self) -> bytes:
        return b"\n]}\n"


class _CsvWriter:
    def begin(self) -> bytes:
        return self._lines([(*COLUMNS, *TOLD)])

    def rows(self, features: Sequence[Feature]) -> bytes:
        return self._lines([_cells(_plain(feature)) for feature in features])

    def end(self) -> bytes:
        return b""

    @staticmethod
    def _lines(rows: Iterable[Sequence[str]]) -> bytes:
        target = io.StringIO(newline="")
        csv.writer(target, lineterminator="\r\n").writerows(rows)
        return target.getvalue().encode()


def _cells(row: Row) -> list[str]:
    plain = {**row, "exceptions": SEPARATOR.join(row["exceptions"]), "within_words": str(row["within_words"]).lower()}
    cells = [str(plain.get(name, "")) for name in (*COLUMNS, *TOLD)]
    return [f"'{cell}" if cell.startswith(FORMULA) else cell for cell in cells]


def _plain(feature: Feature) -> dict[str, Any]:
    row = {
        "feature_id": feature.feature_id,
        "kind": feature.kind.value,
        "value": feature.value,
        "category": feature.category,
        "decision": feature.decision.name.lower(),
        "citation": feature.citation,
        "exceptions": list(feature.exceptions),
        "within_words": feature.within_words,
        "valid_from": _stix_time(feature.valid_from) if feature.valid_from else "",
        "valid_until": _stix_time(feature.valid_until) if feature.valid_until else "",
        "source": feature.source,
        "reason": feature.reason,
        "state": feature.state.value,
        "mode": feature.mode.value if feature.state is State.ADMITTED else "",
        "standard": feature.standard,
    }
    return {name: value for name, value in row.items() if value != ""}


def _stix(feature: Feature) -> dict[str, Any]:
    plain = _plain(feature)
    kept = ("feature_id", "category", "decision", "citation", "exceptions", "within_words", "source", "reason")
    found = {
        "type": "indicator",
        "spec_version": "2.1",
        # The key is type and value, so the same signal has the same id wherever it is written.
        "id": f"indicator--{stix_uuid(f'{feature.kind.value}:{feature.value}')}",
        "created": _stix_time(feature.changed_at),
        "modified": _stix_time(feature.changed_at),
        "name": feature.feature_id,
        "pattern": feature.value,
        "pattern_type": STIX_TYPE + feature.kind.value.replace("_", "-"),
        "valid_from": _stix_time(feature.valid_from or feature.changed_at),
        "revoked": feature.state in {State.RETIRED, State.REJECTED},
    }
    if feature.valid_until:
        found["valid_until"] = _stix_time(feature.valid_until)
    return {**found, **{STIX_PROPERTY + name: plain[name] for name in kept if name in plain}}


def _stix_time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
