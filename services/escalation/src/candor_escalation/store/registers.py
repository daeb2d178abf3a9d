"""Tables register_entry, register_notice."""

from collections.abc import Sequence
from datetime import datetime

from psycopg.types.json import Jsonb

from candor_escalation.domain.register import Entry
from candor_escalation.store import Connection, Row

_COLUMNS = (
    "e.entry_id, e.register, e.version, e.title, e.product, e.state, e.fields, e.evidence_sha256, e.valid_until,"
    " e.recorded_at, e.recorded_by, e.incident_id"
)
_NOW = "NOT EXISTS (SELECT FROM register_entry n WHERE n.entry_id = e.entry_id AND n.version > e.version)"
"""The version an entry has now."""


async def lock(connection: Connection, entry_id: str) -> Entry | None:
    """The entry as it is now; until the transaction ends nobody else adds a version. None when there is none."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 6))", (entry_id,))
    found = await versions(connection, entry_id)
    return found[0] if found else None


async def versions(connection: Connection, entry_id: str) -> list[Entry]:
    """Every version of an entry, the latest in front."""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM register_entry e WHERE e.entry_id = %s ORDER BY e.version DESC",  # noqa: S608
        (entry_id,),
    )
    return [_entry(row) for row in await cursor.fetchall()]


async def of_product(connection: Connection, product: str) -> list[Entry]:
    """Every entry about a product as it is now."""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM register_entry e WHERE e.product = %s AND {_NOW}",  # noqa: S608 - constants
        (product,),
    )
    return [_entry(row) for row in await cursor.fetchall()]


async def in_state(connection: Connection, register: str, states: Sequence[str]) -> list[Entry]:
    """The entries of a register that are now in one of the states, by product and title."""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM register_entry e"  # noqa: S608 - constants
        f" WHERE e.register = %s AND e.state = ANY(%s) AND {_NOW} ORDER BY e.product, e.title, e.entry_id",
        (register, list(states)),
    )
    return [_entry(row) for row in await cursor.fetchall()]


async def latest(connection: Connection, register: str, limit: int, before: tuple[datetime, str] | None) -> list[Entry]:
    """The entries of a register as they are now, the latest in front, from after the one that ``before`` tells."""
    at, identifier = before or (None, None)
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM register_entry e WHERE e.register = %(register)s AND {_NOW}"  # noqa: S608 - constants
        " AND (%(at)s::timestamptz IS NULL OR (e.recorded_at, e.entry_id) < (%(at)s, %(id)s::uuid))"
        " ORDER BY e.recorded_at DESC, e.entry_id DESC LIMIT %(limit)s",
        {"register": register, "at": at, "id": identifier, "limit": limit},
    )
    return [_entry(row) for row in await cursor.fetchall()]


async def run_out_by(connection: Connection, until: datetime, limit: int) -> list[Entry]:
    """Entries that cease to hold by an instant, of which nobody was told yet; what another process holds is skipped."""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM register_entry e WHERE e.valid_until <= %s AND {_NOW}"  # noqa: S608 - constants
        " AND NOT EXISTS (SELECT FROM register_notice t WHERE t.entry_id = e.entry_id AND t.version = e.version)"
        " ORDER BY e.valid_until LIMIT %s FOR UPDATE SKIP LOCKED",
        (until, limit),
    )
    return [_entry(row) for row in await cursor.fetchall()]


async def told(connection: Connection, entry: Entry, at: datetime) -> None:
    """Remember that somebody was told that this version runs out."""
    await connection.execute(
        "INSERT INTO register_notice (entry_id, version, told_at) VALUES (%s, %s, %s)",
        (entry.entry_id, entry.version, at),
    )


async def insert(connection: Connection, entry: Entry) -> None:
    """Append a version."""
    await connection.execute(
        "INSERT INTO register_entry (entry_id, register, version, title, product, state, fields, evidence_sha256,"
        " valid_until, recorded_at, recorded_by, incident_id) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            entry.entry_id, entry.register, entry.version, entry.title, entry.product, entry.state,
            Jsonb(dict(entry.fields)), entry.evidence_sha256, entry.valid_until, entry.recorded_at, entry.recorded_by,
            entry.incident_id,
        ),
    )  # fmt: skip


def _entry(row: Row) -> Entry:
    return Entry(
        entry_id=str(row["entry_id"]),
        register=row["register"],
        version=row["version"],
        title=row["title"],
        product=row["product"],
        state=row["state"],
        fields=row["fields"],
        recorded_at=row["recorded_at"],
        recorded_by=row["recorded_by"],
        evidence_sha256=bytes(row["evidence_sha256"]),
        valid_until=row["valid_until"],
        incident_id=str(row["incident_id"]) if row["incident_id"] else None,
    )
