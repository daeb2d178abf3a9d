"""The libraries that were once in force, in PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from candor_kit.database import Connection

from candor_generation.domain.feature import Feature, Kind, Mode, State
from candor_generation.domain.generation import Decision


@dataclass(frozen=True)
class Version:
    """One library: its number, its digest (32 bytes), and from when on it was in force."""

    number: int
    digest: bytes
    since: datetime


async def find(connection: Connection, number: int) -> Version | None:
    """The version of this number, or None."""
    cursor = await connection.execute(
        "SELECT version, digest, since FROM library_version WHERE version = %s", (number,)
    )
    row = await cursor.fetchone()
    return Version(row["version"], bytes(row["digest"]), row["since"]) if row else None


async def find_by_digest(connection: Connection, digest: bytes) -> Version | None:
    """The latest version of this digest, or None; versions of one digest hold the same features."""
    cursor = await connection.execute(
        "SELECT version, digest, since FROM library_version WHERE digest = %s ORDER BY version DESC LIMIT 1", (digest,)
    )
    row = await cursor.fetchone()
    return Version(row["version"], bytes(row["digest"]), row["since"]) if row else None


async def size(connection: Connection, number: int) -> int:
    """How many features screened in a version."""
    cursor = await connection.execute(
        "SELECT count(*) AS features FROM library_row"
        " WHERE from_version <= %s AND (until_version IS NULL OR until_version > %s)",
        (number, number),
    )
    row = await cursor.fetchone()
    return int(row["features"]) if row else 0


async def page(connection: Connection, number: int, after: str, limit: int) -> list[Feature]:
    """What screened in a version, by id: all that its digest covers, and nothing else."""
    cursor = await connection.execute(
        "SELECT feature_id, kind, value, category, decision, citation, mode, exceptions, within_words, valid_from,"
        " valid_until, since FROM library_row JOIN library_version ON version = from_version"
        " WHERE from_version <= %s AND (until_version IS NULL OR until_version > %s) AND feature_id > %s"
        " ORDER BY feature_id LIMIT %s",
        (number, number, after, limit),
    )
    return [
        Feature(
            row["feature_id"],
            Kind(row["kind"]),
            row["value"],
            row["category"],
            Decision[row["decision"]],
            row["citation"],
            State.ADMITTED,
            "",
            "",
            row["since"],
            mode=Mode(row["mode"]),
            exceptions=tuple(row["exceptions"]),
            within_words=row["within_words"],
            valid_from=row["valid_from"],
            valid_until=row["valid_until"],
        )
        for row in await cursor.fetchall()
    ]
