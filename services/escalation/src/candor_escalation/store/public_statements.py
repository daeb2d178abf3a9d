"""Table public_statement: the queue to the DSA Transparency Database, and its receipts."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg.types.json import Jsonb

from candor_escalation.domain.dsa_schema import Body
from candor_escalation.store import Connection, Row

_COLUMNS = "disposal_id, body, state, attempts, uuid, permalink, received_at, last_error"


@dataclass(frozen=True)
class Public:
    """One public statement: "queued", "received" or "refused"."""

    disposal_id: str
    body: Body
    state: str
    attempts: int
    uuid: str
    permalink: str
    received_at: datetime | None
    last_error: str


async def queue(connection: Connection, disposal_id: str, body: Body, at: datetime) -> None:
    """Queue a statement that was checked."""
    await connection.execute(
        "INSERT INTO public_statement (disposal_id, body, state, queued_at, not_before)"
        " VALUES (%s, %s, 'queued', %s, clock_timestamp())",
        (disposal_id, Jsonb(body), at),
    )


async def lease(connection: Connection, most: int, seconds: float) -> list[Public]:
    """Take statements that are due by the database's clock; for so long no other process takes them."""
    cursor = await connection.execute(
        "UPDATE public_statement SET attempts = attempts + 1, not_before = clock_timestamp() + %s"  # noqa: S608 - constants
        " WHERE disposal_id IN (SELECT disposal_id FROM public_statement WHERE state = 'queued'"
        " AND not_before <= clock_timestamp() ORDER BY not_before LIMIT %s FOR UPDATE SKIP LOCKED)"
        f" RETURNING {_COLUMNS}",
        (timedelta(seconds=seconds), most),
    )
    return [_public(row) for row in await cursor.fetchall()]


async def received(connection: Connection, disposal_id: str, uuid: str, permalink: str, at: datetime) -> bool:
    """Keep the receipt; whether it is the first."""
    cursor = await connection.execute(
        "UPDATE public_statement SET state = 'received', uuid = %s, permalink = %s, received_at = %s, last_error = ''"
        " WHERE disposal_id = %s AND state <> 'received'",
        (uuid, permalink, at, disposal_id),
    )
    return cursor.rowcount == 1


async def refused(connection: Connection, disposal_id: str, error: str) -> None:
    """Say that the database will not take it; a person must look."""
    await connection.execute(
        "UPDATE public_statement SET state = 'refused', last_error = %s WHERE disposal_id = %s AND state = 'queued'",
        (error, disposal_id),
    )


async def later(connection: Connection, disposal_id: str, error: str, seconds: float) -> None:
    """Try again after so many seconds."""
    await connection.execute(
        "UPDATE public_statement SET not_before = clock_timestamp() + %s, last_error = %s"
        " WHERE disposal_id = %s AND state = 'queued'",
        (timedelta(seconds=seconds), error, disposal_id),
    )


async def find(connection: Connection, disposal_id: str) -> Public | None:
    """The public statement of a disposal; None when there is none."""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM public_statement WHERE disposal_id = %s",  # noqa: S608 - constants
        (disposal_id,),
    )
    row = await cursor.fetchone()
    return _public(row) if row else None


async def count_unsent(connection: Connection) -> dict[str, int]:
    """How many statements are queued, and how many were refused."""
    cursor = await connection.execute(
        "SELECT count(*) FILTER (WHERE state = 'queued') AS queued, count(*) FILTER (WHERE state = 'refused')"
        " AS refused FROM public_statement WHERE state <> 'received'"
    )
    return dict(await cursor.fetchone() or {})


def _public(row: Row) -> Public:
    return Public(**{**row, "disposal_id": str(row["disposal_id"])})
