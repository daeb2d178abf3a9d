"""Disposals (处置): a measure about content or an account, and the asks by which product backends carry it out."""

import calendar
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from candor_escalation.domain.refusal import Refused


class Measure(StrEnum):
    """What is done. The first three are about content, the others are sanctions on a user."""

    STOP_GENERATION = "stop_generation"
    STOP_TRANSMISSION = "stop_transmission"
    REMOVE = "remove"
    WARN = "warn"
    LIMIT_FUNCTIONS = "limit_functions"
    SUSPEND_SERVICE = "suspend_service"
    CLOSE_ACCOUNT = "close_account"


SANCTIONS = (Measure.WARN, Measure.LIMIT_FUNCTIONS, Measure.SUSPEND_SERVICE, Measure.CLOSE_ACCOUNT)
"""The ladder, mildest in front (Generative AI Measures 14(2))."""

IN_FORCE, ENDED, REVERSED = "in_force", "ended", "reversed"
WAITING, CARRIED_OUT, COULD_NOT, WITHDRAWN = "waiting", "carried_out", "could_not", "withdrawn"
NO_EXEMPTION, DECEPTIVE_COMMERCIAL, AUTHORITY_ORDER = "", "deceptive_commercial", "authority_order"
_LONGEST_PAUSE = timedelta(hours=1)


class Act(StrEnum):
    """What a product backend is asked to do."""

    APPLY = "apply"
    LIFT = "lift"
    DELIVER_STATEMENT = "deliver_statement"


@dataclass(frozen=True)
class Disposal:
    """A measure as it stands. Who it is about and what happened is kept sealed, see `Matter`."""

    disposal_id: str
    measure: Measure
    state: str
    product: str
    generation_id: str
    model: str
    of_person: bool
    functions: tuple[str, ...]
    until: datetime | None
    legal_basis: str
    automated_detection: bool
    notice_source: str
    exemption: str
    category: str
    decision_ground: str
    automated_decision: str
    incident_id: str
    proposal_id: str
    decided_by: str
    decided_at: datetime
    ended_at: datetime | None = None
    restricted_until: datetime | None = None
    notice_id: str = ""


@dataclass(frozen=True)
class Matter:
    """What of a disposal is sealed: whom it is about (empty: nobody), what happened, why that is a breach.

    ``departure`` says why it is more than the ladder proposed, where it is.
    """

    subject: str
    facts: str
    reason: str
    departure: str = ""


@dataclass(frozen=True)
class Ask:
    """One thing asked of a product backend until it answers."""

    ask_id: str
    disposal_id: str
    act: Act
    statement_id: str
    asked_at: datetime
    ask_again_at: datetime
    answer_by: datetime
    state: str = WAITING
    attempts: int = 1
    overdue: bool = False
    answered_at: datetime | None = None
    evidence: str = ""


@dataclass(frozen=True)
class Patience:
    """How long a backend may take before the ask is overdue, and the first pause before it is asked again."""

    answer_within: timedelta
    first_pause: timedelta


def refuse_passed(until: datetime | None, now: datetime) -> None:
    """Refuse a term that is over before it begins.

    Raises:
        Refused: TERM_PASSED.
    """
    if until is not None and until <= now:
        raise Refused("TERM_PASSED", "the end must be in the future", field="until")


def needs_statement(disposal: Disposal) -> bool:
    """Tell whether the user is told the reasons: of everything that is about them, unless an exemption applies.

    Source: DSA 17
    """
    return disposal.of_person and disposal.exemption == NO_EXEMPTION


def ask(ask_id: str, disposal_id: str, act: Act, statement_id: str, patience: Patience, now: datetime) -> Ask:
    """The first ask for an act.

    Source: Generative AI Measures 14; Deep Synthesis 10
    """
    return Ask(ask_id, disposal_id, act, statement_id, now, now + patience.first_pause, now + patience.answer_within)


def ask_again(asked: Ask, patience: Patience, now: datetime) -> Ask:
    """The same ask once more; the pauses double, up to an hour, and never end."""
    doublings = min(asked.attempts, 20)
    pause = min(patience.first_pause * 2**doublings, max(_LONGEST_PAUSE, patience.first_pause))
    return replace(asked, attempts=asked.attempts + 1, ask_again_at=now + pause)


def acknowledge(asked: Ask, outcome: str, evidence: str, answered_at: datetime) -> Ask:
    """The ask as its backend answers it. What could not be done may be done later, what was done stays done.

    An answer that says the same again, or comes after the disposal was taken back, changes nothing.

    Raises:
        Refused: ASK_ANSWERED.
    """
    if asked.state in {WITHDRAWN, outcome}:
        return asked
    if asked.state == CARRIED_OUT:
        raise Refused("ASK_ANSWERED", "the ask was answered: it was carried out", field="outcome")
    return replace(asked, state=outcome, evidence=evidence, answered_at=answered_at)


def withdraw(asked: Ask) -> Ask:
    """An ask to apply what is taken back is asked no more, whatever was answered short of having done it."""
    if asked.act is not Act.APPLY or asked.state == CARRIED_OUT:
        return asked
    return replace(asked, state=WITHDRAWN)


def lift(disposal: Disposal, state: str, now: datetime) -> Disposal:
    """The disposal when its term has passed or a complaint was granted."""
    return replace(disposal, state=state, ended_at=now)


def retained_until(disposal: Disposal, settled_at: datetime | None, months: int) -> datetime:
    """Until when the law keeps the record of a disposal, even of a person who asks for erasure.

    A complaint stays possible for six months, and records of what was disposed of are to be kept: months count from
    the decision, the end of the measure or the decision on the complaint, whichever is last.

    Args:
        disposal: of the person.
        settled_at: when a complaint about it was decided, if one was.
        months: how many, at least 6.

    Source: Generative AI Measures 14; DSA 20
    """
    instants = [disposal.decided_at, disposal.until, disposal.ended_at, settled_at]
    return plus_months(max(at for at in instants if at is not None), months)


def plus_months(at: datetime, months: int) -> datetime:
    """The same day so many months later; the month's last day where it has no such day."""
    year, month = divmod(at.year * 12 + at.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return at.replace(year=year, month=month + 1, day=min(at.day, last))
