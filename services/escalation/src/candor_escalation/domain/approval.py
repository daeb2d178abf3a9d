"""Approval of a report by a second person, before it is sent."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from candor_escalation.domain.refusal import Refused
from candor_escalation.domain.report import Draft, Submission

_MINUTE = timedelta(minutes=1)
"""People write the time of a submission to the minute."""


@dataclass(frozen=True)
class Approval:
    """Who approved which revision, in every language, and when."""

    clock_id: str
    revision: int
    approved_by: str
    approved_at: datetime


def authors(drafts: Iterable[Draft], revision: int, submissions: Sequence[Submission]) -> frozenset[str]:
    """Who wrote a revision: everyone who drafted or edited since the last report that was sent."""
    sent = max((submission.revision for submission in submissions if submission.revision < revision), default=0)
    return frozenset(draft.drafted_by for draft in drafts if sent < draft.revision <= revision)


def approve(
    drafts: Sequence[Draft], revision: int, submissions: Sequence[Submission], by: str, now: datetime
) -> Approval:
    """The approval of the latest revision by somebody who did not write it.

    Raises:
        Refused: DRAFT_UNKNOWN, SUPERSEDED, or SAME_PERSON.
    """
    latest = max((draft.revision for draft in drafts), default=0)
    if revision > latest:
        raise Refused("DRAFT_UNKNOWN", "there is no draft of that revision", field="revision")
    if revision < latest:
        raise Refused("SUPERSEDED", f"revision {latest} is later; read and approve that one", field="revision")
    if by in authors(drafts, revision, submissions):
        raise Refused("SAME_PERSON", "another person than those who drafted and edited approves")
    return Approval(drafts[0].clock_id, revision, by, now)


def standing(approval: Approval | None, drafts: Iterable[Draft], sent_at: datetime) -> bool:
    """Whether an approval stood when the report was sent: given by then, and nothing changed in between."""
    if approval is None or approval.approved_at >= sent_at + _MINUTE:
        return False
    return not any(draft.revision > approval.revision and draft.drafted_at <= sent_at for draft in drafts)


def marked(submission: Submission, approval: Approval | None, drafts: Iterable[Draft], reason: str) -> Submission:
    """The submission with who approved it, or why it could not wait for that.

    A legal clock must not be missed for want of an approver, so a reason always does; it stays on the record.

    Raises:
        Refused: NOT_APPROVED.
    """
    if approval is not None and standing(approval, drafts, submission.submitted_at):
        return replace(submission, approved_by=approval.approved_by)
    if not reason.strip():
        raise Refused(
            "NOT_APPROVED",
            "no second person had approved this revision when it was sent; have it done, or say why it could not wait",
            field="unapproved_reason",
        )
    return replace(submission, unapproved_reason=reason.strip())
