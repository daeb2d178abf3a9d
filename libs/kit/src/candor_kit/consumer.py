"""Consumers: a batch of records is one transaction together with the position after it.

The position is moved by compare-and-set; whoever loses goes back to the stored one. What is refused is set aside in the
same transaction. Only unexpected exceptions, never refusals, can stop a consumer. Positions are committed to Kafka too,
but only so that lag can be seen.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, NamedTuple, Protocol

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError
from google.protobuf.message import Message

from candor_kit import deadletter, log, metrics
from candor_kit.database import AWAY, is_away
from candor_kit.envelope import Envelope
from candor_kit.errors import Refusal, Unavailable
from candor_kit.stop import Stop
from candor_kit.transaction import Caller, Hear, Transactions, Tx

# With a prepared batch a handler takes it as a third argument; see `FactConsumer.prepare`.
FactHandler = Callable[..., Awaitable[None]]
_POLL_MS = 500
_LOG = log.get(__name__)


@dataclass(frozen=True)
class FactConsumer:
    """A reader of one public topic.

    Attributes:
        name: "rights-asks"; the Kafka group is candor.<service>.<name>.
        topic: "candor.rights.v1".
        handlers: fact type -> handler; other types are counted and skipped.
        prepare: runs before the transaction with the batch's facts that have a handler; its result is the handlers'
            third argument. It may raise `Unavailable`: waited for and tried again.
        hear: instead of handlers: takes every fact of the topic as it is, many at a time, and itself drops what it has
            heard before.
        most: how many records are one transaction at most, where the service's batch would keep its locks for too long.
    """

    name: str
    topic: str
    handlers: Mapping[type[Message], FactHandler] = field(default_factory=dict)
    prepare: Callable[[Sequence[Message]], Awaitable[Any]] | None = None
    hear: Hear | None = None
    most: int | None = None


NOBODY = Caller("")


# Applies neighbouring records together; says for each why it is refused, or None.
ApplyMany = Callable[[Tx, "Sequence[Step]"], Awaitable[Sequence[Refusal | None]]]


class Step(NamedTuple):
    """What is to be done about one record: apply it, alone or with its neighbours, set it aside, or only pass it."""

    record: ConsumerRecord
    apply: Callable[[Tx, Any], Awaitable[None]] | None = None
    refusal: Refusal | None = None
    message: Message | None = None
    caller: Caller = NOBODY
    batch: ApplyMany | None = None
    head: Envelope | None = None


class Reader(Protocol):
    """What a consumer reads: how a record becomes a step."""

    name: str
    topic: str

    def read(self, record: ConsumerRecord) -> Step:
        """Decide what to do about a record, without any I/O; a refusal is part of the answer, not raised."""
        ...

    async def prepare(self, steps: Sequence[Step]) -> Any:  # noqa: ANN401 - the reader's own, handed back to it
        """Do the I/O that must be outside the transaction."""
        ...

    def translate(self, error: Exception) -> Refusal | None:
        """Return the refusal that an exception means, or None."""
        ...


class PositionLostError(Exception):
    """The stored position is not in the log any more; going on would silently skip records."""


class StoppedError(Exception):
    """Unexpected exceptions reached their limit."""


class Consumer:
    """Runs one reader on the partitions that its Kafka group gives it."""

    def __init__(
        self,
        reader: Reader,
        transactions: Transactions,
        bootstrap_servers: str,
        *,
        batch: int,
        max_failures: int,
        retention_seconds: int,
    ) -> None:
        self._reader = reader
        self._transactions = transactions
        self._bootstrap_servers = bootstrap_servers
        self._batch = batch
        self._max_failures = max_failures
        self._retention_seconds = retention_seconds
        self._positions: dict[TopicPartition, int] = {}
        self._fatal: Exception | None = None
        self._failures = 0
        self.group = f"candor.{transactions.service}.{reader.name}"
        self.state = "starting"

    async def run(self, stop: Stop) -> None:
        """Consume until the service stops. A consumer that may not go on says so and ends; the service stays up."""
        metrics.CONSUMER_STOPPED.labels(self._reader.name).set(0)
        delay = 0.2
        while not stop.is_set():
            try:
                await self._session(stop)
            except (StoppedError, PositionLostError) as error:
                self.state = f"stopped: {error}"
                metrics.CONSUMER_STOPPED.labels(self._reader.name).set(1)
                _LOG.error("consumer stopped", consumer=self._reader.name, reason=type(error).__name__)
                return
            except (KafkaError, OSError, *AWAY) as error:
                self.state = "waiting for the broker or the database"
                _LOG.warning(
                    "waiting for the broker and the database", consumer=self._reader.name, type=type(error).__name__
                )
                await stop.wait(delay)
                delay = min(delay * 2, 5.0)
            else:
                delay = 0.2
        self.state = "ended"

    async def _session(self, stop: Stop) -> None:
        kafka = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap_servers,
            group_id=self.group,
            client_id=self.group,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            max_partition_fetch_bytes=3 * 1024 * 1024,
            session_timeout_ms=10_000,
            heartbeat_interval_ms=1_000,
            request_timeout_ms=15_000,
        )
        self._positions.clear()
        self._fatal = None
        kafka.subscribe([self._reader.topic], listener=_Listener(self, kafka))
        try:
            await kafka.start()
            await self._poll(kafka, stop)
        except OffsetOutOfRangeError as error:
            raise PositionLostError(str(error)) from error
        finally:
            await kafka.stop()

    async def _poll(self, kafka: AIOKafkaConsumer, stop: Stop) -> None:
        while not stop.is_set():
            try:
                batches = await kafka.getmany(timeout_ms=_POLL_MS, max_records=self._batch)
            except NoOffsetForPartitionError:
                # The client looked for an offset in Kafka before `assigned` gave it ours, which is the one that counts.
                batches = {}
            if self._fatal is not None:
                raise self._fatal
            self.state = "running"
            for partition, records in batches.items():
                await self._apply_batch(kafka, partition, records, stop)
            if batches:
                await self._show_lag(kafka)

    async def assigned(self, kafka: AIOKafkaConsumer, partitions: Sequence[TopicPartition]) -> None:
        """Seek every newly assigned partition to its stored position."""
        try:
            first = await kafka.beginning_offsets(partitions)
            end = await kafka.end_offsets(partitions)
            for partition in partitions:
                position = await self._stored(partition, first[partition])
                _check_inside(partition, position, first[partition], end[partition])
                self._positions[partition] = position
                kafka.seek(partition, position)
        except (PositionLostError, KafkaError, *AWAY) as error:
            # The client swallows what a listener raises; the loop raises it instead.
            self._fatal = error

    async def _stored(self, partition: TopicPartition, first: int) -> int:
        async with self._transactions.pool.connection() as connection:
            await connection.execute(
                "INSERT INTO kit_position (consumer, topic, partition, next_offset) VALUES (%s, %s, %s, %s)"
                " ON CONFLICT DO NOTHING",
                (self._reader.name, partition.topic, partition.partition, first),
            )
            cursor = await connection.execute(
                "SELECT next_offset FROM kit_position WHERE consumer = %s AND topic = %s AND partition = %s",
                (self._reader.name, partition.topic, partition.partition),
            )
            row = await cursor.fetchone()
        return int(row["next_offset"]) if row else first

    async def _apply_batch(
        self, kafka: AIOKafkaConsumer, partition: TopicPartition, records: list[ConsumerRecord], stop: Stop
    ) -> None:
        """Apply a batch whole; where that fails, record by record, so that only the bad one is held up."""
        steps = [self._reader.read(record) for record in records]
        if await self._try(kafka, partition, steps, stop, patient=len(steps) == 1):
            return
        for step in steps:
            if partition not in self._positions or step.record.offset < self._positions[partition]:
                continue
            if not await self._try(kafka, partition, [step], stop, patient=True):
                return

    async def _try(
        self, kafka: AIOKafkaConsumer, partition: TopicPartition, steps: list[Step], stop: Stop, *, patient: bool
    ) -> bool:
        """Apply steps in one transaction. An impatient try gives up at the first unexpected exception or refusal."""
        delay = 0.1
        while not stop.is_set() and partition in self._positions:
            try:
                return await self._transact(kafka, partition, steps, savepoints=patient)
            except Unavailable as error:
                _LOG.warning("waiting", consumer=self._reader.name, part=error.part, retry_in=delay)
            except Exception as error:
                if is_away(error):
                    raise
                if not patient:
                    return False
                self._count_failure(error, steps[0].record)
            await stop.wait(delay)
            delay = min(delay * 2, 5.0)
        return False

    def _count_failure(self, error: Exception, record: ConsumerRecord) -> None:
        self._failures += 1
        metrics.RECORDS.labels(self._reader.name, "failed").inc()
        _LOG.error(
            "a record could not be applied",
            consumer=self._reader.name, topic=record.topic, partition=record.partition, offset=record.offset,
            failures=self._failures, limit=self._max_failures, exc_info=error,
        )  # fmt: skip
        if self._failures >= self._max_failures:
            msg = f"{self._failures} unexpected exceptions at {record.topic}/{record.partition}@{record.offset}"
            raise StoppedError(msg) from error

    async def _transact(
        self, kafka: AIOKafkaConsumer, partition: TopicPartition, steps: list[Step], *, savepoints: bool
    ) -> bool:
        prepared = await self._reader.prepare([step for step in steps if step.apply])
        following = steps[-1].record.offset + 1

        async def work(tx: Tx) -> list[tuple[str, str]] | None:
            if not await self._advance(tx, partition, following):
                return None
            results: list[tuple[str, str]] = []
            for batch, run in groupby(steps, key=lambda step: step.batch):
                if batch is not None:
                    results += await self._apply_run(tx, list(run), batch)
                else:
                    results += [await self._apply_step(tx, step, prepared, savepoints=savepoints) for step in run]
            return results

        results = await self._transactions.run(Caller(f"candor.{self._transactions.service}"), work)
        if results is None:
            await self._go_back(kafka, partition)
            return True
        if partition in self._positions:
            self._positions[partition] = following
        self._failures = 0
        self._show_age(steps[-1].record)
        for (result, reason), count in Counter(results).items():
            metrics.RECORDS.labels(self._reader.name, result).inc(count)
            if result == "dead_letter":
                metrics.DEAD_LETTERS.labels(self._reader.name, reason).inc(count)
        return True

    def _show_age(self, record: ConsumerRecord) -> None:
        """Alarm when records wait for half of the time that a topic keeps them: behind that, they would be lost."""
        behind = self._transactions.clock.now().timestamp() - record.timestamp / 1000
        metrics.CONSUMER_BEHIND.labels(self._reader.name).set(behind)
        if behind > self._retention_seconds / 2:
            _LOG.error("records wait for half of their retention", consumer=self._reader.name, seconds=round(behind))

    async def _advance(self, tx: Tx, partition: TopicPartition, following: int) -> bool:
        cursor = await tx.connection.execute(
            "UPDATE kit_position SET next_offset = %s"
            " WHERE consumer = %s AND topic = %s AND partition = %s AND next_offset = %s",
            (following, self._reader.name, partition.topic, partition.partition, self._positions.get(partition, -1)),
        )
        return cursor.rowcount == 1

    async def _go_back(self, kafka: AIOKafkaConsumer, partition: TopicPartition) -> None:
        position = await self._stored(partition, 0)
        _LOG.warning(
            "another process moved the position", consumer=self._reader.name, partition=partition.partition,
            position=position,
        )  # fmt: skip
        if partition in kafka.assignment():
            self._positions[partition] = position
            kafka.seek(partition, position)

    async def _apply_run(self, tx: Tx, steps: Sequence[Step], batch: ApplyMany) -> list[tuple[str, str]]:
        tx.caller = steps[0].caller
        refusals = await batch(tx, steps)
        return [
            ("applied", "") if refusal is None else self._set_aside(tx, step.record, refusal)
            for step, refusal in zip(steps, refusals, strict=True)
        ]

    async def _apply_step(self, tx: Tx, step: Step, prepared: Any, *, savepoints: bool) -> tuple[str, str]:  # noqa: ANN401
        if step.refusal is not None:
            return self._set_aside(tx, step.record, step.refusal)
        if step.apply is None:
            return "skipped", ""
        tx.caller = step.caller
        if not savepoints:
            await step.apply(tx, prepared)
            return "applied", ""
        try:
            async with tx.savepoint():
                await step.apply(tx, prepared)
        except Exception as error:
            refusal = self._reader.translate(error)
            if refusal is None:
                raise
            return self._set_aside(tx, step.record, refusal)
        return "applied", ""

    def _set_aside(self, tx: Tx, record: ConsumerRecord, refusal: Refusal) -> tuple[str, str]:
        letter = deadletter.of(record, refusal, consumer=self._reader.name, at=tx.now)
        tx.put(deadletter.topic_of(self._transactions.service), letter.key, letter.value, letter.headers)
        return "dead_letter", refusal.reason

    async def _show_lag(self, kafka: AIOKafkaConsumer) -> None:
        shown = {partition: self._positions[partition] for partition in kafka.assignment() & self._positions.keys()}
        if not shown:
            return
        try:
            await kafka.commit(shown)
        except KafkaError as error:
            _LOG.warning("the lag could not be shown", consumer=self._reader.name, type=type(error).__name__)

    def revoked(self, partitions: Sequence[TopicPartition]) -> None:
        """Forget partitions that went to another process."""
        for partition in partitions:
            self._positions.pop(partition, None)


def _check_inside(partition: TopicPartition, position: int, first: int, end: int) -> None:
    if not first <= position <= end:
        msg = f"{partition.topic}/{partition.partition}: the position {position} is outside the log ({first} to {end})"
        raise PositionLostError(msg)


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # the library has no types
    def __init__(self, consumer: Consumer, kafka: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._kafka = kafka

    async def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        self._consumer.revoked(revoked)
        await asyncio.sleep(0)

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        await self._consumer.assigned(self._kafka, list(assigned))
