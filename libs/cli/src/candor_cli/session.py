"""A running deployment as a caller sees it: tokens, channels, records put on topics, facts that came out."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import grpc
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from candor_kit import client, envelope
from candor_kit.ids import uuid7
from candor_kit.topics import partitions_of
from candor_stack.home import StackDescription
from candor_stack.issuer import LocalIssuer
from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message

_TOKEN_TTL = timedelta(hours=6)
_LARGEST_RECORD = 4 * 1024 * 1024
M = TypeVar("M", bound=Message)


def command_id() -> str:
    """Return a new command id: a UUIDv7 of now."""
    return str(uuid7(datetime.now(UTC)))


@dataclass(frozen=True)
class Published:
    """A fact as it is on its topic: who published it, its id and full message name, and its serialized bytes."""

    source: str
    fact_id: str
    type: str
    value: bytes


class Session:
    """Calls a running deployment with tokens of its local issuer. `async with Session(description) as session:`."""

    def __init__(self, description: StackDescription) -> None:
        self.description = description
        self.kafka = description.kafka_bootstrap_servers
        self._issuer = LocalIssuer.open(Path(description.folder))
        self._channels: dict[tuple[str, tuple[str, ...], str], grpc.aio.Channel] = {}
        self._producer: AIOKafkaProducer | None = None
        self._topics: dict[str, TopicFollower] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every channel, the producer and the followers."""
        for follower in self._topics.values():
            await follower.close()
        self._topics.clear()
        if self._producer is not None:
            await self._producer.stop()
            self._producer = None
        for channel in self._channels.values():
            await channel.close()
        self._channels.clear()

    def token(self, *roles: str, name: str = "demo-backend") -> str:
        """Return a bearer token for a caller with these roles."""
        return self._issuer.token(name, roles, _TOKEN_TTL)

    def channel(self, service: str, *roles: str, name: str = "demo-backend") -> grpc.aio.Channel:
        """Return a channel to a service, kept open until the session closes."""
        key = (service, roles, name)
        if key not in self._channels:
            token = self.token(*roles, name=name)
            address = self.description.services[service].grpc
            self._channels[key] = client.channel_with(address, lambda: token)
        return self._channels[key]

    def http(self, service: str) -> str:
        """Return the base URL of a service's HTTP side."""
        return f"http://{self.description.services[service].http}"

    async def emit(
        self,
        service: str,
        command: Message,
        *,
        as_json: bool = False,
        source: str = "demo-backend",
        key: str | None = None,
        headers: dict[str, str | None] | None = None,
        value: bytes | None = None,
    ) -> str:
        """Put a command on a service's intake topic, as a backend does, and wait for the broker's acknowledgement.

        `headers` override or (None) drop headers, `value` replaces the encoded command: both for bad input.

        Returns:
            The command id.
        """
        identifier = str(getattr(command, "command_id", "")) or command_id()
        named = {
            name: part.decode()
            for name, part in envelope.headers_of(
                identifier=identifier,
                message_type=command.DESCRIPTOR.full_name,
                source=source,
                at=datetime.now(UTC),
            )
        }
        if as_json:
            named["content-type"] = envelope.JSON
        merged = {**named, **(headers or {})}
        body = json_format.MessageToJson(command).encode() if as_json else command.SerializeToString()
        await (await self._kafka_producer()).send_and_wait(
            f"candor.{service}.intake.v1",
            key=(key or identifier).encode(),
            value=body if value is None else value,
            headers=[(name, part.encode()) for name, part in merged.items() if part is not None],
        )
        return identifier

    async def emit_many(self, service: str, commands: list[Message], source: str = "demo-backend") -> None:
        """Put many commands on a service's intake topic and wait until the broker has acknowledged all."""
        producer = await self._kafka_producer()
        sent = []
        for command in commands:
            headers = envelope.headers_of(
                identifier=command.command_id,  # type: ignore[attr-defined]  # field 1 of every command
                message_type=command.DESCRIPTOR.full_name,
                source=source,
                at=datetime.now(UTC),
            )
            key = str(command.command_id).encode()  # type: ignore[attr-defined]  # as above
            value = command.SerializeToString()
            sent.append(await producer.send(f"candor.{service}.intake.v1", key=key, value=value, headers=headers))
        await asyncio.gather(*sent)

    async def facts(
        self,
        service: str,
        kind: type[M],
        where: Callable[[M], bool] = lambda _fact: True,
        *,
        count: int = 1,
        timeout: float = 30.0,  # noqa: ASYNC109 - said in the error
    ) -> list[M]:
        """Wait until at least `count` facts of a kind that fit are on a service's public topic, and return them.

        Raises:
            TimeoutError: saying how many came.
        """
        follower = self._follower(f"candor.{service}.v1")
        return await follower.wait(kind, where, count, timeout)

    async def published(self, service: str) -> list[Published]:
        """Return every fact that is on a service's public topic by now, as it was published, each once."""
        return await self._follower(f"candor.{service}.v1").everything()

    async def dead_letters(
        self,
        service: str,
        where: Callable[[dict[str, str]], bool],
        *,
        count: int = 1,
        timeout: float = 30.0,  # noqa: ASYNC109 - said in the error
    ) -> list[dict[str, str]]:
        """Wait for `count` dead letters of a service whose headers fit, and return the headers of all that do."""
        return await self._follower(f"candor.{service}.dlq").wait_headers(where, count, timeout)

    def _follower(self, topic: str) -> TopicFollower:
        if topic not in self._topics:
            self._topics[topic] = TopicFollower(self.kafka, topic)
        return self._topics[topic]

    async def _kafka_producer(self) -> AIOKafkaProducer:
        if self._producer is None:
            self._producer = AIOKafkaProducer(
                bootstrap_servers=self.kafka,
                enable_idempotence=True,
                max_batch_size=262_144,
                max_request_size=_LARGEST_RECORD,
            )
            await self._producer.start()
        return self._producer


class TopicFollower:
    """Reads a topic from its beginning, without a group, and keeps what it read."""

    def __init__(self, bootstrap_servers: str, topic: str) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._topic = topic
        self._kafka: AIOKafkaConsumer | None = None
        self._records: list[tuple[dict[str, str], bytes]] = []
        self._lock = asyncio.Lock()

    async def close(self) -> None:
        """Stop reading."""
        if self._kafka is not None:
            await self._kafka.stop()

    async def wait(
        self,
        kind: type[M],
        where: Callable[[M], bool],
        count: int,
        timeout: float,  # noqa: ASYNC109 - said in the error
    ) -> list[M]:
        """Wait for facts; see `Session.facts`. One that comes again (topics are at-least-once) is dropped by its id."""
        found: list[M] = []
        passed: set[tuple[str, str]] = set()
        seen = 0
        deadline = time.monotonic() + timeout
        while True:
            for headers, value in self._records[seen:]:
                identity = (headers.get("ce_source", ""), headers.get("ce_id", ""))
                if headers.get("ce_type") != kind.DESCRIPTOR.full_name or identity in passed:
                    continue
                passed.add(identity)
                try:
                    fact = kind.FromString(value)
                except DecodeError:
                    # Whoever may write to the topic may write anything: what is no such message is no such fact.
                    continue
                found.extend([fact] if where(fact) else [])
            seen = len(self._records)
            if len(found) >= count:
                return found
            if time.monotonic() > deadline:
                msg = f"{len(found)} of {count} {kind.DESCRIPTOR.name} on {self._topic} after {timeout:g} s"
                raise TimeoutError(msg)
            await self._read()

    async def everything(self) -> list[Published]:
        """Read up to the present end; see `Session.published`."""
        kafka = await self._started()
        ends = await kafka.end_offsets(kafka.assignment())
        while any([await kafka.position(partition) < end for partition, end in ends.items()]):
            await self._read()
        found = [
            Published(headers.get("ce_source", ""), headers.get("ce_id", ""), headers.get("ce_type", ""), value)
            for headers, value in self._records
        ]
        return list({(fact.source, fact.fact_id): fact for fact in found}.values())

    async def wait_headers(
        self,
        where: Callable[[dict[str, str]], bool],
        count: int,
        timeout: float,  # noqa: ASYNC109 - said in the error
    ) -> list[dict[str, str]]:
        """Wait for records whose headers fit."""
        deadline = time.monotonic() + timeout
        while True:
            found = [headers for headers, _value in self._records if where(headers)]
            if len(found) >= count:
                return found
            if time.monotonic() > deadline:
                number = f"{len(found)} of {count} such records among {len(self._records)}"
                msg = f"{number} on {self._topic} after {timeout:g} s"
                raise TimeoutError(msg)
            await self._read()

    async def _read(self) -> None:
        async with self._lock:
            kafka = await self._started()
            batches = await kafka.getmany(timeout_ms=250, max_records=5000)
            for records in batches.values():
                self._records.extend((_named(record.headers), record.value or b"") for record in records)

    async def _started(self) -> AIOKafkaConsumer:
        if self._kafka is None:
            kafka = AIOKafkaConsumer(
                bootstrap_servers=self._bootstrap_servers, enable_auto_commit=False, auto_offset_reset="earliest"
            )
            await kafka.start()
            known = await partitions_of(self._bootstrap_servers, client_id="candor.session")
            partitions = [TopicPartition(self._topic, number) for number in known[self._topic]]
            kafka.assign(partitions)
            await kafka.seek_to_beginning(*partitions)
            self._kafka = kafka
        return self._kafka


def _named(headers: Any) -> dict[str, str]:  # noqa: ANN401 - the library has no types
    return {name: _text(value) for name, value in headers}


def _text(value: bytes | None) -> str:
    try:
        return (value or b"").decode()
    except UnicodeDecodeError:
        return base64.b64encode(value or b"").decode()
