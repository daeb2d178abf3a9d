"""Notices of content that somebody holds to be unlawful (投诉举报): what they set going, and how they are decided."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from candor_escalation.domain.disposal import plus_months
from candor_escalation.domain.dsa_schema import CATEGORIES
from candor_escalation.domain.incident import Anchor, Json, Signal
from candor_escalation.domain.ladder import Earlier, suspended
from candor_escalation.domain.refusal import Refused

ACTED, NOT_ACTED = "acted", "not_acted"
LAW, TERMS = "law", "terms"
UNCHECKED, KNOWN, UNKNOWN, ERASED = "unchecked", "known", "unknown", "erased"
CONFIRMATION, ANSWER = "confirmation", "answer"
SOURCE = "backend"
"""Who says what an incident knows of a notice."""

_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(minutes=1), timedelta(days=1)


class Form(StrEnum):
    """What a notice was given as."""

    ILLEGAL_CONTENT = "illegal_content"
    INTIMATE_IMAGE = "intimate_image"
    PUBLIC_COMPLAINT = "public_complaint"


@dataclass(frozen=True)
class Words:
    """What of a notice is sealed: who gave it (empty: nobody is named), why, and where the content is."""

    notifier: str
    explanation: str
    locations: str
    """One a line."""


@dataclass(frozen=True)
class Notice:
    """A notice as it stands. ``content``: what the generation service knows of the generation; empty without one."""

    notice_id: str
    product: str
    forms: tuple[Form, ...]
    category: str
    generation_id: str
    content: str
    reference: str
    trusted_flagger: bool
    contact_held: bool
    signed: bool
    good_faith: bool
    received_at: datetime
    incident_ids: tuple[str, ...] = ()
    outcome: str = ""
    basis: str = ""
    automated_means: bool = False
    manifestly_unfounded: bool = False
    decided_by: str = ""
    decided_at: datetime | None = None
    confirmed_at: datetime | None = None
    answered_at: datetime | None = None
    restricted_until: datetime | None = None

    @property
    def settled(self) -> bool:
        """Whether it is decided, and told to who gave it where they can be reached."""
        return bool(self.outcome) and (self.answered_at is not None or not self.contact_held)

    @property
    def is_valid_removal_request(self) -> bool:
        """Whether the time to remove an intimate image runs: signature, identification, good faith, contact.

        The image is identified, for no notice comes in without a location.
        """
        return self.signed and self.good_faith and self.contact_held


def refuse_category(forms: Iterable[Form], category: str) -> None:
    """Refuse a type of illegal content that no transparency report has a line for.

    Raises:
        Refused: CATEGORY_UNKNOWN.

    Source: DSA 15
    """
    if Form.ILLEGAL_CONTENT in set(forms) and category not in CATEGORIES:
        raise Refused("CATEGORY_UNKNOWN", "is no category of the DSA Transparency Database", field="category")


def refuse_suspended(forms: Iterable[Form], history: Iterable[Earlier], now: datetime) -> None:
    """Refuse notices of illegal content from who is suspended for unfounded ones; any other form is always taken.

    Raises:
        Refused: NOTICE_CLOSED.

    Source: DSA 23
    """
    if set(forms) == {Form.ILLEGAL_CONTENT} and suspended("notices", history, now):
        raise Refused("NOTICE_CLOSED", "the notices of who gave it are suspended, after a warning (DSA 23)")


def signals(notice: Notice) -> Iterator[Signal]:
    """What a notice reports: one incident for each form that it was given as. Neither words nor location are in it.

    A notice gives actual knowledge where the illegality shows without a detailed legal examination (DSA 16(3)). Nobody
    has looked yet, so the shortest is assumed: ``aware`` is its receipt, until a person corrects or disputes it.

    Source: DSA 16; Generative AI Measures 15
    """
    for form in notice.forms:
        kind, told, anchors = _SIGNALS[form](notice)
        yield Signal(
            kind=kind,
            title=_title(notice, form),
            correlation_key=notice.notice_id,
            facts={"product": notice.product, "confirmation_sent": False, "settled": False, **told},
            anchors=tuple(Anchor(name, notice.received_at, f"notice {notice.notice_id}") for name in anchors),
            source=SOURCE,
            reference=notice.notice_id,
            evidence=notice.generation_id,
        )


def decide(
    notice: Notice,
    outcome: str,
    basis: str,
    by: str,
    now: datetime,
    disposals: int,
    *,
    automated: bool,
    unfounded: bool,
) -> Notice:
    """The notice as a person decides it; what was done about the content is on record before.

    Args:
        notice: as it stands.
        outcome: "acted" or "not_acted".
        basis: "law" or "terms" where it was acted, else empty.
        by: who decides.
        now: when.
        disposals: how many rest on the notice.
        automated: whether automated means were used to process it.
        unfounded: whether it is manifestly unfounded.

    Raises:
        Refused: NOTICE_DECIDED, NOTICE_WITHOUT_DISPOSAL.

    Source: DSA 16; DSA 15
    """
    if notice.outcome:
        raise Refused("NOTICE_DECIDED", "the notice was decided before")
    if outcome == ACTED and not disposals:
        raise Refused("NOTICE_WITHOUT_DISPOSAL", "no disposal rests on the notice: order it first", field="outcome")
    return replace(
        notice,
        outcome=outcome,
        basis=basis,
        automated_means=automated,
        manifestly_unfounded=unfounded,
        decided_by=by,
        decided_at=now,
    )


def acknowledge(notice: Notice, text: str, sent_at: datetime) -> Notice:
    """The notice once who gave it was sent the confirmation or the answer; the first time counts.

    Raises:
        Refused: NOTICE_UNDECIDED.

    Source: DSA 16
    """
    if text == CONFIRMATION:
        return replace(notice, confirmed_at=notice.confirmed_at or sent_at)
    if not notice.outcome:
        raise Refused("NOTICE_UNDECIDED", "there is no answer yet that could have been sent", field="text")
    return replace(notice, answered_at=notice.answered_at or sent_at)


def known_of(notice: Notice) -> dict[str, Json]:
    """What the incidents of a notice know of it by now, in the words of the packs."""
    told: dict[str, Json] = {"confirmation_sent": notice.confirmed_at is not None, "settled": notice.settled}
    if notice.content:
        told["content_state"] = notice.content
    if notice.outcome:
        done = f"acted, on the basis of the {notice.basis}" if notice.outcome == ACTED else "not acted"
        told |= {"decision": done, "complaint_outcome": done}
        told["automated_means"] = "yes" if notice.automated_means else "no"
        told["redress"] = "told with the decision"
    return told


def found_by(notice: Notice) -> str:
    """How content was found that a notice told of, for who is restricted; it says nothing of who gave it.

    Source: DSA 17
    """
    return "article 16 notice" if Form.ILLEGAL_CONTENT in notice.forms else "notice (投诉举报)"


def look_again_after(looks: int) -> timedelta:
    """How long until a generation that is not there is looked for again: doubling, a day at most."""
    return min(_FIRST_PAUSE * float(2 ** min(looks, 20)), _LONGEST_PAUSE)


def retained_until(notice: Notice, months: int) -> datetime | None:
    """Until when a notice is kept although who gave it asks for erasure; None: until it is decided, at the least.

    Who gave it may complain of the decision for six months, and who is restricted because of it as well.

    Source: DSA 20
    """
    return plus_months(notice.decided_at, months) if notice.decided_at else None


def _illegal_content(notice: Notice) -> tuple[str, dict[str, Json], tuple[str, ...]]:
    told: dict[str, Json] = {
        "notifier_contact_known": notice.contact_held,
        "notice_reference": notice.notice_id,
        "content_location": _location(notice),
        "alleged_illegality": notice.category,
        "trusted_flagger": notice.trusted_flagger,
    }
    return "content_notice", told, ("notice_received", "aware")


def _intimate_image(notice: Notice) -> tuple[str, dict[str, Json], tuple[str, ...]]:
    valid = notice.is_valid_removal_request
    told: dict[str, Json] = {
        "intimate_imagery": True,
        "valid_request": valid,
        "request_reference": notice.notice_id,
        "content_location": _location(notice),
    }
    return "removal_request", told, ("request_received", *(("valid_request_received",) if valid else ()))


def _public_complaint(notice: Notice) -> tuple[str, dict[str, Json], tuple[str, ...]]:
    told: dict[str, Json] = {
        "complaint_reference": notice.notice_id,
        "complaint_matter": notice.category,
        "against_decision": False,
    }
    return "complaint", told, ("complaint_received",)


_SIGNALS = {
    Form.ILLEGAL_CONTENT: _illegal_content,
    Form.INTIMATE_IMAGE: _intimate_image,
    Form.PUBLIC_COMPLAINT: _public_complaint,
}


def _title(notice: Notice, form: Form) -> str:
    what = {
        Form.ILLEGAL_CONTENT: "Notice of illegal content",
        Form.INTIMATE_IMAGE: "Request to remove an intimate image",
        Form.PUBLIC_COMPLAINT: "投诉举报",
    }[form]
    whose = " by a trusted flagger" if notice.trusted_flagger and form is Form.ILLEGAL_CONTENT else ""
    return f"{what}{whose} in {notice.product}, {notice.notice_id}"


def _location(notice: Notice) -> str:
    """The location as far as it names nobody: a URL may, so it stays sealed and is read in the notice."""
    return f"generation {notice.generation_id}" if notice.generation_id else f"see notice {notice.notice_id}"
