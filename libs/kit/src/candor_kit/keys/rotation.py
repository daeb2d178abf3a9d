"""Changing keys: a new version of the ring for every wrapped key, or a new master key for the ring.

Neither touches a payload, and the services go on meanwhile. Both can be killed at any instant and begun again.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import tuple_row

from candor_kit.database import TRY_AGAIN, Connection
from candor_kit.errors import ConfigError
from candor_kit.keys.ring import RING_LOCK, KeyRing, ring_context
from candor_kit.keys.rows import replace
from candor_kit.keys.sealing import new_key

_ROTATION_LOCK = (0x43414E44, 3)
_BATCH = 1_000
_NEXT = """
    SELECT pseudonym, version, wrapped FROM kit_subject_key
    WHERE pseudonym > %(after)s AND version <> %(version)s
    ORDER BY pseudonym LIMIT %(most)s FOR NO KEY UPDATE SKIP LOCKED
"""
_HELD = """
    SELECT pseudonym, version, wrapped FROM kit_subject_key WHERE version <> %(version)s LIMIT 1 FOR NO KEY UPDATE
"""


@dataclass(frozen=True)
class Version:
    """One version of the ring: which master key wraps it, how many keys it wraps, and since when it wraps nothing."""

    version: int
    master: str
    created_at: datetime
    retired_at: datetime | None
    keys: int


async def versions(connection: Connection) -> list[Version]:
    """List the ring, oldest first. Counting reads the whole table of keys once."""
    cursor = await connection.execute(
        "SELECT ring.version, ring.master, ring.created_at, ring.retired_at, coalesce(wrapped.keys, 0) AS keys"
        " FROM kit_key_ring AS ring LEFT JOIN"
        " (SELECT version, count(*) AS keys FROM kit_subject_key GROUP BY version) AS wrapped USING (version)"
        " ORDER BY ring.version"
    )
    return [Version(**row) for row in await cursor.fetchall()]


class Rotation:
    """Works on one connection in autocommit, and takes no notice of who else is at the keys."""

    def __init__(self, ring: KeyRing, connection: Connection) -> None:
        self._ring = ring
        self._connection = connection

    @property
    def current(self) -> int:
        """The version that wraps, once `rotate` has begun."""
        return self._ring.current

    async def rotate(self, progress: Callable[[int], None]) -> int:
        """Give the ring a new version, wrap every key by it, and retire the older ones.

        A rotation that was cut short is finished instead of adding another version.

        Args:
            progress: told how many keys are done, after each batch.

        Returns:
            How many keys were wrapped anew.

        Raises:
            ConfigError: another rotation is running, or the ring is not the configured master key's.
            Unavailable: the master key does not answer.
        """
        await self._alone()
        await self._open()
        # 1. The new version is there before anything is wrapped by it, and closes the older ones for new keys.
        # 2. Keys follow in batches. 3. What wraps nothing any more is emptied.
        if await self._finished():
            await self._begin()
        done = 0
        while await self._left():
            done = await self._pass(done, progress)
            done += await self._wait_for_one()
            progress(done)
        await self._move_root()
        await self._retire()
        return done

    async def rewrap(self) -> int:
        """Wrap the ring by the configured master key, in its newest state, instead of the previous one.

        Returns:
            How many versions were wrapped anew.

        Raises:
            ConfigError: a version is wrapped by neither master key, or one of them refuses.
            Unavailable: a master key does not answer.
        """
        current = self._ring.masters.current
        async with self._connection.transaction():
            await self._connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", RING_LOCK)
            rows = await self._live()
            for row in rows:
                master, context = self._ring.masters.by_id(row["master"]), ring_context(row["version"])
                wrapped = (
                    await current.rewrap(row["wrapped"], context)
                    if master is current
                    else await current.wrap(await master.unwrap(row["wrapped"], context), context)
                )
                await self._connection.execute(
                    "UPDATE kit_key_ring SET master = %s, wrapped = %s WHERE version = %s",
                    (current.id, wrapped, row["version"]),
                )
        return len(rows)

    async def _alone(self) -> None:
        cursor = await self._connection.execute("SELECT pg_try_advisory_lock(%s, %s) AS got", _ROTATION_LOCK)
        row = await cursor.fetchone()
        if row is None or not row["got"]:
            raise ConfigError("another rotation of this database is running")

    async def _open(self) -> None:
        if not await self._live():
            raise ConfigError("this database has no key ring yet; the service makes it at its first start")
        async with self._connection.transaction():
            await self._ring.open(self._connection)

    async def _live(self) -> list[dict[str, Any]]:
        cursor = await self._connection.execute(
            "SELECT version, master, wrapped FROM kit_key_ring WHERE wrapped IS NOT NULL ORDER BY version"
        )
        return await cursor.fetchall()

    async def _finished(self) -> bool:
        return len(await self._live()) == 1

    async def _begin(self) -> None:
        async with self._connection.transaction():
            await self._connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", RING_LOCK)
            await self._ring.add(self._connection, self._ring.current + 1, new_key())
        await self._ring.refresh(self._connection)

    async def _left(self) -> bool:
        cursor = await self._connection.execute(
            "SELECT EXISTS (SELECT FROM kit_subject_key WHERE version <> %s) AS some", (self._ring.current,)
        )
        row = await cursor.fetchone()
        return row is not None and bool(row["some"])

    async def _pass(self, done: int, progress: Callable[[int], None]) -> int:
        """Go through the table once, past the rows that others hold."""
        after = b""
        while batch := await self._wrap_anew(_NEXT, {"version": self._ring.current, "after": after, "most": _BATCH}):
            done += len(batch)
            after = batch[-1]
            progress(done)
        return done

    async def _wait_for_one(self) -> int:
        """Wait for a row that was held: erased, it is no more, otherwise it is wrapped; one, so as to hold no other."""
        with suppress(*TRY_AGAIN):
            return len(await self._wrap_anew(_HELD, {"version": self._ring.current}))
        return 0

    async def _wrap_anew(self, query: str, values: dict[str, Any]) -> list[bytes]:
        """Wrap the keys that a query selects and locks; return their pseudonyms in its order."""
        async with self._connection.transaction():
            cursor = self._connection.cursor(binary=True, row_factory=tuple_row)
            await cursor.execute(query, values)
            rows = await cursor.fetchall()
            await self._ring.know(self._connection, {version for _, version, _ in rows})
            pseudonyms = [pseudonym for pseudonym, _, _ in rows]
            wrapped = [
                self._ring.wrap(self._ring.unwrap(version, old, pseudonym), pseudonym)[1]
                for pseudonym, version, old in rows
            ]
            await replace(self._connection, pseudonyms, wrapped, self._ring.current)
        return pseudonyms

    async def _move_root(self) -> None:
        await self._connection.execute(
            "UPDATE kit_root_secret SET version = %s, wrapped = %s", self._ring.wrapped_root()
        )

    async def _retire(self) -> None:
        """Empty the versions that wrap nothing; none can come under them any more, since a newer one is there."""
        await self._connection.execute(
            "UPDATE kit_key_ring AS ring SET wrapped = NULL, retired_at = now()"
            " WHERE wrapped IS NOT NULL AND version < (SELECT max(version) FROM kit_key_ring)"
            " AND NOT EXISTS (SELECT FROM kit_subject_key AS key WHERE key.version = ring.version)"
            " AND NOT EXISTS (SELECT FROM kit_root_secret AS root WHERE root.version = ring.version)"
        )
