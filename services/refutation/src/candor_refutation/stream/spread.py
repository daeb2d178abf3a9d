"""A Faust table that counts matches per claim over a sliding hour and nominates spreads.

Faust runs inside the service's loop. It only counts: whatever happens to it, records are still matched, and it begins
again from its changelog. The table is plain and holds minutes: Faust's own windows neither expired (issue 385 of
faust-streaming/faust) nor came back after a restart (412). Values are bytes, because an exception while a value is read
from the changelog leaves Faust waiting for its recovery for ever.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import faust
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from candor.refutation.v1.service_pb2 import NominateSpreadRequest
from candor_kit import envelope, log, metrics
from candor_kit.clock import Clock
from candor_kit.ids import uuid7
from candor_kit.stop import Stop
from faust.contrib.asgi import bind_to_running_loop
from faust.exceptions import FaustError
from mode import CrashingSupervisor

from candor_refutation import codec
from candor_refutation.domain.spread import Levels
from candor_refutation.settings import Settings
from candor_refutation.stream.hours import changed, decode, encode

APP_ID = "candor-refutation-spread"
SOURCE = "candor.refutation.spread"
_FACTS = "candor.refutation.v1"
_INTAKE = "candor.refutation.intake.v1"
_TABLE = "hours"
_TICK_SECONDS = 1.0
_STOP_SECONDS = 10.0
_LONGEST_DELAY = 30.0
_LOG = log.get(__name__)
_UP = metrics.gauge("spread_view_up", "1 while the spread table counts.")
_NOMINATED = metrics.counter("spread_nominations", "Nominations sent, by level.", ("level",))


class ViewStoppedError(Exception):
    """Faust stopped by itself, did not come up in time, or its source topic is not there yet."""


class SpreadView:
    """Counts and nominates as long as the service runs."""

    def __init__(self, settings: Settings, levels: Levels, clock: Clock) -> None:
        self._settings = settings
        self._levels = levels
        self._clock = clock
        # Claims whose count changed, or that were just recovered: to be looked at. A nomination that is not confirmed
        # is made again with the next match; one that is comes back as an announced level.
        self._changed: set[bytes] = set()

    async def run(self, stop: Stop) -> None:
        """Run until the service stops; start anew, from the changelog, whenever Faust or the broker gives up."""
        delay = 0.5
        while not stop.is_set():
            try:
                async with self._running(stop) as (app, table):
                    delay = 0.5
                    await self._nominate_until(app, table, stop)
            except (KafkaError, FaustError, OSError, TimeoutError, ViewStoppedError) as error:
                _LOG.warning(
                    "the spread table starts anew", reason=str(error), type=type(error).__name__, retry_in=delay
                )
                await stop.wait(delay)
                delay = min(delay * 2, _LONGEST_DELAY)
            finally:
                _UP.set(0)

    @contextlib.asynccontextmanager
    async def _running(self, stop: Stop) -> AsyncIterator[tuple[Any, Any]]:
        """A Faust app with its table recovered. An app is used once: Faust does not start one a second time."""
        partitions, copies = await _shape_of_facts(self._settings.kafka_bootstrap_servers)
        app, table = self._build(partitions, copies)
        bind_to_running_loop(app)
        app.finalize()
        try:
            await _unless_stopped(app.start(), stop, self._settings.spread_patience_seconds)
            self._changed.update(table.keys())
            _UP.set(1)
            _LOG.info("the spread table counts", count=len(table))
            yield app, table
        finally:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_STOP_SECONDS):
                    await app.stop()

    def _build(self, partitions: int, copies: int) -> tuple[Any, Any]:
        app = faust.App(
            APP_ID,
            broker=[f"aiokafka://{server.strip()}" for server in self._settings.kafka_bootstrap_servers.split(",")],
            store="memory://",
            datadir=Path(self._settings.data_dir) / "faust",
            key_serializer="raw",
            value_serializer="raw",
            autodiscover=False,
            # An agent that fails must be seen; by default it is restarted without a word.
            agent_supervisor=CrashingSupervisor,
            web_enabled=False,
            topic_disable_leader=True,
            # The changelog is like its source: with other partitions Faust refuses to start (PartitionsMismatch).
            topic_partitions=partitions,
            topic_replication_factor=copies,
            consumer_auto_offset_reset="earliest",
            broker_commit_interval=1.0,
            # A killed process must not hold its partitions for Faust's default of a minute.
            broker_session_timeout=10.0,
            broker_heartbeat_interval=2.0,
            broker_rebalance_timeout=20.0,
        )
        table = app.Table(_TABLE, default=bytes, partitions=partitions, key_type=bytes, value_type=bytes)
        app.agent(app.topic(_FACTS, key_type=bytes, value_type=bytes, allow_empty=True), name=_TABLE)(
            self._counter(table)
        )
        return app, table

    def _counter(self, table: Any) -> Any:  # noqa: ANN401 - Faust has no types
        async def count(stream: Any) -> None:  # noqa: ANN401
            async for event in stream.events():
                key = event.key or b""
                hour = changed(decode(table[key]), self._levels, key, event.value, _header_pairs(event.headers))
                if hour is not None:
                    table[key] = encode(hour)
                    self._changed.add(key)

        return count

    async def _nominate_until(self, app: Any, table: Any, stop: Stop) -> None:  # noqa: ANN401
        while not await stop.wait(_TICK_SECONDS):
            if app.crashed or app.should_stop:
                raise ViewStoppedError(log.places(app.crash_reason) if app.crash_reason else "Faust stopped")
            for key in sorted(self._changed):
                nominated = decode(table[key]).nominates
                if nominated is not None:
                    await self._send(app, key, *nominated)
                self._changed.discard(key)

    async def _send(self, app: Any, key: bytes, level: int, window_end: datetime) -> None:  # noqa: ANN401
        now = self._clock.now()
        command = NominateSpreadRequest(
            command_id=str(uuid7(now)),
            claim_id=key.decode(),
            level=level,
            window_end=codec.timestamp(window_end),
        )
        name = command.DESCRIPTOR.full_name
        headers = envelope.headers_of(identifier=command.command_id, message_type=name, source=SOURCE, at=now)
        producer = await app.maybe_start_producer()
        await producer.send_and_wait(
            _INTAKE, key=key, value=command.SerializeToString(), partition=None, timestamp=None, headers=dict(headers)
        )
        _NOMINATED.labels(str(level)).inc()
        _LOG.info("spread nominated", claim_id=command.claim_id, level=level)


def _header_pairs(headers: Any) -> list[tuple[str, bytes]]:  # noqa: ANN401 - a list or a mapping, as Faust likes
    if not headers:
        return []
    return list(headers.items()) if hasattr(headers, "items") else list(headers)


async def _unless_stopped(starting: Any, stop: Stop, patience: float) -> None:  # noqa: ANN401
    """Await the start of Faust; give up when the service stops, or after `patience` seconds."""
    start = asyncio.ensure_future(starting)
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({start, stopping}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        if start.done():
            start.result()
        elif not stop.is_set():
            raise ViewStoppedError(f"not recovered after {patience:.0f} s")
    finally:
        for task in (start, stopping):
            task.cancel()
        await asyncio.gather(start, stopping, return_exceptions=True)


async def _shape_of_facts(bootstrap: str) -> tuple[int, int]:
    """Return how many partitions the facts' topic has, and how many copies of each.

    Raises:
        ViewStoppedError: the topic is not there yet.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
        (facts,) = await admin.describe_topics([_FACTS])
    finally:
        await admin.close()
    if not facts["partitions"]:
        raise ViewStoppedError(f"the topic {_FACTS} is not there")
    return len(facts["partitions"]), len(facts["partitions"][0]["replicas"])
