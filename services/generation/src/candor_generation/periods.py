"""Which log takes what: the periods as this process knows them, opened ahead of time."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta

from candor_kit import log as logging
from candor_kit.database import AWAY, Connection
from candor_kit.stop import Stop
from candor_kit.transaction import Tx

from candor_generation.domain import period
from candor_generation.store import logs
from candor_generation.store.logs import Log

_AHEAD = timedelta(days=2)
_LOOK_SECONDS = 600.0
_LOG = logging.get(__name__)

OpenTransaction = Callable[[], AbstractAsyncContextManager[Tx]]


class Periods:
    """The logs of this deployment.

    Args:
        base: the origin that every log's begins with.
        months: the length of the periods that are opened from now on.
        now: the present moment.
    """

    def __init__(self, base: str, months: int, now: Callable[[], datetime]) -> None:
        self._base = base
        self._now = now
        self._months = months
        self._logs: list[Log] = []

    async def open_ahead(self, tx: Tx) -> None:
        """Open the periods of what may be recorded now and in the next two days; look which there are."""
        for at in (tx.now - period.LATEST_ID, tx.now, tx.now + _AHEAD):
            await logs.open_period(tx.connection, logs.GENERATION, period.period_of(at, self._months), self._base)
        for at in (tx.now, tx.now + _AHEAD):
            await logs.open_period(tx.connection, logs.ACTS, period.period_of(at, self._months), self._base)
        await self.look(tx.connection)

    async def look(self, connection: Connection) -> list[Log]:
        """Every log, the oldest first."""
        self._logs = await logs.all_logs(connection)
        return self._logs

    async def covering(self, connection: Connection, kind: str, at: datetime) -> Log | None:
        """The log of a kind that takes what was made at a moment; None where none does."""
        return self._find(kind, at) or (await self.look(connection) and self._find(kind, at)) or None

    async def named(self, connection: Connection, origin: str) -> Log | None:
        """The log of an origin."""
        known = {log.origin: log for log in self._logs}
        return known.get(origin) or {log.origin: log for log in await self.look(connection)}.get(origin)

    async def present(self, connection: Connection, kind: str) -> Log | None:
        """The log of a kind that took the youngest records: the last one that has begun."""
        began = [log for log in await self.look(connection) if log.kind == kind and log.period.starts_at <= self._now()]
        return began[-1] if began else None

    def _find(self, kind: str, at: datetime) -> Log | None:
        for log in reversed(self._logs):
            if log.kind == kind and log.period.starts_at <= at < log.period.ends_at and log.dropped_at is None:
                return log
        return None

    async def run(self, transaction: OpenTransaction, stop: Stop) -> None:
        """Open periods ahead until the service stops."""
        while not await stop.wait(_LOOK_SECONDS):
            try:
                async with transaction() as tx:
                    await self.open_ahead(tx)
            except AWAY as error:
                _LOG.warning("waiting for the database", part="periods", type=type(error).__name__)
