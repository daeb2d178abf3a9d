"""Tables draft, approval."""

from psycopg.types.json import Jsonb

from candor_escalation.domain.approval import Approval
from candor_escalation.domain.report import Draft
from candor_escalation.store import Connection, Row

_DRAFT = (
    "d.clock_id, d.revision, d.locale, d.text, d.missing, d.sha256, d.drafted_at, d.drafted_by, d.kind, d.template,"
    " d.fields, d.labels, d.remark, d.drill"
)


async def insert_draft(connection: Connection, draft: Draft) -> None:
    """Keep a draft."""
    await connection.execute(
        "INSERT INTO draft (clock_id, revision, locale, text, missing, sha256, drafted_at, drafted_by, kind, template,"
        " fields, labels, remark, drill) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            draft.clock_id, draft.revision, draft.locale, draft.text, list(draft.missing), draft.sha256,
            draft.drafted_at, draft.drafted_by, draft.kind, draft.template, Jsonb(dict(draft.fields)),
            Jsonb(dict(draft.labels)), draft.remark, draft.drill,
        ),
    )  # fmt: skip


async def drafts_of_clock(connection: Connection, clock_id: str) -> list[Draft]:
    """The drafts of a clock, by revision, Chinese in front."""
    cursor = await connection.execute(
        f"SELECT {_DRAFT} FROM draft d WHERE d.clock_id = %s ORDER BY d.revision, d.locale DESC",  # noqa: S608 - a constant
        (clock_id,),
    )
    return [_draft(row) for row in await cursor.fetchall()]


async def drafts_of_incident(connection: Connection, incident_id: str) -> list[Draft]:
    """The drafts of an incident, by clock, revision and language."""
    cursor = await connection.execute(
        f"SELECT {_DRAFT} FROM draft d JOIN clock c USING (clock_id)"  # noqa: S608 - a constant
        " WHERE c.incident_id = %s ORDER BY d.clock_id, d.revision, d.locale DESC",
        (incident_id,),
    )
    return [_draft(row) for row in await cursor.fetchall()]


async def insert_approval(connection: Connection, approval: Approval) -> bool:
    """Keep an approval; False where the revision is approved already: the first approval counts."""
    cursor = await connection.execute(
        "INSERT INTO approval (clock_id, revision, approved_by, approved_at) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        (approval.clock_id, approval.revision, approval.approved_by, approval.approved_at),
    )
    return cursor.rowcount > 0


async def approvals_of_clock(connection: Connection, clock_id: str) -> list[Approval]:
    """The approvals of a clock's report, by revision."""
    cursor = await connection.execute(
        "SELECT clock_id, revision, approved_by, approved_at FROM approval WHERE clock_id = %s ORDER BY revision",
        (clock_id,),
    )
    return [
        Approval(str(row["clock_id"]), row["revision"], row["approved_by"], row["approved_at"])
        for row in await cursor.fetchall()
    ]


async def approvals_of_incident(connection: Connection, incident_id: str) -> list[Approval]:
    """The approvals of every report of an incident."""
    cursor = await connection.execute(
        "SELECT a.clock_id, a.revision, a.approved_by, a.approved_at FROM approval a JOIN clock c USING (clock_id)"
        " WHERE c.incident_id = %s",
        (incident_id,),
    )
    return [
        Approval(str(row["clock_id"]), row["revision"], row["approved_by"], row["approved_at"])
        for row in await cursor.fetchall()
    ]


def _draft(row: Row) -> Draft:
    return Draft(
        clock_id=str(row["clock_id"]),
        revision=row["revision"],
        locale=row["locale"],
        text=row["text"],
        missing=tuple(row["missing"]),
        sha256=bytes(row["sha256"]),
        drafted_at=row["drafted_at"],
        drafted_by=row["drafted_by"],
        kind=row["kind"],
        template=row["template"],
        fields=row["fields"],
        labels=row["labels"],
        remark=row["remark"],
        drill=row["drill"],
    )
