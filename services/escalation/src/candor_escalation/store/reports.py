"""Tables draft, submission, receipt, decision."""

from candor_escalation.domain.report import Decision, Draft, Receipt, Submission
from candor_escalation.store import Connection, Row

_DRAFT = "d.clock_id, d.revision, d.locale, d.text, d.missing, d.sha256, d.drafted_at, d.drafted_by"
_SUBMISSION = (
    "s.submission_id, s.clock_id, s.revision, s.locale, s.channel, s.submitted_by, s.submitted_at, s.sha256,"
    " r.reference, r.received_at, r.recorded_by, r.recorded_at, r.proof_sha256"
)


async def next_revision(connection: Connection, clock_id: str) -> int:
    """The number of the next draft of a clock, from 1."""
    cursor = await connection.execute(
        "SELECT coalesce(max(revision), 0) + 1 AS revision FROM draft WHERE clock_id = %s", (clock_id,)
    )
    row = await cursor.fetchone()
    return int(row["revision"]) if row else 1


async def insert_draft(connection: Connection, draft: Draft) -> None:
    """Keep a draft."""
    await connection.execute(
        "INSERT INTO draft (clock_id, revision, locale, text, missing, sha256, drafted_at, drafted_by)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        (
            draft.clock_id, draft.revision, draft.locale, draft.text, list(draft.missing), draft.sha256,
            draft.drafted_at, draft.drafted_by,
        ),
    )  # fmt: skip


async def draft(connection: Connection, clock_id: str, revision: int, locale: str) -> Draft | None:
    """One draft; None when there is none."""
    cursor = await connection.execute(
        f"SELECT {_DRAFT} FROM draft d WHERE d.clock_id = %s AND d.revision = %s AND d.locale = %s",  # noqa: S608
        (clock_id, revision, locale),
    )
    row = await cursor.fetchone()
    return _draft(row) if row else None


async def drafts_of_incident(connection: Connection, incident_id: str) -> list[Draft]:
    """The drafts of an incident, by clock, revision and language."""
    cursor = await connection.execute(
        f"SELECT {_DRAFT} FROM draft d JOIN clock c USING (clock_id)"  # noqa: S608 - a constant
        " WHERE c.incident_id = %s ORDER BY d.clock_id, d.revision, d.locale DESC",
        (incident_id,),
    )
    return [_draft(row) for row in await cursor.fetchall()]


async def insert_submission(connection: Connection, submission: Submission) -> None:
    """Keep a submission."""
    await connection.execute(
        "INSERT INTO submission (submission_id, clock_id, revision, locale, channel, submitted_by, submitted_at,"
        " sha256) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        (
            submission.submission_id, submission.clock_id, submission.revision, submission.locale, submission.channel,
            submission.submitted_by, submission.submitted_at, submission.sha256,
        ),
    )  # fmt: skip


async def submission(connection: Connection, submission_id: str) -> Submission | None:
    """One submission with its receipt, if any; None when there is none."""
    cursor = await connection.execute(
        f"SELECT {_SUBMISSION} FROM submission s LEFT JOIN receipt r USING (submission_id)"  # noqa: S608 - a constant
        " WHERE s.submission_id = %s",
        (submission_id,),
    )
    row = await cursor.fetchone()
    return _submission(row) if row else None


async def submissions_of_incident(connection: Connection, incident_id: str) -> list[Submission]:
    """The submissions of an incident, oldest first."""
    cursor = await connection.execute(
        f"SELECT {_SUBMISSION} FROM submission s JOIN clock c USING (clock_id)"  # noqa: S608 - a constant
        " LEFT JOIN receipt r USING (submission_id) WHERE c.incident_id = %s ORDER BY s.submission_id",
        (incident_id,),
    )
    return [_submission(row) for row in await cursor.fetchall()]


async def insert_receipt(connection: Connection, submission_id: str, receipt: Receipt) -> None:
    """Keep a receipt."""
    await connection.execute(
        "INSERT INTO receipt (submission_id, reference, received_at, recorded_by, recorded_at, proof_sha256)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        (
            submission_id, receipt.reference, receipt.received_at, receipt.recorded_by, receipt.recorded_at,
            receipt.proof_sha256,
        ),
    )  # fmt: skip


async def insert_decision(connection: Connection, decision: Decision) -> None:
    """Keep a decision not to report."""
    await connection.execute(
        "INSERT INTO decision (clock_id, reason, decided_by, approved_by, decided_at) VALUES (%s, %s, %s, %s, %s)",
        (decision.clock_id, decision.reason, decision.decided_by, decision.approved_by, decision.decided_at),
    )


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
    )


def _submission(row: Row) -> Submission:
    return Submission(
        submission_id=str(row["submission_id"]),
        clock_id=str(row["clock_id"]),
        revision=row["revision"],
        locale=row["locale"],
        channel=row["channel"],
        submitted_by=row["submitted_by"],
        submitted_at=row["submitted_at"],
        sha256=bytes(row["sha256"]),
        receipt=_receipt(row) if row["reference"] is not None else None,
    )


def _receipt(row: Row) -> Receipt:
    return Receipt(
        row["reference"], row["received_at"], row["recorded_by"], row["recorded_at"], bytes(row["proof_sha256"])
    )
