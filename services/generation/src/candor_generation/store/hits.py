"""How often features are found, by minute, in PostgreSQL: what the flood guard looks at.

Batches only append, so that no batch of one process waits for a batch of another.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from candor_kit.database import Connection

from candor_generation.domain.flood import Seen


async def count(connection: Connection, minute: datetime, counts: Mapping[str, int], screened: int) -> None:
    """Add what one batch found: generations per feature id, shadow hits too, of so many that were screened."""
    if not counts:
        await connection.execute("INSERT INTO screened (minute, generations) VALUES (%s, %s)", (minute, screened))
        return
    await connection.execute(
        "WITH batch AS (INSERT INTO screened (minute, generations) VALUES (%s, %s))"
        " INSERT INTO feature_hits (feature_id, minute, hits)"
        " SELECT feature_id, %s, hits FROM unnest(%s::text[], %s::bigint[]) AS found (feature_id, hits)",
        (minute, screened, minute, list(counts), list(counts.values())),
    )


async def seen(connection: Connection, since: datetime, least: int) -> dict[str, Seen]:
    """What was found of active features from `since` on, or from when each became active, at least `least` times."""
    cursor = await connection.execute(
        "SELECT found.feature_id, found.hits, found.since,"
        " (SELECT coalesce(sum(generations), 0) FROM screened WHERE minute >= found.since) AS generations FROM"
        " (SELECT feature.feature_id, sum(hits) AS hits,"
        "  greatest(%s, date_trunc('minute', mode_since) + interval '1 minute') AS since"
        "  FROM feature_hits JOIN feature USING (feature_id)"
        "  WHERE minute >= greatest(%s, date_trunc('minute', mode_since) + interval '1 minute')"
        "  AND state = 'admitted' AND mode = 'active' GROUP BY feature.feature_id"
        "  HAVING sum(hits) >= %s) AS found",
        (since, since, least),
    )
    return {
        row["feature_id"]: Seen(int(row["hits"]), int(row["generations"]), row["since"])
        for row in await cursor.fetchall()
    }


async def clear(connection: Connection, before: datetime) -> None:
    """Forget what no look needs any more."""
    await connection.execute("DELETE FROM feature_hits WHERE minute < %s", (before,))
    await connection.execute("DELETE FROM screened WHERE minute < %s", (before,))
