"""How records become steps: commands from an intake topic, facts from a public topic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from aiokafka import ConsumerRecord
from google.protobuf.message import Message
from opentelemetry import trace

from candor_kit import envelope, tracing, validation
from candor_kit.commands import Commands
from candor_kit.consumer import FactConsumer, FactHandler, Step
from candor_kit.envelope import Heard
from candor_kit.errors import EDGE, Refusal
from candor_kit.transaction import Caller, Tx

_LONGEST_NAME = 256
# Writing to an intake topic is one of these roles, given by the broker's lists.
TOPIC_ROLES = frozenset({"backend", "service"})


class IntakeReader:
    """Commands of a service. The same validation and the same handler as over gRPC."""

    def __init__(self, service: str, commands: Commands, max_bytes: int) -> None:
        self.name = "intake"
        self.topic = f"candor.{service}.intake.v1"
        self._commands = commands
        self._max_bytes = max_bytes
        self.translate: Callable[[Exception], Refusal | None] = commands.translate

    def read(self, record: ConsumerRecord) -> Step:
        """Check the envelope, the role, the encoding and the constraints, in this order."""
        try:
            return self._read(record)
        except Refusal as refusal:
            return Step(record, refusal=refusal)

    def _read(self, record: ConsumerRecord) -> Step:
        head = envelope.read(record.headers)
        command = self._commands.by_type.get(head.type)
        if command is None:
            raise EDGE.refusal("UNKNOWN_TYPE", f"{self.topic} takes no such type", field="ce_type")
        roles = command.method.roles & TOPIC_ROLES
        if not roles:
            raise EDGE.refusal("WRONG_ROLE", f"{head.type} is not taken from a topic; call {command.method.path}")
        if len(record.value or b"") > self._max_bytes:
            raise EDGE.refusal("TOO_LARGE", f"the value is larger than {self._max_bytes} bytes")
        message = envelope.decode(record.value, head.content_type, command.method.request)
        validation.check(message, record.value if head.content_type == envelope.PROTOBUF else None)
        if message.command_id != head.id:  # type: ignore[attr-defined]  # field 1 of every command
            raise EDGE.refusal("BAD_ENVELOPE", "ce_id differs from command_id", field="ce_id")

        caller = _caller(head.source, roles) if len(head.source) <= _LONGEST_NAME else _new_caller(head.source, roles)
        if command.batch is not None:
            return Step(record, None, None, message, caller, self._apply_many)

        async def apply(tx: Tx, _prepared: object) -> None:
            with _span("intake", head, record):
                await self._commands.apply(tx, message)

        return Step(record, apply=apply, message=message, caller=caller)

    async def prepare(self, steps: Sequence[Step]) -> None:
        """Nothing to do before the transaction."""

    async def _apply_many(self, tx: Tx, steps: Sequence[Step]) -> list[Refusal | None]:
        messages = [step.message for step in steps if step.message is not None]
        with tracing.tracer().start_as_current_span(f"{self.topic} process", kind=trace.SpanKind.CONSUMER):
            outcomes = await self._commands.apply_many(tx, messages)
        return [outcome if isinstance(outcome, Refusal) else None for outcome in outcomes]


class FactReader:
    """Facts of one public topic. Unknown types are passed; a fact already seen is dropped."""

    def __init__(self, consumer: FactConsumer, translate: Callable[[Exception], Refusal | None]) -> None:
        self.name = consumer.name
        self.topic = consumer.topic
        self.translate = translate
        self._consumer = consumer
        self._handlers = {kind.DESCRIPTOR.full_name: (kind, handler) for kind, handler in consumer.handlers.items()}

    def read(self, record: ConsumerRecord) -> Step:
        """Decode a fact that has a handler; pass the others."""
        try:
            head = envelope.read(record.headers)
            if self._consumer.hear is not None:
                return Step(record, batch=self._hear, head=head, caller=Caller(head.source, by_topic=True))
            if head.type not in self._handlers:
                return Step(record)
            kind, handler = self._handlers[head.type]
            message = envelope.decode(record.value, head.content_type, kind)
        except Refusal as refusal:
            return Step(record, refusal=refusal)

        async def apply(tx: Tx, prepared: Any) -> None:  # noqa: ANN401 - what `prepare` returned
            with _span(self.name, head, record):
                if await self._first_time(tx, head):
                    await self._handle(handler, tx, message, prepared)

        return Step(record, apply=apply, message=message, caller=Caller(head.source, by_topic=True))

    async def prepare(self, steps: Sequence[Step]) -> Any:  # noqa: ANN401 - the consumer's own, handed back to it
        """Run the consumer's own preparation on the facts of the batch."""
        if self._consumer.prepare is None or not steps:
            return None
        return await self._consumer.prepare([step.message for step in steps if step.message is not None])

    async def _handle(self, handler: FactHandler, tx: Tx, message: Message, prepared: Any) -> None:  # noqa: ANN401
        if self._consumer.prepare is None:
            await handler(tx, message)
        else:
            await handler(tx, message, prepared)

    async def _hear(self, tx: Tx, steps: Sequence[Step]) -> list[Refusal | None]:
        heard = [
            Heard(step.head, step.record.value or b"", step.record.timestamp) for step in steps if step.head is not None
        ]
        if self._consumer.hear is not None:
            await self._consumer.hear(tx, heard)
        return [None] * len(steps)

    async def _first_time(self, tx: Tx, head: envelope.Envelope) -> bool:
        cursor = await tx.connection.execute(
            "INSERT INTO kit_seen (consumer, source, id, seen_at) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
            (self.name, head.source, head.id, tx.now),
        )
        return cursor.rowcount == 1


def _new_caller(source: str, roles: frozenset[str]) -> Caller:
    return Caller(source, roles, by_topic=True)


# A long name is not remembered, or anybody could fill the memory.
_caller = lru_cache(maxsize=1024)(_new_caller)


def _span(name: str, head: envelope.Envelope, record: ConsumerRecord) -> Any:  # noqa: ANN401 - an agnostic context manager
    return tracing.tracer().start_as_current_span(
        f"{record.topic} process",
        context=tracing.extract(head.trace),
        kind=trace.SpanKind.CONSUMER,
        attributes={
            "messaging.system": "kafka",
            "messaging.destination.name": record.topic,
            "messaging.consumer.group.name": name,
            "messaging.kafka.offset": record.offset,
            "cloudevents.event_type": head.type,
        },
    )
