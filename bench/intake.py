"""Records onto the intake topic, as a backend's own producer puts them there."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from candor.generation.v1 import model_pb2, service_pb2
from confluent_kafka import KafkaError, Message, Producer
from google.protobuf.timestamp_pb2 import Timestamp

from bench.figure import BenchError
from bench.texts import Text

TOPIC = "candor.generation.intake.v1"
_TYPE = service_pb2.RecordRequest.DESCRIPTOR.full_name
_ACKNOWLEDGED_SECONDS = 120.0
# The tag of field 1, and the length of a UUID as text.
_ID = b"\x0a\x24"
_SLICE_SECONDS = 0.01


@dataclass(frozen=True)
class Source:
    """Makes records: every text in turn, of subjects by chance. A record's id says when it was made, to the ms."""

    texts: Sequence[Text]
    subjects: int

    def records(self) -> Iterator[bytes]:
        """Records without end, encoded but for the id."""
        chance = random.Random(3)  # noqa: S311 - the same subjects in every run
        bodies = [_body(text) for text in self.texts]
        people = [service_pb2.RecordRequest(subject=subject(number)) for number in range(self.subjects)]
        named = [person.SerializeToString() for person in people]
        while True:
            for body in bodies:
                # Messages that are joined as bytes are merged.
                yield chance.choice(named) + body


def subject(number: int) -> str:
    """The account id of a subject."""
    return f"user-{number:06d}"


def _body(text: Text) -> bytes:
    request = service_pb2.RecordRequest(
        provider="example",
        model="example-7b",
        product="chat",
        locale=text.locale,
        modality=model_pb2.MODALITY_TEXT,
        prompt=text.prompt,
        output=text.output,
    )
    return request.SerializeToString()


def identifier(milliseconds: int) -> str:
    """A UUIDv7 of that time."""
    chance = secrets.randbits(74)
    value = milliseconds << 80 | 7 << 76 | (chance >> 62) << 64 | 2 << 62 | chance & (1 << 62) - 1
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class Feed:
    """One producer."""

    def __init__(self, bootstrap_servers: str, source: Source, *, linger_ms: int) -> None:
        self._records = source.records()
        self._failed: list[KafkaError] = []
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap_servers,
                "linger.ms": linger_ms,
                "batch.size": 1_000_000,
                "partitioner": "murmur2_random",
                "queue.buffering.max.messages": 100_000,
            }
        )
        self._headers = [
            ("ce_specversion", b"1.0"), ("ce_type", _TYPE.encode()), ("ce_source", b"bench"),
            ("content-type", b"application/protobuf"),
        ]  # fmt: skip
        self.sent = 0
        self.bytes = 0

    def send(self, count: int) -> None:
        """Hand records to the producer, as fast as it takes them."""
        for _ in range(count):
            now = time.time_ns()
            name = identifier(now // 1_000_000).encode()
            at = Timestamp(seconds=now // 1_000_000_000, nanos=now % 1_000_000_000)
            occurred = service_pb2.RecordRequest(occurred_at=at).SerializeToString()
            value = b"".join((_ID, name, next(self._records), occurred))
            self._produce(name, value)
            self.sent += 1
            self.bytes += len(value)

    def _produce(self, name: bytes, value: bytes) -> None:
        headers: list[tuple[str, str | bytes | None]] = [("ce_id", name), *self._headers]
        while True:
            try:
                self._producer.produce(TOPIC, value=value, key=name, headers=headers, on_delivery=self._delivered)
            except BufferError:
                self._producer.poll(0.05)
            else:
                break
        self._producer.poll(0)

    def flush(self) -> None:
        """Wait until the broker has acknowledged every record.

        Raises:
            BenchError: it has not.
        """
        left = self._producer.flush(_ACKNOWLEDGED_SECONDS)
        if left or self._failed:
            raise BenchError(f"{left + len(self._failed)} records were not acknowledged: {self._failed[:1]}")

    def send_at(self, rate: float, seconds: float) -> float:
        """Send evenly for a while; return the rate that was kept."""
        started = time.monotonic()
        before = self.sent
        while (now := time.monotonic() - started) < seconds:
            self.send(max(0, int(now * rate) - (self.sent - before)))
            time.sleep(_SLICE_SECONDS)
        kept = (self.sent - before) / (time.monotonic() - started)
        self.flush()
        return kept

    def _delivered(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._failed.append(error)
