"""The compliance acts in PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from candor_kit.database import Connection

from candor_generation.domain.record import Place


@dataclass(frozen=True)
class Act:
    """A fact of a service, sealed. `pseudonym` is of whom it names, if anybody; both others go when they are erased."""

    source: str
    fact_id: str
    pseudonym: bytes | None
    sealed: bytes | None
    wrapped_key: bytes | None


async def known(connection: Connection, identifiers: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of the (source, id) that are on record."""
    cursor = await connection.execute(
        "SELECT source, fact_id FROM act JOIN unnest(%s::text[], %s::text[]) AS asked (source, fact_id)"
        " USING (source, fact_id)",
        ([source for source, _ in identifiers], [fact_id for _, fact_id in identifiers]),
    )
    return {(row["source"], row["fact_id"]) for row in await cursor.fetchall()}


async def insert(connection: Connection, addition_id: int, acts: Sequence[Act]) -> None:
    """Put acts in, which are the leaves of an addition in this order."""
    async with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY act (source, fact_id, addition_id, ordinal, pseudonym, sealed, wrapped_key) FROM STDIN"
        ) as copy,
    ):
        for ordinal, act in enumerate(acts):
            await copy.write_row(
                (act.source, act.fact_id, addition_id, ordinal, act.pseudonym, act.sealed, act.wrapped_key)
            )


async def find(connection: Connection, source: str, fact_id: str) -> tuple[Act, Place] | None:
    """An act with its place, or None."""
    cursor = await connection.execute(
        "SELECT source, fact_id, pseudonym, sealed, wrapped_key, log.origin,"
        " addition.first_index + ordinal AS log_index"
        " FROM act JOIN addition USING (addition_id) JOIN log USING (log_id) WHERE source = %s AND fact_id = %s",
        (source, fact_id),
    )
    row = await cursor.fetchone()
    if row is None:
        return None
    act = Act(row["source"], row["fact_id"], row["pseudonym"], row["sealed"], row["wrapped_key"])
    return act, Place(row["origin"], row["log_index"])


async def erase(connection: Connection, pseudonym: bytes) -> None:
    """Empty the acts that name somebody; their places in the log stay."""
    await connection.execute(
        "UPDATE act SET pseudonym = NULL, sealed = NULL, wrapped_key = NULL WHERE pseudonym = %s", (pseudonym,)
    )
