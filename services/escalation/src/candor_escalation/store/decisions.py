"""Tables proposal, decision."""

from candor_escalation.domain.decision import Decision, Proposal
from candor_escalation.store import Connection, Row

_PROPOSAL = "proposal_id, clock_id, reason, proposed_by, proposed_at, asked"


async def insert_proposal(connection: Connection, proposal: Proposal) -> None:
    """Keep a proposal not to report."""
    await connection.execute(
        f"INSERT INTO proposal ({_PROPOSAL}) VALUES (%s, %s, %s, %s, %s, %s)",  # noqa: S608 - a constant
        (
            proposal.proposal_id, proposal.clock_id, proposal.reason, proposal.proposed_by, proposal.proposed_at,
            proposal.asked,
        ),
    )  # fmt: skip


async def proposal(connection: Connection, proposal_id: str) -> Proposal | None:
    """One proposal; None when there is none."""
    cursor = await connection.execute(
        f"SELECT {_PROPOSAL} FROM proposal WHERE proposal_id = %s",  # noqa: S608 - a constant
        (proposal_id,),
    )
    row = await cursor.fetchone()
    return _proposal(row) if row else None


async def latest_proposal(connection: Connection, clock_id: str) -> Proposal | None:
    """The latest proposal of a clock; None when there is none."""
    cursor = await connection.execute(
        f"SELECT {_PROPOSAL} FROM proposal WHERE clock_id = %s ORDER BY proposed_at DESC, proposal_id DESC LIMIT 1",  # noqa: S608 - a constant
        (clock_id,),
    )
    row = await cursor.fetchone()
    return _proposal(row) if row else None


async def waiting(connection: Connection, incident_id: str) -> list[Proposal]:
    """The latest proposal of each running clock of an incident."""
    cursor = await connection.execute(
        "SELECT DISTINCT ON (p.clock_id) p.proposal_id, p.clock_id, p.reason, p.proposed_by, p.proposed_at, p.asked"
        " FROM proposal p JOIN clock c USING (clock_id) WHERE c.incident_id = %s AND c.state = 'running'"
        " ORDER BY p.clock_id, p.proposed_at DESC, p.proposal_id DESC",
        (incident_id,),
    )
    return [_proposal(row) for row in await cursor.fetchall()]


async def insert_decision(connection: Connection, decision: Decision) -> None:
    """Keep a decision not to report."""
    await connection.execute(
        "INSERT INTO decision (clock_id, reason, decided_by, approved_by, decided_at) VALUES (%s, %s, %s, %s, %s)",
        (decision.clock_id, decision.reason, decision.decided_by, decision.approved_by, decision.decided_at),
    )


async def decision(connection: Connection, clock_id: str) -> Decision | None:
    """The decision not to report; None when there is none."""
    cursor = await connection.execute(
        "SELECT clock_id, reason, decided_by, approved_by, decided_at FROM decision WHERE clock_id = %s", (clock_id,)
    )
    row = await cursor.fetchone()
    if row is None:
        return None
    return Decision(str(row["clock_id"]), row["reason"], row["decided_by"], row["approved_by"], row["decided_at"])


def _proposal(row: Row) -> Proposal:
    return Proposal(
        proposal_id=str(row["proposal_id"]),
        clock_id=str(row["clock_id"]),
        reason=row["reason"],
        proposed_by=row["proposed_by"],
        proposed_at=row["proposed_at"],
        asked=row["asked"],
    )
