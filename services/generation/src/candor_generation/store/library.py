"""The feature library in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from candor_kit.database import Connection

from candor_generation.domain.feature import Feature, Kind, State
from candor_generation.domain.generation import Decision


async def lock(connection: Connection) -> None:
    """Let one change of the library happen after the other, so that its digest is that of all of them."""
    await connection.execute("SELECT digest FROM library FOR UPDATE")


async def digest(connection: Connection) -> bytes:
    """The digest of the admitted features, 32 bytes."""
    cursor = await connection.execute("SELECT digest FROM library")
    row = await cursor.fetchone()
    if row is None:
        raise LookupError("the library's row is missing")
    return bytes(row["digest"])


async def set_digest(connection: Connection, value: bytes) -> None:
    """Record the digest of the admitted features."""
    await connection.execute("UPDATE library SET digest = %s", (value,))


async def insert(connection: Connection, feature: Feature) -> bool:
    """Put a new feature in; False where its id is taken."""
    cursor = await connection.execute(
        "INSERT INTO feature (feature_id, kind, value, category, decision, citation, state, proposed_by, admitted_by,"
        " changed_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (
            feature.feature_id,
            feature.kind.value,
            feature.value,
            feature.category,
            feature.decision.name,
            feature.citation,
            feature.state.value,
            feature.proposed_by,
            feature.admitted_by,
            feature.changed_at,
        ),
    )
    return cursor.rowcount == 1


async def update_state(connection: Connection, feature: Feature) -> None:
    """Record a step of a feature's life."""
    await connection.execute(
        "UPDATE feature SET state = %s, admitted_by = %s, changed_at = %s WHERE feature_id = %s",
        (feature.state.value, feature.admitted_by, feature.changed_at, feature.feature_id),
    )


async def find(connection: Connection, feature_id: str) -> Feature | None:
    """The feature, or None."""
    cursor = await connection.execute(
        "SELECT feature_id, kind, value, category, decision, citation, state, proposed_by, admitted_by, changed_at"
        " FROM feature WHERE feature_id = %s",
        (feature_id,),
    )
    row = await cursor.fetchone()
    return _feature(row) if row else None


async def every(connection: Connection) -> list[Feature]:
    """Every feature, by id."""
    cursor = await connection.execute(
        "SELECT feature_id, kind, value, category, decision, citation, state, proposed_by, admitted_by, changed_at"
        " FROM feature ORDER BY feature_id"
    )
    return [_feature(row) for row in await cursor.fetchall()]


async def admitted(connection: Connection) -> list[Feature]:
    """The features that screen, by id."""
    cursor = await connection.execute(
        "SELECT feature_id, kind, value, category, decision, citation, state, proposed_by, admitted_by, changed_at"
        " FROM feature WHERE state = 'admitted' ORDER BY feature_id"
    )
    return [_feature(row) for row in await cursor.fetchall()]


def _feature(row: Mapping[str, Any]) -> Feature:
    return Feature(
        row["feature_id"],
        Kind(row["kind"]),
        row["value"],
        row["category"],
        Decision[row["decision"]],
        row["citation"],
        State(row["state"]),
        row["proposed_by"],
        row["admitted_by"],
        row["changed_at"],
    )
