"""Tells that generations are in the log: `GenerationRecorded`, straight from the records.

The log is append-only and ordered, so it is its own outbox: what is told is known by one index for each log, which
moves once the broker has acknowledged. A fact's id is that of its generation, so one that is told again is known.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime

from candor.generation.v1.facts_pb2 import GenerationRecorded
from candor_kit import envelope, metrics
from candor_kit import log as logging
from candor_kit.clock import Clock
from candor_kit.database import AWAY, Pool
from candor_kit.stop import Stop
from candor_kit.transaction import Tx
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from candor_generation.domain import fact
from candor_generation.store import logs, records
from candor_generation.store.logs import Log
from candor_generation.store.records import Untold

_TOPIC = "candor.generation.v1"
_POLL_SECONDS = 0.1
_RETRY_SECONDS = 1.0
_BATCH = 10_000
_ACKNOWLEDGED_SECONDS = 30.0
_LOG = logging.get(__name__)
_TOLD = metrics.counter("generation_told", "Facts of generations published.")

OpenTransaction = Callable[[], AbstractAsyncContextManager[Tx]]


class NotToldError(Exception):
    """The broker has not acknowledged every fact of a batch."""


class Teller:
    """The background loop beside the sequencer.

    Args:
        pool: connections to read from.
        transaction: opens a transaction of the service.
        bootstrap_servers: the brokers.
        clock: says when a fact is told.
    """

    def __init__(self, pool: Pool, transaction: OpenTransaction, bootstrap_servers: str, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._transaction = transaction
        self._settings: dict[str, str | int | float | bool] = {
            "bootstrap.servers": bootstrap_servers,
            "client.id": "candor.generation.teller",
            "enable.idempotence": True,
            "partitioner": "murmur2_random",
            "linger.ms": 5,
            "batch.size": 1_000_000,
            "queue.buffering.max.messages": 2 * _BATCH,
            "message.timeout.ms": int(_ACKNOWLEDGED_SECONDS * 1000),
            # Told of what fails only; the flush says whether anything is left.
            "delivery.report.only.error": True,
        }
        self._producer: Producer | None = None

    async def run(self, stop: Stop) -> None:
        """Tell until the service stops; wait where the broker or the database is away, and say so."""
        while not stop.is_set():
            try:
                moved = await self._round()
            except (NotToldError, KafkaException, *AWAY) as error:
                # A producer that failed may hold records it would send twice under another sequence: begin anew.
                self._producer = None
                _LOG.warning("waiting for the broker and the database", part="teller", type=type(error).__name__)
                await stop.wait(_RETRY_SECONDS)
                continue
            if not moved:
                await stop.wait(_POLL_SECONDS)

    async def _round(self) -> bool:
        async with self._pool.connection() as connection:
            behind = await logs.untold(connection)
        for log, told in behind:
            await self._tell(log, told)
        return bool(behind)

    async def _tell(self, log: Log, told: int) -> None:
        async with self._pool.connection() as connection:
            tree = await logs.latest_tree(connection, log.log_id)
            found = await logs.places(connection, log.log_id, told, min(told + _BATCH, tree.size if tree else told))
            untold = await records.untold(connection, list(found))
        if not found:
            return
        sent = await asyncio.to_thread(self._send, untold, log.origin.encode(), self._clock.now())
        async with self._transaction() as tx:
            await logs.move_told(tx.connection, log.log_id, told, max(found.values()))
        _TOLD.inc(sent)

    def _send(self, untold: Sequence[Untold], origin: bytes, at: datetime) -> int:
        """Hand facts to the broker and wait until it has acknowledged each; return how many there were.

        Raises:
            NotToldError: it has not, within the time.
        """
        producer = self._producer = self._producer or Producer(self._settings)
        failed: list[KafkaError] = []

        def delivered(error: KafkaError | None, _message: Message) -> None:
            if error is not None:
                failed.append(error)

        common = envelope.headers_of(
            identifier="", message_type=GenerationRecorded.DESCRIPTOR.full_name, source="candor.generation", at=at
        )
        rest = [header for header in common if header[0] != "ce_id"]
        sent = 0
        for addition in untold:
            for told, name, index in addition.told():
                producer.produce(
                    _TOPIC,
                    value=fact.placed(told, origin, index),
                    key=name,
                    headers=[("ce_id", name), *rest],
                    on_delivery=delivered,
                )
                sent += 1
            producer.poll(0)
        left = producer.flush(_ACKNOWLEDGED_SECONDS)
        if left or failed:
            raise NotToldError(f"{left + len(failed)} facts were not acknowledged")
        return sent
