"""SQL to domain and back. Whoever changes an incident or what belongs to it has locked the incident first."""

from datetime import datetime
from typing import Any

from psycopg import AsyncConnection

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
