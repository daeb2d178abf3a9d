"""Table disposal. Whoever changes what belongs to a disposal locks its row."""

from dataclasses import dataclass
from datetime import datetime

from candor_escalation.domain.disposal import Disposal, Measure
from candor_escalation.domain.ladder import Earlier
from candor_escalation.store import Connection, Row

_COLUMNS = (
    "d.disposal_id, d.measure, d.state, d.product, d.generation_id, d.model, d.of_person, d.functions, d.until,"
    " d.legal_basis, d.automated_detection, d.notice_source, d.exemption, d.category, d.decision_ground,"
    " d.automated_decision, d.incident_id, d.proposal_id, d.decided_by, d.decided_at, d.ended_at,"
    " d.restricted_until, d.notice_id, d.pseudonym, d.wrapped_by, d.wrapped_key, d.sealed"
)
_ATTENTION = (
    "EXISTS (SELECT 1 FROM disposal_ask a WHERE a.disposal_id = d.disposal_id"
    " AND (a.state = 'could_not' OR (a.state = 'waiting' AND a.overdue)))"
)


@dataclass(frozen=True)
class Wrapped:
    """What of a disposal is sealed, and whose key wraps its key: "subject" or "hold"; all None once it is let go."""

    pseudonym: bytes | None
    wrapped_by: str | None
    wrapped_key: bytes | None
    sealed: bytes | None


@dataclass(frozen=True)
class Stored:
    """A disposal with its sealed part."""

    disposal: Disposal
    wrapped: Wrapped
    needs_attention: bool = False


async def insert(connection: Connection, disposal: Disposal, wrapped: Wrapped) -> None:
    """Keep a new disposal."""
    await connection.execute(
        "INSERT INTO disposal (disposal_id, measure, state, product, generation_id, model, of_person, functions, until,"
        " legal_basis, automated_detection, notice_source, exemption, category, decision_ground, automated_decision,"
        " incident_id, proposal_id, notice_id, decided_by, decided_at, pseudonym, wrapped_by, wrapped_key, sealed)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            disposal.disposal_id, disposal.measure, disposal.state, disposal.product, disposal.generation_id or None,
            disposal.model, disposal.of_person, list(disposal.functions), disposal.until, disposal.legal_basis,
            disposal.automated_detection, disposal.notice_source, disposal.exemption, disposal.category,
            disposal.decision_ground, disposal.automated_decision, disposal.incident_id or None,
            disposal.proposal_id or None, disposal.notice_id or None, disposal.decided_by, disposal.decided_at,
            wrapped.pseudonym, wrapped.wrapped_by, wrapped.wrapped_key, wrapped.sealed,
        ),
    )  # fmt: skip


async def lock(connection: Connection, disposal_id: str) -> Stored | None:
    """Lock a disposal until the transaction ends; None when there is none."""
    return await _one(connection, f"SELECT {_COLUMNS} FROM disposal d WHERE d.disposal_id = %s FOR UPDATE", disposal_id)  # noqa: S608 - constants


async def find(connection: Connection, disposal_id: str) -> Stored | None:
    """A disposal as it stands; None when there is none."""
    query = f"SELECT {_COLUMNS}, {_ATTENTION} AS attention FROM disposal d WHERE d.disposal_id = %s"  # noqa: S608 - constants
    return await _one(connection, query, disposal_id)


async def update(connection: Connection, disposal: Disposal) -> None:
    """Keep how a locked disposal stands now."""
    await connection.execute(
        "UPDATE disposal SET state = %s, ended_at = %s WHERE disposal_id = %s",
        (disposal.state, disposal.ended_at, disposal.disposal_id),
    )


async def rewrap(connection: Connection, disposal_id: str, wrapped: Wrapped, restricted_until: datetime | None) -> None:
    """Put another wrap in the place of a locked disposal's; with an end, it is restricted from now on."""
    await connection.execute(
        "UPDATE disposal SET pseudonym = %s, wrapped_by = %s, wrapped_key = %s, restricted_until = %s"
        " WHERE disposal_id = %s",
        (wrapped.pseudonym, wrapped.wrapped_by, wrapped.wrapped_key, restricted_until, disposal_id),
    )


async def let_go(connection: Connection, disposal_id: str) -> None:
    """Forget whom a locked disposal was about and what was said; what is counted stays."""
    await connection.execute(
        "UPDATE disposal SET pseudonym = NULL, wrapped_by = NULL, wrapped_key = NULL, sealed = NULL"
        " WHERE disposal_id = %s",
        (disposal_id,),
    )
    await connection.execute("UPDATE disposal_statement SET sealed = NULL WHERE disposal_id = %s", (disposal_id,))
    await connection.execute(
        "UPDATE complaint SET sealed = NULL, sealed_reasons = NULL WHERE disposal_id = %s", (disposal_id,)
    )
    # What others wrote should name nobody; where it does all the same, it goes too.
    await connection.execute("UPDATE disposal_ask SET evidence = '' WHERE disposal_id = %s", (disposal_id,))
    await connection.execute(
        "UPDATE out_of_court SET reference = '', finding = '' WHERE disposal_id = %s", (disposal_id,)
    )


async def of_person(connection: Connection, pseudonym: bytes, *, lock: bool = False) -> list[Stored]:
    """A person's disposals, oldest first; locked when they are to be changed."""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM disposal d WHERE d.pseudonym = %s ORDER BY d.decided_at, d.disposal_id"  # noqa: S608 - constants
        f"{' FOR UPDATE' if lock else ''}",
        (pseudonym,),
    )
    return [_stored(row) for row in await cursor.fetchall()]


async def sanctions_of(connection: Connection, pseudonym: bytes) -> list[Earlier]:
    """A person's sanctions as the ladder counts them."""
    cursor = await connection.execute(
        "SELECT measure, decided_at, state, functions, until FROM disposal WHERE pseudonym = %s"
        " AND measure IN ('warn', 'limit_functions', 'suspend_service', 'close_account')",
        (pseudonym,),
    )
    return [
        Earlier(Measure(row["measure"]), row["decided_at"], row["state"], tuple(row["functions"]), row["until"])
        for row in await cursor.fetchall()
    ]


async def next_ended(connection: Connection) -> Stored | None:
    """Lock a disposal whose term has passed by the database's clock, one that nobody else is at work on."""
    return await _one(
        connection,
        f"SELECT {_COLUMNS} FROM disposal d WHERE d.state = 'in_force' AND d.until <= clock_timestamp()"  # noqa: S608 - constants
        " ORDER BY d.until LIMIT 1 FOR UPDATE SKIP LOCKED",
    )


async def next_to_let_go(connection: Connection) -> Stored | None:
    """Lock a restricted disposal that the law keeps no longer; one with an open complaint waits for its decision."""
    return await _one(
        connection,
        f"SELECT {_COLUMNS} FROM disposal d WHERE d.restricted_until <= clock_timestamp() AND d.sealed IS NOT NULL"  # noqa: S608 - constants
        " AND NOT EXISTS (SELECT 1 FROM complaint c WHERE c.disposal_id = d.disposal_id AND c.outcome = '')"
        " ORDER BY d.restricted_until LIMIT 1 FOR UPDATE SKIP LOCKED",
    )


async def latest(
    connection: Connection, *, needs_attention: bool, limit: int, before: tuple[datetime, str] | None
) -> list[Stored]:
    """Disposals, the latest in front, from before a place on."""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS}, {_ATTENTION} AS attention FROM disposal d"  # noqa: S608 - constants
        f" WHERE (NOT %s OR {_ATTENTION})"
        " AND (%s::timestamptz IS NULL OR (d.decided_at, d.disposal_id) < (%s, %s::uuid))"
        " ORDER BY d.decided_at DESC, d.disposal_id DESC LIMIT %s",
        (needs_attention, before and before[0], before and before[0], before and before[1], limit),
    )
    return [_stored(row) for row in await cursor.fetchall()]


async def _one(connection: Connection, query: str, *parameters: object) -> Stored | None:
    cursor = await connection.execute(query, parameters)  # the callers' own text
    row = await cursor.fetchone()
    return _stored(row) if row else None


def _stored(row: Row) -> Stored:
    disposal = Disposal(
        disposal_id=str(row["disposal_id"]),
        measure=Measure(row["measure"]),
        state=row["state"],
        product=row["product"],
        generation_id=str(row["generation_id"] or ""),
        model=row["model"],
        of_person=row["of_person"],
        functions=tuple(row["functions"]),
        until=row["until"],
        legal_basis=row["legal_basis"],
        automated_detection=row["automated_detection"],
        notice_source=row["notice_source"],
        exemption=row["exemption"],
        category=row["category"],
        decision_ground=row["decision_ground"],
        automated_decision=row["automated_decision"],
        incident_id=str(row["incident_id"] or ""),
        proposal_id=str(row["proposal_id"] or ""),
        decided_by=row["decided_by"],
        decided_at=row["decided_at"],
        ended_at=row["ended_at"],
        restricted_until=row["restricted_until"],
        notice_id=str(row["notice_id"] or ""),
    )
    wrapped = Wrapped(_bytes(row["pseudonym"]), row["wrapped_by"], _bytes(row["wrapped_key"]), _bytes(row["sealed"]))
    return Stored(disposal, wrapped, bool(row.get("attention", False)))


def _bytes(value: bytes | memoryview | None) -> bytes | None:
    return None if value is None else bytes(value)
