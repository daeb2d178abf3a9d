"""Reading dead letters: what is set aside, why, and putting a record back where it came from.

A value can hold a person's data: only `replay` ever touches it, and shows it to nobody.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from candor_kit import deadletter
from candor_kit.errors import Unavailable
from candor_kit.topics import partitions_of

TIMEOUT_SECONDS = 5.0
_CLIENT_ID = "candor.deadletters"
LONGEST_HEADER = 300


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One record set aside: why, when, what it says it is, and where it came from and lies now."""

    partition: int
    offset: int
    at: datetime
    reason: str
    message: str
    type: str
    id: str
    source: str
    topic: str
    consumer: str
    violations: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """A service's dead letters: how many its topic holds, and the latest of them, the newest in front."""

    service: str
    count: int
    letters: tuple[DeadLetter, ...]


class DeadLetterReader:
    """Reads without a consumer group: looking leaves no trace and moves nobody's position."""

    def __init__(self, bootstrap_servers: str, services: Sequence[str]) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._services = services

    async def counts(self) -> Mapping[str, int]:
        """How many records each service's topic holds. Raises Unavailable("kafka")."""
        async with self._consumer() as consumer:
            ranges = await self._ranges(consumer)
        return {service: sum(end - begin for begin, end in ranges[service].values()) for service in self._services}

    async def latest(self, most: int) -> tuple[DeadLetters, ...]:
        """The latest `most` of every service. Raises Unavailable("kafka")."""
        async with self._consumer() as consumer:
            ranges = await self._ranges(consumer)
            wanted = {
                partition: (max(begin, end - most), end)
                for partitions in ranges.values()
                for partition, (begin, end) in partitions.items()
                if end > begin
            }
            records = await _read(consumer, wanted)
        return tuple(self._collect(service, ranges[service], records, most) for service in self._services)

    async def replay(self, wanted: Callable[[DeadLetter], bool]) -> list[DeadLetter]:
        """Put those that are wanted back on the topics they came from, as they came, and return them.

        A command keeps its id, so one that was carried out meanwhile has no second effect. The dead letter stays until
        its topic forgets it. One whose value was left out cannot be put back. Raises Unavailable("kafka").
        """
        async with self._consumer() as consumer:
            ranges = await self._ranges(consumer)
            everything = {
                partition: span for spans in ranges.values() for partition, span in spans.items() if span[1] > span[0]
            }
            found = [
                record
                for record in await _read(consumer, everything)
                if wanted(letter_of(record)) and deadletter.LEFT_OUT not in dict(record.headers)
            ]
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap_servers, enable_idempotence=True, max_request_size=4 * 1024 * 1024
        )
        try:
            await producer.start()
            for record in found:
                await producer.send_and_wait(*_home(record), headers=_own_headers(record))
        except KafkaError as error:
            raise Unavailable("kafka") from error
        finally:
            await producer.stop()
        return [letter_of(record) for record in found]

    def _collect(
        self,
        service: str,
        ranges: Mapping[TopicPartition, tuple[int, int]],
        records: Sequence[ConsumerRecord],
        most: int,
    ) -> DeadLetters:
        count = sum(end - begin for begin, end in ranges.values())
        own = [letter_of(record) for record in records if record.topic == deadletter.topic_of(service)]
        newest = sorted(own, key=lambda letter: (letter.at, letter.offset), reverse=True)
        return DeadLetters(service, count, tuple(newest[:most]))

    @asynccontextmanager
    async def _consumer(self) -> AsyncIterator[AIOKafkaConsumer]:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap_servers,
            client_id=_CLIENT_ID,
            enable_auto_commit=False,
            request_timeout_ms=int(TIMEOUT_SECONDS * 1000),
        )
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await consumer.start()
                yield consumer
        except (KafkaError, TimeoutError, OSError) as error:
            raise Unavailable("kafka") from error
        finally:
            await consumer.stop()

    async def _ranges(self, consumer: AIOKafkaConsumer) -> dict[str, dict[TopicPartition, tuple[int, int]]]:
        """First and next offset of every partition; a topic that was never written to may not exist yet."""
        numbers = await partitions_of(self._bootstrap_servers, client_id=_CLIENT_ID, timeout_seconds=TIMEOUT_SECONDS)
        ranges: dict[str, dict[TopicPartition, tuple[int, int]]] = {}
        for service in self._services:
            topic = deadletter.topic_of(service)
            partitions = [TopicPartition(topic, number) for number in numbers.get(topic, ())]
            begins = await consumer.beginning_offsets(partitions) if partitions else {}
            ends = await consumer.end_offsets(partitions) if partitions else {}
            ranges[service] = {partition: (begins[partition], ends[partition]) for partition in partitions}
        return ranges


async def _read(consumer: AIOKafkaConsumer, wanted: Mapping[TopicPartition, tuple[int, int]]) -> list[ConsumerRecord]:
    """Every record of the wanted ranges [begin, end)."""
    consumer.assign(list(wanted))
    for partition, (begin, _end) in wanted.items():
        consumer.seek(partition, begin)
    open_partitions = set(wanted)
    records: list[ConsumerRecord] = []
    while open_partitions:
        for batch in (await consumer.getmany(*open_partitions, timeout_ms=500)).values():
            records += [record for record in batch if record.offset < wanted[_place(record)][1]]
        for partition in list(open_partitions):
            if await consumer.position(partition) >= wanted[partition][1]:
                open_partitions.discard(partition)
    return records


def _home(record: ConsumerRecord) -> tuple[str, bytes | None, bytes | None]:
    """The topic, value and key that the record had."""
    named = dict(record.headers)
    return (named["candor_topic"] or b"").decode(), record.value, record.key


def _own_headers(record: ConsumerRecord) -> list[tuple[str, bytes]]:
    return [(name, value or b"") for name, value in record.headers if not name.startswith(deadletter.PREFIX)]


def _place(record: ConsumerRecord) -> TopicPartition:
    return TopicPartition(record.topic, record.partition)


def letter_of(record: ConsumerRecord) -> DeadLetter:
    """Read the headers that kit wrote when it set the record aside, and the record's own; the value stays unread."""
    headers = {name: (value or b"").decode("utf-8", "replace")[:LONGEST_HEADER] for name, value in record.headers}
    return DeadLetter(
        partition=record.partition,
        offset=record.offset,
        at=_at(headers.get("candor_at", ""), record.timestamp),
        reason=headers.get("candor_reason", ""),
        message=headers.get("candor_message", ""),
        type=headers.get("ce_type", ""),
        id=headers.get("ce_id", ""),
        source=headers.get("ce_source", ""),
        topic="/".join(headers.get(f"candor_{part}", "") for part in ("topic", "partition", "offset")),
        consumer=headers.get("candor_consumer", ""),
        violations=_violations(headers.get("candor_violations", "")),
    )


def _violations(header: str) -> tuple[tuple[str, str], ...]:
    try:
        return tuple((str(field), str(why)) for field, why in json.loads(header or "[]"))
    except ValueError:
        return ()


def _at(header: str, milliseconds: int) -> datetime:
    try:
        return datetime.fromisoformat(header).astimezone(UTC)
    except ValueError:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
