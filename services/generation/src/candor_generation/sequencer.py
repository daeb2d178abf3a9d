"""The one writer of the log: gives indexes, lays tiles, commits to trees, publishes checkpoints.

A batch goes through four steps, and a process that dies after any of them leaves what the next one needs to go on:

1. Assign (transaction): records that wait get the next indexes. From here on their places never change.
2. Lay: tiles and bundles are written durably. They are a function of the rows: laying them again gives the same bytes.
3. Commit (transaction): size, root and signed checkpoint, together with the facts that say so. Never two roots for one
   size: the table's key forbids it.
4. Publish: the checkpoint file is put in place, so no size is served before its tiles are durable (C2SP tlog-tiles).

Only the holder of an advisory lock writes. Each holder begins a new epoch, and every transaction of steps 1, 3 and 4
holds the epoch's row, so that one who lost the lock without noticing is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from candor.generation.v1.facts_pb2 import CheckpointPublished
from candor_kit import log as logs
from candor_kit import metrics
from candor_kit.database import AWAY, Connection
from candor_kit.stop import Stop, Wake
from candor_kit.transaction import Tx
from psycopg import AsyncConnection
from psycopg.rows import dict_row

from candor_generation import codec
from candor_generation.domain import note, tiles
from candor_generation.domain.tiles import Frontier
from candor_generation.files import LogBrokenError, LogFiles
from candor_generation.signing import LogKey, holds
from candor_generation.store import log, records
from candor_generation.store.log import Entry, StaleEpochError, Tree

_CONNECT_SECONDS = 5
_POLL_SECONDS = 0.2
_RIVAL_SECONDS = 1.0
_LOG = logs.get(__name__)
_SIZE = metrics.gauge("generation_log_size", "Leaves in the latest tree that this process committed to.")

OpenTransaction = Callable[[], AbstractAsyncContextManager[Tx]]


@dataclass(frozen=True)
class Turn:
    """One process's time as the writer: its lock's connection, to be read from, and its epoch."""

    connection: Connection
    epoch: int


class Sequencer:
    """The background loop. Every process runs one; one of them at a time works.

    Args:
        transaction: opens a transaction of the service.
        database_url: where the lock's own connection goes.
        files: the log's folder.
        key: the log's signer.
        wake: set when a record was accepted in this process.
        batch: most records that one checkpoint adds.
    """

    def __init__(
        self,
        transaction: OpenTransaction,
        database_url: str,
        files: LogFiles,
        key: LogKey,
        wake: Wake,
        batch: int,
    ) -> None:
        self._transaction = transaction
        self._database_url = database_url
        self._files = files
        self._key = key
        self._wake = wake
        self._batch = batch

    async def run(self, stop: Stop) -> None:
        """Work whenever the lock is ours, until the service stops.

        Raises:
            LogBrokenError: files and database do not belong together; the process must not go on.
        """
        while not stop.is_set():
            try:
                await self._take_turn(stop)
            except (StaleEpochError, *AWAY) as error:
                _LOG.warning("the log's writer begins anew", type=type(error).__name__, retry_in=_RIVAL_SECONDS)
                await stop.wait(_RIVAL_SECONDS)

    async def _take_turn(self, stop: Stop) -> None:
        connection = await AsyncConnection.connect(
            self._database_url, autocommit=True, row_factory=dict_row, connect_timeout=_CONNECT_SECONDS
        )
        async with connection:
            while not await log.try_lock(connection):
                if await stop.wait(_RIVAL_SECONDS):
                    return
            async with self._transaction() as tx:
                turn = Turn(connection, await log.next_epoch(tx.connection))
            frontier = await self._recover(turn)
            _LOG.info("this process writes the log", epoch=turn.epoch, size=frontier.size)
            while not stop.is_set():
                if await log.has_work(connection, frontier.size):
                    frontier = await self._integrate(turn, frontier)
                else:
                    await self._wake.wait(_POLL_SECONDS, stop)

    async def _integrate(self, turn: Turn, frontier: Frontier) -> Frontier:
        """Add one batch to the log: what has indexes already first, as another process may have left it."""
        batch = await log.entries(turn.connection, frontier.size, self._batch)
        if not batch:
            async with self._transaction() as tx:
                await log.hold_epoch(tx.connection, turn.epoch)
                await log.assign(tx.connection, self._batch)
            batch = await log.entries(turn.connection, frontier.size, self._batch)
        if not batch:
            return frontier
        grown = await asyncio.to_thread(self._lay, frontier, batch)
        tree = await self._commit(turn, frontier.size, grown)
        await self._publish(turn, tree)
        return grown

    def _lay(self, frontier: Frontier, batch: Sequence[Entry]) -> Frontier:
        """Write the tiles of a tree that has grown by a batch, and with them the partial ones of its size."""
        grown = self._lay_full(frontier, batch)
        self._files.write(grown.partials())
        return grown

    def _lay_full(self, frontier: Frontier, batch: Sequence[Entry]) -> Frontier:
        if [entry.log_index for entry in batch] != list(range(frontier.size, frontier.size + len(batch))):
            raise LogBrokenError(f"the indexes from {frontier.size} on are not one after the other")
        grown, full = tiles.grow(frontier, [entry.content for entry in batch])
        self._files.write(full)
        return grown

    async def _commit(self, turn: Turn, start: int, grown: Frontier) -> Tree:
        tree = self._signed(grown)
        async with self._transaction() as tx:
            await log.hold_epoch(tx.connection, turn.epoch)
            added = await records.placed(tx.connection, start, grown.size)
            await log.commit_tree(tx.connection, tree, tx.now)
            async with tx.connection.pipeline():
                for record in added:
                    await tx.publish(codec.recorded(record, self._key.origin), key=record.meta.generation_id)
                await tx.publish(
                    CheckpointPublished(
                        origin=self._key.origin,
                        size=tree.size,
                        root=tree.root,
                        published_at=codec.timestamp(tx.now),
                    ),
                    key=self._key.origin,
                )
        _SIZE.set(tree.size)
        return tree

    async def _publish(self, turn: Turn, tree: Tree) -> None:
        async with self._transaction() as tx:
            await log.hold_epoch(tx.connection, turn.epoch)
            await asyncio.to_thread(self._files.publish, tree.checkpoint)

    def _signed(self, frontier: Frontier) -> Tree:
        checkpoint = note.Checkpoint(self._key.origin, frontier.size, frontier.root())
        return Tree(frontier.size, checkpoint.root, self._key.signer.sign(checkpoint.text))

    async def _recover(self, turn: Turn) -> Frontier:
        """Bring the files to the last tree committed to, whatever they were left as.

        The published checkpoint says how far the files are complete; each tree committed to since is laid again from
        the rows, because a log MUST serve the partial tiles of every size it has published (C2SP tlog-tiles).
        """
        if await log.latest_tree(turn.connection) is None:
            async with self._transaction() as tx:
                await log.hold_epoch(tx.connection, turn.epoch)
                await log.commit_tree(tx.connection, self._signed(Frontier()), tx.now)
        frontier = await self._laid(turn.connection)
        complete = -1 if frontier is None else frontier.size
        frontier = frontier or Frontier()
        while (tree := await log.tree_after(turn.connection, complete)) is not None:
            frontier = await self._lay_again(turn.connection, frontier, tree)
            await self._publish(turn, tree)
            complete = tree.size
        _SIZE.set(frontier.size)
        return frontier

    async def _laid(self, connection: Connection) -> Frontier | None:
        """The frontier of the checkpoint in the folder; None where there is none.

        Raises:
            LogBrokenError: the folder's checkpoint is not one that the database knows.
        """
        signed = await asyncio.to_thread(self._files.checkpoint)
        if signed is None:
            return None
        checkpoint = self._own_checkpoint(signed)
        tree = await log.tree_of(connection, checkpoint.size)
        if tree is None or tree.root != checkpoint.root:
            raise LogBrokenError(
                f"a checkpoint of size {checkpoint.size} was published that the database does not know;"
                " was the database restored from an older backup?"
            )
        frontier = await asyncio.to_thread(tiles.load, checkpoint.size, self._files.read)
        if frontier.root() != tree.root:
            raise LogBrokenError("the tiles do not give the root of their checkpoint")
        return frontier

    def _own_checkpoint(self, signed: str) -> note.Checkpoint:
        try:
            parsed = note.parse_note(signed)
            note.verify(parsed, self._key.signer.vkey, holds)
            return note.parse_checkpoint(parsed.text)
        except note.NoteError as error:
            raise LogBrokenError(f"the published checkpoint is not this log's: {error}") from error

    async def _lay_again(self, connection: Connection, frontier: Frontier, tree: Tree) -> Frontier:
        while frontier.size < tree.size:
            wanted = min(self._batch, tree.size - frontier.size)
            batch = await log.entries(connection, frontier.size, wanted)
            if not batch:
                raise LogBrokenError(f"the records from index {frontier.size} on are missing")
            frontier = await asyncio.to_thread(self._lay_full, frontier, batch)
        await asyncio.to_thread(self._files.write, frontier.partials())
        if frontier.root() != tree.root:
            raise LogBrokenError(f"the records do not give the root that was committed to for size {tree.size}")
        return frontier
