"""SQL to domain and back. Whoever changes an incident or what belongs to it has locked the incident first."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, LiteralString

import orjson
from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

Row = dict[str, Any]
Connection = AsyncConnection[Row]


async def now(connection: Connection) -> datetime:
    """The database's own instant: what is due is measured by it, so that no machine's clock can delay a page."""
    cursor = await connection.execute("SELECT clock_timestamp() AS now")
    row = await cursor.fetchone()
    if row is None:
        raise AssertionError("a SELECT without FROM gives one row")
    at: datetime = row["now"]
    return at


async def add(connection: Connection, table: LiteralString, rows: Sequence[Mapping[str, object]]) -> None:
    """Add rows to a table, in order and by one statement. Each is column -> value, all with the columns of the first.

    No value may be a JSON null that is meant as one: it becomes the NULL of SQL.
    """
    if not rows:
        return
    columns = ", ".join(rows[0])
    await connection.execute(
        f"INSERT INTO {table} ({columns}) SELECT {columns} FROM jsonb_populate_recordset(NULL::{table}, %s)",  # noqa: S608 - names of our own
        (Jsonb(rows, dumps=_DUMPS),),
    )


def _plain(value: object) -> str:
    """What JSON has no word for, as PostgreSQL reads it from a text."""
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    raise TypeError(f"{type(value).__name__} is no column's value")


_DUMPS = partial(orjson.dumps, default=_plain)
