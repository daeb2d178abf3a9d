"""Table request."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from candor_rights.domain.holder import Right
from candor_rights.domain.person import SealedPerson
from candor_rights.domain.request import DueDate, Identity, Regime, Request, State
from candor_rights.store import Connection, Row

_COLUMNS = (
    "request_id, asked_right, regime, state, received_at, opened_at, strict_due, citation, identity_method,"
    " identity_ok, decided_at, refusal_ground, closes_at, closed_at, erased_at, forget, person,"
    " sealed_person, evidence_ref"
)


@dataclass(frozen=True)
class Stored:
    """A request with who asked; `person` is None once they are forgotten."""

    request: Request
    person: SealedPerson | None


async def lock_person(connection: Connection, pseudonym: bytes) -> None:
    """Let no other transaction touch a request of this person until this one ends."""
    number = int.from_bytes(pseudonym[:8], signed=True)
    await connection.execute("SELECT pg_advisory_xact_lock(%s)", (number,))


async def lock(connection: Connection, request_id: str) -> Stored | None:
    """The request, locked, and its person before it, always in that order; None when there is none."""
    cursor = await connection.execute("SELECT person FROM request WHERE request_id = %s", (request_id,))
    row = await cursor.fetchone()
    if row is None:
        return None
    if row["person"] is not None:
        await lock_person(connection, row["person"])
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM request WHERE request_id = %s FOR UPDATE",  # noqa: S608 - a constant
        (request_id,),
    )
    return _stored(_one(await cursor.fetchone()))


async def find(connection: Connection, request_id: str) -> Stored | None:
    """The request; None when there is none."""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM request WHERE request_id = %s",  # noqa: S608 - a constant
        (request_id,),
    )
    row = await cursor.fetchone()
    return _stored(row) if row else None


async def insert(connection: Connection, request: Request, person: SealedPerson) -> None:
    """Add a new request."""
    await connection.execute(
        "INSERT INTO request (request_id, asked_right, regime, state, received_at, opened_at, strict_due, citation,"
        " person, sealed_person) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            request.request_id, request.right, request.regime, request.state, request.received_at, request.opened_at,
            request.due.strict, request.due.citation, person.pseudonym, person.sealed,
        ),
    )  # fmt: skip


async def decided(connection: Connection, request: Request) -> None:
    """Write the decision on who asks, and what follows from it."""
    identity = request.identity
    if identity is None:
        raise ValueError("the identity is not decided")
    await connection.execute(
        "UPDATE request SET state = %s, identity_method = %s, identity_ok = %s, decided_at = %s, evidence_ref = %s,"
        " refusal_ground = %s WHERE request_id = %s",
        (
            request.state, identity.method, identity.verified, identity.decided_at, identity.evidence_ref,
            request.refusal_ground, request.request_id,
        ),
    )  # fmt: skip


async def settled(connection: Connection, request: Request) -> None:
    """Write where a request stands once its holders have answered."""
    await connection.execute(
        "UPDATE request SET state = %s, closes_at = %s, closed_at = %s, erased_at = %s WHERE request_id = %s",
        (request.state, request.closes_at, request.closed_at, request.erased_at, request.request_id),
    )


async def of_person(connection: Connection, pseudonym: bytes) -> tuple[Stored, ...]:
    """All requests of a person, oldest first."""
    return await _of_person(connection, pseudonym, "")


async def lock_of_person(connection: Connection, pseudonym: bytes) -> tuple[Stored, ...]:
    """All requests of a person, oldest first, locked. The person must be locked before."""
    return await _of_person(connection, pseudonym, " FOR UPDATE")


async def knows_person(connection: Connection, pseudonym: bytes) -> bool:
    """Whether any request still says who asked and means this person."""
    cursor = await connection.execute("SELECT EXISTS (SELECT FROM request WHERE person = %s) AS known", (pseudonym,))
    return bool(_one(await cursor.fetchone())["known"])


async def forget(connection: Connection, request_ids: Sequence[str]) -> None:
    """Empty who asked: the pseudonym, the sealed person, and where the evidence of their identity lies."""
    await connection.execute(
        "UPDATE request SET person = NULL, sealed_person = NULL, evidence_ref = '' WHERE request_id = ANY(%s::uuid[])",
        (list(request_ids),),
    )


async def reseal(connection: Connection, request_id: str, person: SealedPerson) -> None:
    """Write the person sealed anew, to be forgotten when the request ends."""
    await connection.execute(
        "UPDATE request SET person = %s, sealed_person = %s, forget = true WHERE request_id = %s",
        (person.pseudonym, person.sealed, request_id),
    )


async def next_to_close(connection: Connection, now: datetime) -> Request | None:
    """A deletion whose last copy is gone, locked; None when there is none. Skips what another transaction holds."""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM request WHERE state = 'IN_PROGRESS' AND closes_at <= %s"  # noqa: S608 - a constant
        " ORDER BY closes_at LIMIT 1 FOR UPDATE SKIP LOCKED",
        (now,),
    )
    row = await cursor.fetchone()
    return _stored(row).request if row else None


async def unfinished_past_due(connection: Connection, now: datetime) -> int:
    """How many requests are past their due date and not finished."""
    cursor = await connection.execute(
        "SELECT count(*) AS n FROM request WHERE state IN ('OPEN', 'IN_PROGRESS') AND strict_due < %s", (now,)
    )
    return int(_one(await cursor.fetchone())["n"])


@dataclass(frozen=True)
class Listed:
    """A request in a list, and how far its tasks are."""

    request: Request
    tasks: int
    tasks_answered: int


async def page(
    connection: Connection, *, open_only: bool, after: tuple[datetime, str] | None, size: int
) -> tuple[Listed, ...]:
    """At most `size` requests after (strict_due, request_id), the one that falls due first in front."""
    clauses = ["state IN ('OPEN', 'IN_PROGRESS')"] if open_only else []
    parameters: list[object] = []
    if after is not None:
        clauses.append("(strict_due, request_id) > (%s, %s::uuid)")
        parameters += after
    where = f"WHERE {' AND '.join(clauses)} " if clauses else ""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS}, (SELECT count(*) FROM task t WHERE t.request_id = request.request_id) AS tasks,"  # noqa: S608
        " (SELECT count(*) FROM task t WHERE t.request_id = request.request_id AND t.outcome IS NOT NULL) AS answered"
        f" FROM request {where}ORDER BY strict_due, request_id LIMIT %s",
        (*parameters, size),
    )
    return tuple([Listed(_stored(row).request, row["tasks"], row["answered"]) async for row in cursor])


async def _of_person(connection: Connection, pseudonym: bytes, locking: str) -> tuple[Stored, ...]:
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM request WHERE person = %s ORDER BY received_at, request_id{locking}",  # noqa: S608
        (pseudonym,),
    )
    return tuple([_stored(row) async for row in cursor])


def _one(row: Row | None) -> Row:
    if row is None:
        raise LookupError("a row that must exist does not")
    return row


def _stored(row: Row) -> Stored:
    identity = None
    if row["decided_at"] is not None:
        identity = Identity(row["identity_ok"], row["identity_method"], row["evidence_ref"], row["decided_at"])
    request = Request(
        request_id=str(row["request_id"]),
        right=Right(row["asked_right"]),
        regime=Regime(row["regime"]),
        state=State(row["state"]),
        received_at=row["received_at"],
        opened_at=row["opened_at"],
        due=DueDate(row["strict_due"], row["citation"]),
        identity=identity,
        refusal_ground=row["refusal_ground"],
        closes_at=row["closes_at"],
        closed_at=row["closed_at"],
        erased_at=row["erased_at"],
        forget=row["forget"],
    )
    person = SealedPerson(row["person"], row["sealed_person"]) if row["person"] is not None else None
    return Stored(request, person)
