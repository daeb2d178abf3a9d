"""One effect is one transaction: rows, and the records to publish, become true together or not at all."""

from __future__ import annotations

import asyncio
import base64
import random
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import orjson
from google.protobuf.message import Message

from candor_kit import envelope
from candor_kit.clock import Clock
from candor_kit.database import TRY_AGAIN, Connection, Pool
from candor_kit.envelope import PROTOBUF, Envelope, Heard
from candor_kit.ids import uuid7
from candor_kit.stop import Wake

SLOTS = 16
_TRIES = 8
T = TypeVar("T")


@dataclass(frozen=True)
class Caller:
    """Who asks. `roles` are lower-case names without prefix.

    Over a topic the name is only a claim (`ce_source`), and the roles are those that the broker's lists admit there.
    """

    name: str
    roles: frozenset[str] = field(default_factory=frozenset)
    by_topic: bool = False


class Tx:
    """One open transaction and what a handler may do in it. Never commit: leaving does."""

    def __init__(self, service: str, connection: Connection, now: datetime, caller: Caller) -> None:
        self.connection = connection
        self.now = now
        self.caller = caller
        self.callbacks: list[Callable[[], None]] = []
        self.published: list[Heard] = []
        self._service = service
        self._outgoing: list[tuple[str, bytes | None, bytes | None, str]] = []

    def new_id(self) -> str:
        """Return a new UUIDv7 as text."""
        return str(uuid7(self.now))

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call `callback` once, after the transaction has committed; to wake a loop, never to change state."""
        self.callbacks.append(callback)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Undo only what is done within where that raises; what it published and its callbacks are forgotten too."""
        callbacks, published, outgoing = len(self.callbacks), len(self.published), len(self._outgoing)
        try:
            async with self.connection.transaction():
                yield
        except BaseException:  # a cancelled handler is rolled back as well
            del self.callbacks[callbacks:], self.published[published:], self._outgoing[outgoing:]
            raise

    async def publish(self, fact: Message, *, key: str) -> None:
        """Publish a fact on this service's public topic. Its ce_id is fixed here, in the transaction."""
        identifier, value = self.new_id(), fact.SerializeToString(deterministic=True)
        self._put(f"candor.{self._service}.v1", fact, key, identifier, value)
        head = Envelope(
            identifier, fact.DESCRIPTOR.full_name, f"candor.{self._service}", PROTOBUF, {}, self.now.isoformat()
        )
        self.published.append(Heard(head, value, int(self.now.timestamp() * 1000)))

    async def send(self, command: Message, *, service: str, key: str) -> None:
        """Send a command to another service's intake topic. An empty command_id is filled in."""
        identifier = command.command_id or self.new_id()  # type: ignore[attr-defined]  # field 1 of every command
        command.command_id = identifier  # type: ignore[attr-defined]
        value = command.SerializeToString(deterministic=True)
        self._put(f"candor.{service}.intake.v1", command, key, identifier, value)

    def _put(self, topic: str, message: Message, key: str, identifier: str, value: bytes) -> None:
        headers = envelope.headers_of(
            identifier=identifier,
            message_type=message.DESCRIPTOR.full_name,
            source=f"candor.{self._service}",
            at=self.now,
        )
        self.put(topic, key.encode(), value, headers)

    def put(self, topic: str, key: bytes | None, value: bytes | None, headers: envelope.Headers) -> None:
        """Put a record into the outbox as it is, with all others when the transaction ends."""
        self._outgoing.append((topic, key, value, _encoded(headers)))

    async def flush(self) -> bool:
        """Write what is to be published into the outbox, in order and by one statement; whether there was anything."""
        if not self._outgoing:
            return False
        topics, keys, values, headers = (list(column) for column in zip(*self._outgoing, strict=True))
        await self.connection.execute(
            "INSERT INTO kit_outbox (slot, topic, key, headers, value)"
            " SELECT slot, topic, key, headers::jsonb, value FROM unnest(%b::smallint[], %b::text[], %b::bytea[],"
            " %b::text[], %b::bytea[]) AS outgoing (slot, topic, key, headers, value)",
            ([_slot(key) for key in keys], topics, keys, headers, values),
        )
        self._outgoing.clear()
        return True


# Takes facts as they are published or come from a topic, in the transaction that publishes or consumes them.
Hear = Callable[[Tx, Sequence[Heard]], Awaitable[None]]


def _slot(key: bytes | None) -> int:
    return zlib.crc32(key or b"") % SLOTS


def _encoded(headers: envelope.Headers) -> str:
    return orjson.dumps([(name, base64.b64encode(part).decode()) for name, part in headers]).decode()


class Transactions:
    """Opens transactions on the service's database and wakes the relay after those that published.

    Attributes:
        hear: takes what a transaction publishes to the service's own topic, before it commits.
    """

    def __init__(self, service: str, pool: Pool, clock: Clock, outbox: Wake) -> None:
        self.service = service
        self.pool = pool
        self.clock = clock
        self.hear: Hear | None = None
        self._outbox = outbox

    @asynccontextmanager
    async def open(self, caller: Caller) -> AsyncIterator[Tx]:
        """Open one transaction; commit on leaving, roll back on an exception.

        Raises:
            psycopg_pool.PoolTimeout: no connection was to be had.
        """
        async with self.pool.connection() as connection:
            async with connection.transaction():
                tx = Tx(self.service, connection, self.clock.now(), caller)
                yield tx
                if self.hear is not None and tx.published:
                    await self.hear(tx, tx.published)
                wrote = await tx.flush()
            if wrote:
                self._outbox.set()
            for callback in tx.callbacks:
                callback()

    async def run(self, caller: Caller, work: Callable[[Tx], Awaitable[T]]) -> T:
        """Run `work` in a transaction, again where PostgreSQL asks for it (serialization, deadlock, lock time-out)."""
        for attempt in range(1, _TRIES):
            try:
                async with self.open(caller) as tx:
                    return await work(tx)
            except TRY_AGAIN:
                await asyncio.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311 - spreads rivals, hides nothing
        async with self.open(caller) as tx:
            return await work(tx)
