"""Tables complaint, unfounded_notice, disposal_proposal. Whoever changes a complaint has locked its disposal."""

from dataclasses import dataclass
from datetime import datetime

from candor_escalation.domain.complaint import Complaint
from candor_escalation.store import Connection, Row

_COLUMNS = (
    "complaint_id, disposal_id, filed_at, answer_by, outcome, decided_by, decided_at, manifestly_unfounded, sealed,"
    " sealed_reasons"
)
_PROPOSAL = "proposal_id, generation_id, product, categories, disposal, sanction, proposed_at, state, pseudonym"
_MOST = 1000


@dataclass(frozen=True)
class StoredComplaint:
    """A complaint with what the user says and what was answered, sealed under the disposal's key."""

    complaint: Complaint
    sealed: bytes | None
    sealed_reasons: bytes | None


@dataclass(frozen=True)
class Proposal:
    """What an upheld review suggests. ``sanction`` is empty where the review names nobody."""

    proposal_id: str
    generation_id: str
    product: str
    categories: tuple[str, ...]
    disposal: str
    sanction: str
    proposed_at: datetime
    state: str
    pseudonym: bytes | None


async def insert(connection: Connection, complaint: Complaint, sealed: bytes) -> None:
    """Keep a new complaint."""
    await connection.execute(
        "INSERT INTO complaint (complaint_id, disposal_id, filed_at, answer_by, sealed) VALUES (%s, %s, %s, %s, %s)",
        (complaint.complaint_id, complaint.disposal_id, complaint.filed_at, complaint.answer_by, sealed),
    )


async def decided(connection: Connection, complaint: Complaint, sealed_reasons: bytes | None) -> None:
    """Keep the decision."""
    await connection.execute(
        "UPDATE complaint SET outcome = %s, decided_by = %s, decided_at = %s, manifestly_unfounded = %s,"
        " sealed_reasons = %s WHERE complaint_id = %s",
        (
            complaint.outcome, complaint.decided_by, complaint.decided_at, complaint.manifestly_unfounded,
            sealed_reasons, complaint.complaint_id,
        ),
    )  # fmt: skip


async def find(connection: Connection, complaint_id: str) -> StoredComplaint | None:
    """One complaint; None when there is none."""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM complaint WHERE complaint_id = %s",  # noqa: S608 - constants
        (complaint_id,),
    )
    row = await cursor.fetchone()
    return _stored(row) if row else None


async def of_disposal(connection: Connection, disposal_id: str) -> StoredComplaint | None:
    """The complaint about a disposal; None when there is none."""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM complaint WHERE disposal_id = %s",  # noqa: S608 - constants
        (disposal_id,),
    )
    row = await cursor.fetchone()
    return _stored(row) if row else None


async def listed(connection: Connection, *, open_only: bool) -> list[Complaint]:
    """Complaints, those due first in front; at most 1,000."""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM complaint WHERE NOT %s OR outcome = ''"  # noqa: S608 - constants
        " ORDER BY outcome <> '', answer_by, complaint_id LIMIT %s",
        (open_only, _MOST),
    )
    return [_stored(row).complaint for row in await cursor.fetchall()]


async def count_late(connection: Connection) -> int:
    """How many complaints are past their published time limit, by the database's clock."""
    cursor = await connection.execute(
        "SELECT count(*) AS late FROM complaint WHERE outcome = '' AND answer_by <= clock_timestamp()"
    )
    row = await cursor.fetchone()
    return int(row["late"]) if row else 0


async def add_unfounded(connection: Connection, pseudonym: bytes, reference: str, by: str, at: datetime) -> None:
    """Count an unfounded notice against who gave it."""
    await connection.execute(
        "INSERT INTO unfounded_notice (pseudonym, reference, recorded_by, recorded_at) VALUES (%s, %s, %s, %s)",
        (pseudonym, reference, by, at),
    )


async def count_unfounded(connection: Connection, pseudonym: bytes, since: datetime) -> int:
    """How many unfounded notices and complaints of a person there were since an instant."""
    cursor = await connection.execute(
        "SELECT (SELECT count(*) FROM unfounded_notice WHERE pseudonym = %(who)s AND recorded_at > %(since)s)"
        " + (SELECT count(*) FROM complaint c JOIN disposal d USING (disposal_id) WHERE d.pseudonym = %(who)s"
        " AND c.manifestly_unfounded AND c.decided_at > %(since)s) AS unfounded",
        {"who": pseudonym, "since": since},
    )
    row = await cursor.fetchone()
    return int(row["unfounded"]) if row else 0


async def forget_unfounded(connection: Connection, pseudonym: bytes, until: datetime) -> int:
    """Remove the counts of a person up to an instant; how many there were."""
    cursor = await connection.execute(
        "DELETE FROM unfounded_notice WHERE pseudonym = %s AND recorded_at <= %s", (pseudonym, until)
    )
    return cursor.rowcount


async def insert_proposal(connection: Connection, proposal: Proposal) -> bool:
    """Keep a proposal, one a generation; whether it is new."""
    cursor = await connection.execute(
        "INSERT INTO disposal_proposal (proposal_id, generation_id, product, categories, disposal, sanction,"
        " proposed_at, state, pseudonym) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (
            proposal.proposal_id, proposal.generation_id, proposal.product, list(proposal.categories),
            proposal.disposal, proposal.sanction, proposal.proposed_at, proposal.state, proposal.pseudonym,
        ),
    )  # fmt: skip
    return cursor.rowcount == 1


async def lock_proposal(connection: Connection, proposal_id: str) -> Proposal | None:
    """Lock a proposal; None when there is none."""
    cursor = await connection.execute(
        f"SELECT {_PROPOSAL} FROM disposal_proposal WHERE proposal_id = %s FOR UPDATE",  # noqa: S608 - constants
        (proposal_id,),
    )
    row = await cursor.fetchone()
    return _proposal(row) if row else None


async def settle_proposal(connection: Connection, proposal_id: str, state: str, by: str, at: datetime) -> None:
    """Say what became of a locked proposal."""
    await connection.execute(
        "UPDATE disposal_proposal SET state = %s, settled_by = %s, settled_at = %s WHERE proposal_id = %s",
        (state, by, at, proposal_id),
    )


async def withdraw_proposal(connection: Connection, generation_id: str, by: str, at: datetime) -> None:
    """Dismiss what was proposed about a generation and is open."""
    await connection.execute(
        "UPDATE disposal_proposal SET state = 'dismissed', settled_by = %s, settled_at = %s"
        " WHERE generation_id = %s AND state = 'open'",
        (by, at, generation_id),
    )


async def forget_proposals(connection: Connection, pseudonym: bytes, until: datetime) -> int:
    """Take the person out of what was proposed up to an instant, and dismiss what is open; how many there were."""
    cursor = await connection.execute(
        "UPDATE disposal_proposal SET pseudonym = NULL, sanction = '',"
        " state = CASE state WHEN 'open' THEN 'dismissed' ELSE state END"
        " WHERE pseudonym = %s AND proposed_at <= %s",
        (pseudonym, until),
    )
    return cursor.rowcount


async def open_proposals(connection: Connection) -> list[Proposal]:
    """Proposals that wait for a person, oldest first; at most 1,000."""
    cursor = await connection.execute(
        f"SELECT {_PROPOSAL} FROM disposal_proposal WHERE state = 'open' ORDER BY proposed_at LIMIT %s",  # noqa: S608 - constants
        (_MOST,),
    )
    return [_proposal(row) for row in await cursor.fetchall()]


async def counts_of_person(connection: Connection, pseudonym: bytes) -> dict[str, int]:
    """How many proposals and unfounded notices are held of a person, by kind."""
    cursor = await connection.execute(
        "SELECT (SELECT count(*) FROM disposal_proposal WHERE pseudonym = %(who)s) AS disposal_proposal,"
        " (SELECT count(*) FROM unfounded_notice WHERE pseudonym = %(who)s) AS unfounded_notice",
        {"who": pseudonym},
    )
    row = await cursor.fetchone()
    return {kind: count for kind, count in (row or {}).items() if count}


async def proposals_of_person(connection: Connection, pseudonym: bytes) -> list[Proposal]:
    """What was proposed about a person, oldest first."""
    cursor = await connection.execute(
        f"SELECT {_PROPOSAL} FROM disposal_proposal WHERE pseudonym = %s ORDER BY proposed_at",  # noqa: S608 - constants
        (pseudonym,),
    )
    return [_proposal(row) for row in await cursor.fetchall()]


async def unfounded_of_person(connection: Connection, pseudonym: bytes) -> list[tuple[int, str, datetime]]:
    """A person's unfounded notices: number, reference, instant."""
    cursor = await connection.execute(
        "SELECT number, reference, recorded_at FROM unfounded_notice WHERE pseudonym = %s ORDER BY number", (pseudonym,)
    )
    return [(row["number"], row["reference"], row["recorded_at"]) for row in await cursor.fetchall()]


def _stored(row: Row) -> StoredComplaint:
    complaint = Complaint(
        complaint_id=str(row["complaint_id"]),
        disposal_id=str(row["disposal_id"]),
        filed_at=row["filed_at"],
        answer_by=row["answer_by"],
        outcome=row["outcome"],
        decided_by=row["decided_by"],
        decided_at=row["decided_at"],
        manifestly_unfounded=row["manifestly_unfounded"],
    )
    return StoredComplaint(complaint, row["sealed"], row["sealed_reasons"])


def _proposal(row: Row) -> Proposal:
    return Proposal(
        proposal_id=str(row["proposal_id"]),
        generation_id=str(row["generation_id"]),
        product=row["product"],
        categories=tuple(row["categories"]),
        disposal=row["disposal"],
        sanction=row["sanction"],
        proposed_at=row["proposed_at"],
        state=row["state"],
        pseudonym=row["pseudonym"],
    )
