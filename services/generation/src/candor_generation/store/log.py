"""The log's own rows: who may write, which index comes next, which trees were committed to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from candor_kit.database import Connection

# "GLOG": held for as long as one process is the log's only writer.
_LOCK = 0x474C4F47


class StaleEpochError(Exception):
    """Another process has become the log's writer; this one must write no more."""


@dataclass(frozen=True)
class Tree:
    """A tree the log has committed to: size in leaves, root of 32 bytes, the signed checkpoint."""

    size: int
    root: bytes
    checkpoint: str


@dataclass(frozen=True)
class Entry:
    """A place in the log and the entry's bytes."""

    log_index: int
    content: bytes


async def try_lock(connection: Connection) -> bool:
    """Take the writer's lock if nobody has it; it is held until the connection ends."""
    cursor = await connection.execute("SELECT pg_try_advisory_lock(%s) AS held", (_LOCK,))
    row = await cursor.fetchone()
    return bool(row and row["held"])


async def next_epoch(connection: Connection) -> int:
    """Begin an epoch; whoever wrote in an earlier one is stale from here on."""
    cursor = await connection.execute("UPDATE sequencer SET epoch = epoch + 1 RETURNING epoch")
    row = await cursor.fetchone()
    if row is None:
        raise LookupError("the sequencer's row is missing")
    return int(row["epoch"])


async def hold_epoch(connection: Connection, epoch: int) -> None:
    """Make sure that `epoch` is the present one until the transaction ends.

    Raises:
        StaleEpochError: it is not.
    """
    cursor = await connection.execute("SELECT epoch FROM sequencer FOR UPDATE")
    row = await cursor.fetchone()
    if row is None or row["epoch"] != epoch:
        raise StaleEpochError


async def assign(connection: Connection, limit: int) -> int:
    """Give the next indexes to the records that wait, in the order of acceptance; return to how many.

    The caller MUST hold the epoch, so that no two give the same index.
    """
    cursor = await connection.execute(
        "WITH waiting AS (SELECT generation_id, arrival FROM record WHERE log_index IS NULL"
        " ORDER BY arrival LIMIT %s FOR UPDATE),"
        " placed AS (SELECT generation_id, row_number() OVER (ORDER BY arrival) - 1 AS place FROM waiting)"
        " UPDATE record SET log_index = sequencer.next_index + placed.place FROM placed, sequencer"
        " WHERE record.generation_id = placed.generation_id",
        (limit,),
    )
    given = cursor.rowcount
    if given:
        await connection.execute("UPDATE sequencer SET next_index = next_index + %s", (given,))
    return given


async def has_work(connection: Connection, size: int) -> bool:
    """Whether a record waits for an index, or one has an index beyond the tree of `size`."""
    cursor = await connection.execute(
        "SELECT EXISTS (SELECT 1 FROM record WHERE log_index IS NULL)"
        " OR EXISTS (SELECT 1 FROM sequencer WHERE next_index > %s) AS waits",
        (size,),
    )
    row = await cursor.fetchone()
    return bool(row and row["waits"])


async def entries(connection: Connection, start: int, limit: int) -> list[Entry]:
    """The entries from index `start` on, `limit` at most."""
    cursor = await connection.execute(
        "SELECT log_index, entry FROM record WHERE log_index >= %s ORDER BY log_index LIMIT %s", (start, limit)
    )
    return [Entry(row["log_index"], row["entry"]) for row in await cursor.fetchall()]


async def commit_tree(connection: Connection, tree: Tree, at: datetime) -> None:
    """Commit to a tree; a second root for a size breaks the table's key."""
    await connection.execute(
        "INSERT INTO tree (size, root, checkpoint, published_at) VALUES (%s, %s, %s, %s)",
        (tree.size, tree.root, tree.checkpoint, at),
    )


async def latest_tree(connection: Connection) -> Tree | None:
    """The largest tree committed to; None before the log's first start."""
    cursor = await connection.execute("SELECT size, root, checkpoint FROM tree ORDER BY size DESC LIMIT 1")
    row = await cursor.fetchone()
    return Tree(row["size"], row["root"], row["checkpoint"]) if row else None


async def tree_after(connection: Connection, size: int) -> Tree | None:
    """The smallest tree committed to that is larger than `size`, or None."""
    cursor = await connection.execute(
        "SELECT size, root, checkpoint FROM tree WHERE size > %s ORDER BY size LIMIT 1", (size,)
    )
    row = await cursor.fetchone()
    return Tree(row["size"], row["root"], row["checkpoint"]) if row else None


async def tree_of(connection: Connection, size: int) -> Tree | None:
    """The tree of just this size, or None where the log has committed to none."""
    cursor = await connection.execute("SELECT size, root, checkpoint FROM tree WHERE size = %s", (size,))
    row = await cursor.fetchone()
    return Tree(row["size"], row["root"], row["checkpoint"]) if row else None


@asynccontextmanager
async def snapshot(connection: Connection) -> AsyncIterator[None]:
    """Read several tables as of one moment, so that a record and its subject's key belong together."""
    async with connection.transaction():
        await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield
