"""Cutting a file into parts of a size that one command takes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from candor.generation.v1 import service_pb2
from candor.generation.v1.service_pb2 import FeatureFormat

from candor_generation.exchange import reading
from candor_generation.exchange.rows import FORMAT

_ROWS = 1_000
_BYTES = 900_000


@dataclass(frozen=True)
class Part:
    """A file of its own; a row's number in the whole is its number here and `offset` more."""

    content: bytes
    offset: int


def parts(file_format: FeatureFormat.ValueType, content: bytes) -> Iterator[Part]:
    """A file as several of the same format.

    Raises:
        Refused: FILE_INVALID, it cannot be told into rows.
    """
    text = reading.decoded(content)
    if file_format == service_pb2.FEATURE_FORMAT_CSV:
        return _csv_parts(reading.csv_lines(text))
    document = reading.document_of(text)
    if file_format == service_pb2.FEATURE_FORMAT_STIX:
        head = '{"type": "bundle", "objects": ['
        return _json_parts(head, reading.objects_of(document))
    return _json_parts(f'{{"format": "{FORMAT}", "features": [', reading.features_of(document))


def _csv_parts(lines: Sequence[str]) -> Iterator[Part]:
    _, begin = reading.csv_header(lines)
    header = "".join(lines[:begin])
    records = ((first, "".join(lines[first:end])) for first, end, _found in reading.csv_records(lines, begin))
    for first, rows in _grouped(records):
        yield Part((header + "".join(rows)).encode(), first - begin)


def _json_parts(head: str, rows: Sequence[object]) -> Iterator[Part]:
    encoded = ((number, json.dumps(row)) for number, row in enumerate(rows))
    for first, group in _grouped(encoded):
        yield Part(f"{head}{','.join(group)}]}}".encode(), first)


def _grouped(rows: Iterator[tuple[int, str]]) -> Iterator[tuple[int, list[str]]]:
    """Rows in groups that one command takes, each with the number of its first."""
    first, group, size = 0, list[str](), 0
    for number, row in rows:
        length = len(row.encode())
        if group and (len(group) == _ROWS or size + length > _BYTES):
            yield first, group
            group, size = [], 0
        if not group:
            first = number
        group.append(row)
        size += length + 1
    if group:
        yield first, group
