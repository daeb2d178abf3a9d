"""Internal complaints: free of charge, open for six months, decided by another person, never by a machine alone."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from candor_escalation.domain.disposal import REVERSED, plus_months
from candor_escalation.domain.refusal import Refused

OPEN_MONTHS = 6
UPHELD, REVERSED_BY_COMPLAINT = "upheld", "reversed"


@dataclass(frozen=True)
class Complaint:
    """A complaint about one disposal. What the user says and what was answered is kept sealed."""

    complaint_id: str
    disposal_id: str
    filed_at: datetime
    answer_by: datetime
    outcome: str = ""
    decided_by: str = ""
    decided_at: datetime | None = None
    manifestly_unfounded: bool = False


def file(
    complaint_id: str,
    disposal_id: str,
    state: str,
    informed_at: datetime | None,
    earlier: Complaint | None,
    answer_within: timedelta,
    now: datetime,
) -> Complaint:
    """A complaint about a disposal.

    Args:
        complaint_id: a new id.
        disposal_id: what it is about.
        state: the disposal's.
        informed_at: when the user was told the reasons; None: not yet, so the time has not begun.
        earlier: a complaint about the same disposal, if there was one.
        answer_within: the published time limit.
        now: when it came in.

    Raises:
        Refused: COMPLAINT_CLOSED.

    Source: DSA 20; Deep Synthesis 12; Generative AI Measures 15
    """
    if earlier is not None:
        raise Refused("COMPLAINT_CLOSED", "a complaint about it was made before; out-of-court settlement remains")
    if state == REVERSED:
        raise Refused("COMPLAINT_CLOSED", "the disposal was taken back")
    if informed_at is not None and now > plus_months(informed_at, OPEN_MONTHS):
        raise Refused("COMPLAINT_CLOSED", f"complaints are open for {OPEN_MONTHS} months from being informed")
    return Complaint(complaint_id, disposal_id, now, now + answer_within)


def decide(
    complaint: Complaint, outcome: str, decided_by: str, first_decided_by: str, now: datetime, *, unfounded: bool
) -> Complaint:
    """The complaint as a person decides it, another than the one who decided on the disposal.

    Raises:
        Refused: COMPLAINT_CLOSED, SAME_PERSON.

    Source: DSA 20
    """
    if complaint.outcome:
        raise Refused("COMPLAINT_CLOSED", "the complaint was decided before")
    if decided_by == first_decided_by:
        raise Refused("SAME_PERSON", "another person than the one who decided on the disposal decides")
    return replace(complaint, outcome=outcome, decided_by=decided_by, decided_at=now, manifestly_unfounded=unfounded)
