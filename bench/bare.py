"""The peer that does the least: a bare consumer that copies the same bytes into the same database server.

One loop of confluent-kafka and psycopg, with the consumer's setting that matters: no crypto, no tree, no screening, no
index beyond the key. It is measured over the same records of the run as ours is.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator, Sequence

import psycopg
from candor_stack.postgres import create_database, drop_database
from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from bench.figure import BenchError
from bench.ground import Ground
from bench.intake import TOPIC
from bench.plan import Plan

_DATABASE = "bare_loop"
_BATCH = 5000
_LEAST_BATCHES = 20
_WAIT_SECONDS = 30.0
_HEAD = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
_TAIL = struct.pack(">h", -1)
_ROW = struct.Struct(">hi16si")


def rate(ground: Ground, plan: Plan) -> tuple[float, float]:
    """Records a second over as many records as ours took, and microseconds of processor time a record.

    Raises:
        BenchError: the topic holds fewer.
    """
    url = create_database(ground.stack.admin_database_url, _DATABASE)
    consumer = _consumer(ground.bootstrap_servers)
    try:
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE bare (id uuid PRIMARY KEY, value bytea NOT NULL)")
            connection.commit()
            return _measure(plan, _batches(consumer, plan), connection)
    finally:
        consumer.close()
        drop_database(ground.stack.admin_database_url, _DATABASE)


def _measure(plan: Plan, batches: Iterator[list[Message]], connection: psycopg.Connection) -> tuple[float, float]:
    """From the batch that passes the warm records to the one that passes the measured ones."""
    taken, began, first, used = 0, 0.0, 0, 0.0
    for batch in batches:
        _copy(connection, batch)
        taken += len(batch)
        if not began and taken >= plan.warm:
            began, first, used = time.monotonic(), taken, time.process_time()
        elif began and taken >= plan.warm + plan.records:
            count = taken - first
            return count / (time.monotonic() - began), (time.process_time() - used) / count * 1e6
    raise BenchError(f"the bare loop got {taken} records, fewer than {plan.warm + plan.records}")


def _consumer(bootstrap_servers: str) -> Consumer:
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap_servers,
            "group.id": "bench-bare-loop",
            "enable.auto.commit": False,
            # Its default of a second leaves the loop idle most of the time.
            "fetch.queue.backoff.ms": 5,
        }
    )
    partitions = consumer.list_topics(TOPIC, timeout=_WAIT_SECONDS).topics[TOPIC].partitions
    consumer.assign([TopicPartition(TOPIC, number, 0) for number in partitions])
    return consumer


def _batches(consumer: Consumer, plan: Plan) -> Iterator[list[Message]]:
    taken = 0
    while taken < plan.produced:
        batch = consumer.consume(min(_BATCH, plan.records // _LEAST_BATCHES), timeout=_WAIT_SECONDS)
        for message in batch:
            if message.error():
                raise KafkaException(message.error())
        if not batch:
            raise BenchError("the bare loop got nothing")
        taken += len(batch)
        yield batch


def _copy(connection: psycopg.Connection, batch: Sequence[Message]) -> None:
    parts = [_HEAD]
    for message in batch:
        key, value = message.key() or b"", message.value() or b""
        parts += _ROW.pack(2, 16, bytes.fromhex(key.decode().replace("-", "")), len(value)), value
    parts.append(_TAIL)
    with connection.cursor() as cursor, cursor.copy("COPY bare (id, value) FROM STDIN (FORMAT BINARY)") as copy:
        copy.write(b"".join(parts))
    connection.commit()
