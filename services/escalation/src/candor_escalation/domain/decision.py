"""The decision not to report: one person proposes, another approves, each in their own name."""

from dataclasses import dataclass
from datetime import datetime

from candor_escalation.domain.refusal import Refused


@dataclass(frozen=True)
class Proposal:
    """A proposal not to report. ``asked`` is whom the proposer would have approve; a name that proves nothing."""

    proposal_id: str
    clock_id: str
    reason: str
    proposed_by: str
    proposed_at: datetime
    asked: str = ""


@dataclass(frozen=True)
class Decision:
    """The decision not to report, why, who proposed and who approved it."""

    clock_id: str
    reason: str
    decided_by: str
    approved_by: str
    decided_at: datetime


def propose(proposal_id: str, clock_id: str, reason: str, by: str, now: datetime, asked: str = "") -> Proposal:
    """A proposal. Nobody asks themselves.

    Raises:
        Refused: SAME_PERSON.
    """
    if by == asked:
        raise Refused("SAME_PERSON", "another person than the one who decides approves", field="approved_by")
    return Proposal(proposal_id, clock_id, reason, by, now, asked)


def approve(proposal: Proposal, latest: Proposal | None, by: str, now: datetime) -> Decision:
    """The decision that a proposal becomes when another person approves it.

    Raises:
        Refused: SUPERSEDED by a later proposal, or SAME_PERSON.
    """
    if latest is None or latest.proposal_id != proposal.proposal_id:
        raise Refused("SUPERSEDED", "there is a later proposal; read and approve that one", field="proposal_id")
    if proposal.proposed_by == by:
        raise Refused("SAME_PERSON", "another person than the one who proposed approves")
    return Decision(proposal.clock_id, proposal.reason, proposal.proposed_by, by, now)


def answers(latest: Proposal | None, by: str, named: str) -> bool:
    """Whether a person who names another one thereby approves that one's proposal to them."""
    return latest is not None and latest.asked == by and latest.proposed_by == named
