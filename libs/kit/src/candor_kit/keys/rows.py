"""The table of wrapped keys, by pseudonym: what subjects' keys and holds' keys have in common."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg.rows import tuple_row

from candor_kit.database import Connection
from candor_kit.keys.ring import RING_LOCK, KeyRing
from candor_kit.keys.sealing import KEY_BYTES, new_key

PSEUDONYM_BYTES = 32
_WRAPPED_BYTES = 12 + KEY_BYTES + 16
# One concatenated value instead of an array: psycopg takes 5 us to write an element of an array, this takes none.
_MAKE = f"""
    INSERT INTO kit_subject_key (pseudonym, wrapped, version)
    SELECT substr(%(pseudonyms)s::bytea, i * {PSEUDONYM_BYTES} + 1, {PSEUDONYM_BYTES}),
           substr(%(wrapped)s::bytea, i * {_WRAPPED_BYTES} + 1, {_WRAPPED_BYTES}), %(version)s
    FROM generate_series(0, %(count)s - 1) AS i
    WHERE %(version)s = (SELECT max(version) FROM kit_key_ring)
    ON CONFLICT DO NOTHING
"""  # noqa: S608 - constants of ours
_READ = f"""
    SELECT key.pseudonym, key.wrapped, key.version, erased.erased_at
    FROM kit_subject_key AS key LEFT JOIN kit_erased_subject AS erased USING (pseudonym)
    WHERE key.pseudonym = ANY (ARRAY(
        SELECT substr(%(pseudonyms)s::bytea, i * {PSEUDONYM_BYTES} + 1, {PSEUDONYM_BYTES})
        FROM generate_series(0, %(count)s - 1) AS i))
"""  # noqa: S608 - constants of ours

_REPLACE = f"""
    UPDATE kit_subject_key AS key SET wrapped = new.wrapped, version = %(version)s
    FROM (SELECT substr(%(pseudonyms)s::bytea, i * {PSEUDONYM_BYTES} + 1, {PSEUDONYM_BYTES}) AS pseudonym,
                 substr(%(wrapped)s::bytea, i * {_WRAPPED_BYTES} + 1, {_WRAPPED_BYTES}) AS wrapped
          FROM generate_series(0, %(count)s - 1) AS i) AS new
    WHERE key.pseudonym = new.pseudonym
"""  # noqa: S608 - constants of ours


class SubjectKey(NamedTuple):
    """A subject's key, 32 bytes, and when they were last erased: what was made at or before that is discarded."""

    pseudonym: bytes
    key: bytes
    erased_at: datetime | None


class WrappedKeys:
    """Rows of kit_subject_key, opened by the ring."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    async def take(self, connection: Connection, pseudonym: bytes) -> bytes:
        """Return the key of a pseudonym, made on first use, its row locked against deletion until the end."""
        while (key := await self._one(connection, pseudonym, "FOR KEY SHARE")) is None:
            await self.make(connection, [pseudonym])
        return key

    async def find(self, connection: Connection, pseudonym: bytes) -> bytes | None:
        """Return the key of a pseudonym, or None."""
        return await self._one(connection, pseudonym, "")

    async def read(self, connection: Connection, pseudonyms: Collection[bytes]) -> list[SubjectKey]:
        """Return the keys of those of the pseudonyms that have one, by one question to the database."""
        cursor = connection.cursor(binary=True, row_factory=tuple_row)
        await cursor.execute(_READ, {"pseudonyms": b"".join(pseudonyms), "count": len(pseudonyms)})
        rows = await cursor.fetchall()
        await self._ring.know(connection, {version for _, _, version, _ in rows})
        unwrap = self._ring.unwrap
        return [
            SubjectKey(pseudonym, unwrap(version, wrapped, pseudonym), erased_at)
            for pseudonym, wrapped, version, erased_at in rows
        ]

    async def make(self, connection: Connection, pseudonyms: Sequence[bytes]) -> None:
        """Make keys for pseudonyms that have none, in the order given: give them sorted, so that rivals do not lock up.

        Where another process has put a newer version into the ring, none is made; the ring is read again.
        """
        await connection.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", RING_LOCK)
        version = self._ring.current
        wrapped = b"".join(self._ring.wrap(new_key(), pseudonym)[1] for pseudonym in pseudonyms)
        cursor = await connection.cursor(binary=True).execute(
            _MAKE,
            {"pseudonyms": b"".join(pseudonyms), "wrapped": wrapped, "version": version, "count": len(pseudonyms)},
        )
        if cursor.rowcount == 0:
            await self._ring.refresh(connection)

    @staticmethod
    async def delete(connection: Connection, pseudonym: bytes) -> bool:
        """Destroy a key; return whether there was one."""
        cursor = await connection.execute("DELETE FROM kit_subject_key WHERE pseudonym = %s", (pseudonym,))
        return cursor.rowcount == 1

    async def _one(self, connection: Connection, pseudonym: bytes, lock: str) -> bytes | None:
        cursor = await connection.execute(
            f"SELECT wrapped, version FROM kit_subject_key WHERE pseudonym = %s {lock}",  # noqa: S608 - words of ours
            (pseudonym,),
        )
        row: dict[str, Any] | None = await cursor.fetchone()
        if row is None:
            return None
        await self._ring.know(connection, (row["version"],))
        return self._ring.unwrap(row["version"], row["wrapped"], pseudonym)


async def replace(connection: Connection, pseudonyms: Sequence[bytes], wrapped: Sequence[bytes], version: int) -> None:
    """Put other wraps, all by one version of the ring, in the place of those that the transaction has locked."""
    await connection.cursor(binary=True).execute(
        _REPLACE,
        {
            "pseudonyms": b"".join(pseudonyms),
            "wrapped": b"".join(wrapped),
            "version": version,
            "count": len(pseudonyms),
        },
    )
