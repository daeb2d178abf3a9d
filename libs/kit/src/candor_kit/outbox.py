"""The relay: moves what transactions published from the outbox to the broker, in order per key, at least once."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from candor_kit import log, metrics
from candor_kit.database import AWAY, Connection, Pool
from candor_kit.stop import Stop, Wake
from candor_kit.transaction import SLOTS

_LOCK_CLASS = 0x4F555442
_BATCH = 1000
_POLL_SECONDS = 0.5
_LARGEST_REQUEST = 4 * 1024 * 1024
_LOG = log.get(__name__)


class Relay:
    """One per process. Rivals share the slots: a slot belongs to whoever holds its lock during a batch."""

    def __init__(self, pool: Pool, bootstrap_servers: str, client_id: str, wake: Wake) -> None:
        self._pool = pool
        self._bootstrap_servers = bootstrap_servers
        self._client_id = client_id
        self._wake = wake
        self._producer: AIOKafkaProducer | None = None
        self.healthy = False

    async def run(self, stop: Stop) -> None:
        """Move records until the service stops; wait where the broker or the database is away, and say so."""
        delay = 0.2
        try:
            while not stop.is_set():
                try:
                    moved = await self._batch()
                except (KafkaError, *AWAY) as error:
                    self.healthy = False
                    _LOG.warning("waiting for the broker and the database", part="outbox", type=type(error).__name__)
                    await self._drop_producer()
                    await stop.wait(delay)
                    delay = min(delay * 2, 5.0)
                    continue
                self.healthy, delay = True, 0.2
                if moved < _BATCH:
                    await self._wake.wait(_POLL_SECONDS, stop)
        finally:
            await self._drop_producer()

    async def _batch(self) -> int:
        producer = await self._connected()
        async with self._pool.connection() as connection, connection.transaction():
            rows = await self._claim(connection)
            if not rows:
                return 0
            sent = [
                await producer.send(
                    row["topic"],
                    key=row["key"],
                    value=row["value"],
                    headers=[(name, base64.b64decode(part)) for name, part in row["headers"]],
                )
                for row in rows
            ]
            await asyncio.gather(*sent)
            await connection.execute("DELETE FROM kit_outbox WHERE id = ANY(%s)", ([row["id"] for row in rows],))
        for row in rows:
            metrics.OUTBOX_PUBLISHED.labels(row["topic"]).inc()
        return len(rows)

    @staticmethod
    async def _claim(connection: Connection) -> list[dict[str, Any]]:
        cursor = await connection.execute(
            "SELECT slot FROM generate_series(0, %s) AS slot WHERE pg_try_advisory_xact_lock(%s, slot)",
            (SLOTS - 1, _LOCK_CLASS),
        )
        slots = [row["slot"] for row in await cursor.fetchall()]
        cursor = await connection.execute(
            "SELECT id, topic, key, headers, value FROM kit_outbox WHERE slot = ANY(%s) ORDER BY id LIMIT %s",
            (slots, _BATCH),
        )
        rows = await cursor.fetchall()
        metrics.OUTBOX_WAITING.set(len(rows))
        return rows

    async def _connected(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                bootstrap_servers=self._bootstrap_servers,
                client_id=self._client_id,
                enable_idempotence=True,
                max_request_size=_LARGEST_REQUEST,
                max_batch_size=262_144,
                linger_ms=2,
                request_timeout_ms=15_000,
            )
            try:
                await producer.start()
            except BaseException:
                await producer.stop()
                raise
            self._producer = producer
        return self._producer

    async def _drop_producer(self) -> None:
        # A producer that failed may hold records it would send twice under another sequence: always begin anew.
        producer, self._producer = self._producer, None
        if producer is not None:
            try:
                async with asyncio.timeout(5):
                    await producer.stop()
            except (KafkaError, TimeoutError) as error:
                _LOG.warning("the producer did not stop in order", type=type(error).__name__)
