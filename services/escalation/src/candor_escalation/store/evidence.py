"""Tables evidence and evidence_hold: the generations that an incident rests on, held until the law lets them go."""

from collections.abc import Sequence
from datetime import datetime

from candor_escalation.domain.evidence import Hold
from candor_escalation.store import Connection, Row

_COLUMNS = "h.incident_id, h.hold_id, h.held_until, h.release_at, h.released_at, h.failures"


async def add(connection: Connection, incident_id: str, generation_id: str, hold_id: str) -> None:
    """A generation is evidence: it is to be held under the incident's hold, if it has none yet under ``hold_id``."""
    cursor = await connection.execute(
        "INSERT INTO evidence (incident_id, generation_id) VALUES (%s, %s) ON CONFLICT DO NOTHING",
        (incident_id, generation_id),
    )
    if cursor.rowcount:
        await connection.execute(
            "INSERT INTO evidence_hold (incident_id, hold_id, due_at) VALUES (%s, %s, clock_timestamp())"
            " ON CONFLICT (incident_id) DO UPDATE SET due_at = least(evidence_hold.due_at, excluded.due_at)"
            " WHERE evidence_hold.failures = 0",
            (incident_id, hold_id),
        )


async def decide(connection: Connection, incident_id: str, generation_id: str, *, upheld: bool) -> tuple[int, int, int]:
    """What a person decided about a generation; how many there are, how many were upheld, how many released."""
    await connection.execute(
        "UPDATE evidence SET upheld = %s WHERE incident_id = %s AND generation_id = %s",
        (upheld, incident_id, generation_id),
    )
    cursor = await connection.execute(
        "SELECT count(*) AS total, count(*) FILTER (WHERE upheld) AS upheld,"
        " count(*) FILTER (WHERE NOT upheld) AS released FROM evidence WHERE incident_id = %s",
        (incident_id,),
    )
    row = await cursor.fetchone()
    return (row["total"], row["upheld"], row["released"]) if row else (0, 0, 0)


async def generations(connection: Connection, incident_id: str) -> list[str]:
    """The generations that an incident rests on."""
    cursor = await connection.execute("SELECT generation_id FROM evidence WHERE incident_id = %s", (incident_id,))
    return [str(row["generation_id"]) for row in await cursor.fetchall()]


async def close(connection: Connection, incident_id: str, release_at: datetime) -> None:
    """Let the hold of a closed incident be released when the law lets it."""
    await connection.execute(
        "UPDATE evidence_hold SET release_at = %s, due_at = least(due_at, %s)"
        " WHERE incident_id = %s AND released_at IS NULL",
        (release_at, release_at, incident_id),
    )


async def reopen(connection: Connection, incident_id: str, hold_id: str) -> None:
    """Hold on: the incident is open again. What was let go is held again under ``hold_id``, as far as it is there."""
    await connection.execute(
        "UPDATE evidence SET held = false WHERE incident_id = %s AND EXISTS (SELECT 1 FROM evidence_hold h"
        " WHERE h.incident_id = evidence.incident_id AND h.released_at IS NOT NULL)",
        (incident_id,),
    )
    await connection.execute(
        "UPDATE evidence_hold SET release_at = NULL, released_at = NULL,"
        " hold_id = CASE WHEN released_at IS NULL THEN hold_id ELSE %s END,"
        " held_until = CASE WHEN released_at IS NULL THEN held_until END,"
        " due_at = CASE WHEN released_at IS NULL THEN due_at ELSE clock_timestamp() END WHERE incident_id = %s",
        (hold_id, incident_id),
    )


async def lease(connection: Connection, seconds: float) -> Hold | None:
    """A hold about which generation has to be told something, claimed for a while; None when there is none."""
    cursor = await connection.execute(
        "UPDATE evidence_hold h SET due_at = clock_timestamp() + make_interval(secs => %s) WHERE h.incident_id = ("  # noqa: S608
        "SELECT incident_id FROM evidence_hold WHERE released_at IS NULL AND due_at <= clock_timestamp()"
        " ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)"
        f" RETURNING {_COLUMNS}",
        (seconds,),
    )
    row = await cursor.fetchone()
    return _hold(row) if row else None


async def waiting(connection: Connection, incident_id: str, limit: int) -> list[str]:
    """Generations that are not held yet."""
    cursor = await connection.execute(
        "SELECT generation_id FROM evidence WHERE incident_id = %s AND NOT held ORDER BY generation_id LIMIT %s",
        (incident_id, limit),
    )
    return [str(row["generation_id"]) for row in await cursor.fetchall()]


async def any_of(connection: Connection, incident_id: str) -> list[str]:
    """One generation of the incident: prolonging a hold has to name one."""
    cursor = await connection.execute(
        "SELECT generation_id FROM evidence WHERE incident_id = %s LIMIT 1", (incident_id,)
    )
    return [str(row["generation_id"]) for row in await cursor.fetchall()]


async def held(connection: Connection, hold: Hold, generation_ids: Sequence[str], until: datetime) -> None:
    """Generation holds these until then."""
    await connection.execute(
        "UPDATE evidence SET held = true WHERE incident_id = %s AND generation_id = ANY(%s::uuid[])",
        (hold.incident_id, list(generation_ids)),
    )
    await connection.execute(
        "UPDATE evidence_hold SET held_until = %s, failures = 0 WHERE incident_id = %s", (until, hold.incident_id)
    )


async def released(connection: Connection, hold: Hold, at: datetime) -> bool:
    """Generation let go; False where the incident was opened again meanwhile."""
    cursor = await connection.execute(
        "UPDATE evidence_hold SET released_at = %s, failures = 0 WHERE incident_id = %s AND release_at IS NOT NULL",
        (at, hold.incident_id),
    )
    return cursor.rowcount > 0


async def failed(connection: Connection, hold: Hold, seconds: float) -> None:
    """Generation did not do it: ask again later."""
    await connection.execute(
        "UPDATE evidence_hold SET failures = failures + 1, due_at = clock_timestamp() + make_interval(secs => %s)"
        " WHERE incident_id = %s",
        (seconds, hold.incident_id),
    )


async def anew(connection: Connection, hold: Hold, hold_id: str) -> None:
    """The hold was ended: everything is to be held again, under another."""
    await connection.execute("UPDATE evidence SET held = false WHERE incident_id = %s", (hold.incident_id,))
    await connection.execute(
        "UPDATE evidence_hold SET hold_id = %s, held_until = NULL, due_at = clock_timestamp() WHERE incident_id = %s",
        (hold_id, hold.incident_id),
    )


async def next_due(connection: Connection, hold: Hold, at: datetime) -> None:
    """When something has to be told again; at once while generations wait."""
    await connection.execute(
        "UPDATE evidence_hold h SET due_at = CASE WHEN EXISTS (SELECT 1 FROM evidence e"
        " WHERE e.incident_id = h.incident_id AND NOT e.held) THEN clock_timestamp()"
        " ELSE least(%s, coalesce(h.release_at, %s)) END WHERE h.incident_id = %s",
        (at, at, hold.incident_id),
    )


async def of_incident(connection: Connection, incident_id: str) -> Hold | None:
    """The incident's hold; None when it rests on no generation."""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM evidence_hold h WHERE h.incident_id = %s",  # noqa: S608 - a constant
        (incident_id,),
    )
    row = await cursor.fetchone()
    return _hold(row) if row else None


def _hold(row: Row) -> Hold:
    return Hold(
        incident_id=str(row["incident_id"]),
        hold_id=str(row["hold_id"]),
        held_until=row["held_until"],
        release_at=row["release_at"],
        released_at=row["released_at"],
        failures=row["failures"],
    )
