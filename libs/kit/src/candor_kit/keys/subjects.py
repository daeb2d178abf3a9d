"""One random key per subject, wrapped by the ring. A person is erased by destroying their key."""

from __future__ import annotations

import hmac
from collections.abc import Collection
from datetime import datetime

from candor_kit.database import Connection
from candor_kit.keys.ring import KeyRing
from candor_kit.keys.rows import WrappedKeys


class SubjectKeys:
    """The subjects' keys. Rows are found by pseudonym, so the table names nobody."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self._rows = WrappedKeys(ring)
        self._pepper = b""

    def pseudonym(self, subject: str) -> bytes:
        """Return the subject's keyed pseudonym, 32 bytes: HMAC-SHA256 under a secret that no rotation changes."""
        if not self._pepper:
            self._pepper = self._ring.derive("subject-pseudonym")
        return hmac.digest(self._pepper, subject.encode(), "sha256")

    async def key(self, connection: Connection, subject: str) -> bytes:
        """Return the subject's key, made on first use.

        The row is locked against erasure until the transaction ends: look at `erased_at` after this call, not before.
        """
        return await self._rows.take(connection, self.pseudonym(subject))

    async def find(self, connection: Connection, subject: str) -> bytes | None:
        """Return the subject's key, or None when there is none."""
        return await self._rows.find(connection, self.pseudonym(subject))

    async def find_by_pseudonym(self, connection: Connection, pseudonym: bytes) -> bytes | None:
        """Return the key of the subject with this pseudonym, or None when there is none."""
        return await self._rows.find(connection, pseudonym)

    async def find_many(self, connection: Connection, subjects: Collection[str]) -> dict[str, bytes]:
        """Return the keys of those of the subjects that have one, by one question to the database."""
        by_pseudonym = {self.pseudonym(subject): subject for subject in subjects}
        found = await self._rows.read(connection, by_pseudonym)
        return {by_pseudonym[pseudonym]: key for pseudonym, key, _ in found}

    async def erase(self, connection: Connection, subject: str, at: datetime) -> bool:
        """Destroy the subject's key and remember that what was made until `at` must not come back.

        Returns:
            Whether there was a key.
        """
        pseudonym = self.pseudonym(subject)
        existed = await self._rows.delete(connection, pseudonym)
        await connection.execute(
            "INSERT INTO kit_erased_subject (pseudonym, erased_at, number)"
            " VALUES (%s, %s, nextval('kit_erasure_number')) ON CONFLICT (pseudonym) DO UPDATE"
            " SET erased_at = greatest(kit_erased_subject.erased_at, excluded.erased_at), number = excluded.number",
            (pseudonym, at),
        )
        return existed

    async def erased_at(self, connection: Connection, subject: str) -> datetime | None:
        """Return when the subject was last erased, or None. What was made at or before it is discarded."""
        cursor = await connection.execute(
            "SELECT erased_at FROM kit_erased_subject WHERE pseudonym = %s", (self.pseudonym(subject),)
        )
        row = await cursor.fetchone()
        return row["erased_at"] if row else None

    async def erased_many(self, connection: Connection, subjects: Collection[str]) -> dict[str, datetime]:
        """Return when those of the subjects that were erased last were, by one question to the database."""
        by_pseudonym = {self.pseudonym(subject): subject for subject in subjects}
        cursor = await connection.execute(
            "SELECT pseudonym, erased_at FROM kit_erased_subject WHERE pseudonym = ANY(%s)", (list(by_pseudonym),)
        )
        return {by_pseudonym[row["pseudonym"]]: row["erased_at"] for row in await cursor.fetchall()}
