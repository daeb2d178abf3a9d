"""Tables submission, sent_file, receipt."""

from candor_escalation.domain.report import File, Receipt, Submission
from candor_escalation.store import Connection, Row

_SUBMISSION = (
    "s.submission_id, s.clock_id, s.revision, s.locale, s.channel, s.submitted_by, s.submitted_at, s.sha256,"
    " s.media_type, s.approved_by, s.unapproved_reason, d.kind, d.drill,"
    " r.reference, r.received_at, r.recorded_by, r.recorded_at, r.proof_sha256, r.proof_size, r.proof_media_type"
)
_FROM = "submission s JOIN draft d USING (clock_id, revision, locale) LEFT JOIN receipt r USING (submission_id)"


async def insert_submission(connection: Connection, submission: Submission, sent: File) -> None:
    """Keep a submission and exactly what was sent."""
    await connection.execute(
        "INSERT INTO submission (submission_id, clock_id, revision, locale, channel, submitted_by, submitted_at,"
        " sha256, media_type, approved_by, unapproved_reason) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            submission.submission_id, submission.clock_id, submission.revision, submission.locale, submission.channel,
            submission.submitted_by, submission.submitted_at, submission.sha256, submission.media_type,
            submission.approved_by, submission.unapproved_reason,
        ),
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO sent_file (submission_id, file_name, content) VALUES (%s, %s, %s)",
        (submission.submission_id, sent.name, sent.content),
    )


async def submission(connection: Connection, submission_id: str) -> Submission | None:
    """One submission with its receipt, if any; None when there is none."""
    cursor = await connection.execute(
        f"SELECT {_SUBMISSION} FROM {_FROM} WHERE s.submission_id = %s",  # noqa: S608 - constants
        (submission_id,),
    )
    row = await cursor.fetchone()
    return _submission(row) if row else None


async def sent_file(connection: Connection, submission_id: str) -> File | None:
    """What was sent; None for a submission from before files were kept."""
    cursor = await connection.execute(
        "SELECT f.file_name, s.media_type, f.content, s.sha256 FROM sent_file f JOIN submission s USING (submission_id)"
        " WHERE f.submission_id = %s",
        (submission_id,),
    )
    row = await cursor.fetchone()
    return File(row["file_name"], row["media_type"], bytes(row["content"]), bytes(row["sha256"])) if row else None


async def submissions_of_clock(connection: Connection, clock_id: str) -> list[Submission]:
    """The submissions of a clock's report, oldest first."""
    cursor = await connection.execute(
        f"SELECT {_SUBMISSION} FROM {_FROM} WHERE s.clock_id = %s ORDER BY s.submission_id",  # noqa: S608 - constants
        (clock_id,),
    )
    return [_submission(row) for row in await cursor.fetchall()]


async def submissions_of_incident(connection: Connection, incident_id: str) -> list[Submission]:
    """The submissions of an incident, oldest first."""
    cursor = await connection.execute(
        f"SELECT {_SUBMISSION} FROM {_FROM} JOIN clock c USING (clock_id)"  # noqa: S608 - constants
        " WHERE c.incident_id = %s ORDER BY s.submission_id",
        (incident_id,),
    )
    return [_submission(row) for row in await cursor.fetchall()]


async def insert_receipt(connection: Connection, submission_id: str, receipt: Receipt) -> None:
    """Keep a receipt."""
    await connection.execute(
        "INSERT INTO receipt (submission_id, reference, received_at, recorded_by, recorded_at, proof_sha256,"
        " proof_size, proof_media_type) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        (
            submission_id, receipt.reference, receipt.received_at, receipt.recorded_by, receipt.recorded_at,
            receipt.proof_sha256, receipt.proof_size, receipt.proof_media_type,
        ),
    )  # fmt: skip


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
        kind=row["kind"],
        media_type=row["media_type"],
        approved_by=row["approved_by"],
        unapproved_reason=row["unapproved_reason"],
        drill=row["drill"],
    )


def _receipt(row: Row) -> Receipt:
    return Receipt(
        reference=row["reference"],
        received_at=row["received_at"],
        recorded_by=row["recorded_by"],
        recorded_at=row["recorded_at"],
        proof_sha256=bytes(row["proof_sha256"]),
        proof_size=row["proof_size"],
        proof_media_type=row["proof_media_type"],
    )
