"""Table drill."""

from datetime import datetime

from candor_escalation.domain.drill import Drill
from candor_escalation.store import Connection, Row

_COLUMNS = "incident_id, scenario, started_by, entry_id"


async def insert(connection: Connection, drill: Drill, at: datetime) -> None:
    """Add a drill that starts."""
    await connection.execute(
        "INSERT INTO drill (incident_id, scenario, started_by, started_at) VALUES (%s, %s, %s, %s)",
        (drill.incident_id, drill.scenario, drill.started_by, at),
    )


async def ended(connection: Connection, drill: Drill) -> None:
    """Write where the result of a drill stands that is over."""
    await connection.execute(
        "UPDATE drill SET entry_id = %s WHERE incident_id = %s", (drill.entry_id, drill.incident_id)
    )


async def find(connection: Connection, incident_id: str) -> Drill | None:
    """The drill; None when there is none."""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM drill WHERE incident_id = %s",  # noqa: S608 - a constant
        (incident_id,),
    )
    row = await cursor.fetchone()
    return _drill(row) if row else None


async def latest(connection: Connection, limit: int, before: tuple[datetime, str] | None) -> list[Drill]:
    """Drills, the latest in front, from after the one that ``before`` tells."""
    at, identifier = before or (None, None)
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM drill"  # noqa: S608 - a constant
        " WHERE (%(at)s::timestamptz IS NULL OR (started_at, incident_id) < (%(at)s, %(id)s::uuid))"
        " ORDER BY started_at DESC, incident_id DESC LIMIT %(limit)s",
        {"at": at, "id": identifier, "limit": limit},
    )
    return [_drill(row) for row in await cursor.fetchall()]


def _drill(row: Row) -> Drill:
    entry_id = row["entry_id"]
    return Drill(str(row["incident_id"]), row["scenario"], row["started_by"], str(entry_id) if entry_id else "")
