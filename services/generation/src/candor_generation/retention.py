"""How long logs are kept, in writing, and dropping those that were kept long enough.

A period is dropped whole: its records with their payloads, its leaves, its files. A hold on anything in it defers that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta

from candor_kit import log as logging
from candor_kit.database import AWAY, Connection
from candor_kit.stop import Stop
from candor_kit.transaction import Tx

from candor_generation.domain import period
from candor_generation.files import LogStore, StoreAwayError
from candor_generation.store import logs
from candor_generation.store.logs import Log

_LOOK_SECONDS = 3600.0
_LOG = logging.get(__name__)

OpenTransaction = Callable[[], AbstractAsyncContextManager[Tx]]
Held = Callable[[Connection, Log], Awaitable[bool]]


@dataclass(frozen=True)
class Policy:
    """For how long what a period holds is kept after the period has ended.

    Source: Generative AI Labelling Measures 9; AI Act 19(1); C2SP tlog-tiles
    """

    keep: timedelta

    def text(self, origin: str) -> str:
        """The policy as it is served beside the logs; a log MUST NOT be pruned without one (C2SP tlog-tiles)."""
        days = self.keep.days
        return f"""Retention policy of the logs {origin}/<kind>/<period>

1. Each log takes what was made within its period, and closes {period.LATEST_ID.days} days after the period has ended.
2. A log is served whole until {days} days after it has closed.
3. After that it is dropped whole: entries, tiles, checkpoint, and the records that its leaves commit to. Nothing of
   a log is dropped before, and no leaf is ever dropped alone. What an earlier proof has proven stays proven.
4. A legal hold on anything in a log defers 3 until the hold has ended.
5. A person's data in a record is erased when the law asks for it, at any time; the log does not change by it.

Why: logs that name to whom generated content was given without an explicit label are kept for at least six months
(Measures for Labelling AI-Generated Synthetic Content, Art. 9); logs of high-risk systems too
(Regulation (EU) 2024/1689, Arts. 19(1) and 26(6)).
"""


class Retention:
    """The background loop that drops what was kept long enough.

    Args:
        transaction: opens a transaction of the service.
        store: where the logs' files are.
        policy: for how long they are kept.
        held: whether something in a log is under a legal hold.
    """

    def __init__(self, transaction: OpenTransaction, store: LogStore, policy: Policy, held: Held) -> None:
        self._transaction = transaction
        self._store = store
        self._policy = policy
        self._held = held

    async def run(self, stop: Stop) -> None:
        """Look once an hour until the service stops."""
        while not stop.is_set():
            try:
                await self.sweep()
            except AWAY as error:
                _LOG.warning("waiting for the database", part="retention", type=type(error).__name__)
            except StoreAwayError as error:
                _LOG.warning("waiting for the logs' files", part="retention", reason=str(error))
            await stop.wait(_LOOK_SECONDS)

    async def sweep(self) -> None:
        """Drop every log whose time is over and that nothing holds."""
        async with self._transaction() as tx:
            found = await logs.all_logs(tx.connection)
            now = tx.now
        for log in found:
            if log.dropped_at is not None:
                await self._drop_files(log)
            elif period.droppable_at(log.period.ends_at, self._policy.keep) <= now:
                await self._drop(log)

    async def _drop(self, log: Log) -> None:
        async with self._transaction() as tx:
            if await self._held(tx.connection, log):
                _LOG.info("a hold defers the end of a log", origin=log.origin)
                return
            await logs.drop(tx.connection, log, tx.now)
        _LOG.info("log dropped", origin=log.origin)
        await self._drop_files(log)

    async def _drop_files(self, log: Log) -> None:
        """Drop a log's files; again in every sweep, should a process have died between the rows and the files."""
        await asyncio.to_thread(self._store.of(log.kind, log.period.name).drop)
