"""Puts on record that consents have run out, soon after they have."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime

from candor_kit import database, log
from candor_kit.stop import Stop
from candor_kit.transaction import Tx

from candor_consent.handlers import Handlers
from candor_consent.store import record

# A consent that is given meanwhile is put on record as expired at most this late; no answer depends on that record.
_LONGEST_WAIT = 5.0
# Between two looks at persons whom another process is at work on.
_SHORTEST_WAIT = 0.2
_LOG = log.get(__name__)

Transaction = Callable[[str], AbstractAsyncContextManager[Tx]]


class Sweeper:
    """Runs beside the service, in as many processes as there are."""

    def __init__(self, transaction: Transaction, handlers: Handlers) -> None:
        self._transaction = transaction
        self._handlers = handlers

    async def run(self, stop: Stop) -> None:
        """Sweep until the service stops; a database that is away is waited for."""
        wait = 0.0
        while not await stop.wait(wait):
            try:
                wait = await self._sweep()
            except database.AWAY as error:
                _LOG.warning("waiting for the database", part="sweeper", type=type(error).__name__)
                wait = _LONGEST_WAIT

    async def _sweep(self) -> float:
        """Take one bite; return how many seconds to wait before the next."""
        async with self._transaction("sweeper") as tx:
            if await self._handlers.expire_due(tx):
                return 0.0
            return wait_until(await record.next_term(tx.connection), tx.now)


def wait_until(term: datetime | None, now: datetime) -> float:
    """Return how many seconds to wait for the next term: neither idle past it nor restless."""
    if term is None:
        return _LONGEST_WAIT
    return min(max((term - now).total_seconds(), _SHORTEST_WAIT), _LONGEST_WAIT)
