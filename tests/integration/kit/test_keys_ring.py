"""The key ring on a real database: made once, opened by its master key only, older than itself where it must be."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import pytest
from candor_kit import database
from candor_kit.errors import ConfigError
from candor_kit.keys import LocalMaster, new_key, seal
from candor_stack import LocalStack
from cryptography.exceptions import InvalidTag
from key_database import KeyDatabase, key_database, key_file

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
async def db(bare_stack: LocalStack) -> AsyncIterator[KeyDatabase]:
    async with key_database(bare_stack) as made:
        yield made


@dataclass
class OldDatabase(KeyDatabase):
    """A database with one person's key, wrapped by the master key itself."""

    key: bytes


@pytest.fixture
async def old(bare_stack: LocalStack) -> AsyncIterator[OldDatabase]:
    """A database from before there was a ring, with one person whose key the master key wrapped itself."""
    async with key_database(bare_stack, migrated=False) as made:
        first = resources.files("candor_kit") / "migrations" / "0001_kit.sql"
        await made.rows(first.read_text())
        key = new_key()
        await made.rows(
            "INSERT INTO kit_subject_key (pseudonym, wrapped) VALUES (%s, %s)",
            old_pseudonym(made.master, "s-1"),
            seal(made.master.key, key, b"wrap:" + old_pseudonym(made.master, "s-1")),
        )
        await made.rows(
            "INSERT INTO kit_erased_subject (pseudonym, erased_at) VALUES (%s, %s)",
            old_pseudonym(made.master, "s-2"),
            AT,
        )
        await made.rows(
            "CREATE TABLE kit_migration (component text, number integer, name text NOT NULL, checksum text NOT NULL,"
            " applied_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (component, number))"
        )
        await made.rows(
            "INSERT INTO kit_migration VALUES ('kit', 1, '0001_kit.sql', %s)",
            hashlib.sha256(first.read_text().encode()).hexdigest(),
        )
        await database.migrate(made.url, {"kit": "candor_kit"})
        yield OldDatabase(made.url, made.master, key)


def old_derived(master: LocalMaster, purpose: str) -> bytes:
    return hmac.digest(master.key, purpose.encode() + b"\x01", "sha256")


def old_pseudonym(master: LocalMaster, subject: str) -> bytes:
    return hmac.digest(old_derived(master, "subject-pseudonym"), subject.encode(), "sha256")


async def test_replicas_that_start_at_once_make_one_ring(db: KeyDatabase) -> None:
    async def derived() -> tuple[bytes, bytes]:
        async with db.replica() as replica:
            return replica.ring.derive("x"), await replica.key("s-1")

    assert len({await started for started in [asyncio.create_task(derived()) for _ in range(6)]}) == 1
    assert [row["version"] for row in await db.rows("SELECT version FROM kit_key_ring")] == [1]


async def test_the_database_alone_opens_nothing(db: KeyDatabase) -> None:
    async with db.replica() as replica:
        key, derived = await replica.key("s-1"), replica.ring.derive("")
    everything = b""
    for table in ("kit_key_ring", "kit_root_secret", "kit_subject_key"):
        for row in await db.rows(f"SELECT * FROM {table}"):  # noqa: S608 - names of ours
            everything += b"".join(value for value in row.values() if isinstance(value, bytes))
    assert len(everything) > 180
    for secret in (key, derived, db.master.key, b"s-1"):
        assert secret not in everything


async def test_another_master_key_is_refused_by_the_id_of_the_right_one(db: KeyDatabase) -> None:
    async with db.replica():
        pass
    wrong = LocalMaster(secrets.token_bytes(32))
    with pytest.raises(ConfigError) as refused:
        async with db.replica(wrong):
            pass
    assert f"wrapped by master key {db.master.id}, the configured one is {wrong.id}" in str(refused.value)


async def test_a_database_from_before_the_ring_goes_on(old: OldDatabase) -> None:
    async with old.replica() as replica:
        assert replica.keys.pseudonym("s-1") == old_pseudonym(old.master, "s-1")
        assert replica.ring.derive("command-digest") == old_derived(old.master, "command-digest")
        assert await replica.key("s-1") == old.key
        async with replica.transaction() as connection:
            assert await replica.keys.erased_at(connection, "s-2") == AT
            assert await replica.keys.find(connection, "s-1") == old.key
            assert (await replica.batches.take_many(connection, ["s-2"]))["s-2"].erased_at == AT
    assert await old.rows("SELECT version FROM kit_subject_key ORDER BY version") == [{"version": 0}, {"version": 1}]


async def test_a_rotation_takes_keys_of_a_database_from_before_the_ring_along(old: OldDatabase, tmp_path: Path) -> None:
    async with old.replica() as replica:
        assert await replica.key("s-1") == old.key
    code, said = await old.said("rotate")
    assert (code, said) == (0, "done: version 1 wraps every key, 1 of them anew\n")
    fresh = LocalMaster(secrets.token_bytes(32))
    files = {"CANDOR_KEK": "", "CANDOR_KEK_FILE": key_file(tmp_path, fresh)}
    files["CANDOR_KEK_PREVIOUS_FILE"] = key_file(tmp_path, old.master)
    assert (await old.said("rewrap", **files))[0] == 0
    async with old.replica(fresh) as replica:
        assert await replica.key("s-1") == old.key
        assert replica.keys.pseudonym("s-1") == old_pseudonym(old.master, "s-1")


async def test_a_database_from_before_the_ring_does_not_start_with_another_key(old: OldDatabase) -> None:
    with pytest.raises(ConfigError, match="CANDOR_KEK_PREVIOUS_FILE"):
        async with old.replica(LocalMaster(secrets.token_bytes(32))):
            pass
    assert await old.rows("SELECT 1 FROM kit_key_ring") == []


async def test_a_database_from_before_the_ring_may_start_with_a_new_master_key_beside_the_old(old: OldDatabase) -> None:
    fresh = LocalMaster(secrets.token_bytes(32))
    async with old.replica(fresh, old.master) as replica:
        assert await replica.key("s-1") == old.key
    async with old.replica(fresh) as replica:
        assert await replica.key("s-1") == old.key


async def test_a_new_master_key_wraps_the_ring_and_touches_no_subjects_key(db: KeyDatabase, tmp_path: Path) -> None:
    async with db.replica() as replica:
        keys = await replica.take("s-1", "s-2")
        before = await db.rows("SELECT pseudonym, wrapped FROM kit_subject_key ORDER BY 1")
    fresh = LocalMaster(secrets.token_bytes(32))
    files = {"CANDOR_KEK": "", "CANDOR_KEK_FILE": key_file(tmp_path, fresh)}
    code, said = await db.said("rewrap", **files)
    assert (code, db.master.id in said) == (2, True)
    async with db.replica(fresh, db.master) as between:
        assert await between.take("s-1", "s-2") == keys
    code, said = await db.said("rewrap", CANDOR_KEK_PREVIOUS_FILE=key_file(tmp_path, db.master), **files)
    assert (code, f"{fresh.id} wraps the 1 version(s)" in said) == (0, True)
    async with db.replica(fresh) as after:
        assert await after.take("s-1", "s-2") == keys
    assert await db.rows("SELECT pseudonym, wrapped FROM kit_subject_key ORDER BY 1") == before
    with pytest.raises(ConfigError, match=fresh.id):
        async with db.replica():
            pass


async def test_a_wrapped_key_that_was_moved_opens_nowhere(db: KeyDatabase) -> None:
    async with db.replica() as replica:
        await replica.take("s-1", "s-2")
        await db.rows(
            "UPDATE kit_subject_key SET wrapped = (SELECT wrapped FROM kit_subject_key WHERE pseudonym = %s)",
            replica.keys.pseudonym("s-1"),
        )
        await replica.key("s-1")
        with pytest.raises(InvalidTag):
            await replica.key("s-2")


async def test_status_says_what_wraps_what(db: KeyDatabase) -> None:
    assert await db.said("status") == (0, "no key ring yet; the service makes it at its first start\n")
    code, said = await db.said("rotate")
    assert (code, "no key ring yet" in said) == (2, True)
    async with db.replica() as replica:
        await replica.take("s-1", "s-2", "s-3")
    assert (await db.said("rotate"))[0] == 0
    lines = (await db.said("status"))[1].splitlines()
    assert "version 1: made " in lines[0]
    assert ", retired " in lines[0]
    assert lines[1].endswith(f"wraps 3 keys, master key {db.master.id}")


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"CANDOR_DATABASE_URL": ""}, "CANDOR_DATABASE_URL: Field required"),
        ({"CANDOR_KEK": ""}, "one of CANDOR_KEK_FILE, CANDOR_KEK and CANDOR_KEK_VAULT_KEY must be set"),
        ({"CANDOR_DATABASE_URL": "postgresql://127.0.0.1:1/none"}, "the database does not answer (OperationalError)"),
    ],
)
async def test_the_command_says_what_is_wrong(db: KeyDatabase, environment: dict[str, str], words: str) -> None:
    code, said = await db.said("status", **environment)
    assert (code, words in said, "Traceback" in said) == (2, True, False)
