"""Table milestone. What is due is decided by the database's clock, never by a process's."""

from collections.abc import Sequence

from candor_escalation.domain.milestone import Milestone
from candor_escalation.store import Connection, Row, add

_COLUMNS = (
    "m.clock_id, m.incident_id, m.kind, m.revision, m.due_at, m.reached_at,"
    " (SELECT i.drill FROM incident i WHERE i.incident_id = m.incident_id) AS drill"
)


async def insert(connection: Connection, milestones: Sequence[Milestone]) -> None:
    """Add the milestones of clocks that start or are counted anew."""
    rows = [
        {
            "clock_id": milestone.clock_id, "kind": milestone.kind, "revision": milestone.revision,
            "incident_id": milestone.incident_id, "due_at": milestone.due_at, "state": "pending",
        }
        for milestone in milestones
    ]  # fmt: skip
    await add(connection, "milestone", rows)


async def cancel(connection: Connection, clock_id: str) -> None:
    """Let what is still to come of a clock never be reached."""
    await connection.execute(
        "UPDATE milestone SET state = 'cancelled' WHERE clock_id = %s AND state = 'pending'", (clock_id,)
    )


async def of_incident(connection: Connection, incident_id: str) -> list[Milestone]:
    """The milestones that were reached or are to come, by due date."""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM milestone m"  # noqa: S608 - a constant
        " WHERE m.incident_id = %s AND m.state <> 'cancelled' ORDER BY m.due_at, m.kind",
        (incident_id,),
    )
    return [_milestone(row) for row in await cursor.fetchall()]


async def of_clocks(connection: Connection, clock_ids: Sequence[str]) -> list[Milestone]:
    """The milestones of several clocks that were reached or are to come, by due date."""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM milestone m"  # noqa: S608 - a constant
        " WHERE m.clock_id = ANY(%s::uuid[]) AND m.state <> 'cancelled' ORDER BY m.due_at, m.kind",
        (list(clock_ids),),
    )
    return [_milestone(row) for row in await cursor.fetchall()]


async def reach(connection: Connection, limit: int) -> list[Milestone]:
    """Mark what is due as reached, at most ``limit``, with its incident locked; what another process holds is skipped.

    Whoever locks here waits for nobody, so two sweepers cannot come to block each other.
    """
    cursor = await connection.execute(
        "WITH due AS (SELECT d.clock_id, d.kind, d.revision FROM milestone d JOIN incident i USING (incident_id)"  # noqa: S608
        " WHERE d.state = 'pending' AND d.due_at <= clock_timestamp()"
        " ORDER BY d.due_at LIMIT %s FOR UPDATE OF d, i SKIP LOCKED)"
        " UPDATE milestone m SET state = 'reached', reached_at = clock_timestamp() FROM due"
        " WHERE (m.clock_id, m.kind, m.revision) = (due.clock_id, due.kind, due.revision)"
        f" RETURNING {_COLUMNS}",
        (limit,),
    )
    return sorted((_milestone(row) for row in await cursor.fetchall()), key=lambda milestone: milestone.due_at)


async def seconds_to_next(connection: Connection) -> float | None:
    """How long until the next milestone or unanswered page falls due; None when nothing is to come."""
    cursor = await connection.execute(
        "SELECT extract(epoch FROM least("
        "(SELECT min(due_at) FROM milestone WHERE state = 'pending'),"
        "(SELECT min(answer_by) FROM page WHERE state = 'sent')"
        ") - clock_timestamp())::float8 AS seconds"
    )
    row = await cursor.fetchone()
    return row["seconds"] if row else None


def _milestone(row: Row) -> Milestone:
    return Milestone(
        clock_id=str(row["clock_id"]),
        incident_id=str(row["incident_id"]),
        kind=row["kind"],
        revision=row["revision"],
        due_at=row["due_at"],
        reached_at=row["reached_at"],
        drill=row["drill"],
    )
