"""Reports: what was written and sent, the receipts, and the decision not to report."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from candor_escalation.domain.clock import RECEIPTED, Clock, refuse_stopped
from candor_escalation.domain.incident import refuse_future
from candor_escalation.domain.refusal import Refused

FIRST = "first"
SUPPLEMENT = "supplement"
FINAL = "final"


@dataclass(frozen=True)
class Draft:
    """A report as it was written then, in one language. ``sha256`` is over the UTF-8 text, 32 bytes.

    ``template`` is the form it was written on, ``fields`` what stood in each field (empty: missing), ``labels`` what
    the fields are called, ``remark`` the free text below. A draft without a template has its text only. One of a
    ``drill`` says so in every file of it.
    """

    clock_id: str
    revision: int
    locale: str
    text: str
    missing: tuple[str, ...]
    sha256: bytes
    drafted_at: datetime
    drafted_by: str
    kind: str = FIRST
    template: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    remark: str = ""
    drill: bool = False


@dataclass(frozen=True)
class Receipt:
    """The authority's confirmation. ``proof_sha256`` is 32 bytes or empty, ``proof_size`` in bytes."""

    reference: str
    received_at: datetime
    recorded_by: str
    recorded_at: datetime
    proof_sha256: bytes
    proof_size: int = 0
    proof_media_type: str = ""


@dataclass(frozen=True)
class File:
    """What is sent: its bytes, what they are, and their SHA-256 (32 bytes)."""

    name: str
    media_type: str
    content: bytes
    sha256: bytes


@dataclass(frozen=True)
class Submission:
    """A draft that was sent to the authority. It stops nothing; its receipt does.

    ``sha256`` is over what was sent. ``approved_by`` is empty where nobody had approved; then ``unapproved_reason``
    says why it could not wait. In a ``drill`` nothing was sent, and the receipt is no authority's.
    """

    submission_id: str
    clock_id: str
    revision: int
    locale: str
    channel: str
    submitted_by: str
    submitted_at: datetime
    sha256: bytes
    receipt: Receipt | None = None
    kind: str = FIRST
    media_type: str = "text/plain"
    approved_by: str = ""
    unapproved_reason: str = ""
    drill: bool = False


def kind_of(asked: str, submissions: Sequence[Submission]) -> str:
    """What the next report is: a first one says what is known, a supplement or a final one follows. Empty: what fits.

    Source: GDPR 33(4)

    Raises:
        Refused: KIND_OUT_OF_ORDER.
    """
    if not asked:
        return SUPPLEMENT if submissions else FIRST
    if asked == FIRST and submissions:
        raise Refused("KIND_OUT_OF_ORDER", "the first report was submitted already; write a supplement", field="kind")
    if asked != FIRST and not submissions:
        raise Refused("KIND_OUT_OF_ORDER", "no first report was submitted yet that this could follow", field="kind")
    return asked


def refuse_unwritable(clock: Clock, kind: str) -> None:
    """Refuse to write to a clock that was stopped, but for what follows a report that the authority has.

    Raises:
        Refused: CLOCK_STOPPED.
    """
    if clock.state != RECEIPTED or kind not in {SUPPLEMENT, FINAL}:
        refuse_stopped(clock)


def draft_of(drafts: Iterable[Draft], revision: int, locale: str) -> Draft:
    """The draft of a revision in a language.

    Raises:
        Refused: DRAFT_UNKNOWN.
    """
    for draft in drafts:
        if (draft.revision, draft.locale) == (revision, locale):
            return draft
    raise Refused("DRAFT_UNKNOWN", "there is no draft of that revision in that language", field="revision")


def submit(
    draft: Draft,
    submission_id: str,
    channel: str,
    submitted_by: str,
    submitted_at: datetime,
    now: datetime,
    sent: File | None = None,
) -> Submission:
    """The submission of a draft, as text unless ``sent`` is another file of it.

    Raises:
        Refused: TIME_IN_FUTURE.
    """
    refuse_future(submitted_at, now, "the submission")
    return Submission(
        submission_id=submission_id,
        clock_id=draft.clock_id,
        revision=draft.revision,
        locale=draft.locale,
        channel=channel,
        submitted_by=submitted_by,
        submitted_at=submitted_at,
        sha256=sent.sha256 if sent else draft.sha256,
        kind=draft.kind,
        media_type=sent.media_type if sent else "text/plain",
        drill=draft.drill,
    )


def confirm(submission: Submission, receipt: Receipt, now: datetime) -> Submission:
    """The submission with the authority's receipt.

    Raises:
        Refused: RECEIPT_EXISTS, or TIME_IN_FUTURE.
    """
    if submission.receipt is not None:
        raise Refused("RECEIPT_EXISTS", "the submission has its receipt", field="submission_id")
    refuse_future(receipt.received_at, now, "the receipt")
    return replace(submission, receipt=receipt)
