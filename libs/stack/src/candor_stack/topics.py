"""The topics of Candor and how they are declared: idempotently, through Kafka's admin protocol."""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import aiokafka.admin
from aiokafka.admin.config_resource import ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from candor_stack.errors import StackError

T = TypeVar("T")

_api: Any = aiokafka.admin  # its hints cover neither its constructors nor what the broker answers

DAY_MS = 24 * 60 * 60 * 1000
MIB = 1024 * 1024
SERVICES = ("consent", "rights", "generation", "refutation", "escalation")
PARTITIONS = 4

# How long a record stays on any topic. Facts, asks and commands can name a subject, and a proof of erasure names when
# the last copy expires (this and one segment), so no topic may keep its records longer than that.
_RETENTION_DAYS = 7


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """One topic. Times in milliseconds, sizes in bytes; None leaves the broker's default."""

    name: str
    partitions: int = PARTITIONS
    retention_ms: int | None = None
    segment_ms: int | None = None
    max_message_bytes: int | None = None
    cleanup_policy: str | None = None

    def configs(self) -> dict[str, str]:
        """The topic's settings under Kafka's names."""
        values = {
            "retention.ms": self.retention_ms,
            "segment.ms": self.segment_ms,
            "max.message.bytes": self.max_message_bytes,
            "cleanup.policy": self.cleanup_policy,
        }
        return {name: str(value) for name, value in values.items() if value is not None}


def service_topics(service: str, partitions: int = PARTITIONS) -> list[TopicSpec]:
    """The three topics of a service: public facts, intake of commands, dead letters.

    A dead letter is a record with its reasons in front, so its topic takes larger records than the intake.
    """
    kept = _RETENTION_DAYS * DAY_MS
    return [
        TopicSpec(f"candor.{service}.v1", partitions, kept, DAY_MS, MIB),
        TopicSpec(f"candor.{service}.intake.v1", partitions, kept, DAY_MS, MIB),
        TopicSpec(f"candor.{service}.dlq", partitions, kept, DAY_MS, 2 * MIB),
    ]


def candor_topics(partitions: int = PARTITIONS) -> list[TopicSpec]:
    """The topics of all services."""
    return [spec for service in SERVICES for spec in service_topics(service, partitions)]


def ensure_topics(bootstrap: str, specs: Sequence[TopicSpec]) -> None:
    """Make every topic exist as specified: created, given more partitions, or its settings set. Idempotent.

    `bootstrap` is "host:port[,host:port]". Raises StackError when the broker refuses, or when a topic has more
    partitions than specified (Kafka cannot take partitions away).
    """
    run_coroutine(declare_topics(bootstrap, specs))


async def declare_topics(bootstrap: str, specs: Sequence[TopicSpec]) -> None:
    """`ensure_topics` for callers inside an event loop."""
    async with _admin(bootstrap) as admin:
        existing = await admin.describe_topics()
        partitions = {topic["topic"]: len(topic["partitions"]) for topic in existing}
        missing = [spec for spec in specs if spec.name not in partitions]
        present = [spec for spec in specs if spec.name in partitions]
        await _create(admin, missing)
        await _grow(admin, present, partitions)
        await _configure(admin, present)


async def topic_names(bootstrap: str) -> list[str]:
    """The names of all topics; raises KafkaError or OSError when the broker does not answer."""
    async with _admin(bootstrap) as admin:
        return list(await admin.list_topics())


def run_coroutine(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end in a loop of its own, whether or not the caller is inside one."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, work).result()


@asynccontextmanager
async def _admin(bootstrap: str) -> AsyncIterator[Any]:
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it reports what we raise anyway
    admin = _api.AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=15_000)
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()


async def _create(admin: Any, specs: Sequence[TopicSpec]) -> None:  # noqa: ANN401 - see _api
    if not specs:
        return
    wanted = [_api.NewTopic(spec.name, spec.partitions, 1, None, spec.configs()) for spec in specs]
    answer = await admin.create_topics(wanted)
    for name, code, *message in answer.topic_errors:
        _check("create", name, code, message, allowed=TopicAlreadyExistsError)


async def _grow(admin: Any, specs: Sequence[TopicSpec], partitions: dict[str, int]) -> None:  # noqa: ANN401 - see _api
    for spec in specs:
        if partitions[spec.name] > spec.partitions:
            raise StackError(
                f"Topic {spec.name} has {partitions[spec.name]} partitions, more than the {spec.partitions} asked for; "
                "Kafka cannot remove partitions. Ask for as many, or start in a fresh folder."
            )
    wanting = {s.name: _api.NewPartitions(s.partitions) for s in specs if partitions[s.name] < s.partitions}
    if wanting:
        answer = await admin.create_partitions(wanting)
        for name, code, *message in answer.topic_errors:
            _check("add partitions to", name, code, message)


async def _configure(admin: Any, specs: Sequence[TopicSpec]) -> None:  # noqa: ANN401 - see _api
    resources = [
        _api.config_resource.ConfigResource(ConfigResourceType.TOPIC, spec.name, spec.configs()) for spec in specs
    ]
    if not resources:
        return
    for answer in await admin.alter_configs(resources):
        for code, message, _, name in answer.resources:
            _check("configure", name, code, [message])


def _check(
    verb: str, name: str, code: int, message: Sequence[str | None], allowed: type[KafkaError] | None = None
) -> None:
    """Raise StackError for an error code in an answer of the broker (0 is success)."""
    kind = for_code(code)
    if code == 0 or (allowed is not None and issubclass(kind, allowed)):
        return
    said = next((part for part in message if part), None) or kind.__name__
    raise StackError(f"Kafka refused to {verb} topic {name}: {said}")
