"""Table intake_signal: what outside systems report under ids of their own."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from candor_escalation.store import Connection


async def repeat(
    connection: Connection, times: Mapping[bytes, int], resolved: Mapping[bytes, datetime], at: datetime
) -> dict[bytes, str]:
    """Count repeats of what is known already; digest -> incident of those that are.

    Rows are locked in the order of their digests, so that two processes never wait for each other.
    """
    digests = sorted(times)
    cursor = await connection.execute(
        "WITH told AS (SELECT digest, times, resolved_at"
        " FROM unnest(%(digests)s::bytea[], %(times)s::bigint[], %(resolved)s::timestamptz[])"
        " AS t (digest, times, resolved_at)),"
        " locked AS (SELECT i.digest FROM intake_signal i JOIN told USING (digest) ORDER BY i.digest FOR UPDATE OF i)"
        " UPDATE intake_signal i SET times = i.times + told.times, last_at = greatest(i.last_at, %(at)s),"
        " resolved_at = coalesce(i.resolved_at, told.resolved_at)"
        " FROM told JOIN locked USING (digest) WHERE i.digest = told.digest RETURNING i.digest, i.incident_id",
        {
            "digests": digests,
            "times": [times[digest] for digest in digests],
            "resolved": [resolved.get(digest) for digest in digests],
            "at": at,
        },
    )
    return {bytes(row["digest"]): str(row["incident_id"]) for row in await cursor.fetchall()}


async def add(
    connection: Connection, digest: bytes, incident_id: str, times: int, resolved_at: datetime | None, at: datetime
) -> None:
    """Remember what was reported for the first time."""
    await connection.execute(
        "INSERT INTO intake_signal (digest, incident_id, first_at, last_at, times, resolved_at)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        (digest, incident_id, at, at, times, resolved_at),
    )


async def lock(connection: Connection, numbers: Sequence[int]) -> None:
    """Let nobody else take the same signals until the transaction ends."""
    await connection.execute(
        "SELECT pg_advisory_xact_lock(number) FROM (SELECT number FROM unnest(%s::bigint[]) AS t (number)"
        " ORDER BY number) AS ordered",
        (sorted(numbers),),
    )


async def count(connection: Connection, incident_id: str, times: int) -> None:
    """Count signals that say what is known already."""
    await connection.execute("UPDATE incident SET signals = signals + %s WHERE incident_id = %s", (times, incident_id))


async def lasting(connection: Connection, incident_id: str) -> int:
    """How many of the incident's reports their senders do not hold to be over."""
    cursor = await connection.execute(
        "SELECT count(*) AS lasting FROM intake_signal WHERE incident_id = %s AND resolved_at IS NULL", (incident_id,)
    )
    row = await cursor.fetchone()
    return int(row["lasting"]) if row else 0
