"""Sequencers in the test's own process, on a database and a folder of their own, that can be made to die anywhere."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from candor.generation.v1 import facts_pb2
from candor_generation.domain import label, leaf, merkle, note, tiles
from candor_generation.domain.generation import Decision, Meta, Modality, Payload, Verdict
from candor_generation.domain.record import Personal, Record
from candor_generation.domain.tiles import Tile
from candor_generation.files import LogFiles
from candor_generation.sequencer import Sequencer
from candor_generation.signing import LogKey, holds
from candor_generation.store import records
from candor_kit import database
from candor_kit.clock import SystemClock
from candor_kit.database import Pool
from candor_kit.stop import Stop, Wake
from candor_kit.transaction import Caller, Transactions, Tx

ORIGIN = "candor.local/log/test"
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


class MortalFiles(LogFiles):
    """Dies before or after any single file."""

    def __init__(self, folder: Path, life: Life) -> None:
        super().__init__(folder)
        self._life = life

    def write(self, written: Iterable[tuple[Tile, bytes]]) -> None:
        for tile, content in written:
            self._life.step()
            super().write([(tile, content)])

    def publish(self, checkpoint: str) -> None:
        self._life.step()
        super().publish(checkpoint)
        self._life.step()


class Writers:
    """A log's database and folder, and sequencers on them."""

    def __init__(self, url: str, pool: Pool, folder: Path) -> None:
        self.url = url
        self.pool = pool
        self.folder = folder
        self.key = LogKey(folder / "log.key", ORIGIN)
        self.files = LogFiles(folder / "log")
        self._transactions = Transactions("generation", pool, SystemClock(), Wake())

    def sequencer(self, life: Life | None = None) -> Sequencer:
        mortal = life or Life()

        @asynccontextmanager
        async def transaction() -> AsyncIterator[Tx]:
            mortal.step()
            async with self._transactions.open(Caller("test")) as tx:
                yield tx
                mortal.step()
            mortal.step()

        files = MortalFiles(self.folder / "log", mortal)
        return Sequencer(transaction, self.url, files, self.key, Wake(), _BATCH)

    async def accept(self, count: int) -> None:
        """Put records in as accepted."""
        for _ in range(count):
            async with self._transactions.open(Caller("test")) as tx:
                record = made()
                personal = Personal("user", b"payload", b"key")
                await records.insert(tx.connection, record, personal, tx.now)

    async def rows(self, query: str, *parameters: object) -> list[dict[str, Any]]:
        async with self.pool.connection() as connection:
            cursor = await connection.execute(query, parameters)  # the tests' own text
            return await cursor.fetchall()

    async def is_done(self) -> bool:
        rows = await self.rows(
            "SELECT (SELECT count(*) FROM record) = (SELECT max(size) FROM tree) AS done,"
            " (SELECT max(size) FROM tree) AS size"
        )
        checkpoint = self.files.checkpoint()
        return bool(rows[0]["done"]) and checkpoint is not None and checkpoint.split("\n")[1] == str(rows[0]["size"])

    async def work_until_done(self, *sequencers: Sequencer, seconds: float = 30) -> bool:
        """Run sequencers until every record has its place; False where one of them died."""
        stop = Stop()

        async def watch() -> None:
            while not await self.is_done():  # noqa: ASYNC110 - rows have no event to await
                await asyncio.sleep(0.02)
            stop.set()

        died = False
        try:
            async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
                for sequencer in sequencers:
                    group.create_task(sequencer.run(stop))
                group.create_task(watch())
        except* Died:
            died = True
        return not died

    async def check(self) -> None:
        """Whatever happened, this holds."""
        rows = await self.rows("SELECT log_index, entry FROM record WHERE log_index IS NOT NULL ORDER BY log_index")
        assert [row["log_index"] for row in rows] == list(range(len(rows)))
        leaves = [merkle.leaf_hash(row["entry"]) for row in rows]
        trees = await self.rows("SELECT size, root, checkpoint FROM tree ORDER BY size")
        for tree in trees:
            assert merkle.tree_hash(leaves[: tree["size"]]) == tree["root"]
        published = self.published()
        for tree in trees:
            if tree["size"] <= published.size:
                assert tiles.load(tree["size"], self.files.read).root() == tree["root"]
        assert published.size in {tree["size"] for tree in trees}
        await self._check_facts(trees[-1]["size"])

    def published(self) -> note.Checkpoint:
        signed = note.parse_note(self.files.checkpoint() or "")
        note.verify(signed, self.key.signer.vkey, holds)
        return note.parse_checkpoint(signed.text)

    async def _check_facts(self, size: int) -> None:
        """Each record in the tree was published once, with its own index; nothing beyond the tree was."""
        rows = await self.rows("SELECT key, value FROM kit_outbox WHERE key <> %s", ORIGIN.encode())
        facts = [facts_pb2.GenerationRecorded.FromString(row["value"]) for row in rows]
        assert sorted(fact.log_index for fact in facts) == list(range(size))
        given = await self.rows("SELECT generation_id::text, log_index FROM record WHERE log_index < %s", size)
        assert {fact.generation_id: fact.log_index for fact in facts} == {
            row["generation_id"]: row["log_index"] for row in given
        }


@asynccontextmanager
async def writers(url: str, folder: Path) -> AsyncIterator[Writers]:
    await database.migrate(url, {"kit": "candor_kit", "generation": "candor_generation"})
    pool = database.pool(url, 10)
    await pool.open(wait=True)
    try:
        yield Writers(url, pool, folder)
    finally:
        await pool.close()


def made() -> Record:
    """A record of no meaning."""
    meta = Meta(str(uuid4()), datetime(2026, 11, 22, tzinfo=UTC), "example", "example-7b", "chat", "en", Modality.TEXT)
    verdict = Verdict(Decision.ALLOW, (), hashlib.sha256(b"").digest())
    commitments = leaf.commit(bytes(32), Payload("user", "prompt", meta.generation_id))
    made_label = label.make(meta.generation_id, label.UNASSIGNED_PROVIDER, "en", integrity="", explicit=True)
    entry = leaf.encode(leaf.make(meta, made_label.label, verdict.decision, verdict.library_digest, commitments))
    return Record(meta, made_label, verdict, entry, None, None)
