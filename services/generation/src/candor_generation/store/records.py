"""Records of generations in PostgreSQL."""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

from candor_kit.database import Connection
from psycopg import errors

from candor_generation.domain import fact
from candor_generation.domain.record import Personal, Place

_COLUMNS: LiteralString = (
    "SELECT generation_id, fact, template, addition.templates, occurred_at, subject, payload, wrapped_key, erased_at,"
    " log.origin, addition.first_index + ordinal AS log_index FROM record"
    " JOIN addition USING (addition_id) JOIN log USING (log_id)"
)
# PostgreSQL's binary COPY format: a signature, flags, the length of an extension; per row the number of columns, per
# column its length and bytes; at the end the number -1.
_HEAD = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
_TAIL = struct.pack(">h", -1)
_ROW = struct.Struct(">i16s ii iq")
_PREFIX = struct.Struct(">h iq")
_COLUMN_COUNT = 12
_LENGTH = struct.Struct(">i")
_NONE = _LENGTH.pack(-1)
_FIRST_ID = "00000000-0000-0000-0000-000000000000"
# PostgreSQL counts time from 2000, Unix from 1970.
_EPOCH_MICROS = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
_UNIX = datetime(1970, 1, 1, tzinfo=UTC)
_TOLD = struct.Struct(">16s q h i")


@dataclass(frozen=True)
class Stored:
    """A row: the fact as bytes, the place, and what erasing a person empties; absent too where a hold restricts it."""

    generation_id: str
    fact: bytes
    place: Place
    personal: Personal | None
    restricted: bool = False


def kind(decision: int, product: str, model: str, template: int | None) -> bytes:
    """What rows of one kind have in common, as `row` takes it; without a template each row has its own fact."""
    named, asked = product.encode(), model.encode()
    number = _NONE if template is None else struct.pack(">ih", 2, template)
    return b"".join(
        (struct.pack(">ih", 2, decision), number, _LENGTH.pack(len(named)), named, _LENGTH.pack(len(asked)), asked)
    )


def row(
    generation_id: bytes,
    ordinal: int,
    occurred_micros: int,
    of_kind: bytes,
    own_fact: bytes | None,
    subject: bytes,
    payload: bytes,
    wrapped_key: bytes,
) -> bytes:
    """A record to be put in, but for its addition. The id has 16 bytes, the time is in microseconds since 1970."""
    length = _LENGTH.pack
    return b"".join(
        (
            _ROW.pack(16, generation_id, 4, ordinal, 8, occurred_micros - _EPOCH_MICROS),
            of_kind,
            _NONE if own_fact is None else length(len(own_fact)) + own_fact,
            length(len(subject)),
            subject,
            length(len(payload)),
            payload,
            length(len(wrapped_key)),
            wrapped_key,
        )
    )


@dataclass(frozen=True)
class Untold:
    """What is to be told of the records of an addition.

    Attributes:
        templates: as `domain.fact` bundles them.
        packed: of each record in order the id (16 bytes), the time (microseconds since 2000, 8), the template's number
            (2; -1: it has a fact of its own) and the ordinal (4).
        facts: the facts of those that have one of their own, in their order.
    """

    first_index: int
    templates: bytes
    packed: bytes
    facts: Sequence[bytes]

    def told(self) -> Iterator[tuple[bytes, str, int]]:
        """Of each record the fact but for its place, the generation id and the index, in the order of the log."""
        templates, own = fact.unbundle(self.templates), iter(self.facts)
        for identifier, micros, template, ordinal in _TOLD.iter_unpack(self.packed):
            digits = identifier.hex()
            name = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
            at = micros + _EPOCH_MICROS
            made = next(own) if template < 0 else fact.fill(templates[template], name.encode(), at)
            yield made, name, self.first_index + ordinal


class IdTakenError(Exception):
    """A record of one of the ids is there already; nothing was put in."""


async def insert(connection: Connection, addition_id: int, rows: Sequence[bytes]) -> None:
    """Put records in, made by `row`, which are the leaves of an addition.

    Raises:
        IdTakenError: one is there already; the caller goes back to its savepoint.
    """
    try:
        async with (
            connection.cursor() as cursor,
            cursor.copy(
                "COPY record (addition_id, generation_id, ordinal, occurred_at, decision, template, product, model,"
                " fact, subject, payload, wrapped_key) FROM STDIN (FORMAT BINARY)"
            ) as copy,
        ):
            # Every row begins with the number of its columns and the first of them.
            await copy.write(_PREFIX.pack(_COLUMN_COUNT, 8, addition_id).join([_HEAD, *rows]) + _TAIL)
    except errors.UniqueViolation as error:
        raise IdTakenError from error


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


async def untold(connection: Connection, additions: Collection[int]) -> list[Untold]:
    """What is to be told of the records of additions, in the order of the log."""
    cursor = await connection.execute(
        # One value for all the records of an addition: a row for each would cost ten times as much to read.
        "SELECT first_index, coalesce(templates, ''::bytea) AS templates, packed, facts FROM addition JOIN"
        " (SELECT addition_id, string_agg(uuid_send(generation_id) || timestamptz_send(occurred_at)"
        "   || int2send(CASE WHEN fact IS NULL THEN template ELSE -1::smallint END) || int4send(ordinal), ''::bytea"
        "   ORDER BY ordinal) AS packed, array_agg(fact ORDER BY ordinal) FILTER (WHERE fact IS NOT NULL) AS facts"
        "   FROM record WHERE addition_id = ANY(%s) GROUP BY addition_id) AS recorded USING (addition_id)"
        " ORDER BY first_index",
        (list(additions),),
        binary=True,
    )
    return [
        Untold(row["first_index"], row["templates"], row["packed"], row["facts"] or ())
        for row in await cursor.fetchall()
    ]


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
    identifier = str(row["generation_id"])
    told = row["fact"]
    if told is None:
        micros = (row["occurred_at"] - _UNIX) // timedelta(microseconds=1)
        told = fact.fill(fact.unbundle(row["templates"])[row["template"]], identifier.encode(), micros)
    return Stored(identifier, told, Place(row["origin"], row["log_index"]), personal, restricted)
