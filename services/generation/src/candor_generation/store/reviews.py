"""Reviews in PostgreSQL. What is sealed in them is sealed under the record's key and emptied with the record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from candor_kit.database import Connection

from candor_generation.domain.generation import Decision
from candor_generation.domain.review import Outcome, Reason, Review, State, Step


@dataclass(frozen=True)
class Sealed:
    """What people wrote, sealed: the user's statement, and the steps' notes in their order."""

    statement: bytes | None
    notes: tuple[bytes | None, ...]


@dataclass(frozen=True)
class Place:
    """Where a review stands in the queue: appeals, then blocks, then the oldest."""

    unappealed: bool
    unblocked: bool
    opened_at: datetime
    generation_id: str


async def insert(connection: Connection, opened: Mapping[str, Decision], at: datetime) -> None:
    """Open reviews by generation id, all at once; those that there are stay as they are."""
    await connection.execute(
        "INSERT INTO review (generation_id, machine_decision, state, assignee, opened_at, changed_at)"
        " SELECT generation_id, decision, 'open', '', %s, %s"
        " FROM unnest(%s::uuid[], %s::text[]) AS opened (generation_id, decision) ON CONFLICT DO NOTHING",
        (at, at, list(opened), [decision.name for decision in opened.values()]),
    )


async def lock(connection: Connection, generation_id: str) -> None:
    """Let one step of a review happen after the other."""
    await connection.execute("SELECT 1 FROM review WHERE generation_id = %s FOR UPDATE", (generation_id,))


async def find(connection: Connection, generation_id: str) -> Review | None:
    """The review with its steps, or None."""
    cursor = await connection.execute(
        "SELECT generation_id, machine_decision, state, outcome, assignee, opened_at, changed_at, appealed_at"
        " FROM review WHERE generation_id = %s",
        (generation_id,),
    )
    row = await cursor.fetchone()
    if row is None:
        return None
    cursor = await connection.execute(
        "SELECT by, outcome, reason, on_appeal, at FROM review_step WHERE generation_id = %s ORDER BY number",
        (generation_id,),
    )
    steps = [
        Step(step["by"], Outcome(step["outcome"]), Reason(step["reason"]), step["on_appeal"], step["at"])
        for step in await cursor.fetchall()
    ]
    return _review(row, tuple(steps))


async def sealed(connection: Connection, generation_id: str) -> Sealed:
    """What people wrote about a review."""
    cursor = await connection.execute("SELECT statement FROM review WHERE generation_id = %s", (generation_id,))
    row = await cursor.fetchone()
    cursor = await connection.execute(
        "SELECT note FROM review_step WHERE generation_id = %s ORDER BY number", (generation_id,)
    )
    notes = tuple(step["note"] for step in await cursor.fetchall())
    return Sealed(row["statement"] if row else None, notes)


async def update(connection: Connection, review: Review) -> None:
    """Record where a review stands."""
    await connection.execute(
        "UPDATE review SET state = %s, outcome = %s, assignee = %s, changed_at = %s, appealed_at = %s"
        " WHERE generation_id = %s",
        (
            review.state.value,
            review.outcome.value if review.outcome else None,
            review.assignee,
            review.changed_at,
            review.appealed_at,
            review.generation_id,
        ),
    )


async def set_statement(connection: Connection, generation_id: str, statement: bytes | None) -> None:
    """Keep what the user says, sealed."""
    await connection.execute("UPDATE review SET statement = %s WHERE generation_id = %s", (statement, generation_id))


async def add_step(connection: Connection, review: Review, note: bytes | None) -> None:
    """Keep the review's last step, with its sealed note."""
    step = review.steps[-1]
    await connection.execute(
        "INSERT INTO review_step (generation_id, number, by, outcome, reason, on_appeal, at, note)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        (
            review.generation_id,
            len(review.steps),
            step.by,
            step.outcome.value,
            step.reason.value,
            step.on_appeal,
            step.at,
            note,
        ),
    )


async def page(
    connection: Connection, states: Sequence[State], assignee: str, after: Place | None, size: int
) -> list[Review]:
    """Reviews in the queue's order without their steps, those that come after `after`, `size` at most."""
    place = (after.unappealed, after.unblocked, after.opened_at, after.generation_id) if after else (None,) * 4
    cursor = await connection.execute(
        "SELECT generation_id, machine_decision, state, outcome, assignee, opened_at, changed_at, appealed_at"
        " FROM review WHERE state = ANY(%s) AND (%s = '' OR assignee = %s) AND (%s::boolean IS NULL OR"
        " ((appealed_at IS NULL), (machine_decision <> 'BLOCK'), opened_at, generation_id)"
        " > (%s::boolean, %s::boolean, %s::timestamptz, %s::uuid))"
        " ORDER BY (appealed_at IS NULL), (machine_decision <> 'BLOCK'), opened_at, generation_id LIMIT %s",
        ([state.value for state in states], assignee, assignee, place[0], *place, size),
    )
    return [_review(row, ()) for row in await cursor.fetchall()]


async def erase(connection: Connection, generation_ids: Sequence[str], at: datetime) -> None:
    """Empty the reviews of erased records, and wait for nobody on them any more. Decisions stay (GDPR 17(3)(b))."""
    ids = list(generation_ids)
    await connection.execute(
        "UPDATE review SET statement = NULL, changed_at = %s, assignee = '',"
        " state = CASE WHEN state = 'decided' THEN state ELSE 'erased' END WHERE generation_id = ANY(%s::uuid[])",
        (at, ids),
    )
    await connection.execute("UPDATE review_step SET note = NULL WHERE generation_id = ANY(%s::uuid[])", (ids,))


def _review(row: Mapping[str, Any], steps: tuple[Step, ...]) -> Review:
    return Review(
        str(row["generation_id"]),
        Decision[row["machine_decision"]],
        State(row["state"]),
        row["opened_at"],
        row["changed_at"],
        outcome=Outcome(row["outcome"]) if row["outcome"] else None,
        assignee=row["assignee"],
        appealed_at=row["appealed_at"],
        steps=steps,
    )
