"""Which sanction comes next. A rule proposes from the sanctions there were; a person decides."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from candor_escalation.domain.disposal import REVERSED, SANCTIONS, Measure
from candor_escalation.domain.refusal import Refused

COUNTED = timedelta(days=365)
"""How long an earlier sanction, an unfounded notice or complaint counts."""
TERMS = {Measure.LIMIT_FUNCTIONS: timedelta(days=7), Measure.SUSPEND_SERVICE: timedelta(days=30)}
"""For how long a limit or a suspension is proposed."""
UNFOUNDED_LIMIT = 3
"""So many manifestly unfounded notices or complaints are frequent."""
ABUSABLE = frozenset({"complaints", "notices"})
"""The functions that are limited because they were abused."""
CITATION = "Generative AI Measures 14(2); Deep Synthesis 10; DSA 23"


@dataclass(frozen=True)
class Earlier:
    """A sanction that was imposed on the same person."""

    measure: Measure
    decided_at: datetime
    state: str
    functions: tuple[str, ...] = ()
    until: datetime | None = None

    def counts(self, now: datetime) -> bool:
        """Whether it still bears on what comes next."""
        return self.state != REVERSED and self.decided_at > now - COUNTED


@dataclass(frozen=True)
class Proposal:
    """What the ladder proposes, and after how many sanctions that count."""

    measure: Measure
    until: datetime | None
    earlier: int


def propose(history: Iterable[Earlier], *, serious: bool, now: datetime) -> Proposal:
    """The next rung above the strictest sanction that counts; the first is a warning.

    What was reversed, or is more than a year old, does not count; sanctions for abuse of complaints are not about
    content and do not either. A serious breach begins at suspension.

    Source: Generative AI Measures 14; Deep Synthesis 10; DSA 23
    """
    counted = [one for one in history if one.counts(now) and not _about_abuse(one)]
    rungs = [SANCTIONS.index(one.measure) for one in counted if one.measure in SANCTIONS]
    rung = min(max(rungs) + 1, len(SANCTIONS) - 1) if rungs else 0
    if serious:
        rung = max(rung, SANCTIONS.index(Measure.SUSPEND_SERVICE))
    measure = SANCTIONS[rung]
    term = TERMS.get(measure)
    return Proposal(measure, now + term if term else None, len(rungs))


def refuse_departure(measure: Measure, proposed: Measure, departure: str) -> None:
    """Refuse more than the ladder proposes without saying why. Less is the person's discretion.

    Raises:
        Refused: LADDER_DEPARTED.

    Source: DSA 23
    """
    if SANCTIONS.index(measure) > SANCTIONS.index(proposed) and not departure.strip():
        message = f"the ladder proposes {proposed.value} after the sanctions there were; say why it is more"
        raise Refused("LADDER_DEPARTED", message, field="departure")


def propose_about_abuse(unfounded: int, history: Iterable[Earlier], now: datetime) -> Measure | None:
    """What is proposed about frequent manifestly unfounded notices and complaints: a warning, then a suspension.

    Args:
        unfounded: how many there were within a year.
        history: the person's sanctions.
        now: the instant of the question.

    Source: DSA 23
    """
    if unfounded < UNFOUNDED_LIMIT:
        return None
    return Measure.LIMIT_FUNCTIONS if warned(history, now) else Measure.WARN


def warned(history: Iterable[Earlier], now: datetime) -> bool:
    """Whether a warning stands that still counts."""
    return any(one.measure is Measure.WARN and one.counts(now) for one in history)


def refuse_unwarned(
    functions: Iterable[str], history: Iterable[Earlier], until: datetime | None, now: datetime
) -> None:
    """Refuse to suspend notices or complaints without an earlier warning, or without an end.

    Raises:
        Refused: LADDER_DEPARTED.

    Source: DSA 23
    """
    if not ABUSABLE.intersection(functions):
        return
    if not warned(history, now):
        raise Refused("LADDER_DEPARTED", "whoever abuses notices or complaints is warned first", field="functions")
    if until is None:
        raise Refused("LADDER_DEPARTED", "complaints and notices are suspended for a time only", field="until")


def suspended(function: str, history: Iterable[Earlier], now: datetime) -> bool:
    """Whether a function is suspended for the person now."""
    return any(
        one.measure is Measure.LIMIT_FUNCTIONS
        and one.state == "in_force"
        and function in one.functions
        and (one.until is None or one.until > now)
        for one in history
    )


def is_abuse_matter(functions: Iterable[str]) -> bool:
    """Whether a limit is about abuse only, so that the content ladder has no say in it."""
    named = set(functions)
    return bool(named) and named <= ABUSABLE


def _about_abuse(one: Earlier) -> bool:
    return one.measure is Measure.LIMIT_FUNCTIONS and is_abuse_matter(one.functions)
