"""Records on the intake topic: CloudEvents 1.0 in Kafka's binary mode. Needs the extra `candor-client[kafka]`.

Spec: CloudEvents Kafka protocol binding 1.0.2, section 3.2.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any

import grpc
from candor.generation.v1.service_pb2 import RecordRequest

from candor_client import tracing
from candor_client.errors import Refused, Unavailable
from candor_client.result import Recorded, State

try:
    from confluent_kafka import KafkaError, KafkaException, Message, Producer
except ImportError as error:
    raise ImportError("Candor(kafka=…) needs a Kafka client: pip install 'candor-client[kafka]'") from error

TOPIC = "candor.generation.intake.v1"
_LARGEST_RECORD = 4 * 1024 * 1024
_LARGEST_QUEUE_KIB = 64 * 1024
_POLL_SECONDS = 0.1
# What no repeat would change; everything else may pass.
_FINAL = frozenset({
    KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_RECORD, KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED, KafkaError.SASL_AUTHENTICATION_FAILED,
})  # fmt: skip
_ABOUT_THE_RECORD = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_RECORD})


class KafkaTransport:
    """An idempotent producer; a record counts as sent when every in-sync replica has it."""

    def __init__(self, servers: str, source: str, seconds: float, settings: dict[str, Any]) -> None:
        self._source = source
        self._producer = Producer({
            "bootstrap.servers": servers,
            "enable.idempotence": True,
            "acks": "all",
            "linger.ms": 5,
            "message.timeout.ms": int(seconds * 1000),
            "message.max.bytes": _LARGEST_RECORD,
            # What waits for the broker is held in memory: this much, and no more.
            "queue.buffering.max.kbytes": _LARGEST_QUEUE_KIB,
            "log_level": 3,
            **settings,
        })  # fmt: skip
        self._closed = threading.Event()
        self._poller = threading.Thread(target=self._poll, name="candor-kafka", daemon=True)
        self._poller.start()

    def send(self, request: RecordRequest, seconds: float) -> Future[Recorded]:  # noqa: ARG002 - set for the producer
        """Put one record on the topic."""
        future: Future[Recorded] = Future()
        identifier = request.command_id

        def delivered(error: KafkaError | None, _message: Message) -> None:
            if not future.set_running_or_notify_cancel():
                return
            if error is None:
                future.set_result(Recorded(identifier, State.SENT))
            else:
                future.set_exception(_translated(error, identifier))

        try:
            self._producer.produce(
                TOPIC, request.SerializeToString(), identifier, headers=self._headers(request), on_delivery=delivered
            )
        except BufferError:
            future.set_exception(Unavailable("the producer's queue is full", generation_id=identifier))
        except KafkaException as error:
            future.set_exception(_translated(error.args[0], identifier))
        return future

    def close(self) -> None:
        """Stop the producer. What the broker has not acknowledged fails as Unavailable."""
        self._closed.set()
        self._poller.join()
        self._producer.purge()
        self._producer.flush(1)

    def _poll(self) -> None:
        while not self._closed.is_set():
            self._producer.poll(_POLL_SECONDS)

    def _headers(self, request: RecordRequest) -> list[tuple[str, str | bytes | None]]:
        return [
            ("ce_specversion", "1.0"),
            ("ce_id", request.command_id),
            ("ce_type", request.DESCRIPTOR.full_name),
            ("ce_source", self._source),
            ("ce_time", datetime.now(UTC).isoformat()),
            ("content-type", "application/protobuf"),
            *tracing.headers(),
        ]


def _translated(error: KafkaError, identifier: str) -> Refused | Unavailable:
    if error.code() not in _FINAL:
        return Unavailable(f"{error.name()}: {error.str()}", generation_id=identifier)
    about_the_record = error.code() in _ABOUT_THE_RECORD
    status = grpc.StatusCode.RESOURCE_EXHAUSTED if about_the_record else grpc.StatusCode.PERMISSION_DENIED
    return Refused(error.name().lstrip("_"), error.str(), status=status, generation_id=identifier)
