"""Legal clocks: one per duty under way. It starts when in doubt.

Only a receipt, a decision not to report, or the fall of its trigger stops it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from candor_escalation.domain.anchor import RECEIPT_PREFIX
from candor_escalation.domain.incident import Anchor
from candor_escalation.domain.refusal import Refused

RUNNING = "running"
RECEIPTED = "receipted"
NOT_REPORTED = "not_reported"
FALLEN = "fallen"


@dataclass(frozen=True)
class Duty:
    """What a policy pack says arises from what is known.

    ``missing`` names facts nobody knows yet, for want of which it is not sure that the duty arises; ``disputed`` those
    that sources disagree about, of which the shortest assumption is used. ``repeats``: after each receipt it falls due
    again. ``anchor`` and what follows from it are absent while the instant it counts from is not known.
    ``anchor_key`` is the anchor's name in the pack, ``anchor.name`` the one it was reported under.
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
    disputed: tuple[str, ...] = ()
    repeats: bool = False


@dataclass(frozen=True)
class Clock:
    """A duty under way: from when it counts, when it falls due, what stopped it.

    ``strict_due`` is what on-call works to; ``legal_latest`` the last instant the law allows, absent where the law
    gives no number (``legal_number`` false: our own objective). ``revision`` counts how often it was counted,
    ``occurrence`` the clocks of a duty that repeats. ``drill``: nothing has happened.
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
    disputed: tuple[str, ...] = ()
    occurrence: int = 1
    drill: bool = False

    @property
    def is_running(self) -> bool:
        """Whether nothing has stopped it."""
        return self.state == RUNNING

    def is_half_gone(self, now: datetime) -> bool:
        """Whether half of the time that it gave when it started has passed."""
        return now - self.started_at >= (self.strict_due - self.started_at) / 2

    @property
    def evidence(self) -> str:
        """What shows the anchor, and that the clock runs although something is unknown or disputed."""
        doubts = []
        if self.missing:
            doubts.append(f"unknown: {', '.join(self.missing)}")
        if self.disputed:
            doubts.append(f"disputed: {', '.join(self.disputed)}")
        if self.anchor.disputed:
            doubts.append(f"the instant {self.anchor.name} is disputed")
        if not doubts:
            return self.anchor.evidence
        doubt = f"started on the shortest assumption; {'; '.join(doubts)}"
        return f"{self.anchor.evidence} ({doubt})" if self.anchor.evidence else doubt


@dataclass(frozen=True)
class Moved:
    """A clock that is counted anew, as it was and as it is."""

    before: Clock
    after: Clock


@dataclass(frozen=True)
class Change:
    """What a look at the duties does to the clocks of an incident."""

    started: tuple[Clock, ...] = ()
    moved: tuple[Moved, ...] = ()
    clarified: tuple[Clock, ...] = ()
    fallen: tuple[Clock, ...] = ()
    restarted: tuple[Clock, ...] = ()

    @property
    def begun(self) -> list[str]:
        """The ids of the clocks that start or start again."""
        return [clock.clock_id for clock in (*self.started, *self.restarted)]

    @property
    def counted(self) -> list[str]:
        """The ids of the clocks that start, start again or are counted anew."""
        return [clock.clock_id for clock in self.planned]

    @property
    def planned(self) -> list[Clock]:
        """The clocks that start, start again or are counted anew, as they are then."""
        return [*self.started, *self.restarted, *(moved.after for moved in self.moved)]

    def after(self, known: Iterable[Clock]) -> list[Clock]:
        """The clocks of the incident as the change leaves them, those it starts among them."""
        changed = {clock.clock_id: clock for clock in (*self.planned, *self.clarified, *self.fallen)}
        return [*(changed.get(clock.clock_id, clock) for clock in known), *self.started]

    @property
    def begins(self) -> bool:
        """Whether a clock runs that did not run before."""
        return bool(self.started or self.restarted)


def start(
    duty: Duty, clock_id: str, incident_id: str, now: datetime, occurrence: int = 1, *, drill: bool = False
) -> Clock:
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
        disputed=duty.disputed,
        occurrence=occurrence,
        drill=drill,
    )


def assess(
    duties: Iterable[Duty],
    clocks: Iterable[Clock],
    clock_ids: Iterable[str],
    incident_id: str,
    now: datetime,
    fallen: frozenset[str] = frozenset(),
    *,
    drill: bool = False,
) -> Change:
    """What the duties of this instant change: clocks to start, to count anew, to have clarified, to fall, to rise.

    A clock whose duty is no longer found is left to run, unless recorded facts show that the duty does not arise
    (``fallen``: the ids of such clocks): a pack that is gone stops nothing.
    """
    latest = {_key(clock): clock for clock in sorted(clocks, key=lambda clock: clock.occurrence)}
    identifiers = iter(clock_ids)
    started, moved, clarified, restarted = [], [], [], []
    for duty in duties:
        if duty.anchor is None:
            continue
        clock = latest.get((duty.pack_id, duty.obligation_id, duty.anchor_key))
        if clock is None:
            started.append(start(duty, next(identifiers), incident_id, now, drill=drill))
        elif clock.state == FALLEN:
            restarted.append(_again(clock, duty))
        elif not clock.is_running:
            if _follows(clock, duty):
                started.append(start(duty, next(identifiers), incident_id, now, clock.occurrence + 1, drill=drill))
        elif duty.repeats and duty.anchor.provisional:
            continue  # only the receipt of this one starts the next
        elif _counted(_again(clock, duty)) != _counted(clock):
            moved.append(Moved(clock, _again(clock, duty)))
        elif (clarity := replace(_again(clock, duty), revision=clock.revision)) != clock:
            clarified.append(clarity)
    fell = [stop(clock, FALLEN, now) for clock in latest.values() if clock.is_running and clock.clock_id in fallen]
    return Change(tuple(started), tuple(moved), tuple(clarified), tuple(fell), tuple(restarted))


def _key(clock: Clock) -> tuple[str, str, str]:
    return clock.pack_id, clock.obligation_id, clock.anchor_key


def _counted(clock: Clock) -> tuple[object, ...]:
    """What milestones are planned from."""
    return clock.anchor.name, clock.anchor.at, clock.strict_due, clock.legal_latest


def _follows(clock: Clock, duty: Duty) -> bool:
    """Whether a receipted clock of a duty that repeats is followed by the next: it counts from the receipt."""
    return duty.repeats and clock.state == RECEIPTED and duty.anchor is not None and duty.anchor.at > clock.anchor.at


def _again(clock: Clock, duty: Duty) -> Clock:
    """The clock, counted as the duty says now, by the pack that was in force at its anchor."""
    again = start(duty, clock.clock_id, clock.incident_id, clock.started_at, clock.occurrence, drill=clock.drill)
    return replace(again, revision=clock.revision + 1)


def waits(duties: Iterable[Duty]) -> bool:
    """Whether a duty arises or may arise whose anchor is still to come, as a summary waits for the disposal's end."""
    return any(duty.anchor is None for duty in duties)


def may_close(clocks: Iterable[Clock], duties: Iterable[Duty]) -> bool:
    """Whether the incident is over: it had clocks, all are stopped, and no duty waits for its anchor.

    What waits for the receipt of a report that will never be sent, as was decided or as its trigger fell, waits for
    nothing.
    """
    known = list(clocks)
    never = {
        f"{RECEIPT_PREFIX}{clock.pack_id}/{clock.obligation_id}"
        for clock in known
        if clock.state in {NOT_REPORTED, FALLEN}
    }
    waiting = waits(duty for duty in duties if duty.anchor_key not in never)
    return bool(known) and not any(clock.is_running for clock in known) and not waiting


def refuse_stopped(clock: Clock) -> None:
    """Refuse to work on a clock that was stopped.

    Raises:
        Refused: CLOCK_STOPPED.
    """
    if not clock.is_running:
        raise Refused("CLOCK_STOPPED", "the clock was stopped before")


def refuse_running(clocks: Iterable[Clock]) -> None:
    """Refuse to close what still runs.

    Raises:
        Refused: CLOCK_RUNNING.
    """
    if any(clock.is_running for clock in clocks):
        raise Refused("CLOCK_RUNNING", "a clock runs; record its receipt, or decide not to report and why")


def stop(clock: Clock, state: str, now: datetime) -> Clock:
    """The clock, stopped by a receipt (RECEIPTED), a decision (NOT_REPORTED) or its trigger's fall (FALLEN).

    There is no fourth way: acknowledging stops nothing.

    Raises:
        Refused: CLOCK_STOPPED.
    """
    refuse_stopped(clock)
    if state not in {RECEIPTED, NOT_REPORTED, FALLEN}:
        raise ValueError(f"{state} stops no clock")
    return replace(clock, state=state, stopped_at=now)
