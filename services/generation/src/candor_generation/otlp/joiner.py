"""Joins the parts of calls that came in several exports, in the background."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from candor.generation.v1.service_pb2 import RecordRequest, RecordResponse
from candor_kit import database, log, metrics
from candor_kit.errors import Refusal, Unavailable
from candor_kit.stop import Stop
from candor_kit.transaction import Caller, Tx

from candor_generation.otlp.buffer import Buffer, Kept
from candor_generation.otlp.mapping import Names
from candor_generation.otlp.pieces import LogPiece, SpanPiece
from candor_generation.otlp.reasons import Unusable, Why
from candor_generation.otlp.translation import Piece, Undecided, join

ROLE = "backend"
_LOG = log.get(__name__)
_WAITING = metrics.gauge("otlp_parts_waiting", "Spans and events that wait for the rest of their call.")
_SET_ASIDE = metrics.gauge("otlp_parts_set_aside", "Spans and events of which no record could be made.", ("reason",))
_JOINED = metrics.counter("otlp_calls_joined", "Calls recorded out of parts that came apart.")

Record: TypeAlias = Callable[[Sequence[RecordRequest], Caller], Awaitable[Sequence[RecordResponse | Refusal]]]
Transaction: TypeAlias = Callable[[], AbstractAsyncContextManager[Tx]]


@dataclass
class _Pass:
    """What one look at the calls that are due comes to."""

    ready: dict[str, list[tuple[RecordRequest, list[Kept]]]] = field(default_factory=dict)
    told: list[Kept] = field(default_factory=list)
    again: dict[datetime, list[Kept]] = field(default_factory=dict)
    aside: dict[str, list[Kept]] = field(default_factory=dict)


@dataclass
class Joiner:
    """The loop; one replica at a time joins.

    Attributes:
        transaction: opens a transaction, `lambda: service.transaction("otlp")`.
        buffer: where the parts are.
        record: carries out commands, those that were carried out before are repeats.
        names: this deployment's names.
        limit: most parts that may wait; an export that brings more is to be sent again later.
        period: seconds between two looks.
        most: most calls joined in one pass.
    """

    transaction: Transaction
    buffer: Buffer
    record: Record
    names: Names
    limit: int = 200_000
    period: float = 1.0
    most: int = 200
    _waiting: int = 0

    @property
    def full(self) -> bool:
        """Whether as many parts wait as may, by the last look."""
        return self._waiting >= self.limit

    async def run(self, stop: Stop) -> None:
        """Join until the service stops."""
        retried = False
        while not stop.is_set():
            try:
                retried = retried or await self._retry()
                while await self.step():
                    pass
            except (Unavailable, *database.AWAY) as error:
                _LOG.warning("waiting for the database", part="otlp", type=type(error).__name__)
            await stop.wait(self.period)

    async def _retry(self) -> bool:
        async with self.transaction() as tx:
            await self.buffer.retry(tx.connection)
        return True

    async def step(self) -> bool:
        """Look once at the calls that are due; return whether there are more.

        The commands are carried out before their parts are emptied: stopped in between, the next pass repeats them.
        """
        async with self.transaction() as tx:
            if not await self.buffer.alone(tx.connection):
                return False
            await self.buffer.forget(tx.connection, tx.now)
            due = await self.buffer.due(tx.connection, tx.now, self.most)
            found = _Pass()
            for parts in due.values():
                self._look(parts, tx.now, found)
            for caller, ready in found.ready.items():
                await self._record(caller, ready, found)
            await self._save(tx, found)
            await self._count(tx)
        return len(due) >= self.most

    async def _count(self, tx: Tx) -> None:
        self._waiting = await self.buffer.waiting(tx.connection)
        _WAITING.set(self._waiting)
        _SET_ASIDE.clear()
        for reason, parts in (await self.buffer.set_aside_counts(tx.connection)).items():
            _SET_ASIDE.labels(reason).set(parts)

    def _look(self, parts: list[Kept], now: datetime, found: _Pass) -> None:
        # What was set aside is looked at once more when more of its call comes.
        waiting = [part for part in parts if part.state != "told"]
        settled_at = max(part.received_at for part in waiting) + self.buffer.patience.settle
        if settled_at > now:
            found.again.setdefault(settled_at, []).extend(waiting)
            return
        join_by = min(part.join_by for part in waiting)
        try:
            self._decide(parts, waiting, found, waited=join_by <= now, join_by=join_by)
        except Unusable as unusable:
            found.aside.setdefault(unusable.why, []).extend(waiting)
            _LOG.warning("parts of a call set aside", reason=unusable.why.value, count=len(waiting))

    def _decide(self, parts: list[Kept], waiting: list[Kept], found: _Pass, *, waited: bool, join_by: datetime) -> None:
        pieces = [self.buffer.piece(part) for part in waiting]
        if any(part.state == "told" for part in parts):
            self._late(list(zip(waiting, pieces, strict=True)), found)
            return
        outcome = join(_in_order(pieces), self.names, waited=waited)
        if outcome is Undecided.WAIT:
            found.again.setdefault(join_by, []).extend(waiting)
        elif isinstance(outcome, Undecided):
            found.told.extend(waiting)
        else:
            found.ready.setdefault(waiting[-1].caller, []).append((outcome, waiting))

    @staticmethod
    def _late(parts: list[tuple[Kept, Piece]], found: _Pass) -> None:
        """The call is on record. A span, or the event that is whole, says it once more; a message says more."""
        for kept, piece in parts:
            if isinstance(piece, SpanPiece) or piece.whole:
                found.told.append(kept)
            else:
                found.aside.setdefault(Why.LATE, []).append(kept)

    async def _record(self, caller: str, ready: list[tuple[RecordRequest, list[Kept]]], found: _Pass) -> None:
        answers = await self.record([request for request, _parts in ready], Caller(caller, frozenset({ROLE})))
        for answer, (_request, parts) in zip(answers, ready, strict=True):
            if isinstance(answer, Refusal):
                found.aside.setdefault(answer.reason, []).extend(parts)
                _LOG.warning("parts of a call set aside", reason=answer.reason, count=len(parts))
            else:
                found.told.extend(parts)
                _JOINED.inc()

    async def _save(self, tx: Tx, found: _Pass) -> None:
        await self.buffer.told(tx.connection, found.told)
        for at, parts in found.again.items():
            await self.buffer.look_again(tx.connection, parts, at)
        for reason, parts in found.aside.items():
            await self.buffer.set_aside(tx.connection, parts, str(reason))


def _in_order(pieces: list[Piece]) -> list[Piece]:
    """Events in the order they were made in; those of one instant, and all that tell no time, as they arrived."""
    return sorted(pieces, key=lambda piece: piece.nanos if isinstance(piece, LogPiece) else 0)
