"""Many subjects' keys at once: the same keys as one by one, right against erasure, in bounded time and memory."""

from __future__ import annotations

import asyncio
import random
import time
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from candor_kit.keys import IngestKeys
from candor_kit.stop import Stop
from candor_stack import LocalStack
from key_database import KeyDatabase, Replica, key_database

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


class RolledBack(Exception):
    """What a test leaves a transaction by."""


@pytest.fixture
async def db(bare_stack: LocalStack) -> AsyncIterator[KeyDatabase]:
    async with key_database(bare_stack) as made:
        yield made


@pytest.fixture
async def replica(db: KeyDatabase) -> AsyncIterator[Replica]:
    async with db.replica() as made:
        yield made


async def erase(replica: Replica, subject: str, at: datetime = AT) -> bool:
    async with replica.transaction() as connection:
        return await replica.batches.erase(connection, subject, at)


async def test_a_batch_gives_the_keys_that_one_by_one_gives(replica: Replica) -> None:
    one = {subject: await replica.key(subject) for subject in ("a", "b")}
    batch = await replica.take("a", "b", "c", "a")
    assert batch == {**one, "c": await replica.key("c")}
    assert len(set(batch.values())) == 3
    assert await replica.take() == {}


async def test_a_batch_says_when_a_subject_was_erased(replica: Replica) -> None:
    await replica.take("a", "b")
    await erase(replica, "a")
    await erase(replica, "a", AT - timedelta(days=1))
    async with replica.transaction() as connection:
        found = await replica.batches.take_many(connection, ["a", "b"])
    assert (found["a"].erased_at, found["b"].erased_at) == (AT, None)


@pytest.mark.parametrize("seed", range(4))
async def test_two_replicas_agree_with_the_database_whatever_happens(db: KeyDatabase, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    model: dict[str, bytes] = {}
    dead: set[bytes] = set()
    async with db.replica() as one, db.replica() as two:
        for _ in range(120):
            replica = chance.choice((one, two))
            subjects = chance.sample("abcdefgh", chance.randint(1, 6))
            rolled_back = chance.random() < 0.25
            seen, gone = dict[str, bytes](), dict[str, bytes | None]()
            with suppress(RolledBack):
                async with replica.transaction() as connection:
                    if chance.random() < 0.4:
                        await replica.batches.erase(connection, subjects[0], AT)
                        gone[subjects[0]] = model.get(subjects[0])
                    if chance.random() < 0.7:
                        taken = await replica.batches.take_many(connection, subjects)
                        seen = {subject: found.key for subject, found in taken.items()}
                    if rolled_back:
                        raise RolledBack
            for subject, key in seen.items():
                assert key not in dead
                assert key != gone.get(subject)
                assert subject not in model or subject in gone or model[subject] == key
            if rolled_back:
                continue
            dead |= {key for key in gone.values() if key}
            model = {subject: key for subject, key in model.items() if subject not in gone} | seen


async def test_what_another_replica_erased_is_forgotten(db: KeyDatabase, replica: Replica) -> None:
    before = await replica.take("a", "b")
    assert await replica.take("a", "b") == before
    async with db.replica() as other:
        await erase(other, "a")
    after = await replica.take("a", "b")
    assert after["a"] != before["a"]
    assert after["b"] == before["b"]


async def test_a_key_that_was_rolled_back_is_not_remembered(replica: Replica) -> None:
    made = dict[str, bytes]()
    with suppress(RolledBack):
        async with replica.transaction() as connection:
            for _ in range(3):
                made = {name: key.key for name, key in (await replica.batches.take_many(connection, ["a"])).items()}
            raise RolledBack
    assert (await replica.take("a"))["a"] != made["a"]


async def test_an_erasure_that_was_rolled_back_changed_nothing(replica: Replica) -> None:
    before = await replica.take("a")
    await replica.take("a")
    with suppress(RolledBack):
        async with replica.transaction() as connection:
            await replica.batches.erase(connection, "a", AT)
            assert (await replica.batches.take_many(connection, ["a"]))["a"].key != before["a"]
            raise RolledBack
    assert await replica.take("a") == before


async def test_an_erasure_waits_for_a_batch_and_a_batch_for_an_erasure(db: KeyDatabase, replica: Replica) -> None:
    await replica.take("a")
    await replica.take("a")
    async with db.replica() as other:
        async with replica.transaction() as connection:
            remembered = (await replica.batches.take_many(connection, ["a"]))["a"].key
            erasure = asyncio.create_task(erase(other, "a"))
            await db.until_somebody_waits()
            assert not erasure.done()
        assert await erasure
        async with other.transaction() as connection:
            await other.batches.erase(connection, "b", AT)
            batch = asyncio.create_task(replica.take("a", "b"))
            await db.until_somebody_waits()
            assert not batch.done()
        assert (await batch)["a"] != remembered


async def test_an_idle_replica_forgets_the_erased_too(
    db: KeyDatabase, replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("candor_kit.keys.ingest._IDLE_SECONDS", 0.01)
    await replica.take("a", "b")
    await replica.take("a", "b")
    stop = Stop()
    loop = asyncio.create_task(replica.batches.forgetting(replica.pool)(stop))
    async with db.replica() as other:
        await erase(other, "a")
    async with asyncio.timeout(10):
        while replica.batches._memory.known("ab").keys() != {"b"}:  # noqa: ASYNC110 - a loop without an event
            await asyncio.sleep(0.01)
    stop.set()
    await loop


async def test_twenty_thousand_unknown_subjects_at_once_take_seconds_and_little_memory(replica: Replica) -> None:
    subjects = [f"s-{number}" for number in range(20_000)]
    await replica.take("warm")
    tracemalloc.start()
    began = time.process_time()
    keys = await replica.take(*subjects)
    seconds = time.process_time() - began
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(set(keys.values())) == len(subjects)
    assert seconds < 10
    assert peak < 64 * 2**20
    assert await replica.take(*subjects) == keys


async def test_rivals_that_meet_the_same_strangers_in_other_orders_do_not_lock_up(db: KeyDatabase) -> None:
    subjects = [f"s-{number}" for number in range(2_000)]
    async with db.replica() as one, db.replica() as two:
        taken = await asyncio.gather(
            *(rival.take(*random.sample(subjects, 1_500)) for rival in (one, two) for _ in range(3))
        )
        everyone = await one.take(*subjects)
    for each in taken:
        assert each.items() <= everyone.items()


async def test_what_is_remembered_is_bounded(replica: Replica) -> None:
    small = IngestKeys(replica.ring, remembered=100)
    subjects = [f"s-{number}" for number in range(300)]
    for _ in range(3):
        async with replica.transaction() as connection:
            found = await small.take_many(connection, subjects)
    assert {name: key.key for name, key in found.items()} == await replica.take(*subjects)
    assert len(small._memory.known(subjects)) == 100


async def test_a_batch_writes_nothing_about_subjects_that_are_known(db: KeyDatabase, replica: Replica) -> None:
    subjects = [f"s-{number}" for number in range(1_000)]
    await replica.take(*subjects)
    async with db.replica() as other, other.transaction() as connection:
        await other.batches.take_many(connection, subjects)
        cursor = await connection.execute("SELECT pg_current_xact_id_if_assigned() AS written")
        assert await cursor.fetchone() == {"written": None}


async def test_a_hold_has_a_key_of_its_own_until_it_is_destroyed(db: KeyDatabase, replica: Replica) -> None:
    async with replica.transaction() as connection:
        hold = await replica.holds.key(connection, "h-1")
        assert await replica.holds.key(connection, "h-1") == hold
        assert hold not in {await replica.holds.key(connection, "h-2"), await replica.keys.key(connection, "h-1")}
        assert await replica.keys.erase(connection, "h-1", AT)
    async with db.replica() as other, other.transaction() as connection:
        assert await other.holds.find(connection, "h-1") == hold
        assert await other.holds.destroy(connection, "h-1")
        assert not await other.holds.destroy(connection, "h-1")
        assert await other.holds.find(connection, "h-1") is None
