"""The real Kafka and the real PostgreSQL do what the services rely on."""

import asyncio
from pathlib import Path

import psycopg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from candor_stack import LocalStack, StackError, TopicSpec, ensure_topics
from candor_stack.jars import class_path, jar_folder
from candor_stack.lock import read_lock
from candor_stack.topics import run_coroutine, topic_names


async def send(bootstrap: str, topic: str, value: bytes, patience: float = 30) -> None:
    limits = {"max_request_size": 8_000_000, "request_timeout_ms": int(patience * 1000)}
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", **limits) as producer:
        await producer.send_and_wait(topic, value, partition=0)


async def first_record(bootstrap: str, topic: str) -> bytes:
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap) as consumer:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        record = await asyncio.wait_for(consumer.getone(), timeout=30)
        value: bytes = record.value
        return value


def test_a_database_is_made_once_and_counts_characters(stack: LocalStack) -> None:
    url = stack.create_database("twice")
    assert stack.create_database("twice") == url
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT length('谣言')").fetchone() == (2,)


def test_trigrams_are_found_in_chinese(stack: LocalStack) -> None:
    with psycopg.connect(stack.create_database("trigrams")) as connection:
        connection.execute("CREATE EXTENSION pg_trgm")
        row = connection.execute("SELECT cardinality(show_trgm('喝盐水可以预防'))").fetchone()
    assert row is not None
    assert row[0] > 0


def test_a_dropped_database_is_gone_even_when_in_use(stack: LocalStack) -> None:
    url = stack.create_database("dropped")
    with psycopg.connect(url):
        stack.drop_database("dropped")
    stack.drop_database("dropped")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)


def test_topics_are_declared_and_grow_and_are_never_made_by_accident(stack: LocalStack) -> None:
    bootstrap = stack.kafka_bootstrap_servers
    ensure_topics(bootstrap, [TopicSpec("grows", partitions=1, retention_ms=60_000)])
    ensure_topics(bootstrap, [TopicSpec("grows", partitions=3, retention_ms=90_000)])
    ensure_topics(bootstrap, [TopicSpec("grows", partitions=3, retention_ms=90_000)])
    with pytest.raises(StackError, match="cannot remove"):
        ensure_topics(bootstrap, [TopicSpec("grows", partitions=2)])
    with pytest.raises(KafkaError):
        run_coroutine(send(bootstrap, "accident", b"x", patience=1))
    assert "accident" not in run_coroutine(topic_names(bootstrap))


def test_a_topic_with_a_wrong_setting_is_refused_by_name(stack: LocalStack) -> None:
    with pytest.raises(StackError, match="odd"):
        ensure_topics(stack.kafka_bootstrap_servers, [TopicSpec("odd", cleanup_policy="nonsense")])


def test_a_dead_letter_may_be_larger_than_the_intake_allows(stack: LocalStack) -> None:
    bootstrap = stack.kafka_bootstrap_servers
    ensure_topics(bootstrap, [TopicSpec("large", partitions=1, max_message_bytes=2 * 1024 * 1024)])
    value = b"x" * 1_900_000
    run_coroutine(send(bootstrap, "large", value))
    assert run_coroutine(first_record(bootstrap, "large")) == value


def test_what_was_acknowledged_survives_a_kill_of_both(stack: LocalStack) -> None:
    bootstrap, url = stack.kafka_bootstrap_servers, stack.create_database("survives")
    ensure_topics(bootstrap, [TopicSpec("survives", partitions=1)])
    run_coroutine(send(bootstrap, "survives", b"kept"))
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    idle = psycopg.connect(url)  # its backend must not hold up the next start

    stack.postgres.kill()
    stack.kafka.kill()
    with pytest.raises(psycopg.OperationalError):
        idle.execute("SELECT 1")
    stack.postgres.start()
    stack.kafka.start()

    assert (stack.kafka_bootstrap_servers, stack.create_database("survives")) == (bootstrap, url)
    assert run_coroutine(first_record(bootstrap, "survives")) == b"kept"
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT one FROM kept").fetchone() == (1,)


def test_a_folder_in_use_is_refused(stack: LocalStack, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with pytest.raises(StackError, match=r"in use by process \d+"):
        LocalStack(stack.folder, cache=cache).start()
    assert stack.kafka.child.alive


def test_the_environment_s_broker_and_server_are_used(
    stack: LocalStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", stack.kafka_bootstrap_servers)
    monkeypatch.setenv("DATABASE_URL", stack.admin_database_url)
    with LocalStack(tmp_path) as other:
        assert other.kafka_bootstrap_servers == stack.kafka_bootstrap_servers
        assert other.create_database("borrowed") == stack.create_database("borrowed")
        with pytest.raises(StackError, match="not ours"):
            other.kafka.kill()
    assert stack.kafka.child.alive
    assert stack.postgres.child.alive


@pytest.mark.parametrize("variable", ["KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL"])
def test_a_named_one_that_does_not_answer_is_an_error(
    stack: LocalStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", stack.kafka_bootstrap_servers)
    monkeypatch.setenv("DATABASE_URL", stack.admin_database_url)
    monkeypatch.setenv(variable, {"DATABASE_URL": "postgresql://127.0.0.1:1/x"}.get(variable, "127.0.0.1:1"))
    with pytest.raises(StackError, match=f"{variable} names .* does not answer"):
        LocalStack(tmp_path).start()


def test_a_half_fetched_jar_is_replaced_by_the_real_one(stack: LocalStack, cache: Path, tmp_path: Path) -> None:
    assert stack.kafka.child.alive  # so the cache is full
    small = min(read_lock(), key=lambda jar: jar.size)
    copy = jar_folder(tmp_path)
    copy.mkdir(parents=True)
    for jar in read_lock():
        (copy / jar.filename).hardlink_to(jar_folder(cache) / jar.filename)
    right = (copy / small.filename).read_bytes()
    (copy / small.filename).unlink()  # not through the link: the cache is everybody's
    (copy / small.filename).write_bytes(right[: len(right) // 2])

    said: list[str] = []
    paths = class_path(tmp_path, say=said.append)

    assert (copy / small.filename).read_bytes() == right
    assert copy / small.filename in paths
    assert [small.filename in line for line in said] == [False, True]
