"""Table clock."""

from datetime import datetime

from candor_escalation.domain.clock import Clock
from candor_escalation.domain.incident import Anchor
from candor_escalation.store import Connection, Row

_COLUMNS = (
    "clock_id, incident_id, pack_id, pack_version, obligation_id, anchor_key, citation, recipient, missing,"
    " legal_number, anchor_name, anchor_at, anchor_evidence, strict_due, legal_latest, provisional, state, revision,"
    " started_at, stopped_at"
)


async def incident_of(connection: Connection, clock_id: str) -> str | None:
    """The incident that a clock belongs to; None when there is no such clock."""
    cursor = await connection.execute("SELECT incident_id FROM clock WHERE clock_id = %s", (clock_id,))
    row = await cursor.fetchone()
    return str(row["incident_id"]) if row else None


async def of_incident(connection: Connection, incident_id: str) -> list[Clock]:
    """The clocks of an incident, the one that falls due first in front."""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM clock WHERE incident_id = %s ORDER BY strict_due, clock_id",  # noqa: S608 - a constant
        (incident_id,),
    )
    return [_clock(row) for row in await cursor.fetchall()]


async def by_due(
    connection: Connection, *, running_only: bool, limit: int, after: tuple[datetime, str] | None
) -> list[Clock]:
    """Clocks, the one that falls due first in front, from after the one that ``after`` tells."""
    at, identifier = after or (None, None)
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM clock"  # noqa: S608 - a constant
        " WHERE (NOT %(running_only)s OR state = 'running')"
        " AND (%(at)s::timestamptz IS NULL OR (strict_due, clock_id) > (%(at)s, %(id)s::uuid))"
        " ORDER BY strict_due, clock_id LIMIT %(limit)s",
        {"running_only": running_only, "at": at, "id": identifier, "limit": limit},
    )
    return [_clock(row) for row in await cursor.fetchall()]


async def insert(connection: Connection, clock: Clock) -> None:
    """Add a clock that starts."""
    await connection.execute(
        f"INSERT INTO clock ({_COLUMNS}) VALUES ({', '.join(['%s'] * 20)})",  # noqa: S608 - constants
        (
            clock.clock_id, clock.incident_id, clock.pack_id, clock.pack_version, clock.obligation_id, clock.anchor_key,
            clock.citation, clock.recipient, list(clock.missing), clock.legal_number, clock.anchor.name,
            clock.anchor.at, clock.anchor.evidence, clock.strict_due, clock.legal_latest, clock.provisional,
            clock.state, clock.revision, clock.started_at, clock.stopped_at,
        ),
    )  # fmt: skip


async def update(connection: Connection, clock: Clock) -> None:
    """Write what can change of a clock."""
    await connection.execute(
        "UPDATE clock SET pack_version = %s, citation = %s, recipient = %s, missing = %s, legal_number = %s,"
        " anchor_name = %s, anchor_at = %s, anchor_evidence = %s, strict_due = %s, legal_latest = %s, provisional = %s,"
        " state = %s, revision = %s, stopped_at = %s WHERE clock_id = %s",
        (
            clock.pack_version, clock.citation, clock.recipient, list(clock.missing), clock.legal_number,
            clock.anchor.name, clock.anchor.at, clock.anchor.evidence, clock.strict_due, clock.legal_latest,
            clock.provisional, clock.state, clock.revision, clock.stopped_at, clock.clock_id,
        ),
    )  # fmt: skip


def _clock(row: Row) -> Clock:
    return Clock(
        clock_id=str(row["clock_id"]),
        incident_id=str(row["incident_id"]),
        pack_id=row["pack_id"],
        pack_version=row["pack_version"],
        obligation_id=row["obligation_id"],
        citation=row["citation"],
        recipient=row["recipient"],
        anchor_key=row["anchor_key"],
        missing=tuple(row["missing"]),
        legal_number=row["legal_number"],
        anchor=Anchor(row["anchor_name"], row["anchor_at"], row["anchor_evidence"]),
        strict_due=row["strict_due"],
        legal_latest=row["legal_latest"],
        provisional=row["provisional"],
        state=row["state"],
        revision=row["revision"],
        started_at=row["started_at"],
        stopped_at=row["stopped_at"],
    )
