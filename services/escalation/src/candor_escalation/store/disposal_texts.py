"""Tables disposal_statement, out_of_court: what the user is told, and what outside bodies were asked."""

from dataclasses import dataclass
from datetime import datetime

from candor_escalation.store import Connection, Row


@dataclass(frozen=True)
class SealedText:
    """A statement for the user; None once it is let go."""

    statement_id: str
    disposal_id: str
    kind: str
    made_at: datetime
    sealed: bytes | None


@dataclass(frozen=True)
class Dispute:
    """What an out-of-court body was asked, and what it found."""

    body: str
    reference: str
    finding: str
    recorded_by: str
    recorded_at: datetime


async def add_text(connection: Connection, text: SealedText) -> None:
    """Keep what the user is told."""
    await connection.execute(
        "INSERT INTO disposal_statement (statement_id, disposal_id, kind, made_at, sealed) VALUES (%s, %s, %s, %s, %s)",
        (text.statement_id, text.disposal_id, text.kind, text.made_at, text.sealed),
    )


async def text(connection: Connection, statement_id: str) -> SealedText | None:
    """One text for the user; None when there is none."""
    cursor = await connection.execute(
        "SELECT statement_id, disposal_id, kind, made_at, sealed FROM disposal_statement WHERE statement_id = %s",
        (statement_id,),
    )
    row = await cursor.fetchone()
    return _text(row) if row else None


async def texts_of(connection: Connection, disposal_id: str) -> list[SealedText]:
    """The texts for the user about a disposal, oldest first."""
    cursor = await connection.execute(
        "SELECT statement_id, disposal_id, kind, made_at, sealed FROM disposal_statement WHERE disposal_id = %s"
        " ORDER BY made_at, statement_id",
        (disposal_id,),
    )
    return [_text(row) for row in await cursor.fetchall()]


async def add_dispute(connection: Connection, disposal_id: str, dispute: Dispute) -> None:
    """Keep what an out-of-court body was asked or found."""
    await connection.execute(
        "INSERT INTO out_of_court (disposal_id, body, reference, finding, recorded_by, recorded_at)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        (disposal_id, dispute.body, dispute.reference, dispute.finding, dispute.recorded_by, dispute.recorded_at),
    )


async def disputes(connection: Connection, disposal_id: str) -> list[Dispute]:
    """What out-of-court bodies were asked about a disposal, oldest first."""
    cursor = await connection.execute(
        "SELECT body, reference, finding, recorded_by, recorded_at FROM out_of_court WHERE disposal_id = %s"
        " ORDER BY number",
        (disposal_id,),
    )
    return [Dispute(**row) for row in await cursor.fetchall()]


def _text(row: Row) -> SealedText:
    return SealedText(str(row["statement_id"]), str(row["disposal_id"]), row["kind"], row["made_at"], row["sealed"])
