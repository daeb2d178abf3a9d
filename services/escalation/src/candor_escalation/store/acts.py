"""Table act, and what was recorded of an incident beside its acts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from candor_escalation.store import Connection, Row, add

_COLUMNS = "act_number, incident_id, fact_id, type, value, recorded_at"
_MOST_NOTES = 1000


@dataclass(frozen=True)
class Act:
    """A fact that tells of an incident. ``value`` is what it says, as protobuf and without a subject."""

    incident_id: str
    fact_id: str
    type: str
    value: bytes
    recorded_at: datetime


@dataclass(frozen=True)
class Numbered:
    """An act with its place in the order of all acts."""

    number: int
    act: Act


@dataclass(frozen=True)
class Note:
    """A signal (``name``: its origin, ``at``: None) or an anchor, as it was recorded."""

    kind: str
    name: str
    at: datetime | None
    evidence: str
    recorded_at: datetime
    recorded_by: str
    source: str


async def insert(connection: Connection, acts: Sequence[Act]) -> None:
    """Append acts in their order."""
    rows = [
        {
            "incident_id": act.incident_id, "fact_id": act.fact_id, "type": act.type, "value": act.value,
            "recorded_at": act.recorded_at,
        }
        for act in acts
    ]  # fmt: skip
    await add(connection, "act", rows)


async def of_incident(connection: Connection, incident_id: str, *, after: int, limit: int) -> list[Numbered]:
    """The acts of an incident in order, from after a number. Who adds one holds the incident's lock."""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM act WHERE incident_id = %s AND act_number > %s"  # noqa: S608 - a constant
        " ORDER BY act_number LIMIT %s",
        (incident_id, after, limit),
    )
    return [_numbered(row) for row in await cursor.fetchall()]


async def latest(connection: Connection, limit: int) -> list[Numbered]:
    """The latest acts, the newest in front."""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM act ORDER BY act_number DESC LIMIT %s",  # noqa: S608 - a constant
        (limit,),
    )
    return [_numbered(row) for row in await cursor.fetchall()]


async def notes(connection: Connection, incident_id: str) -> list[Note]:
    """The signals and anchors of an incident in the order in which they were recorded."""
    cursor = await connection.execute(
        "(SELECT 'signal' AS kind, reference AS name, NULL::timestamptz AS at, '' AS evidence, recorded_at,"
        " recorded_by, source, signal_number AS number FROM signal WHERE incident_id = %(incident_id)s"
        " ORDER BY signal_number LIMIT %(most)s)"
        " UNION ALL"
        " (SELECT 'anchor', name, at, evidence, recorded_at, recorded_by, source, anchor_number FROM anchor"
        " WHERE incident_id = %(incident_id)s ORDER BY anchor_number LIMIT %(most)s)"
        " ORDER BY recorded_at, kind DESC, number",
        {"incident_id": incident_id, "most": _MOST_NOTES},
    )
    return [_note(row) for row in await cursor.fetchall()]


def _numbered(row: Row) -> Numbered:
    act = Act(str(row["incident_id"]), str(row["fact_id"]), row["type"], bytes(row["value"]), row["recorded_at"])
    return Numbered(row["act_number"], act)


def _note(row: Row) -> Note:
    return Note(
        kind=row["kind"],
        name=row["name"],
        at=row["at"],
        evidence=row["evidence"],
        recorded_at=row["recorded_at"],
        recorded_by=row["recorded_by"],
        source=row["source"],
    )
