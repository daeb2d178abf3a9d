"""The clock's loop: re-asks, closes and expires what is due, and removes files that no package needs."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path

from candor_kit import log, metrics
from candor_kit.database import TRY_AGAIN, is_away
from candor_kit.stop import Stop
from candor_kit.transaction import Tx

from candor_rights.handlers.sweeps import SweepHandlers
from candor_rights.store import packages, requests

_LOG = log.get(__name__)
_OVERDUE = metrics.gauge("rights_requests_overdue", "Requests past their legal due date and not finished.")
_SWEPT = metrics.counter("rights_swept", "What the sweeper did, by step.", ("step",))

Transaction = Callable[[str], AbstractAsyncContextManager[Tx]]


class Sweeper:
    """Everything it needs to know stands in rows, so a restart loses nothing and two of them do nothing twice."""

    def __init__(self, handlers: SweepHandlers, transaction: Transaction, folder: Path, every: timedelta) -> None:
        self._transaction = transaction
        self._folder = folder
        self._every = every
        self._steps: dict[str, Callable[[Tx], Awaitable[bool]]] = {
            "ask_again": handlers.ask_next_again,
            "ask_for_model_again": handlers.ask_for_model_again,
            "close": handlers.close_next,
            "expire": handlers.expire_next,
        }

    async def run(self, stop: Stop) -> None:
        """Sweep until the service stops."""
        while not stop.is_set():
            try:
                await self.sweep(stop)
            except TRY_AGAIN as error:
                _LOG.info("sweeping goes on later", type=type(error).__name__)
            except Exception as error:
                if not is_away(error):
                    raise
                _LOG.warning("waiting for the database", part="sweeper", type=type(error).__name__)
            await stop.wait(self._every.total_seconds())

    async def sweep(self, stop: Stop) -> None:
        """Do everything that is due now."""
        for name, step in self._steps.items():
            while not stop.is_set() and await self._one(name, step):
                pass
        await self._remove_files()
        async with self._transaction("sweeper") as tx:
            _OVERDUE.set(await requests.unfinished_past_due(tx.connection, tx.now))

    async def _one(self, name: str, step: Callable[[Tx], Awaitable[bool]]) -> bool:
        async with self._transaction("sweeper") as tx:
            found = await step(tx)
        if found:
            _SWEPT.labels(name).inc()
        return found

    async def _remove_files(self) -> None:
        """Remove the files of packages that are gone and of attempts that died.

        The folder is looked at first and the rows after: an attempt is in its row before it makes its file.
        """
        found = await asyncio.to_thread(lambda: list(self._folder.iterdir()))
        async with self._transaction("sweeper") as tx:
            needed = await packages.files(tx.connection)
        for file in found:
            if file.name not in needed:
                await asyncio.to_thread(file.unlink, missing_ok=True)
                _SWEPT.labels("file").inc()
