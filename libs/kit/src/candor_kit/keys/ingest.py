"""The keys of many subjects at once, for a service that writes in batches.

Locking each subject's row against erasure costs up to a page of write-ahead log a row. Here a batch holds one advisory
lock, shared, and an erasure holds it alone; and because no erasure can commit meanwhile, what the process remembers of
earlier batches needs only the list of erasures since.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Iterator, Sequence
from datetime import datetime
from typing import Any

from candor_kit.database import AWAY, Connection, Pool
from candor_kit.keys.ring import KeyRing
from candor_kit.keys.rows import SubjectKey
from candor_kit.keys.subjects import SubjectKeys
from candor_kit.stop import Stop

# Shared by a batch from before it looks at keys until it ends, exclusive for an erasure until it ends.
_ERASURE_LOCK = (0x43414E44, 2)
_PIECE = 5_000
_REMEMBERED = 32_768  # about 350 bytes each
_MOST_ERASURES = 10_000  # behind by more, everything is forgotten
_IDLE_SECONDS = 10.0


class IngestKeys(SubjectKeys):
    """Subjects' keys with `take_many`. All parts of a service that has one must erase through it.

    Args:
        ring: the service's key ring.
        remembered: how many keys may be kept in memory from batch to batch.
    """

    def __init__(self, ring: KeyRing, remembered: int = _REMEMBERED) -> None:
        super().__init__(ring)
        self._memory = _Memory(remembered)

    async def take_many(
        self, connection: Connection, subjects: Collection[str], *, first: bool = False
    ) -> dict[str, SubjectKey]:
        """Return the key of each subject, made on first use, safe from erasure until the transaction ends.

        Only what was committed before is remembered for the next batch: what is read before the transaction has
        written, or whatever it has written where `first` says that it has made no key yet. The transaction must be READ
        COMMITTED.
        """
        # 1. No erasure from here on. 2. Forget who was erased since. 3. Ask for those who are not remembered.
        await connection.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", _ERASURE_LOCK)
        number, clean = await self._catch_up(connection)
        clean = clean or first
        taken = self._memory.known(subjects)
        missing = {self.pseudonym(subject): subject for subject in subjects if subject not in taken}
        for piece in _pieces(sorted(missing)):
            for found in await self._found_or_made(connection, piece, number if clean else None, missing):
                taken[missing[found.pseudonym]] = found
        return taken

    async def erase(self, connection: Connection, subject: str, at: datetime) -> bool:
        """As `SubjectKeys.erase`; waits for running batches, and later ones wait for this transaction."""
        await connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", _ERASURE_LOCK)
        self._memory.forget({self.pseudonym(subject)})
        return await super().erase(connection, subject, at)

    def forgetting(self, pool: Pool) -> Callable[[Stop], Coroutine[Any, Any, None]]:
        """Return a background loop that forgets the erased in a process that takes no batch for a while."""

        async def run(stop: Stop) -> None:
            while not await stop.wait(_IDLE_SECONDS):
                try:
                    async with pool.connection() as connection, connection.transaction():
                        await connection.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", _ERASURE_LOCK)
                        await self._catch_up(connection)
                except AWAY:
                    self._memory.clear()

        return run

    async def _catch_up(self, connection: Connection) -> tuple[int, bool]:
        """Forget who was erased since the last look; return the last erasure's number, and whether nothing is written.

        Nobody holds the lock alone, so every number up to the last is committed, rolled back, or our own.
        """
        cursor = await connection.execute(
            "SELECT last_value, pg_current_xact_id_if_assigned() IS NULL AS clean FROM kit_erasure_number"
        )
        row = await cursor.fetchone()
        if row is None:
            raise LookupError("kit_erasure_number is gone")
        number = int(row["last_value"])
        since = self._memory.number
        if since == number:
            return number, bool(row["clean"])
        erased: set[bytes] | None = None
        if since is not None and 0 < number - since <= _MOST_ERASURES:
            cursor = await connection.execute("SELECT pseudonym FROM kit_erased_subject WHERE number > %s", (since,))
            erased = {item["pseudonym"] for item in await cursor.fetchall()}
        self._memory.advance(number, erased)
        return number, bool(row["clean"])

    async def _found_or_made(
        self, connection: Connection, piece: Sequence[bytes], number: int | None, subjects: dict[bytes, str]
    ) -> list[SubjectKey]:
        found = await self._rows.read(connection, piece)
        if number is not None:
            self._memory.add(number, found, subjects)
        made: list[SubjectKey] = []
        while unknown := sorted(set(piece).difference(row.pseudonym for row in (*found, *made))):
            # Not remembered: they are this transaction's own, and it may yet roll back.
            await self._rows.make(connection, unknown)
            made += await self._rows.read(connection, unknown)
        return found + made


def _pieces(pseudonyms: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(pseudonyms), _PIECE):
        yield pseudonyms[start : start + _PIECE]


class _Memory:
    """Keys of earlier batches, the longest unused forgotten first. True as of the erasure with number `number`."""

    def __init__(self, most: int) -> None:
        self.number: int | None = None
        self._most = most
        self._keys: dict[str, SubjectKey] = {}

    def known(self, subjects: Collection[str]) -> dict[str, SubjectKey]:
        """Return what is remembered of the subjects."""
        found = {}
        for subject in subjects:
            if (entry := self._keys.pop(subject, None)) is not None:
                found[subject] = self._keys[subject] = entry  # put back at the end
        return found

    def add(self, number: int, found: Sequence[SubjectKey], subjects: dict[bytes, str]) -> None:
        """Remember keys that were read while `number` was the last erasure."""
        if number != self.number:
            return
        for entry in found:
            self._keys[subjects[entry.pseudonym]] = entry
        while len(self._keys) > self._most:
            del self._keys[next(iter(self._keys))]

    def advance(self, number: int, erased: set[bytes] | None) -> None:
        """Move on to a later erasure; None forgets everything."""
        if erased is None:
            self.clear()
        else:
            self.forget(erased)
        self.number = number

    def clear(self) -> None:
        """Forget everything."""
        self._keys.clear()

    def forget(self, erased: set[bytes]) -> None:
        """Forget the keys of some pseudonyms."""
        for subject in [subject for subject, entry in self._keys.items() if entry.pseudonym in erased]:
            del self._keys[subject]
