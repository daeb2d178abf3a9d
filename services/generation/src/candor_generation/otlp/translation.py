"""From spans and events to the commands that record generations. Pure: the same export gives the same commands."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from candor.generation.v1.service_pb2 import RecordRequest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from candor_generation.otlp import dialects
from candor_generation.otlp.identity import check_ids, generation_id
from candor_generation.otlp.mapping import Names, Told, request_of
from candor_generation.otlp.messages import Exchange
from candor_generation.otlp.pieces import LogPiece, SpanPiece, events_in, spans_in
from candor_generation.otlp.reasons import Unusable, Why

Piece = SpanPiece | LogPiece


@dataclass(frozen=True)
class Ready:
    """A command, and the piece that it was made of."""

    request: RecordRequest
    piece: Piece
    # Whether events of the same call may come, so that they must be known as told already.
    repeated: bool


@dataclass
class Translated:
    """What an export comes to.

    Attributes:
        ready: what can be recorded at once.
        waiting: what has to be joined with what comes in another export.
        refused: what tells of a generation and can never become a record.
        ignored: how many spans and records tell of no generation.
    """

    ready: list[Ready] = field(default_factory=list)
    waiting: list[Piece] = field(default_factory=list)
    refused: list[Unusable] = field(default_factory=list)
    ignored: int = 0


def of_traces(request: ExportTraceServiceRequest, names: Names) -> Translated:
    """Translate an export of spans."""
    translated = Translated()
    for piece in spans_in(request):
        try:
            _span(piece, names, translated)
        except Unusable as unusable:
            translated.refused.append(unusable)
    return translated


def _span(piece: SpanPiece, names: Names, translated: Translated) -> None:
    told = dialects.generates(piece.attributes)
    if told is False:
        translated.ignored += 1
        return
    exchange = dialects.of_span(piece.attributes, piece.events())
    if told is None and not exchange.answered:
        translated.ignored += 1
        return
    check_ids(piece.span.trace_id, piece.span.span_id)
    if not exchange.answered:
        _unanswered(piece, exchange, translated)
        return
    request = _request(piece.span.start_time_unix_nano, piece.name, (piece,), exchange, names)
    translated.ready.append(Ready(request, piece, repeated="gen_ai.output.messages" in piece.attributes))


def _unanswered(piece: SpanPiece, exchange: Exchange, translated: Translated) -> None:
    """A failed call generated nothing; a call whose answer was empty neither; the rest may come as events."""
    if piece.failed and exchange.inputs:
        translated.ignored += 1
    elif exchange.outputs:
        raise Unusable(Why.NO_OUTPUT, "the output is empty")
    else:
        translated.waiting.append(piece)


def of_logs(request: ExportLogsServiceRequest, names: Names) -> Translated:
    """Translate an export of log records."""
    translated = Translated()
    for piece in events_in(request):
        try:
            _event(piece, names, translated)
        except Unusable as unusable:
            translated.refused.append(unusable)
    known = len(translated.ready) + len(translated.waiting) + len(translated.refused) + translated.ignored
    total = sum(len(scope.log_records) for resource in request.resource_logs for scope in resource.scope_logs)
    translated.ignored += total - known
    return translated


def _event(piece: LogPiece, names: Names, translated: Translated) -> None:
    if piece.whole and dialects.generates(piece.attributes) is False:
        translated.ignored += 1
        return
    if not piece.whole or any(piece.name):
        check_ids(piece.record.trace_id, piece.record.span_id)
        translated.waiting.append(piece)
        return
    # The event that is whole may be written by a program that traces nothing; the bytes then name the call.
    exchange = dialects.of_events([piece.event()])
    if not exchange.answered and "error.type" in piece.attributes:
        translated.ignored += 1
        return
    request = _request(piece.nanos, hashlib.sha256(piece.kept()).digest(), (piece,), exchange, names)
    translated.ready.append(Ready(request, piece, repeated=False))


class Undecided(Enum):
    """What comes of pieces that give no record."""

    WAIT = auto()
    NOTHING_GENERATED = auto()


def join(pieces: Sequence[Piece], names: Names, *, waited: bool) -> RecordRequest | Undecided:
    """Make the command of one call out of its span and its events.

    1. The span names the subject, the start and the model, so it is waited for; so is an answer, and as many choices
       as the span says that there are.
    2. A call that failed without an answer generated nothing.
    3. When the time is over, the event that is whole is enough, and so are the choices that came.

    Args:
        pieces: what has come, in the order it was made in.
        names: this deployment's names.
        waited: whether the time for the rest is over.

    Raises:
        Unusable: NO_SPAN, NO_CONTENT, NO_OUTPUT and what `request_of` and the dialects raise.
    """
    span = next((piece for piece in pieces if isinstance(piece, SpanPiece)), None)
    logs = [piece for piece in pieces if isinstance(piece, LogPiece)]
    exchange = dialects.of_events([*(span.events() if span else []), *(piece.event() for piece in logs)])
    if not exchange.answered:
        return _no_answer(span, logs, exchange, waited=waited)
    if span is None:
        return _without_span(logs, exchange, names) if waited else Undecided.WAIT
    if not waited and len(exchange.outputs) < _choices(span):
        return Undecided.WAIT
    return _request(span.span.start_time_unix_nano, span.name, (span, *logs), exchange, names)


def _no_answer(span: SpanPiece | None, logs: Sequence[LogPiece], exchange: Exchange, *, waited: bool) -> Undecided:
    failed = (span is not None and span.failed) or any("error.type" in piece.attributes for piece in logs)
    if failed and (waited or exchange.inputs or any(piece.whole for piece in logs)):
        return Undecided.NOTHING_GENERATED
    if not waited:
        return Undecided.WAIT
    if not logs:
        raise Unusable(
            Why.NO_CONTENT,
            "the span carries no messages and none came as events;"
            " set OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT, and export logs here too",
        )
    raise Unusable(Why.NO_OUTPUT, "the events of the call tell of no answer")


def _without_span(logs: Sequence[LogPiece], exchange: Exchange, names: Names) -> RecordRequest:
    whole = next((piece for piece in logs if piece.whole), None)
    if whole is None:
        raise Unusable(Why.NO_SPAN, "the span of these events did not come; export traces here too")
    return _request(whole.nanos, whole.name, tuple(logs), exchange, names)


def _choices(span: SpanPiece) -> int:
    """How many choices the call was answered with, as far as the span says."""
    reasons, count = (
        span.attributes.get("gen_ai.response.finish_reasons"),
        span.attributes.get("gen_ai.request.choice.count"),
    )
    if isinstance(reasons, list) and reasons:
        return len(reasons)
    return count if isinstance(count, int) else 1


def _request(nanos: int, name: bytes, pieces: tuple[Piece, ...], exchange: Exchange, names: Names) -> RecordRequest:
    """Make the command; what the pieces say themselves goes before what their scopes and resources say."""
    contexts = list({id(piece.context): piece.context for piece in pieces}.values())
    scopes = tuple(context.layers[0] for context in contexts)
    resources = tuple(context.layers[1] for context in contexts)
    told = Told((*(piece.attributes for piece in pieces), *scopes, *resources))
    return request_of(generation_id(nanos, name), nanos, told, exchange, names)
