"""Tables clock and clock_revision."""

from collections.abc import Collection, Sequence
from datetime import datetime

from candor_escalation.domain.clock import Clock
from candor_escalation.domain.history import Revision
from candor_escalation.domain.incident import Anchor
from candor_escalation.store import Connection, Row, add

_COLUMNS = (
    "clock_id, incident_id, pack_id, pack_version, obligation_id, anchor_key, citation, recipient, missing,"
    " legal_number, anchor_name, anchor_at, anchor_evidence, strict_due, legal_latest, provisional, state, revision,"
    " started_at, stopped_at, disputed, anchor_disputed, anchor_provisional, occurrence"
)
_DRILL = "(SELECT i.drill FROM incident i WHERE i.incident_id = clock.incident_id) AS drill"


async def incident_of(connection: Connection, clock_id: str) -> str | None:
    """The incident that a clock belongs to; None when there is no such clock."""
    cursor = await connection.execute("SELECT incident_id FROM clock WHERE clock_id = %s", (clock_id,))
    row = await cursor.fetchone()
    return str(row["incident_id"]) if row else None


async def of_incident(connection: Connection, incident_id: str) -> list[Clock]:
    """The clocks of an incident, the one that falls due first in front."""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS}, {_DRILL} FROM clock WHERE incident_id = %s ORDER BY strict_due, clock_id",  # noqa: S608 - a constant
        (incident_id,),
    )
    return [_clock(row) for row in await cursor.fetchall()]


async def of_ids(connection: Connection, clock_ids: Collection[str]) -> dict[str, Clock]:
    """Clock id -> the clock, of those that there are."""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS}, {_DRILL} FROM clock WHERE clock_id = ANY(%s::uuid[])",  # noqa: S608 - a constant
        (list(clock_ids),),
    )
    return {clock.clock_id: clock for clock in map(_clock, await cursor.fetchall())}


async def by_due(
    connection: Connection, *, running_only: bool, limit: int, after: tuple[datetime, str] | None
) -> list[Clock]:
    """Clocks, the one that falls due first in front, from after the one that ``after`` tells."""
    at, identifier = after or (None, None)
    cursor = await connection.execute(
        f"SELECT {_COLUMNS}, {_DRILL} FROM clock"  # noqa: S608 - a constant
        " WHERE (NOT %(running_only)s OR state = 'running')"
        " AND (%(at)s::timestamptz IS NULL OR (strict_due, clock_id) > (%(at)s, %(id)s::uuid))"
        " ORDER BY strict_due, clock_id LIMIT %(limit)s",
        {"running_only": running_only, "at": at, "id": identifier, "limit": limit},
    )
    return [_clock(row) for row in await cursor.fetchall()]


async def insert(connection: Connection, clocks: Sequence[Clock]) -> None:
    """Add clocks that start."""
    await add(connection, "clock", [_row(clock) for clock in clocks])


async def update(connection: Connection, clock: Clock) -> None:
    """Write what can change of a clock."""
    await connection.execute(
        "UPDATE clock SET pack_version = %s, citation = %s, recipient = %s, missing = %s, legal_number = %s,"
        " anchor_name = %s, anchor_at = %s, anchor_evidence = %s, strict_due = %s, legal_latest = %s, provisional = %s,"
        " state = %s, revision = %s, stopped_at = %s, disputed = %s, anchor_disputed = %s, anchor_provisional = %s"
        " WHERE clock_id = %s",
        (
            clock.pack_version, clock.citation, clock.recipient, list(clock.missing), clock.legal_number,
            clock.anchor.name, clock.anchor.at, clock.anchor.evidence, clock.strict_due, clock.legal_latest,
            clock.provisional, clock.state, clock.revision, clock.stopped_at, list(clock.disputed),
            clock.anchor.disputed, clock.anchor.provisional, clock.clock_id,
        ),
    )  # fmt: skip


async def add_revisions(connection: Connection, revisions: Sequence[Revision]) -> None:
    """Append what clocks were counted from, or what became of them."""
    rows = [
        {
            "clock_id": revision.clock_id, "incident_id": revision.incident_id,
            "revision": revision.revision, "cause": revision.cause, "reason": revision.reason, "state": revision.state,
            "anchor_name": revision.anchor.name, "anchor_at": revision.anchor.at,
            "anchor_evidence": revision.anchor.evidence, "strict_due": revision.strict_due,
            "legal_latest": revision.legal_latest, "provisional": revision.provisional,
            "pack_version": revision.pack_version, "changed_at": revision.changed_at, "changed_by": revision.changed_by,
        }
        for revision in revisions
    ]  # fmt: skip
    await add(connection, "clock_revision", rows)


async def revisions(connection: Connection, incident_id: str) -> list[Revision]:
    """Every change of the incident's clocks, in the order they happened."""
    cursor = await connection.execute(
        "SELECT clock_id, incident_id, revision, cause, reason, state, anchor_name, anchor_at, anchor_evidence,"
        " strict_due, legal_latest, provisional, pack_version, changed_at, changed_by"
        " FROM clock_revision WHERE incident_id = %s"
        " ORDER BY revision_number",
        (incident_id,),
    )
    return [_revision(row) for row in await cursor.fetchall()]


def _row(clock: Clock) -> dict[str, object]:
    return {
        "clock_id": clock.clock_id, "incident_id": clock.incident_id, "pack_id": clock.pack_id,
        "pack_version": clock.pack_version, "obligation_id": clock.obligation_id, "anchor_key": clock.anchor_key,
        "citation": clock.citation, "recipient": clock.recipient, "missing": clock.missing,
        "legal_number": clock.legal_number, "anchor_name": clock.anchor.name, "anchor_at": clock.anchor.at,
        "anchor_evidence": clock.anchor.evidence, "strict_due": clock.strict_due, "legal_latest": clock.legal_latest,
        "provisional": clock.provisional, "state": clock.state, "revision": clock.revision,
        "started_at": clock.started_at, "stopped_at": clock.stopped_at, "disputed": clock.disputed,
        "anchor_disputed": clock.anchor.disputed, "anchor_provisional": clock.anchor.provisional,
        "occurrence": clock.occurrence,
    }  # fmt: skip


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
        anchor=Anchor(
            row["anchor_name"],
            row["anchor_at"],
            row["anchor_evidence"],
            disputed=row["anchor_disputed"],
            provisional=row["anchor_provisional"],
        ),
        strict_due=row["strict_due"],
        legal_latest=row["legal_latest"],
        provisional=row["provisional"],
        state=row["state"],
        revision=row["revision"],
        started_at=row["started_at"],
        stopped_at=row["stopped_at"],
        disputed=tuple(row["disputed"]),
        occurrence=row["occurrence"],
        drill=row["drill"],
    )


def _revision(row: Row) -> Revision:
    return Revision(
        clock_id=str(row["clock_id"]),
        incident_id=str(row["incident_id"]),
        revision=row["revision"],
        cause=row["cause"],
        reason=row["reason"],
        state=row["state"],
        anchor=Anchor(row["anchor_name"], row["anchor_at"], row["anchor_evidence"]),
        strict_due=row["strict_due"],
        legal_latest=row["legal_latest"],
        provisional=row["provisional"],
        pack_version=row["pack_version"],
        changed_at=row["changed_at"],
        changed_by=row["changed_by"],
    )
