"""Rotation: every key under a new version of the ring, while the service goes on, whoever dies meanwhile."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from candor_kit.errors import ConfigError
from candor_kit.keys import KeyRing, Masters
from candor_kit.keys.rotation import Rotation
from candor_stack import LocalStack
from key_database import KeyDatabase, Replica, key_database

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
BY_VERSION = "SELECT version, count(*) AS n FROM kit_subject_key GROUP BY version ORDER BY version"
LIVE = "SELECT version FROM kit_key_ring WHERE wrapped IS NOT NULL ORDER BY version"
PEOPLE = [f"s-{number}" for number in range(3_000)]


@pytest.fixture
async def db(bare_stack: LocalStack) -> AsyncIterator[KeyDatabase]:
    async with key_database(bare_stack) as made:
        yield made


@pytest.fixture
async def replica(db: KeyDatabase) -> AsyncIterator[Replica]:
    async with db.replica() as made:
        yield made


async def rotate(db: KeyDatabase) -> int:
    async with db.connection() as connection:
        return await Rotation(KeyRing(Masters(db.master)), connection).rotate(lambda _: None)


async def by_version(db: KeyDatabase) -> dict[int, int]:
    return {row["version"]: row["n"] for row in await db.rows(BY_VERSION)}


async def test_a_rotation_changes_every_wrap_and_no_key(db: KeyDatabase, replica: Replica) -> None:
    keys = await replica.take(*PEOPLE)
    async with replica.transaction() as connection:
        hold = await replica.holds.key(connection, "hold-1")
    pseudonym, digest_key = replica.keys.pseudonym("s-1"), replica.ring.derive("command-digest")
    before = {row["wrapped"] for row in await db.rows("SELECT wrapped FROM kit_subject_key")}
    assert await rotate(db) == len(PEOPLE) + 1
    assert await by_version(db) == {2: len(PEOPLE) + 1}
    assert before.isdisjoint(row["wrapped"] for row in await db.rows("SELECT wrapped FROM kit_subject_key"))
    assert [row["version"] for row in await db.rows(LIVE)] == [2]
    async with db.replica() as fresh:
        assert await fresh.take(*PEOPLE) == keys
        assert (fresh.keys.pseudonym("s-1"), fresh.ring.derive("command-digest")) == (pseudonym, digest_key)
        async with fresh.transaction() as connection:
            assert await fresh.holds.find(connection, "hold-1") == hold


async def test_replicas_learn_of_a_new_version_by_meeting_it(db: KeyDatabase, replica: Replica) -> None:
    keys = await replica.take("s-1", "s-2")
    async with db.replica() as writer, db.replica() as reader:
        await rotate(db)
        assert await writer.key("s-new") != keys["s-1"]
        assert await by_version(db) == {2: 3}
        assert await reader.key("s-1") == keys["s-1"]
        async with reader.transaction() as connection:
            assert await reader.keys.find_many(connection, ["s-1", "s-2"]) == keys
        assert await replica.take("s-1", "s-2") == keys


async def test_keys_made_used_and_erased_during_a_rotation_are_right_after_it(
    db: KeyDatabase, replica: Replica
) -> None:
    await replica.take(*PEOPLE)
    async with db.replica() as other:
        over = asyncio.Event()

        async def erase_and_come_back() -> dict[str, bytes]:
            latest = {}
            for subject in PEOPLE[::50]:
                async with other.transaction() as connection:
                    assert await other.batches.erase(connection, subject, AT)
                latest[subject] = await replica.key(subject)
            return latest

        async def take_batches() -> int:
            count = 0
            while not over.is_set():
                await replica.take(*PEOPLE[count % 7 :: 7], f"new-{count}")
                count += 1
            return count

        batches = asyncio.create_task(take_batches())
        erased = asyncio.create_task(erase_and_come_back())
        await rotate(db)
        latest = await erased
        over.set()
        count = await batches
    assert await by_version(db) == {2: len(PEOPLE) + count}
    async with db.replica() as fresh:
        found = await fresh.take(*PEOPLE)
        assert latest.items() <= found.items()
        assert await replica.take(*PEOPLE) == found


async def test_a_rotation_that_was_killed_is_finished_by_running_it_again(db: KeyDatabase, replica: Replica) -> None:
    keys = await replica.take(*PEOPLE)
    async with replica.transaction() as connection:
        # An erasure under way holds this row, so that the rotation is in the middle when it is killed.
        await replica.keys.erase(connection, PEOPLE[7], AT)
        process = await db.command("rotate")
        await db.until_somebody_waits()
        process.kill()
        assert await process.wait() == -signal.SIGKILL
        assert await by_version(db) == {1: 1, 2: len(PEOPLE) - 1}
        assert [row["version"] for row in await db.rows(LIVE)] == [1, 2]
        assert (await replica.take(*PEOPLE[:5])).items() <= keys.items()
    code, said = await db.said("rotate")
    assert (code, "version 2 wraps every key" in said) == (0, True)
    assert await by_version(db) == {2: len(PEOPLE) - 1}
    assert [row["version"] for row in await db.rows(LIVE)] == [2]
    async with db.replica() as fresh:
        assert await fresh.take(*PEOPLE[:5]) == {subject: keys[subject] for subject in PEOPLE[:5]}


@pytest.mark.parametrize("commits", [True, False])
async def test_an_erasure_under_way_is_waited_for_and_not_undone(
    db: KeyDatabase, replica: Replica, *, commits: bool
) -> None:
    keys = await replica.take(*PEOPLE[:10])

    class RolledBack(Exception):
        pass

    with suppress(RolledBack):
        async with replica.transaction() as connection:
            await replica.keys.erase(connection, "s-3", AT)
            rotation = asyncio.create_task(rotate(db))
            await db.until_somebody_waits()
            if not commits:
                raise RolledBack
    assert await rotation == (9 if commits else 10)
    assert await by_version(db) == {2: 9 if commits else 10}
    async with db.replica() as fresh, fresh.transaction() as connection:
        assert await fresh.keys.find(connection, "s-3") == (None if commits else keys["s-3"])


async def test_no_key_can_come_under_a_version_that_is_closed(db: KeyDatabase, replica: Replica) -> None:
    async with replica.transaction() as connection:
        key = await replica.keys.key(connection, "s-1")
        rotation = asyncio.create_task(rotate(db))
        await db.until_somebody_waits()
        assert [row["version"] for row in await db.rows(LIVE)] == [1]
    assert await rotation == 1
    assert await by_version(db) == {2: 1}
    assert await replica.key("s-1") == key


async def test_one_rotation_at_a_time(db: KeyDatabase, replica: Replica) -> None:
    await replica.take("s-1")
    async with replica.transaction() as connection:
        await replica.keys.erase(connection, "s-1", AT)
        first = asyncio.create_task(rotate(db))
        await db.until_somebody_waits()
        with pytest.raises(ConfigError, match="another rotation"):
            await rotate(db)
    await first


async def test_what_is_retired_can_no_longer_be_opened_with_the_master_key(db: KeyDatabase, replica: Replica) -> None:
    await replica.take("s-1")
    await rotate(db)
    await rotate(db)
    rows = await db.rows("SELECT version, wrapped, retired_at FROM kit_key_ring ORDER BY version")
    assert [(row["version"], row["wrapped"] is None, row["retired_at"] is None) for row in rows] == [
        (1, True, False),
        (2, True, False),
        (3, False, True),
    ]
