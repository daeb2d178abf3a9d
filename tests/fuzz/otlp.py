"""Telemetry, in each of its forms."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator, Sequence
from functools import partial
from pathlib import Path

from candor_generation.otlp import encoding, translation
from candor_generation.otlp.encoding import Form
from candor_generation.otlp.mapping import Names
from candor_generation.otlp.pieces import opened
from candor_generation.otlp.reasons import Unusable
from candor_generation.otlp.translation import Piece
from candor_kit import validation
from candor_kit.errors import Refusal
from google.protobuf import json_format
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from .target import Target

_CAPTURES = Path(__file__).parents[1] / "unit" / "generation" / "otlp" / "captures"
_LIMIT = 1 << 20
_EDGE = {"MALFORMED", "TOO_LARGE"}


def _traces(form: Form, data: bytes) -> None:
    with contextlib.suppress(Refusal):
        _hold(translation.of_traces(encoding.decode(data, form, ExportTraceServiceRequest), Names()))


def _logs(form: Form, data: bytes) -> None:
    with contextlib.suppress(Refusal):
        _hold(translation.of_logs(encoding.decode(data, form, ExportLogsServiceRequest), Names()))


def _hold(translated: translation.Translated) -> None:
    """Every command holds to the schema, what is kept is read back as it was, and what waits can be joined."""
    for item in translated.ready:
        validation.check(item.request)
    for piece in translated.waiting:
        assert opened(piece.kept()).kept() == piece.kept()
    for waited in (False, True):
        _join(translated.waiting, waited=waited)


def _join(pieces: Sequence[Piece], *, waited: bool) -> None:
    if not pieces:
        return
    with contextlib.suppress(Unusable):
        outcome = translation.join(pieces, Names(), waited=waited)
        if not isinstance(outcome, translation.Undecided):
            validation.check(outcome)


def _gzip(data: bytes) -> None:
    async def body() -> AsyncIterator[bytes]:
        for start in range(0, len(data), 7):
            yield data[start : start + 7]

    try:
        asyncio.run(_unpacked(body()))
    except Refusal as refusal:
        _clean(refusal)


async def _unpacked(chunks: AsyncIterator[bytes]) -> None:
    assert len(await encoding.read(chunks, gzip=True, limit=_LIMIT)) <= _LIMIT


def _clean(refusal: Refusal) -> None:
    assert refusal.reason in _EDGE


def _captured(kind: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted(_CAPTURES.glob(f"*.{kind}.pb"))]


def _captured_json(kind: str, message: type[Message]) -> list[bytes]:
    return [json_format.MessageToJson(message.FromString(data), indent=None).encode() for data in _captured(kind)]


TARGETS = (
    Target("otlp-traces-protobuf", "otlp", partial(_traces, Form.BINARY), partial(_captured, "traces")),
    Target("otlp-logs-protobuf", "otlp", partial(_logs, Form.BINARY), partial(_captured, "logs")),
    Target(
        "otlp-traces-json",
        "otlp",
        partial(_traces, Form.JSON),
        partial(_captured_json, "traces", ExportTraceServiceRequest),
    ),
    Target(
        "otlp-logs-json", "otlp", partial(_logs, Form.JSON), partial(_captured_json, "logs", ExportLogsServiceRequest)
    ),
    Target("otlp-gzip", "otlp", _gzip, lambda: [gzip.compress(b"hello" * 10), gzip.compress(bytes(2 * _LIMIT))]),
)
