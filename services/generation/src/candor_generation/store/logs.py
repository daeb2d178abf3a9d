"""The logs in PostgreSQL: their periods, what was added to them, the trees they committed to, who may write them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from candor_kit.database import Connection
from psycopg import sql

from candor_generation.domain import period, tiles
from candor_generation.domain.period import Period

GENERATION, ACTS = "generation", "acts"
_SEQUENCER_LOCK = 0x47454E4C
_PERIOD_LOCK = 0x47454E50


class StaleEpochError(Exception):
    """Another process has become the writer of the logs."""


@dataclass(frozen=True)
class Log:
    """One period of one kind of log."""

    log_id: int
    kind: str
    period: Period
    origin: str
    dropped_at: datetime | None = None


@dataclass(frozen=True)
class Addition:
    """Leaves that follow each other: the index of the first, and the entries as they are in a bundle."""

    addition_id: int
    first_index: int
    entries: tuple[bytes, ...]


@dataclass(frozen=True)
class Tree:
    """A tree that was committed to: size, root (32 bytes), and the checkpoint that the log signed."""

    size: int
    root: bytes
    checkpoint: str


async def all_logs(connection: Connection) -> list[Log]:
    """Every log, dropped ones too, the oldest first."""
    cursor = await connection.execute(
        "SELECT log_id, kind, period, origin, starts_at, ends_at, dropped_at FROM log ORDER BY starts_at, kind"
    )
    return [_log(row) for row in await cursor.fetchall()]


async def open_period(connection: Connection, kind: str, wanted: Period, base: str) -> None:
    """Begin a log for a period, in an open transaction; nothing happens where one covers it already.

    A period begins where the one before it ended, should their length have been changed in between.
    """
    await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_PERIOD_LOCK,))
    cursor = await connection.execute("SELECT max(ends_at) AS ended FROM log WHERE kind = %s", (kind,))
    row = await cursor.fetchone()
    starts_at = max(wanted.starts_at, row["ended"]) if row and row["ended"] else wanted.starts_at
    if starts_at >= wanted.ends_at:
        return
    await connection.execute(
        "INSERT INTO log (kind, period, origin, starts_at, ends_at) VALUES (%s, %s, %s, %s, %s)",
        (kind, wanted.name, f"{base}/{kind}/{wanted.name}", starts_at, wanted.ends_at),
    )
    if kind == GENERATION:
        await connection.execute(
            # A row of some 2.5 KB stays in one piece: set apart, its payload costs a second row and a second index.
            sql.SQL(
                "CREATE TABLE {} PARTITION OF record FOR VALUES FROM ({}) TO ({}) WITH (toast_tuple_target = 8160)"
            ).format(
                sql.Identifier(f"record_{wanted.name}"),
                sql.Literal(period.first_id(starts_at)),
                sql.Literal(period.first_id(wanted.ends_at)),
            )
        )


async def drop(connection: Connection, log: Log, at: datetime) -> None:
    """Drop a log whole, with the records that its leaves commit to; its row stays, and says when."""
    if log.kind == GENERATION:
        await connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(f"record_{log.period.name}")))
    await connection.execute("DELETE FROM tree WHERE log_id = %s", (log.log_id,))
    await connection.execute(
        "DELETE FROM act USING addition WHERE act.addition_id = addition.addition_id AND log_id = %s", (log.log_id,)
    )
    await connection.execute("DELETE FROM addition WHERE log_id = %s", (log.log_id,))
    await connection.execute("UPDATE log SET dropped_at = %s WHERE log_id = %s", (at, log.log_id))


async def add(
    connection: Connection, log_id: int, entries: Sequence[bytes], at: datetime, templates: bytes | None = None
) -> int:
    """Accept leaves, to follow each other in the log, with the templates of their facts; return the addition's id.

    Raises:
        ValueError: an entry is longer than 65,535 bytes.
    """
    cursor = await connection.execute(
        "INSERT INTO addition (log_id, leaves, entries, accepted_at, templates) VALUES (%s, %s, %b, %s, %b)"
        " RETURNING addition_id",
        (log_id, len(entries), tiles.bundle(entries), at, templates),
    )
    row = await cursor.fetchone()
    if row is None:
        raise LookupError("INSERT returned no row")
    return int(row["addition_id"])


async def try_lock(connection: Connection) -> bool:
    """Become the one writer of the logs, for as long as this connection lasts."""
    cursor = await connection.execute("SELECT pg_try_advisory_lock(%s) AS locked", (_SEQUENCER_LOCK,))
    row = await cursor.fetchone()
    return bool(row and row["locked"])


async def next_epoch(connection: Connection) -> int:
    """Begin a new epoch: whoever wrote in an older one is refused from now on."""
    cursor = await connection.execute("UPDATE sequencer SET epoch = epoch + 1 RETURNING epoch")
    row = await cursor.fetchone()
    if row is None:
        raise StaleEpochError("the sequencer's row is missing")
    return int(row["epoch"])


async def hold_epoch(connection: Connection, epoch: int) -> None:
    """Keep anyone from beginning a new epoch until this transaction ends.

    Raises:
        StaleEpochError: somebody has already.
    """
    cursor = await connection.execute("SELECT epoch FROM sequencer WHERE epoch = %s FOR SHARE", (epoch,))
    if await cursor.fetchone() is None:
        raise StaleEpochError(f"epoch {epoch} is over")


async def assign(connection: Connection, log_id: int, limit: int) -> None:
    """Give the next indexes to waiting additions in the order of acceptance, to `limit` leaves or one addition."""
    await connection.execute(
        "WITH next AS (SELECT next_index FROM log WHERE log_id = %(log)s FOR UPDATE),"
        " waiting AS (SELECT addition_id, leaves FROM addition WHERE log_id = %(log)s AND first_index IS NULL"
        "   ORDER BY addition_id LIMIT 1000),"
        " summed AS (SELECT addition_id, leaves, sum(leaves) OVER (ORDER BY addition_id) - leaves AS before"
        "   FROM waiting),"
        " placed AS (UPDATE addition SET first_index = next.next_index + summed.before FROM summed, next"
        "   WHERE addition.addition_id = summed.addition_id AND summed.before < %(limit)s RETURNING addition.leaves)"
        " UPDATE log SET next_index = next_index + coalesce((SELECT sum(leaves) FROM placed), 0)"
        " WHERE log_id = %(log)s",
        {"log": log_id, "limit": limit},
    )


async def unfinished(connection: Connection) -> list[int]:
    """The logs that have leaves which no committed tree covers."""
    cursor = await connection.execute(
        "SELECT log_id FROM log WHERE dropped_at IS NULL AND ("
        " EXISTS (SELECT 1 FROM addition WHERE addition.log_id = log.log_id AND first_index IS NULL)"
        " OR next_index > (SELECT coalesce(max(size), 0) FROM tree WHERE tree.log_id = log.log_id))"
        " ORDER BY log_id"
    )
    return [row["log_id"] for row in await cursor.fetchall()]


async def additions(connection: Connection, log_id: int, start: int, limit: int) -> list[Addition]:
    """What follows index `start`, which begins an addition: to `limit` leaves or one addition."""
    cursor = await connection.execute(
        "SELECT addition_id, first_index, leaves, entries FROM addition WHERE log_id = %s AND first_index >= %s"
        " AND first_index < %s ORDER BY first_index",
        (log_id, start, start + limit),
        binary=True,
    )
    return [
        Addition(row["addition_id"], row["first_index"], tuple(tiles.unbundle(row["entries"])))
        for row in await cursor.fetchall()
    ]


async def places(connection: Connection, log_id: int, start: int, end: int) -> dict[int, int]:
    """The additions that begin at index `start` or later and before `end`: id, and the index after the last leaf."""
    cursor = await connection.execute(
        "SELECT addition_id, first_index + leaves AS following FROM addition"
        " WHERE log_id = %s AND first_index >= %s AND first_index < %s",
        (log_id, start, end),
    )
    return {row["addition_id"]: row["following"] for row in await cursor.fetchall()}


async def commit_tree(connection: Connection, log_id: int, tree: Tree, at: datetime) -> None:
    """Commit to a tree; a second root for a size breaks the table's key."""
    await connection.execute(
        "INSERT INTO tree (log_id, size, root, checkpoint, committed_at) VALUES (%s, %s, %s, %s, %s)",
        (log_id, tree.size, tree.root, tree.checkpoint, at),
    )


async def latest_tree(connection: Connection, log_id: int) -> Tree | None:
    """The largest tree committed to; None before the log's first start."""
    cursor = await connection.execute(
        "SELECT size, root, checkpoint FROM tree WHERE log_id = %s ORDER BY size DESC LIMIT 1", (log_id,)
    )
    return _tree(await cursor.fetchone())


async def tree_after(connection: Connection, log_id: int, size: int) -> Tree | None:
    """The smallest tree committed to that is larger than `size`, or None."""
    cursor = await connection.execute(
        "SELECT size, root, checkpoint FROM tree WHERE log_id = %s AND size > %s ORDER BY size LIMIT 1", (log_id, size)
    )
    return _tree(await cursor.fetchone())


async def tree_of(connection: Connection, log_id: int, size: int) -> Tree | None:
    """The tree of just this size, or None where the log has committed to none."""
    cursor = await connection.execute(
        "SELECT size, root, checkpoint FROM tree WHERE log_id = %s AND size = %s", (log_id, size)
    )
    return _tree(await cursor.fetchone())


async def untold(connection: Connection) -> list[tuple[Log, int]]:
    """The generation logs whose facts are not all published: log, first index whose fact is not."""
    cursor = await connection.execute(
        "SELECT log_id, kind, period, origin, starts_at, ends_at, dropped_at, told FROM log"
        " WHERE kind = %s AND dropped_at IS NULL"
        " AND told < (SELECT coalesce(max(size), 0) FROM tree WHERE tree.log_id = log.log_id)",
        (GENERATION,),
    )
    return [(_log(row), row["told"]) for row in await cursor.fetchall()]


async def move_told(connection: Connection, log_id: int, old: int, new: int) -> None:
    """Remember how far facts are published; whoever is behind changes nothing."""
    await connection.execute("UPDATE log SET told = %s WHERE log_id = %s AND told = %s", (new, log_id, old))


@asynccontextmanager
async def snapshot(connection: Connection) -> AsyncIterator[None]:
    """Read several tables as of one moment, so that a record and its subject's key belong together."""
    async with connection.transaction():
        await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def _log(row: Mapping[str, Any]) -> Log:
    span = Period(row["starts_at"], row["ends_at"], row["period"])
    return Log(row["log_id"], row["kind"], span, row["origin"], row["dropped_at"])


def _tree(row: Mapping[str, Any] | None) -> Tree | None:
    return Tree(row["size"], row["root"], row["checkpoint"]) if row else None
