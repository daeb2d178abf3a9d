"""Reports: submissions, receipts, and the decision not to report."""

from dataclasses import dataclass, replace
from datetime import datetime

from candor_escalation.domain.incident import refuse_future
from candor_escalation.domain.refusal import Refused


@dataclass(frozen=True)
class Draft:
    """A report as it was written then, in one language. ``sha256`` is over the UTF-8 text, 32 bytes."""

    clock_id: str
    revision: int
    locale: str
    text: str
    missing: tuple[str, ...]
    sha256: bytes
    drafted_at: datetime
    drafted_by: str


@dataclass(frozen=True)
class Receipt:
    """The authority's confirmation. ``proof_sha256`` is 32 bytes or empty."""

    reference: str
    received_at: datetime
    recorded_by: str
    recorded_at: datetime
    proof_sha256: bytes


@dataclass(frozen=True)
class Submission:
    """A draft that was sent to the authority. It stops nothing; its receipt does."""

    submission_id: str
    clock_id: str
    revision: int
    locale: str
    channel: str
    submitted_by: str
    submitted_at: datetime
    sha256: bytes
    receipt: Receipt | None = None


@dataclass(frozen=True)
class Decision:
    """The decision not to report, why, and who approved it."""

    clock_id: str
    reason: str
    decided_by: str
    approved_by: str
    decided_at: datetime


def submit(
    draft: Draft | None, submission_id: str, channel: str, submitted_by: str, submitted_at: datetime, now: datetime
) -> Submission:
    """The submission of a draft.

    Raises:
        Refused: DRAFT_UNKNOWN, or TIME_IN_FUTURE.
    """
    if draft is None:
        raise Refused("DRAFT_UNKNOWN", "there is no draft of that revision in that language", field="revision")
    refuse_future(submitted_at, now, "the submission")
    return Submission(
        submission_id, draft.clock_id, draft.revision, draft.locale, channel, submitted_by, submitted_at, draft.sha256
    )


def confirm(submission: Submission, receipt: Receipt, now: datetime) -> Submission:
    """The submission with the authority's receipt.

    Raises:
        Refused: TIME_IN_FUTURE.
    """
    refuse_future(receipt.received_at, now, "the receipt")
    return replace(submission, receipt=receipt)


def decide_not_to_report(clock_id: str, reason: str, decided_by: str, approved_by: str, now: datetime) -> Decision:
    """The decision not to report. Two persons make it.

    Raises:
        Refused: SAME_PERSON.
    """
    if decided_by == approved_by:
        raise Refused("SAME_PERSON", "another person than the one who decides approves", field="approved_by")
    return Decision(clock_id, reason, decided_by, approved_by, now)
