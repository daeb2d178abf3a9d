"""Table question."""

from collections.abc import Sequence
from datetime import datetime

from candor_escalation.domain.question import Question
from candor_escalation.store import Connection, Row, add

_COLUMNS = "question_id, incident_id, kind, name, title_zh, title_en, state, asked_at, answered_at, answered_by"


async def of_incident(connection: Connection, incident_id: str) -> list[Question]:
    """The questions of an incident, the oldest in front."""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM question WHERE incident_id = %s ORDER BY asked_at, question_id",  # noqa: S608 - constant
        (incident_id,),
    )
    return [_question(row) for row in await cursor.fetchall()]


async def open_of_incident(connection: Connection, incident_id: str) -> list[Question]:
    """The questions of an incident that are not answered, the oldest in front."""
    return [question for question in await of_incident(connection, incident_id) if question.answered_at is None]


async def page(
    connection: Connection, *, incident_id: str, open_only: bool, limit: int, after: tuple[datetime, str] | None
) -> list[Question]:
    """Questions, the oldest in front, from after the one that ``after`` tells; ``incident_id`` empty: of all."""
    at, identifier = after or (None, None)
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM question"  # noqa: S608 - a constant
        " WHERE (NOT %(open_only)s OR state = 'open')"
        " AND (%(incident)s::uuid IS NULL OR incident_id = %(incident)s::uuid)"
        " AND (%(at)s::timestamptz IS NULL OR (asked_at, question_id) > (%(at)s, %(id)s::uuid))"
        " ORDER BY asked_at, question_id LIMIT %(limit)s",
        {"open_only": open_only, "incident": incident_id or None, "at": at, "id": identifier, "limit": limit},
    )
    return [_question(row) for row in await cursor.fetchall()]


async def insert(connection: Connection, questions: Sequence[Question]) -> None:
    """Ask."""
    rows = [
        {
            "question_id": question.question_id, "incident_id": question.incident_id, "kind": question.kind,
            "name": question.name, "title_zh": question.title_zh, "title_en": question.title_en,
            "state": question.state, "asked_at": question.asked_at,
        }
        for question in questions
    ]  # fmt: skip
    await add(connection, "question", rows)


async def end(connection: Connection, question: Question) -> None:
    """Record that it is answered, or asked no longer."""
    await connection.execute(
        "UPDATE question SET state = %s, answered_at = %s, answered_by = %s WHERE question_id = %s",
        (question.state, question.answered_at, question.answered_by, question.question_id),
    )


def _question(row: Row) -> Question:
    return Question(
        question_id=str(row["question_id"]),
        incident_id=str(row["incident_id"]),
        kind=row["kind"],
        name=row["name"],
        title_zh=row["title_zh"],
        title_en=row["title_en"],
        state=row["state"],
        asked_at=row["asked_at"],
        answered_at=row["answered_at"],
        answered_by=row["answered_by"],
    )
