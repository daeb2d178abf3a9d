"""Sequencers in the test's own process, on a database and files of their own, that can be made to die anywhere."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from unittest import mock
from uuid import uuid4

from candor_generation import durable
from candor_generation.domain import leaf, merkle, note, period, tiles
from candor_generation.files import LogFiles, LogStore, OvertakenError
from candor_generation.files.bucket import BucketStore
from candor_generation.files.folder import FolderStore
from candor_generation.sequencer import Sequencer, Witnessing
from candor_generation.signing import LogKey, holds
from candor_generation.store import logs
from candor_kit import database
from candor_kit.clock import SystemClock
from candor_kit.database import Pool
from candor_kit.stop import Stop, Wake
from candor_kit.transaction import Caller, Transactions, Tx
from obstore.store import S3Store

BASE = "candor.local/log"
NOW = datetime(2026, 11, 22, tzinfo=UTC)
PERIOD = period.period_of(NOW, 6)
_BATCH = 5


class Died(Exception):
    """The process stopped here."""


class Life:
    """How many steps are left before the process dies; None: it lives."""

    def __init__(self, steps: int | None = None) -> None:
        self._left = steps

    def step(self) -> None:
        if self._left is None:
            return
        if self._left == 0:
            raise Died
        self._left -= 1


def mortal(life: Life) -> Any:
    """Let this process die before or after any single file."""
    place, write = durable.place, durable.write

    def dying_place(path: Path, content: bytes) -> None:
        life.step()
        place(path, content)

    def dying_write(path: Path, content: bytes) -> None:
        life.step()
        write(path, content)
        life.step()

    return mock.patch.multiple(durable, place=dying_place, write=dying_write)


class Place(Protocol):
    """Where a test's log has its files."""

    @property
    def folder(self) -> Path:
        """The folder that in the end holds all logs, in the layout that is served."""
        ...

    def store(self, life: Life) -> LogStore:
        """The place as a process sees it that dies when its life is over."""
        ...


class InFolder:
    """A folder; `mortal` is what kills there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def store(self, life: Life) -> LogStore:  # noqa: ARG002 - the protocol's
        """The folder."""
        return FolderStore(self.folder)


class InBucket:
    """A prefix of a bucket, and where its objects are files."""

    def __init__(self, bucket: S3Store, folder: Path) -> None:
        self.folder = folder
        self._bucket = bucket

    def store(self, life: Life) -> LogStore:
        """The bucket; a process dies before or after any request that changes something."""
        return BucketStore(MortalBucket(self._bucket, life))


class MortalBucket:
    """A bucket in the hands of a process that dies."""

    def __init__(self, bucket: S3Store, life: Life) -> None:
        self._life = life
        self._bucket = bucket
        self.get, self.list = bucket.get, bucket.list

    def put(self, path: str, file: bytes, *, attributes: Any, mode: Any) -> Any:
        self._life.step()
        done = self._bucket.put(path, file, attributes=attributes, mode=mode)
        self._life.step()
        return done

    def delete(self, paths: Sequence[str]) -> None:
        self._life.step()
        self._bucket.delete(paths)
        self._life.step()


class PausedWriter:
    """A store whose one writer is paused when it is about to publish, until it is let go on."""

    def __init__(self, store: LogStore) -> None:
        self._store = store
        self.paused, self.go_on, self.refused = threading.Event(), threading.Event(), threading.Event()
        self.check = store.check

    def of(self, kind: str, period: str) -> Any:
        files = self._store.of(kind, period)
        publish = files.publish

        def late(checkpoint: str) -> None:
            self.paused.set()
            assert self.go_on.wait(60)
            try:
                publish(checkpoint)
            except OvertakenError:
                self.refused.set()
                raise

        return mock.Mock(wraps=files, publish=late)


class Writers:
    """A log's database and files, and sequencers on them."""

    def __init__(self, url: str, pool: Pool, folder: Path, place: Place) -> None:
        self.url = url
        self.pool = pool
        self.place = place
        self.key = LogKey(folder / "log.key", BASE)
        self.log_folder = place.folder / "generation" / PERIOD.name
        self.files: LogFiles = place.store(Life()).of("generation", PERIOD.name)
        self._transactions = Transactions("generation", pool, SystemClock(), Wake())

    async def begin(self) -> None:
        """Open the one period."""
        async with self._transactions.open(Caller("test")) as tx:
            await logs.open_period(tx.connection, logs.GENERATION, PERIOD, BASE)

    def sequencer(
        self, life: Life | None = None, store: LogStore | None = None, witnesses: Witnessing | None = None
    ) -> Sequencer:
        mortal = life or Life()

        @asynccontextmanager
        async def transaction() -> AsyncIterator[Tx]:
            mortal.step()
            async with self._transactions.open(Caller("test")) as tx:
                yield tx
                mortal.step()
            mortal.step()

        store = store or self.place.store(mortal)
        return Sequencer(transaction, self.url, store, self.key, Wake(), _BATCH, witnesses)

    async def accept(self, count: int) -> None:
        """Put leaves in as accepted, one or two at a time."""
        while count:
            together = min(count, 1 + count % 2)
            count -= together
            async with self._transactions.open(Caller("test")) as tx:
                entries = [leaf.encode_act("test", NOW, {"id": str(uuid4())}) for _ in range(together)]
                await logs.add(tx.connection, 1, entries, tx.now)

    async def rows(self, query: str, *parameters: object) -> list[dict[str, Any]]:
        async with self.pool.connection() as connection:
            cursor = await connection.execute(query, parameters)  # the tests' own text
            return await cursor.fetchall()

    async def is_done(self) -> bool:
        rows = await self.rows(
            "SELECT (SELECT coalesce(sum(leaves), 0) FROM addition) = (SELECT max(size) FROM tree) AS done,"
            " (SELECT max(size) FROM tree) AS size"
        )
        checkpoint = self.files.checkpoint()
        return bool(rows[0]["done"]) and checkpoint is not None and checkpoint.split("\n")[1] == str(rows[0]["size"])

    async def work_until_done(self, *sequencers: Sequencer, seconds: float = 30, life: Life | None = None) -> bool:
        """Run sequencers until every leaf has its place; False where one of them died."""
        stop = Stop()

        async def watch() -> None:
            while not await self.is_done():  # noqa: ASYNC110 - rows have no event to await
                await asyncio.sleep(0.02)
            stop.set()

        died = False
        try:
            with mortal(life or Life()):
                async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
                    for sequencer in sequencers:
                        group.create_task(sequencer.run(stop))
                    group.create_task(watch())
        except* Died:
            died = True
        return not died

    async def check(self) -> None:
        """Whatever happened, this holds."""
        rows = await self.rows(
            "SELECT first_index, leaves, entries FROM addition WHERE first_index IS NOT NULL ORDER BY first_index"
        )
        leaves: list[bytes] = []
        for row in rows:
            assert row["first_index"] == len(leaves)
            entries = tiles.unbundle(row["entries"])
            assert len(entries) == row["leaves"]
            leaves += [merkle.leaf_hash(entry) for entry in entries]
        trees = await self.rows("SELECT size, root, checkpoint FROM tree ORDER BY size")
        for tree in trees:
            assert merkle.tree_hash(leaves[: tree["size"]]) == tree["root"]
        published = self.published()
        for tree in trees:
            if tree["size"] <= published.size:
                assert tiles.load(tree["size"], self.files.read).root() == tree["root"]
        assert published.size in {tree["size"] for tree in trees}

    def published(self) -> note.Checkpoint:
        signed = note.parse_note(self.files.checkpoint() or "")
        note.verify(signed, self.key.signer_of(f"{BASE}/generation/{PERIOD.name}").vkey, holds)
        return note.parse_checkpoint(signed.text)


@asynccontextmanager
async def writers(url: str, folder: Path, place: Place) -> AsyncIterator[Writers]:
    await database.migrate(url, {"kit": "candor_kit", "generation": "candor_generation"})
    pool = database.pool(url, 10)
    await pool.open(wait=True)
    try:
        made = Writers(url, pool, folder, place)
        await made.begin()
        yield made
    finally:
        await pool.close()
