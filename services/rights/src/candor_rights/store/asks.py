"""What the tables of asks (task, model_deletion) have in common: whom they ask, how often, and what was answered."""

from typing import Any, LiteralString

from psycopg.types.json import Jsonb

from candor_rights.domain.holder import HolderKind
from candor_rights.domain.task import Ask, KindCount, Outcome, Proof
from candor_rights.store import Connection, Row

COLUMNS = (
    "holder_id, holder_kind, attempts, asked_at, ask_again_at, outcome, kinds, completed_at, last_copy_expires_at,"
    " restriction_basis, restricted_until"
)


async def asked(connection: Connection, table: LiteralString, key: LiteralString, identifier: str, ask: Ask) -> None:
    """Write that a holder was asked once more."""
    await connection.execute(
        f"UPDATE {table} SET attempts = %s, asked_at = %s, ask_again_at = %s WHERE {key} = %s",  # noqa: S608 - names
        (ask.attempts, ask.asked_at, ask.ask_again_at, identifier),
    )


async def answered(
    connection: Connection, table: LiteralString, key: LiteralString, identifier: str, proof: Proof
) -> None:
    """Write the answer; nobody is asked again."""
    await connection.execute(
        f"UPDATE {table} SET ask_again_at = NULL, outcome = %s, kinds = %s, completed_at = %s,"  # noqa: S608 - names
        f" last_copy_expires_at = %s, restriction_basis = %s, restricted_until = %s WHERE {key} = %s",
        (
            proof.outcome, Jsonb([[kind.kind, kind.count] for kind in proof.kinds]), proof.completed_at,
            proof.last_copy_expires_at, proof.restriction_basis, proof.restricted_until, identifier,
        ),
    )  # fmt: skip


def fields(row: Row) -> dict[str, Any]:
    """The fields of `Ask` in a row."""
    return {
        "holder_id": row["holder_id"],
        "holder_kind": HolderKind(row["holder_kind"]),
        "attempts": row["attempts"],
        "asked_at": row["asked_at"],
        "ask_again_at": row["ask_again_at"],
        "proof": _proof(row) if row["outcome"] is not None else None,
    }


def _proof(row: Row) -> Proof:
    return Proof(
        outcome=Outcome(row["outcome"]),
        kinds=tuple(KindCount(kind, count) for kind, count in row["kinds"]),
        completed_at=row["completed_at"],
        last_copy_expires_at=row["last_copy_expires_at"],
        restriction_basis=row["restriction_basis"],
        restricted_until=row["restricted_until"],
    )
