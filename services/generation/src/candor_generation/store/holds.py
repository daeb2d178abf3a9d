"""Legal holds in PostgreSQL, and the records that they keep restricted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from candor_kit.database import Connection

from candor_generation.domain import period
from candor_generation.domain.hold import Hold
from candor_generation.store.logs import Log

_LOCK = 0x47454E48
_ACTIVE: LiteralString = " executed_at IS NULL AND released_at IS NULL AND until > %(now)s"
_COLUMNS: LiteralString = (
    "SELECT hold_id, of_subject, incident_id, reason, citation, placed_by, placed_at, until,"
    " released_at, executed_at,"
    " (SELECT count(*) FROM hold_generation WHERE hold_generation.hold_id = hold.hold_id) AS generations,"
    " (SELECT count(*) FROM held WHERE held.hold_id = hold.hold_id) AS restricted FROM hold"
)


@dataclass(frozen=True)
class Covered:
    """A hold that names a person: their sealed id, to be opened by its key."""

    hold_id: str
    subject: bytes


@dataclass(frozen=True)
class Kept:
    """A restricted record as one hold keeps it: key and owner, sealed, and the payload under that key."""

    generation_id: str
    wrapped: bytes
    payload: bytes


@dataclass(frozen=True)
class Executed:
    """An erasure that a hold had deferred: whose task it was (None: that of the record alone), and of which records."""

    task_id: str | None
    basis: str
    generation_ids: tuple[str, ...]


async def lock(connection: Connection) -> None:
    """Let erasures and changes of holds happen one after the other: what a hold covers is certain then."""
    await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))


async def insert(connection: Connection, hold: Hold, pseudonym: bytes | None, subject: bytes | None) -> None:
    """Keep a new hold; of a person by pseudonym and sealed id."""
    await connection.execute(
        "INSERT INTO hold"
        " (hold_id, of_subject, pseudonym, subject, incident_id, reason, citation, placed_by, placed_at, until)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            hold.hold_id,
            hold.of_subject,
            pseudonym,
            subject,
            hold.incident_id,
            hold.reason,
            hold.citation,
            hold.placed_by,
            hold.placed_at,
            hold.until,
        ),
    )


async def update(connection: Connection, hold: Hold) -> None:
    """Keep how long a hold lasts, and on what ground."""
    await connection.execute(
        "UPDATE hold SET until = %s, reason = %s, citation = %s, released_at = %s WHERE hold_id = %s",
        (hold.until, hold.reason, hold.citation, hold.released_at, hold.hold_id),
    )


async def add_generations(connection: Connection, hold_id: str, generation_ids: Sequence[str]) -> None:
    """Let a hold cover generations; those that it covers already stay."""
    await connection.execute(
        "INSERT INTO hold_generation (hold_id, generation_id) SELECT %s, unnest(%s::uuid[]) ON CONFLICT DO NOTHING",
        (hold_id, list(generation_ids)),
    )


async def find(connection: Connection, hold_id: str) -> Hold | None:
    """A hold, or None."""
    cursor = await connection.execute(_COLUMNS + " WHERE hold_id = %s", (hold_id,))
    row = await cursor.fetchone()
    return _hold(row) if row else None


async def find_many(connection: Connection, hold_ids: Sequence[str]) -> list[Hold]:
    """Those of the holds that there are."""
    cursor = await connection.execute(_COLUMNS + " WHERE hold_id = ANY(%s::uuid[])", (list(hold_ids),))
    return [_hold(row) for row in await cursor.fetchall()]


async def names(connection: Connection, hold_id: str, pseudonym: bytes) -> bool:
    """Whether a hold covers the person of a pseudonym."""
    cursor = await connection.execute("SELECT 1 FROM hold WHERE hold_id = %s AND pseudonym = %s", (hold_id, pseudonym))
    return await cursor.fetchone() is not None


async def page(
    connection: Connection, after: tuple[datetime, str] | None, size: int, *, only_unfinished: bool
) -> list[Hold]:
    """Holds, the newest first, those placed before a time and id, `size` at most."""
    cursor = await connection.execute(
        _COLUMNS + " WHERE (NOT %(unfinished)s OR executed_at IS NULL)"
        " AND (placed_at, hold_id) < (coalesce(%(at)s::timestamptz, 'infinity'), %(id)s::uuid)"
        " ORDER BY placed_at DESC, hold_id DESC LIMIT %(size)s",
        {
            "unfinished": only_unfinished,
            "at": after[0] if after else None,
            "id": after[1] if after else "ffffffff-ffff-ffff-ffff-ffffffffffff",
            "size": size,
        },
    )
    return [_hold(row) for row in await cursor.fetchall()]


async def of_person(connection: Connection, pseudonym: bytes, now: datetime) -> list[str]:
    """The active holds that cover a person."""
    cursor = await connection.execute(
        "SELECT hold_id FROM hold WHERE pseudonym = %(pseudonym)s AND" + _ACTIVE,  # noqa: S608 - our own text
        {"pseudonym": pseudonym, "now": now},
    )
    return [str(row["hold_id"]) for row in await cursor.fetchall()]


async def naming(connection: Connection, generation_ids: Sequence[str], now: datetime) -> list[tuple[str, str]]:
    """The active holds that name one of the generations: hold id and generation id."""
    cursor = await connection.execute(
        "SELECT hold_id, generation_id FROM hold_generation JOIN hold USING (hold_id)"  # noqa: S608 - our own text
        " WHERE generation_id = ANY(%(ids)s::uuid[]) AND" + _ACTIVE,
        {"ids": list(generation_ids), "now": now},
    )
    return [(str(row["hold_id"]), str(row["generation_id"])) for row in await cursor.fetchall()]


async def restrict(
    connection: Connection, kept: Sequence[tuple[str, str, bytes]], task_id: str | None, basis: str, at: datetime
) -> dict[str, bytes]:
    """Restrict records, and let holds keep them: hold id, generation id, sealed key.

    A review of them waits for nobody any more; what people wrote there is sealed under the record's key, and stays with
    it.

    Returns:
        The facts of those in which something was found, by id.
    """
    holds, ids, wrapped = [list(part) for part in zip(*kept, strict=True)]
    await connection.execute(
        "INSERT INTO held (hold_id, generation_id, wrapped) SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::bytea[])",
        (holds, ids, wrapped),
    )
    await connection.execute(
        "INSERT INTO restricted (generation_id, task_id, basis, asked_at)"
        " SELECT DISTINCT id, %s, %s, %s::timestamptz FROM unnest(%s::uuid[]) AS given (id)",
        (task_id, basis, at, ids),
    )
    await connection.execute(
        "UPDATE review SET state = 'erased', assignee = '', changed_at = %s"
        " WHERE generation_id = ANY(%s::uuid[]) AND state <> 'decided'",
        (at, ids),
    )
    cursor = await connection.execute(
        "UPDATE record SET subject = NULL, wrapped_key = NULL WHERE generation_id = ANY(%s::uuid[])"
        " RETURNING generation_id, CASE WHEN decision > 1 THEN fact END AS fact",
        (ids,),
    )
    return {str(row["generation_id"]): row["fact"] for row in await cursor.fetchall() if row["fact"]}


async def restricting(connection: Connection, generation_id: str) -> list[Hold]:
    """The holds that keep a restricted record; none where it is not restricted."""
    cursor = await connection.execute(
        _COLUMNS + " JOIN held USING (hold_id) WHERE generation_id = %s", (generation_id,)
    )
    return [_hold(row) for row in await cursor.fetchall()]


async def kept(connection: Connection, hold_id: str, after: str, limit: int) -> list[Kept]:
    """What a hold keeps, by id, those after an id, `limit` at most."""
    cursor = await connection.execute(
        "SELECT generation_id, wrapped, payload FROM held JOIN record USING (generation_id)"
        " WHERE hold_id = %s AND generation_id > %s::uuid ORDER BY generation_id LIMIT %s",
        (hold_id, after or "00000000-0000-0000-0000-000000000000", limit),
    )
    return [Kept(str(row["generation_id"]), row["wrapped"], row["payload"]) for row in await cursor.fetchall()]


async def ended(connection: Connection, now: datetime) -> list[str]:
    """The holds that have ended and are not executed."""
    cursor = await connection.execute(
        "SELECT hold_id FROM hold WHERE executed_at IS NULL AND (released_at IS NOT NULL OR until <= %s)"
        " ORDER BY until",
        (now,),
    )
    return [str(row["hold_id"]) for row in await cursor.fetchall()]


async def next_end(connection: Connection) -> datetime | None:
    """When the next hold ends by itself, or None."""
    cursor = await connection.execute("SELECT min(until) AS next FROM hold WHERE executed_at IS NULL")
    row = await cursor.fetchone()
    return row["next"] if row else None


async def execute(connection: Connection, hold_id: str, at: datetime) -> list[Executed]:
    """Carry out the erasures that only this hold still deferred; what another hold keeps stays restricted."""
    # A hold may have kept the whole history of a person, and is carried out as a whole.
    await connection.execute("SET LOCAL statement_timeout = '10min'")
    cursor = await connection.execute(
        "WITH gone AS (DELETE FROM held WHERE hold_id = %(hold)s RETURNING generation_id),"
        " last AS (SELECT generation_id FROM gone WHERE NOT EXISTS (SELECT 1 FROM held"
        "   WHERE held.generation_id = gone.generation_id AND held.hold_id <> %(hold)s)),"
        " done AS (DELETE FROM restricted USING last WHERE restricted.generation_id = last.generation_id"
        "   RETURNING restricted.generation_id, task_id, basis),"
        " emptied AS (UPDATE record SET payload = NULL, erased_at = %(at)s FROM done"
        "   WHERE record.generation_id = done.generation_id)"
        " SELECT task_id, basis, array_agg(generation_id::text) AS ids FROM done GROUP BY task_id, basis"
        " ORDER BY task_id, basis",
        {"hold": hold_id, "at": at},
    )
    executed = [Executed(row["task_id"], row["basis"], tuple(row["ids"])) for row in await cursor.fetchall()]
    await connection.execute(
        "UPDATE hold SET executed_at = %s, pseudonym = NULL, subject = NULL WHERE hold_id = %s", (at, hold_id)
    )
    return executed


async def holds_in(connection: Connection, log: Log) -> bool:
    """Whether a hold that is not executed names, or keeps, a generation of a log."""
    cursor = await connection.execute(
        "SELECT EXISTS (SELECT 1 FROM hold_generation JOIN hold USING (hold_id)"
        "  WHERE executed_at IS NULL AND generation_id >= %(first)s AND generation_id < %(end)s)"
        " OR EXISTS (SELECT 1 FROM held WHERE generation_id >= %(first)s AND generation_id < %(end)s) AS holds",
        _span(log),
    )
    row = await cursor.fetchone()
    return bool(row and row["holds"])


async def persons(connection: Connection) -> list[Covered]:
    """The persons that holds cover which are not executed."""
    cursor = await connection.execute(
        "SELECT hold_id, subject FROM hold WHERE executed_at IS NULL AND subject IS NOT NULL ORDER BY hold_id"
    )
    return [Covered(str(row["hold_id"]), row["subject"]) for row in await cursor.fetchall()]


async def has_records_in(connection: Connection, log: Log, subject: str) -> bool:
    """Whether a log has records of a person."""
    cursor = await connection.execute(
        "SELECT EXISTS (SELECT 1 FROM record WHERE subject = %(subject)s"
        " AND generation_id >= %(first)s AND generation_id < %(end)s) AS there",
        {**_span(log), "subject": subject},
    )
    row = await cursor.fetchone()
    return bool(row and row["there"])


def _span(log: Log) -> dict[str, str]:
    return {"first": period.first_id(log.period.starts_at), "end": period.first_id(log.period.ends_at)}


def _hold(row: Mapping[str, Any]) -> Hold:
    return Hold(**{**row, "hold_id": str(row["hold_id"])})
