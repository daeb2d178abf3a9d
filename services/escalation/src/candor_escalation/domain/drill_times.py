"""The times of a drill: what of the whole chain was done and when, against what the law allows, and what was not."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from candor_escalation.domain import drill
from candor_escalation.domain.approval import Approval
from candor_escalation.domain.clock import FALLEN, NOT_REPORTED, Clock
from candor_escalation.domain.drill import Drill
from candor_escalation.domain.incident import Incident, Json
from candor_escalation.domain.paging import Page
from candor_escalation.domain.register import DRILL, Entry
from candor_escalation.domain.report import Draft, Submission
from candor_escalation.domain.timeliness import IN_LEGAL_TIME, IN_TIME, LATE, OPEN, punctuality

PAGED = "paged"
ACKNOWLEDGED = "acknowledged"
DRAFTED = "drafted"
APPROVED = "approved"
SUBMITTED = "submitted"
RECEIPTED = "receipted"
STEPS = (PAGED, ACKNOWLEDGED, DRAFTED, APPROVED, SUBMITTED, RECEIPTED)
"""The chain, in its order."""

_NO_REPORT = (PAGED, ACKNOWLEDGED)
"""What there is to do about a clock that needs no report."""
_WORST_LAST = (IN_TIME, IN_LEGAL_TIME, OPEN, LATE)


@dataclass(frozen=True)
class Step:
    """A step of the chain. ``at`` is None where it was not done; ``after`` counts from the signal.

    ``left`` is the time from then (else from the end of the drill) to what on-call works to, negative past it.
    """

    kind: str
    at: datetime | None
    after: timedelta
    left: timedelta
    punctuality: str


@dataclass(frozen=True)
class ClockTimes:
    """The steps of one clock, and what of them there was to do and was not done."""

    clock: Clock
    steps: tuple[Step, ...]
    not_done: tuple[str, ...]


@dataclass(frozen=True)
class Result:
    """The times of a drill, clock by clock and in all: when the last clock had it, against the least time left."""

    clocks: tuple[ClockTimes, ...]
    steps: tuple[Step, ...]
    not_done: tuple[str, ...]


@dataclass(frozen=True)
class Record:
    """What was done in a drill, as it is on record. ``cut``: ids of the clocks that fell because it was ended."""

    clocks: Sequence[Clock]
    pages: Sequence[Page]
    drafts: Sequence[Draft]
    approvals: Sequence[Approval]
    submissions: Sequence[Submission]
    cut: Collection[str] = ()


def result(incident: Incident, record: Record, now: datetime) -> Result:
    """The times of a drill: as far as it is now, or as it ended.

    Source: PIPL 51(5); GDPR 32(1)(d)
    """
    end = incident.closed_at or now
    clocks = tuple(_timed(incident.opened_at, clock, record, end) for clock in record.clocks)
    steps = tuple(step for kind in STEPS if (step := _in_all(kind, clocks, incident.opened_at)) is not None)
    missing = {kind for times in clocks for kind in times.not_done}
    return Result(clocks, steps, tuple(kind for kind in STEPS if kind in missing))


def _timed(signal_at: datetime, clock: Clock, record: Record, end: datetime) -> ClockTimes:
    done = _done(clock.clock_id, record)
    steps = tuple(_step(kind, done.get(kind), signal_at, clock, end) for kind in STEPS)
    needed = _NO_REPORT if _needs_no_report(clock, record.cut) else STEPS
    return ClockTimes(clock, steps, tuple(kind for kind in needed if kind not in done))


def _needs_no_report(clock: Clock, cut: Collection[str]) -> bool:
    """Whether it was decided not to report, or what was told showed that the duty does not arise."""
    return clock.state == NOT_REPORTED or (clock.state == FALLEN and clock.clock_id not in cut)


def _done(clock_id: str, record: Record) -> dict[str, datetime]:
    """When each step was first done. Pages are about what happened, not about single clocks."""
    sent = [one for one in record.submissions if one.clock_id == clock_id]
    instants: Mapping[str, Iterable[datetime | None]] = {
        PAGED: (page.sent_at for page in record.pages if page.delivered),
        ACKNOWLEDGED: (page.acknowledged_at for page in record.pages),
        DRAFTED: (draft.drafted_at for draft in record.drafts if draft.clock_id == clock_id),
        APPROVED: (one.approved_at for one in record.approvals if one.clock_id == clock_id),
        SUBMITTED: (one.submitted_at for one in sent),
        RECEIPTED: (one.receipt.received_at for one in sent if one.receipt),
    }
    first = {kind: min(filter(None, found), default=None) for kind, found in instants.items()}
    return {kind: at for kind, at in first.items() if at is not None}


def _step(kind: str, at: datetime | None, signal_at: datetime, clock: Clock, end: datetime) -> Step:
    """A step of a clock. People write times to the minute, so one that seems to lie before the signal lies at it."""
    told = max(at, signal_at) if at else None
    until = told or end
    return Step(
        kind,
        told,
        until - signal_at if told else timedelta(0),
        clock.strict_due - until,
        punctuality(clock, until, open_=told is None),
    )


def _in_all(kind: str, clocks: Sequence[ClockTimes], signal_at: datetime) -> Step | None:
    """A step over all clocks that had it or should have had it; None where there is none."""
    steps = [
        step
        for times in clocks
        for step in times.steps
        if step.kind == kind and (step.at is not None or kind in times.not_done)
    ]
    if not steps:
        return None
    done = [step.at for step in steps if step.at is not None]
    last = max(done) if len(done) == len(steps) else None
    return Step(
        kind,
        last,
        last - signal_at if last else timedelta(0),
        min(step.left for step in steps),
        max((step.punctuality for step in steps), key=_WORST_LAST.index),
    )


def entry(incident: Incident, held: Drill, found: Result, now: datetime) -> Entry:
    """The result of a drill that is over, as the register of drills keeps it. Lengths of time are in seconds."""
    fields: dict[str, Json] = {
        "scenario": held.scenario,
        "kind": incident.kind,
        "started_at": incident.opened_at.isoformat(),
        "started_by": held.started_by,
        "ended_at": (incident.closed_at or now).isoformat(),
        "ended_by": incident.closed_by,
        "reason": incident.close_reason,
        "seconds": _seconds((incident.closed_at or now) - incident.opened_at),
        "not_done": list(found.not_done),
        "steps": [_step_told(step) for step in found.steps],
        "clocks": [_clock_told(times) for times in found.clocks],
    }
    return Entry(
        entry_id=held.entry_id,
        register=DRILL,
        version=1,
        title=incident.title,
        product="",
        state=drill.state(incident),
        fields=fields,
        recorded_at=now,
        recorded_by=incident.closed_by or held.started_by,
        incident_id=incident.incident_id,
    )


def _clock_told(times: ClockTimes) -> Json:
    clock = times.clock
    return {
        "clock_id": clock.clock_id,
        "duty": f"{clock.pack_id}/{clock.obligation_id}",
        "citation": clock.citation,
        "state": clock.state,
        "strict_due": clock.strict_due.isoformat(),
        "legal_latest": clock.legal_latest.isoformat() if clock.legal_latest else None,
        "steps": [_step_told(step) for step in times.steps],
        "not_done": list(times.not_done),
    }


def _step_told(step: Step) -> Json:
    return {
        "step": step.kind,
        "at": step.at.isoformat() if step.at else None,
        "seconds": _seconds(step.after) if step.at else None,
        "seconds_left": _seconds(step.left),
        "punctuality": step.punctuality,
    }


def _seconds(span: timedelta) -> float:
    return float(int(span.total_seconds()))
