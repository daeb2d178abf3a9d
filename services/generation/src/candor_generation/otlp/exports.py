"""One export request: who may send it, what becomes of it, what is answered."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from candor_kit import log, metrics
from candor_kit.database import TRY_AGAIN, is_away
from candor_kit.errors import EDGE, Refusal, Unavailable
from candor_kit.transaction import Caller
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from candor_generation.otlp import translation
from candor_generation.otlp.buffer import Buffer
from candor_generation.otlp.joiner import ROLE, Joiner, Record, Transaction
from candor_generation.otlp.mapping import Names
from candor_generation.otlp.pieces import SpanPiece
from candor_generation.otlp.translation import Piece, Translated

RETRY_AFTER_SECONDS = 5
_MOST_REASONS = 10
_LOG = log.get(__name__)
_ITEMS = metrics.counter(
    "otlp_items", "Spans and log records taken by OTLP, by signal and result.", ("signal", "result")
)


def refusal_of(error: Exception, method: str) -> Refusal:
    """Return the refusal that answers an error; one that nobody declared is a fault of ours and is logged."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, Unavailable):
        return EDGE.refusal("UNAVAILABLE", f"{error}; send the same export again")
    _LOG.error("an export failed", method=method, exc_info=error)
    return EDGE.refusal("INTERNAL", "a fault of ours; the log has it")


@dataclass(frozen=True)
class Outcome:
    """What was done with an export: how many items no record can be made of, and words for the person who reads."""

    rejected: int
    message: str


@dataclass
class Exports:
    """Takes exports.

    Attributes:
        authenticate: says who a header `authorization` names, or raises Refusal; `Authenticator.caller`.
        record: carries out commands.
        transaction: opens a transaction.
        buffer: keeps what must wait.
        joiner: joins what waits; says when no more may wait.
        names: this deployment's names.
        most: exports that are taken at once, each of which may hold as many bytes as a body may have.
    """

    authenticate: Callable[[str | None], Caller]
    record: Record
    transaction: Transaction
    buffer: Buffer
    joiner: Joiner
    names: Names
    most: int = 8
    _taking: int = field(default=0, init=False)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold one of the places in which exports are read and taken, so that memory stays bounded.

        Raises:
            Unavailable: all are taken; the client waits and sends again.
        """
        if self._taking >= self.most:
            raise Unavailable("a place for another export")
        self._taking += 1
        try:
            yield
        finally:
            self._taking -= 1

    def admit(self, authorization: str | None) -> Caller:
        """Return who sends an export.

        Raises:
            Refusal: UNAUTHENTICATED, WRONG_ROLE.
        """
        caller = self.authenticate(authorization)
        if ROLE not in caller.roles:
            raise EDGE.refusal("WRONG_ROLE", f"OTLP admits {ROLE}")
        return caller

    async def traces(self, request: ExportTraceServiceRequest, caller: Caller) -> ExportTraceServiceResponse:
        """Take spans. When this answers, each is recorded, kept to be joined, named as rejected, or tells of nothing.

        Raises:
            Unavailable: nothing was answered for; the same export again is right.
        """
        # Ten thousand spans take a second of computing, which must not stand in the way of other calls.
        translated = await asyncio.to_thread(translation.of_traces, request, self.names)
        outcome = await self._carry_out(translated, caller, "traces", "spans")
        response = ExportTraceServiceResponse()
        if outcome.message:
            response.partial_success.rejected_spans = outcome.rejected
            response.partial_success.error_message = outcome.message
        return response

    async def logs(self, request: ExportLogsServiceRequest, caller: Caller) -> ExportLogsServiceResponse:
        """Take log records, as `traces` takes spans.

        Raises:
            Unavailable: nothing was answered for; the same export again is right.
        """
        translated = await asyncio.to_thread(translation.of_logs, request, self.names)
        outcome = await self._carry_out(translated, caller, "logs", "log records")
        response = ExportLogsServiceResponse()
        if outcome.message:
            response.partial_success.rejected_log_records = outcome.rejected
            response.partial_success.error_message = outcome.message
        return response

    async def _carry_out(self, translated: Translated, caller: Caller, signal: str, items: str) -> Outcome:
        try:
            reasons, contentless = await self._store(translated, caller)
        except Exception as error:
            if is_away(error) or isinstance(error, TRY_AGAIN):
                raise Unavailable("the database") from error
            raise
        rejected = sum(reasons.values())
        _ITEMS.labels(signal, "rejected").inc(rejected)
        _ITEMS.labels(signal, "recorded").inc(len(translated.ready) + len(translated.refused) - rejected)
        _ITEMS.labels(signal, "kept").inc(len(translated.waiting))
        _ITEMS.labels(signal, "ignored").inc(translated.ignored)
        return Outcome(rejected, _words(reasons, contentless, items, self.buffer.patience.join.total_seconds()))

    async def _store(self, translated: Translated, caller: Caller) -> tuple[Counter[str], int]:
        """Record what is ready, then keep what waits: a repeat of the export repeats both without effect."""
        if translated.waiting and self.joiner.full:
            raise Unavailable("the joining of spans with their events")
        reasons = Counter(f"{unusable.why}: {unusable.message}" for unusable in translated.refused)
        told: list[Piece] = []
        if translated.ready:
            answers = await self.record([item.request for item in translated.ready], caller)
            for item, answer in zip(translated.ready, answers, strict=True):
                if isinstance(answer, Refusal):
                    reasons[f"{answer.reason}: {answer.message}"] += 1
                elif item.repeated:
                    told.append(item.piece)
        return reasons, await self._keep(told, translated.waiting, caller)

    async def _keep(self, told: Sequence[Piece], waiting: Sequence[Piece], caller: Caller) -> int:
        """Store parts; return of how many spans nothing tells yet what was said."""
        if not told and not waiting:
            return 0
        async with self.transaction() as tx:
            if told:
                await self.buffer.note_told(tx.connection, told, caller.name, tx.now)
            if not waiting:
                return 0
            await self.buffer.keep(tx.connection, waiting, caller.name, tx.now)
            spans = [piece for piece in waiting if isinstance(piece, SpanPiece) and not piece.failed]
            return await self.buffer.without_events(tx.connection, spans) if spans else 0


def _words(reasons: Counter[str], contentless: int, items: str, seconds: float) -> str:
    """What the client's log will show a person; it quotes no value."""
    told = [f"{count} {items}: {reason}" for reason, count in reasons.most_common(_MOST_REASONS)]
    if len(reasons) > _MOST_REASONS:
        told.append(f"and {len(reasons) - _MOST_REASONS} more reasons")
    if contentless:
        told.append(
            f"{contentless} {items} were kept but carry no messages, and none of their events has come yet; after"
            f" {seconds:.0f} seconds they are set aside. Is OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT set?"
        )
    return "; ".join(told)
