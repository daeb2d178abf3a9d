"""What is written on the command line, as the fields of a command."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from candor.escalation.v1 import model_pb2, service_pb2
from google.protobuf import json_format
from google.protobuf.struct_pb2 import Value
from google.protobuf.timestamp_pb2 import Timestamp

from candor_escalation.report_command.desk import TERMINAL

FORMATS = {
    "text": model_pb2.FILE_FORMAT_TEXT,
    "html": model_pb2.FILE_FORMAT_HTML,
    "pdf": model_pb2.FILE_FORMAT_PDF,
    "docx": model_pb2.FILE_FORMAT_DOCX,
}
KINDS = {
    "": model_pb2.REPORT_KIND_UNSPECIFIED,
    "first": model_pb2.REPORT_KIND_FIRST,
    "supplement": model_pb2.REPORT_KIND_SUPPLEMENT,
    "final": model_pb2.REPORT_KIND_FINAL,
}
T = TypeVar("T")


def prove(request: service_pb2.RecordReceiptRequest, proof: Path) -> None:
    """Hash the proof here: the file itself stays where it is."""
    try:
        with proof.open("rb") as file:
            request.proof_sha256 = hashlib.file_digest(file, "sha256").digest()
            request.proof_size = file.tell()
    except OSError as error:
        TERMINAL.fail(f"{proof}: {error.strerror}")
    request.proof_media_type = mimetypes.guess_type(proof.name)[0] or "application/octet-stream"


def fields_of(told: list[str]) -> dict[str, Value]:
    """NAME=VALUE pairs; a value that is JSON (a number, true, a list of texts) is that, any other is text."""
    fields: dict[str, Value] = {}
    for pair in told:
        name, mark, text = pair.partition("=")
        if not mark:
            TERMINAL.fail(f"--set {pair}: write NAME=VALUE")
        try:
            fields[name] = json_format.Parse(text, Value())
        except json_format.ParseError:
            fields[name] = Value(string_value=text)
    return fields


def instant(told: str) -> Timestamp:
    """An instant with its zone; now where none is told."""
    stamp = Timestamp()
    try:
        at = datetime.fromisoformat(told) if told else datetime.now(UTC)
    except ValueError:
        TERMINAL.fail(f"--at {told}: write 2026-11-22T09:30+08:00")
    if at.tzinfo is None:
        TERMINAL.fail(f"--at {told}: say the zone, such as +08:00")
    stamp.FromDatetime(at)
    return stamp


def one_of(names: Mapping[str, T], name: str, option: str) -> T:
    """What a name stands for."""
    if name not in names:
        TERMINAL.fail(f"{option} is one of {', '.join(filter(None, names))}")
    return names[name]
