"""Tables incident, incident_source, signal, fact, anchor."""

from collections.abc import Collection, Sequence
from datetime import datetime

from psycopg.types.json import Jsonb

from candor_escalation.domain.anchor import Entry
from candor_escalation.domain.incident import OPEN, Fact, Incident, Signal, correlation_lock
from candor_escalation.store import Connection, Row

_COLUMNS = (
    "incident_id, kind, title, correlation_key, state, opened_at, closed_at, signals, closed_by, close_reason, drill"
)


async def lock_open(connection: Connection, kind: str, key: str) -> Incident | None:
    """The open incident of a kind and key, locked; while there is none, nobody else can open it."""
    await connection.execute("SELECT pg_advisory_xact_lock(%s)", (correlation_lock(kind, key),))
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM incident"  # noqa: S608 - a constant
        " WHERE kind = %s AND correlation_key = %s AND state = %s FOR UPDATE",
        (kind, key, OPEN),
    )
    row = await cursor.fetchone()
    return _incident(row) if row else None


async def lock(connection: Connection, incident_id: str) -> Incident | None:
    """The incident, locked until the transaction ends; None when there is none."""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM incident WHERE incident_id = %s FOR UPDATE",  # noqa: S608 - a constant
        (incident_id,),
    )
    row = await cursor.fetchone()
    return _incident(row) if row else None


async def find(connection: Connection, incident_id: str) -> Incident | None:
    """The incident; None when there is none."""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM incident WHERE incident_id = %s",  # noqa: S608 - a constant
        (incident_id,),
    )
    row = await cursor.fetchone()
    return _incident(row) if row else None


async def of_ids(connection: Connection, incident_ids: Collection[str]) -> dict[str, Incident]:
    """Incident id -> the incident, of those that there are."""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM incident WHERE incident_id = ANY(%s::uuid[])",  # noqa: S608 - a constant
        (list(incident_ids),),
    )
    return {incident.incident_id: incident for incident in map(_incident, await cursor.fetchall())}


async def latest(
    connection: Connection, *, open_only: bool, limit: int, before: tuple[datetime, str] | None
) -> list[Incident]:
    """Incidents, the latest in front, from after the one that ``before`` tells."""
    at, identifier = before or (None, None)
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM incident"  # noqa: S608 - a constant
        " WHERE (NOT %(open_only)s OR state = 'open')"
        " AND (%(at)s::timestamptz IS NULL OR (opened_at, incident_id) < (%(at)s, %(id)s::uuid))"
        " ORDER BY opened_at DESC, incident_id DESC LIMIT %(limit)s",
        {"open_only": open_only, "at": at, "id": identifier, "limit": limit},
    )
    return [_incident(row) for row in await cursor.fetchall()]


async def insert(connection: Connection, incident: Incident) -> None:
    """Add a new incident."""
    await connection.execute(
        "INSERT INTO incident (incident_id, kind, title, correlation_key, state, opened_at, signals, drill)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        (
            incident.incident_id, incident.kind, incident.title, incident.correlation_key, incident.state,
            incident.opened_at, incident.signals, incident.drill,
        ),
    )  # fmt: skip


async def update(connection: Connection, incident: Incident) -> None:
    """Write what can change of an incident."""
    await connection.execute(
        "UPDATE incident SET state = %s, closed_at = %s, signals = %s, closed_by = %s, close_reason = %s"
        " WHERE incident_id = %s",
        (
            incident.state, incident.closed_at, incident.signals, incident.closed_by, incident.close_reason,
            incident.incident_id,
        ),
    )  # fmt: skip


async def open_ids(connection: Connection, after: str | None, limit: int) -> list[str]:
    """The open incidents in the order of their ids, from after one."""
    cursor = await connection.execute(
        "SELECT incident_id FROM incident WHERE state = %s AND (%s::uuid IS NULL OR incident_id > %s::uuid)"
        " ORDER BY incident_id LIMIT %s",
        (OPEN, after, after, limit),
    )
    return [str(row["incident_id"]) for row in await cursor.fetchall()]


async def of_reference(connection: Connection, kind: str, reference: str) -> str | None:
    """The incident of a kind that a signal about something was read into last; None when there is none."""
    cursor = await connection.execute(
        "SELECT i.incident_id FROM signal s JOIN incident i USING (incident_id)"
        " WHERE s.reference = %s AND s.reference <> '' AND i.kind = %s ORDER BY s.signal_number DESC LIMIT 1",
        (reference, kind),
    )
    row = await cursor.fetchone()
    return str(row["incident_id"]) if row else None


async def repeats(connection: Connection, incident_id: str, source: str, digest: bytes) -> bool:
    """Whether a source says exactly what it said last; remembers what it says now."""
    cursor = await connection.execute(
        "INSERT INTO incident_source AS known (incident_id, source, digest) VALUES (%s, %s, %s)"
        " ON CONFLICT (incident_id, source) DO UPDATE SET digest = excluded.digest"
        " WHERE known.digest <> excluded.digest RETURNING 1 AS new",
        (incident_id, source, digest),
    )
    return await cursor.fetchone() is None


async def add_signal(connection: Connection, incident_id: str, signal: Signal, by: str, at: datetime) -> None:
    """Append what was read into the incident."""
    await connection.execute(
        "INSERT INTO signal (incident_id, recorded_at, recorded_by, source, reference) VALUES (%s, %s, %s, %s, %s)",
        (incident_id, at, by, signal.source, signal.reference),
    )


async def facts(connection: Connection, incident_id: str) -> list[Fact]:
    """What was ever known of the incident, in the order it was recorded."""
    cursor = await connection.execute(
        "SELECT name, value, recorded_at, recorded_by, source, reason FROM fact WHERE incident_id = %s"
        " ORDER BY fact_number",
        (incident_id,),
    )
    return [
        Fact(row["name"], row["value"], row["recorded_at"], row["recorded_by"], row["source"], row["reason"])
        for row in await cursor.fetchall()
    ]


async def add_facts(connection: Connection, incident_id: str, added: Sequence[Fact]) -> None:
    """Append facts."""
    for fact in added:
        await connection.execute(
            "INSERT INTO fact (incident_id, name, value, recorded_at, recorded_by, source, reason)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            (incident_id, fact.name, Jsonb(fact.value), fact.recorded_at, fact.recorded_by, fact.source, fact.reason),
        )


async def anchors(connection: Connection, incident_id: str) -> list[Entry]:
    """Everything that was ever said about the incident's anchors, in the order it was recorded."""
    cursor = await connection.execute(
        "SELECT name, at, evidence, act, reason, recorded_at, recorded_by, source FROM anchor WHERE incident_id = %s"
        " ORDER BY anchor_number",
        (incident_id,),
    )
    return [
        Entry(
            row["name"], row["at"], row["evidence"], row["act"], row["reason"], row["recorded_at"], row["recorded_by"],
            row["source"],
        )
        for row in await cursor.fetchall()
    ]  # fmt: skip


async def add_anchors(connection: Connection, incident_id: str, added: Sequence[Entry]) -> None:
    """Append what is said about anchors."""
    for entry in added:
        await connection.execute(
            "INSERT INTO anchor (incident_id, name, at, evidence, act, reason, recorded_at, recorded_by, source)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                incident_id, entry.name, entry.at, entry.evidence, entry.act, entry.reason, entry.recorded_at,
                entry.recorded_by, entry.source,
            ),
        )  # fmt: skip


def _incident(row: Row) -> Incident:
    return Incident(
        incident_id=str(row["incident_id"]),
        kind=row["kind"],
        title=row["title"],
        correlation_key=row["correlation_key"],
        state=row["state"],
        opened_at=row["opened_at"],
        signals=row["signals"],
        closed_at=row["closed_at"],
        closed_by=row["closed_by"],
        close_reason=row["close_reason"],
        drill=row["drill"],
    )
