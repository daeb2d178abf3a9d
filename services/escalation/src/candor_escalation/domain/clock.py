"""Legal clocks: one per duty under way. It starts when in doubt, and only a receipt or a decision stops it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from candor_escalation.domain.incident import Anchor
from candor_escalation.domain.refusal import Refused

RUNNING = "running"
RECEIPTED = "receipted"
NOT_REPORTED = "not_reported"


@dataclass(frozen=True)
class Duty:
    """What a policy pack says arises from what is known.

    ``missing`` names facts nobody knows yet, for want of which it is not sure that the duty arises. ``anchor`` and what
    follows from it are absent while the instant it counts from is not known. ``anchor_key`` is the anchor's name in the
    pack, ``anchor.name`` the one it was reported under.
    """

    pack_id: str
    pack_version: str
    obligation_id: str
    citation: str
    recipient: str
    anchor_key: str
    missing: tuple[str, ...]
    legal_number: bool
    anchor: Anchor | None = None
    strict_due: datetime | None = None
    legal_latest: datetime | None = None
    provisional: bool = False


@dataclass(frozen=True)
class Clock:
    """A duty under way: from when it counts, when it falls due, what stopped it.

    ``strict_due`` is what on-call works to; ``legal_latest`` the last instant the law allows, absent where the law
    gives no number (``legal_number`` false: our own objective). ``revision`` counts the anchors it was counted from.
    """

    clock_id: str
    incident_id: str
    pack_id: str
    pack_version: str
    obligation_id: str
    citation: str
    recipient: str
    anchor_key: str
    missing: tuple[str, ...]
    legal_number: bool
    anchor: Anchor
    strict_due: datetime
    legal_latest: datetime | None
    provisional: bool
    state: str
    revision: int
    started_at: datetime
    stopped_at: datetime | None = None

    @property
    def is_running(self) -> bool:
        """Whether neither a receipt nor a decision has stopped it."""
        return self.state == RUNNING

    @property
    def evidence(self) -> str:
        """What shows the anchor, and that the clock runs although something is unknown."""
        if not self.missing:
            return self.anchor.evidence
        doubt = f"started on the shortest assumption; unknown: {', '.join(self.missing)}"
        return f"{self.anchor.evidence} ({doubt})" if self.anchor.evidence else doubt


@dataclass(frozen=True)
class Change:
    """What a look at the duties does to the clocks of an incident."""

    started: tuple[Clock, ...] = ()
    moved: tuple[Clock, ...] = ()
    clarified: tuple[Clock, ...] = ()


def start(duty: Duty, clock_id: str, incident_id: str, now: datetime) -> Clock:
    """The clock of a duty whose anchor is known. It starts when the duty arises or may arise: better one too many."""
    if duty.anchor is None or duty.strict_due is None:
        raise ValueError("a clock needs an anchor to count from")
    return Clock(
        clock_id=clock_id,
        incident_id=incident_id,
        pack_id=duty.pack_id,
        pack_version=duty.pack_version,
        obligation_id=duty.obligation_id,
        citation=duty.citation,
        recipient=duty.recipient,
        anchor_key=duty.anchor_key,
        missing=duty.missing,
        legal_number=duty.legal_number,
        anchor=duty.anchor,
        strict_due=duty.strict_due,
        legal_latest=duty.legal_latest,
        provisional=duty.provisional,
        state=RUNNING,
        revision=1,
        started_at=now,
    )


def assess(
    duties: Iterable[Duty], clocks: Iterable[Clock], clock_ids: Iterable[str], incident_id: str, now: datetime
) -> Change:
    """What the duties of this instant change: clocks to start, to count from an earlier anchor, to have clarified.

    A clock whose duty is no longer found is left to run: only a receipt or a decision stops it.
    """
    existing = {(clock.pack_id, clock.obligation_id, clock.anchor_key): clock for clock in clocks}
    identifiers = iter(clock_ids)
    started, moved, clarified = [], [], []
    for duty in duties:
        if duty.anchor is None:
            continue
        clock = existing.get((duty.pack_id, duty.obligation_id, duty.anchor_key))
        if clock is None:
            started.append(start(duty, next(identifiers), incident_id, now))
        elif clock.is_running and duty.anchor.at < clock.anchor.at:
            moved.append(_moved(clock, duty))
        elif clock.is_running and duty.missing != clock.missing:
            clarified.append(replace(clock, missing=duty.missing))
    return Change(tuple(started), tuple(moved), tuple(clarified))


def _moved(clock: Clock, duty: Duty) -> Clock:
    """The clock, counted from an earlier anchor, by the pack that was in force then."""
    again = start(duty, clock.clock_id, clock.incident_id, clock.started_at)
    return replace(again, revision=clock.revision + 1)


def waits(duties: Iterable[Duty]) -> bool:
    """Whether a duty arises or may arise whose anchor is still to come, as a summary waits for the disposal's end."""
    return any(duty.anchor is None for duty in duties)


def may_close(clocks: Iterable[Clock], duties: Iterable[Duty]) -> bool:
    """Whether the incident is over: it had clocks, all are stopped, and no duty waits for its anchor."""
    states = [clock.is_running for clock in clocks]
    return bool(states) and not any(states) and not waits(duties)


def refuse_stopped(clock: Clock) -> None:
    """Refuse to work on a clock that was stopped.

    Raises:
        Refused: CLOCK_STOPPED.
    """
    if not clock.is_running:
        raise Refused("CLOCK_STOPPED", "the clock was stopped before")


def stop(clock: Clock, state: str, now: datetime) -> Clock:
    """The clock, stopped by a receipt (RECEIPTED) or a decision (NOT_REPORTED); there is no third way.

    Raises:
        Refused: CLOCK_STOPPED.
    """
    refuse_stopped(clock)
    if state not in {RECEIPTED, NOT_REPORTED}:
        raise ValueError(f"{state} stops no clock")
    return replace(clock, state=state, stopped_at=now)
