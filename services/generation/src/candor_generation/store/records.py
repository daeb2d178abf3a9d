"""Records of generations in PostgreSQL."""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, LiteralString
from uuid import UUID

from candor_kit.database import Connection
from psycopg import errors

from candor_generation.domain.record import Personal, Place

_COLUMNS: LiteralString = (
    "SELECT generation_id, fact, subject, payload, wrapped_key, erased_at, log.origin,"
    " addition.first_index + ordinal AS log_index FROM record"
    " JOIN addition USING (addition_id) JOIN log USING (log_id)"
)
# PostgreSQL's binary COPY format: a signature, flags, the length of an extension; per row the number of columns, per
# column its length and bytes; at the end the number -1.
_HEAD = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
_TAIL = struct.pack(">h", -1)
_ROW = struct.Struct(">h i16s iq ii iq ih")
_LENGTH = struct.Struct(">i")
_FIRST_ID = "00000000-0000-0000-0000-000000000000"
# PostgreSQL counts time from 2000, Unix from 1970.
_EPOCH_MICROS = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000


@dataclass(frozen=True)
class Stored:
    """A row: the fact as bytes, the place, and what erasing a person empties; absent too where a hold restricts it."""

    generation_id: str
    fact: bytes
    place: Place
    personal: Personal | None
    restricted: bool = False


@dataclass(slots=True)
class Row:
    """A record to be put in. Personal data is sealed, but for whose it is; the time is in microseconds since 1970."""

    generation_id: bytes
    occurred_micros: int
    product: str
    model: str
    decision: int
    fact: bytes
    subject: str
    payload: bytes
    wrapped_key: bytes


class IdTakenError(Exception):
    """A record of one of the ids is there already; nothing was put in."""


async def insert(connection: Connection, addition_id: int, rows: Sequence[Row]) -> None:
    """Put records in, which are the leaves of an addition in this order.

    Raises:
        IdTakenError: one is there already; the caller goes back to its savepoint.
    """
    try:
        async with (
            connection.cursor() as cursor,
            cursor.copy(
                "COPY record (generation_id, addition_id, ordinal, occurred_at, decision, product, model, fact,"
                " subject, payload, wrapped_key) FROM STDIN (FORMAT BINARY)"
            ) as copy,
        ):
            await copy.write(b"".join([_HEAD, *_encoded(addition_id, rows), _TAIL]))
    except errors.UniqueViolation as error:
        raise IdTakenError from error


def _encoded(addition_id: int, rows: Sequence[Row]) -> Iterable[bytes]:
    length = _LENGTH.pack
    for ordinal, row in enumerate(rows):
        micros = row.occurred_micros - _EPOCH_MICROS
        yield _ROW.pack(11, 16, row.generation_id, 8, addition_id, 4, ordinal, 8, micros, 2, row.decision)
        for value in (
            row.product.encode(), row.model.encode(), row.fact, row.subject.encode(), row.payload, row.wrapped_key
        ):  # fmt: skip
            yield length(len(value))
            yield value


async def find(connection: Connection, generation_id: str) -> Stored | None:
    """The record, or None."""
    cursor = await connection.execute(_COLUMNS + " WHERE generation_id = %s", (generation_id,))
    row = await cursor.fetchone()
    return _stored(row) if row else None


async def find_many(connection: Connection, identifiers: Collection[UUID]) -> dict[str, Stored]:
    """Those of the records that are there, by id."""
    cursor = await connection.execute(_COLUMNS + " WHERE generation_id = ANY(%s)", (list(identifiers),))
    return {str(row["generation_id"]): _stored(row) for row in await cursor.fetchall()}


async def in_log(connection: Connection, log_id: int, start: int, end: int, limit: int) -> list[Stored]:
    """Records by index from `start` up to but not with `end`, `limit` at most; other leaves have no record."""
    cursor = await connection.execute(
        _COLUMNS  # noqa: S608 - our own text
        + " WHERE log_id = %(log)s"
        " AND first_index >= (SELECT coalesce(max(first_index), 0) FROM addition"
        "   WHERE log_id = %(log)s AND first_index <= %(start)s)"
        " AND first_index < %(end)s AND first_index + ordinal >= %(start)s AND first_index + ordinal < %(end)s"
        " ORDER BY first_index, ordinal LIMIT %(limit)s",
        {"log": log_id, "start": start, "end": end, "limit": limit},
    )
    return [_stored(row) for row in await cursor.fetchall()]


@dataclass(frozen=True)
class Wanted:
    """What is searched for; None: any. `until` is not included."""

    product: str | None
    model: str | None
    decision: int | None
    since: datetime | None
    until: datetime | None


async def search(
    connection: Connection, wanted: Wanted, after: tuple[datetime, str] | None, limit: int
) -> list[Stored]:
    """Records by what is not personal, newest first, those older than a time and id, `limit` at most."""
    cursor = await connection.execute(
        _COLUMNS + " WHERE (%(product)s::text IS NULL OR product = %(product)s)"
        " AND (%(model)s::text IS NULL OR model = %(model)s)"
        " AND (%(decision)s::smallint IS NULL OR decision = %(decision)s)"
        " AND occurred_at >= coalesce(%(since)s::timestamptz, '-infinity')"
        " AND occurred_at < coalesce(%(until)s::timestamptz, 'infinity')"
        " AND (%(at)s::timestamptz IS NULL OR (occurred_at, generation_id) < (%(at)s::timestamptz, %(id)s::uuid))"
        " ORDER BY occurred_at DESC, generation_id DESC LIMIT %(limit)s",
        {**asdict(wanted), "at": after[0] if after else None, "id": after[1] if after else None, "limit": limit},
    )
    return [_stored(row) for row in await cursor.fetchall()]


async def facts(connection: Connection, additions: Collection[int]) -> list[tuple[bytes, str, int]]:
    """What is to be told of the records of additions, in the order of the log: fact, generation id, index."""
    cursor = await connection.execute(
        "SELECT fact, generation_id::text AS id, first_index + ordinal AS log_index FROM record"
        " JOIN addition USING (addition_id) WHERE addition_id = ANY(%s) ORDER BY first_index, ordinal",
        (list(additions),),
        binary=True,
    )
    return [(row["fact"], row["id"], row["log_index"]) for row in await cursor.fetchall()]


async def of_subject(
    connection: Connection, subject: str, after: tuple[datetime, str] | None, limit: int
) -> list[Stored]:
    """A person's records, oldest first, those that come after a time and id, `limit` at most."""
    cursor = await connection.execute(
        # No OR: the index has to begin where the piece before it ended, whoever plans this.
        _COLUMNS + " WHERE subject = %s AND (occurred_at, generation_id) > (%s::timestamptz, %s::uuid)"
        " ORDER BY occurred_at, generation_id LIMIT %s",
        (subject, *(after or ("-infinity", _FIRST_ID)), limit),
    )
    return [_stored(row) for row in await cursor.fetchall()]


async def count_of_subject(connection: Connection, subject: str) -> int:
    """How many records of a person are held."""
    cursor = await connection.execute("SELECT count(*) AS records FROM record WHERE subject = %s", (subject,))
    row = await cursor.fetchone()
    return int(row["records"]) if row else 0


async def to_hold(
    connection: Connection, subject: str, until: datetime, now: datetime, limit: int, *, whole: bool
) -> list[tuple[str, bytes]]:
    """A person's records made at or before `until` that active holds cover: id and wrapped key, `limit` at most.

    `whole` says that a hold covers the person; otherwise those that a hold names. The rows are locked.
    """
    cursor = await connection.execute(
        "SELECT generation_id, wrapped_key FROM record WHERE subject = %(subject)s AND occurred_at <= %(until)s"
        " AND (%(whole)s OR generation_id IN (SELECT generation_id FROM hold_generation JOIN hold USING (hold_id)"
        "   WHERE executed_at IS NULL AND released_at IS NULL AND hold.until > %(now)s))"
        " ORDER BY generation_id LIMIT %(limit)s FOR UPDATE OF record",
        {"subject": subject, "until": until, "whole": whole, "now": now, "limit": limit},
    )
    return [(str(row["generation_id"]), row["wrapped_key"]) for row in await cursor.fetchall()]


async def lock(connection: Connection, generation_id: str) -> None:
    """Let nobody else change a record until the transaction ends."""
    await connection.execute("SELECT 1 FROM record WHERE generation_id = %s FOR UPDATE", (generation_id,))


async def erase_one(connection: Connection, generation_id: str, at: datetime) -> None:
    """Empty one record: without the wrap of its key nothing opens what it committed to."""
    await connection.execute(
        "UPDATE record SET subject = NULL, payload = NULL, wrapped_key = NULL, erased_at = %s WHERE generation_id = %s",
        (at, generation_id),
    )


async def erase(connection: Connection, subject: str, until: datetime, at: datetime) -> list[tuple[str, bytes]]:
    """Empty a person's records made at or before `until`; return of each the id, and the fact where it names hits."""
    cursor = await connection.execute(
        "WITH held AS (SELECT generation_id FROM record WHERE subject = %s AND occurred_at <= %s"
        " ORDER BY generation_id FOR UPDATE)"
        " UPDATE record SET subject = NULL, payload = NULL, wrapped_key = NULL, erased_at = %s"
        " FROM held WHERE record.generation_id = held.generation_id"
        " RETURNING record.generation_id, CASE WHEN decision > 1 THEN fact END AS fact",
        (subject, until, at),
    )
    return [(str(row["generation_id"]), row["fact"] or b"") for row in await cursor.fetchall()]


async def replace_facts(connection: Connection, replaced: Mapping[str, bytes]) -> None:
    """Put what may still be told in the place of what was told before, by id."""
    await connection.execute(
        "UPDATE record SET fact = given.fact FROM unnest(%s::uuid[], %s::bytea[]) AS given (id, fact)"
        " WHERE generation_id = given.id",
        (list(replaced), list(replaced.values())),
    )


async def wrapped_keys(connection: Connection, subject: str) -> dict[str, bytes]:
    """The wrapped key of each of a person's records, by generation id; the rows are locked."""
    cursor = await connection.execute(
        "SELECT generation_id, wrapped_key FROM record WHERE subject = %s ORDER BY generation_id FOR UPDATE", (subject,)
    )
    return {str(row["generation_id"]): row["wrapped_key"] for row in await cursor.fetchall()}


async def replace_wrapped_keys(connection: Connection, wrapped: Mapping[str, bytes]) -> None:
    """Put newly wrapped keys in the place of the old, by id."""
    await connection.execute(
        "UPDATE record SET wrapped_key = given.key FROM unnest(%s::uuid[], %s::bytea[]) AS given (id, key)"
        " WHERE generation_id = given.id",
        (list(wrapped), list(wrapped.values())),
    )


async def count_discarded(connection: Connection, at: datetime, count: int) -> None:
    """Count records that came after the erasure of what they belong to."""
    await connection.execute(
        "INSERT INTO discarded (day, records) VALUES (%s, %s)"
        " ON CONFLICT (day) DO UPDATE SET records = discarded.records + excluded.records",
        (at.date(), count),
    )


def _stored(row: Mapping[str, Any]) -> Stored:
    whole = row["subject"] is not None
    personal = Personal(row["subject"], row["payload"], row["wrapped_key"]) if whole else None
    restricted = not whole and row["erased_at"] is None
    return Stored(str(row["generation_id"]), row["fact"], Place(row["origin"], row["log_index"]), personal, restricted)
