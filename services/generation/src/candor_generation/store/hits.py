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
    # Summed first, joined then: batches leave thousands of rows, and the library may hold tens of thousands.
    cursor = await connection.execute(
        "WITH recent AS MATERIALIZED (SELECT feature_id, minute, sum(hits) AS hits FROM feature_hits"
        "   WHERE minute >= %(since)s GROUP BY feature_id, minute),"
        " total AS MATERIALIZED (SELECT minute, sum(generations) AS generations FROM screened"
        "   WHERE minute >= %(since)s GROUP BY minute),"
        " often AS MATERIALIZED (SELECT feature_id,"
        "   greatest(%(since)s, date_trunc('minute', mode_since) + interval '1 minute') AS since FROM feature"
        "   WHERE feature_id = ANY(ARRAY(SELECT feature_id FROM recent GROUP BY feature_id"
        "     HAVING sum(hits) >= %(least)s)) AND state = 'admitted' AND mode = 'active')"
        " SELECT feature_id, since, sum(hits) AS hits,"
        " (SELECT coalesce(sum(generations), 0) FROM total WHERE minute >= often.since) AS generations"
        " FROM often JOIN recent USING (feature_id) WHERE minute >= since GROUP BY feature_id, since"
        " HAVING sum(hits) >= %(least)s",
        {"since": since, "least": least},
    )
    return {
        row["feature_id"]: Seen(int(row["hits"]), int(row["generations"]), row["since"])
        for row in await cursor.fetchall()
    }


async def clear(connection: Connection, before: datetime) -> None:
    """Forget what no look needs any more."""
    await connection.execute("DELETE FROM feature_hits WHERE minute < %s", (before,))
    await connection.execute("DELETE FROM screened WHERE minute < %s", (before,))
