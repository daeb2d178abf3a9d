"""The one writer of the logs: gives indexes, lays tiles, commits to trees, publishes checkpoints.

A round on a log goes through four steps, and a process that dies after any of them leaves what the next one needs:

1. Assign (transaction): additions that wait get the next indexes. From here on their places never change.
2. Lay: tiles and bundles are written durably. They are a function of the additions: laying them again gives the same.
3. Commit (transaction): size, root and signed checkpoint, together with the fact that says so. Never two roots for one
   size: the table's key forbids it.
4. Publish: witnesses are asked, and the checkpoint file is put in place, so no size is served before its tiles are
   durable (C2SP tlog-tiles).

Only the holder of an advisory lock writes. Each holder begins a new epoch, and every transaction of steps 1, 3 and 4
holds the epoch's row, so that one who lost the lock without noticing is refused. One who is paused within step 4 may
lose even that row: a checkpoint therefore only ever takes the place of the one its writer last saw.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from candor.generation.v1.facts_pb2 import CheckpointPublished
from candor_kit import log as logging
from candor_kit import metrics
from candor_kit.database import AWAY, Connection
from candor_kit.stop import Stop, Wake
from candor_kit.transaction import Tx
from psycopg import AsyncConnection
from psycopg.rows import dict_row

from candor_generation import codec
from candor_generation.domain import note, tiles
from candor_generation.domain.tiles import Frontier, Tile
from candor_generation.files import LogBrokenError, LogFiles, LogStore, OvertakenError, StoreAwayError
from candor_generation.signing import LogKey, Signer, holds
from candor_generation.store import logs
from candor_generation.store.logs import Addition, Log, StaleEpochError, Tree

_CONNECT_SECONDS = 5
_POLL_SECONDS = 0.1
_RIVAL_SECONDS = 1.0
_WITNESS_SECONDS = 1.0
# A log's rounds begin so far apart at least: each writes partial tiles anew. Every checkpoint of a generation log is an
# act, so that acts would otherwise be as many rounds again.
_APART_SECONDS = {logs.GENERATION: 0.1, logs.ACTS: 0.5}
_LOG = logging.get(__name__)
_SIZE = metrics.gauge("generation_log_size", "Leaves in the latest tree that was committed to.", ("origin",))

OpenTransaction = Callable[[], AbstractAsyncContextManager[Tx]]


class Witnessing(Protocol):
    """Whoever is asked to cosign a checkpoint before it is published."""

    async def cosign(self, checkpoint: str, reader: tiles.TileReader) -> str | None:
        """The checkpoint with cosignatures; None where the policy wants it held back for lack of them."""
        ...


class Unwitnessed:
    """Nobody is asked."""

    async def cosign(self, checkpoint: str, reader: tiles.TileReader) -> str | None:  # noqa: ARG002 - the protocol's
        """The checkpoint as it is."""
        return checkpoint


@dataclass
class Writer:
    """One log in the hands of its writer: its files, its signer, and how far its tree has grown.

    `held` is the latest tree where its checkpoint waits for witnesses, last asked at `asked`; the latest round began at
    `began` (both monotonic seconds).
    """

    log: Log
    files: LogFiles
    signer: Signer
    frontier: Frontier = field(default_factory=Frontier)
    held: Tree | None = None
    asked: float = 0.0
    began: float = -math.inf

    def is_due(self) -> bool:
        """Whether the next round may begin."""
        return time.monotonic() >= self.began + _APART_SECONDS[self.log.kind]

    def signed(self) -> Tree:
        """The tree of the present frontier, signed."""
        checkpoint = note.Checkpoint(self.log.origin, self.frontier.size, self.frontier.root())
        return Tree(checkpoint.size, checkpoint.root, self.signer.sign(checkpoint.text))

    def grow(self, additions: Sequence[Addition]) -> list[tuple[Tile, bytes]]:
        """Let the tree grow; return the tiles and bundles that became full.

        Raises:
            LogBrokenError: the additions do not follow each other.
        """
        entries: list[bytes] = []
        for addition in additions:
            if addition.first_index != self.frontier.size + len(entries):
                raise LogBrokenError(f"{self.log.origin}: nothing has index {self.frontier.size + len(entries)}")
            entries += addition.entries
        self.frontier, full = tiles.grow(self.frontier, entries)
        return full

    def lay(self, additions: Sequence[Addition]) -> list[Tile]:
        """Grow, and write the tiles with the partial ones of the new size; return those that became full."""
        full = self.grow(additions)
        self.files.write([*full, *self.frontier.partials()])
        return [tile for tile, _ in full]


@dataclass
class Turn:
    """One process's time as the writer: its lock's connection, to be read from, its epoch, and the logs it took up."""

    connection: Connection
    epoch: int
    writers: dict[int, Writer] = field(default_factory=dict)


class Sequencer:
    """The background loop. Every process that may write runs one; one of them at a time works.

    Args:
        transaction: opens a transaction of the service.
        database_url: where the lock's own connection goes.
        store: where the logs' files are.
        key: the logs' key.
        wake: set when something was accepted in this process.
        batch: about how many leaves one checkpoint adds at most.
        witnesses: whoever cosigns.
    """

    def __init__(
        self,
        transaction: OpenTransaction,
        database_url: str,
        store: LogStore,
        key: LogKey,
        wake: Wake,
        batch: int,
        witnesses: Witnessing | None = None,
    ) -> None:
        self._transaction = transaction
        self._database_url = database_url
        self._store = store
        self._key = key
        self._wake = wake
        self._batch = batch
        self._witnesses = witnesses or Unwitnessed()

    async def run(self, stop: Stop) -> None:
        """Work whenever the lock is ours, until the service stops.

        Raises:
            LogBrokenError: files and database do not belong together; the process must not go on.
        """
        while not stop.is_set():
            try:
                await self._take_turn(stop)
            except StoreAwayError as error:
                _LOG.warning("waiting for the logs' files", reason=str(error), retry_in=_RIVAL_SECONDS)
                await stop.wait(_RIVAL_SECONDS)
            except (StaleEpochError, OvertakenError, *AWAY) as error:
                _LOG.warning("the logs' writer begins anew", type=type(error).__name__, retry_in=_RIVAL_SECONDS)
                await stop.wait(_RIVAL_SECONDS)

    async def _take_turn(self, stop: Stop) -> None:
        connection = await AsyncConnection.connect(
            self._database_url, autocommit=True, row_factory=dict_row, connect_timeout=_CONNECT_SECONDS
        )
        async with connection:
            while not await logs.try_lock(connection):
                if await stop.wait(_RIVAL_SECONDS):
                    return
            async with self._transaction() as tx:
                turn = Turn(connection, await logs.next_epoch(tx.connection))
            await asyncio.to_thread(self._store.check)
            for log in await logs.all_logs(connection):
                if log.dropped_at is None:
                    await self._take_up(turn, log)
            _LOG.info("this process writes the logs", epoch=turn.epoch, count=len(turn.writers))
            while not stop.is_set():
                if not await self._round(turn):
                    await self._wake.wait(_POLL_SECONDS, stop)

    async def _round(self, turn: Turn) -> bool:
        """Add to every log what waits for it and is due; whether there was anything."""
        added = False
        for log_id in await logs.unfinished(turn.connection):
            if log_id not in turn.writers:
                known = {log.log_id: log for log in await logs.all_logs(turn.connection)}
                await self._take_up(turn, known[log_id])
            if turn.writers[log_id].is_due():
                await self._integrate(turn, turn.writers[log_id])
                added = True
        for writer in turn.writers.values():
            await self._ask_again(turn, writer)
        return added

    async def _ask_again(self, turn: Turn, writer: Writer) -> None:
        """Ask the witnesses once more for a checkpoint that was held back for lack of them."""
        if writer.held is not None and time.monotonic() >= writer.asked + _WITNESS_SECONDS:
            await self._publish(turn, writer, writer.held)

    async def _integrate(self, turn: Turn, writer: Writer) -> None:
        """Add one batch to a log: what has indexes already first, as another process may have left it."""
        writer.began = time.monotonic()
        log_id, size = writer.log.log_id, writer.frontier.size
        batch = await logs.additions(turn.connection, log_id, size, self._batch)
        if not batch:
            async with self._transaction() as tx:
                await logs.hold_epoch(tx.connection, turn.epoch)
                await logs.assign(tx.connection, log_id, self._batch)
            batch = await logs.additions(turn.connection, log_id, size, self._batch)
        if batch:
            full = await asyncio.to_thread(writer.lay, batch)
            tree = await self._commit(turn, writer)
            if await self._publish(turn, writer, tree):
                await asyncio.to_thread(writer.files.drop_partials, full)

    async def _commit(self, turn: Turn, writer: Writer) -> Tree:
        tree = writer.signed()
        async with self._transaction() as tx:
            await logs.hold_epoch(tx.connection, turn.epoch)
            await logs.commit_tree(tx.connection, writer.log.log_id, tree, tx.now)
            published = CheckpointPublished(
                origin=writer.log.origin, size=tree.size, root=tree.root, published_at=codec.timestamp(tx.now)
            )
            await tx.publish(published, key=writer.log.origin)
        _SIZE.labels(writer.log.origin).set(tree.size)
        return tree

    async def _publish(self, turn: Turn, writer: Writer, tree: Tree) -> bool:
        checkpoint = await self._witnesses.cosign(tree.checkpoint, writer.files.reader(tree.size))
        writer.held, writer.asked = (tree if checkpoint is None else None), time.monotonic()
        if checkpoint is None:
            return False
        async with self._transaction() as tx:
            await logs.hold_epoch(tx.connection, turn.epoch)
            await asyncio.to_thread(writer.files.publish, checkpoint)
        return True

    async def _take_up(self, turn: Turn, log: Log) -> None:
        """Bring a log's files to the last tree committed to, whatever they were left as.

        The published checkpoint says how far the files are complete; each tree committed to since is laid again from
        the rows, because a log MUST serve the partial tiles of every size it has published (C2SP tlog-tiles).
        """
        files = self._store.of(log.kind, log.period.name)
        writer = Writer(log, files, self._key.signer_of(log.origin))
        complete = await self._load(turn.connection, writer)
        if await logs.latest_tree(turn.connection, log.log_id) is None:
            await self._commit(turn, writer)
        while (tree := await logs.tree_after(turn.connection, log.log_id, complete)) is not None:
            await self._lay_again(turn.connection, writer, tree)
            await self._publish(turn, writer, tree)
            complete = tree.size
        _SIZE.labels(log.origin).set(writer.frontier.size)
        turn.writers[log.log_id] = writer

    async def _load(self, connection: Connection, writer: Writer) -> int:
        """Load the frontier of the checkpoint in the folder; return its size, -1 where there is none.

        Raises:
            LogBrokenError: the folder's checkpoint is not one that the database knows.
        """
        checkpoint = await check_published(connection, writer.log, writer.files, writer.signer)
        if checkpoint is None:
            return -1
        writer.frontier = await asyncio.to_thread(tiles.load, checkpoint.size, writer.files.read)
        if writer.frontier.root() != checkpoint.root:
            raise LogBrokenError(f"{writer.log.origin}: the tiles do not give the root of their checkpoint")
        return checkpoint.size

    async def _lay_again(self, connection: Connection, writer: Writer, tree: Tree) -> None:
        while writer.frontier.size < tree.size:
            wanted = min(self._batch, tree.size - writer.frontier.size)
            batch = await logs.additions(connection, writer.log.log_id, writer.frontier.size, wanted)
            if not batch:
                raise LogBrokenError(f"{writer.log.origin}: what has index {writer.frontier.size} is missing")
            await asyncio.to_thread(writer.files.write, writer.grow(batch))
        await asyncio.to_thread(writer.files.write, writer.frontier.partials())
        if (writer.frontier.size, writer.frontier.root()) != (tree.size, tree.root):
            raise LogBrokenError(
                f"{writer.log.origin}: the leaves do not give the root that was committed to for size {tree.size}"
            )


async def check_published(connection: Connection, log: Log, files: LogFiles, signer: Signer) -> note.Checkpoint | None:
    """The published checkpoint of a log, which this key has signed and this database knows; None before the first.

    Raises:
        LogBrokenError: it is another key's, another log's, or of a tree that the database does not have.
        StoreAwayError: what holds the files does not answer.
    """
    signed = await asyncio.to_thread(files.checkpoint)
    if signed is None:
        return None
    checkpoint = _own_checkpoint(signed, log, signer)
    tree = await logs.tree_of(connection, log.log_id, checkpoint.size)
    if tree is None or tree.root != checkpoint.root:
        raise LogBrokenError(
            f"{log.origin}: a checkpoint of size {checkpoint.size} was published that the database does not know; was"
            " the database restored from an older backup? Restore one that knows it: to go on from here would sign a"
            " second history"
        )
    return checkpoint


def _own_checkpoint(signed: str, log: Log, signer: Signer) -> note.Checkpoint:
    try:
        parsed = note.parse_note(signed)
        note.verify(parsed, signer.vkey, holds)
        checkpoint = note.parse_checkpoint(parsed.text)
    except note.NoteError as error:
        raise LogBrokenError(
            f"{log.origin}: the published checkpoint was not signed with the key in use ({error}). Put the key back"
            " that signed it (CANDOR_LOG_KEY_FILE, or log.key in the data folder), or name the files that belong to"
            " this key"
        ) from error
    if checkpoint.origin != log.origin:
        raise LogBrokenError(f"{log.origin}: the published checkpoint is of {checkpoint.origin}")
    return checkpoint
