"""Who is on call: people take turns, a turn is handed over at a local time, and an override puts somebody else there.

A handover is counted in days of its zone's calendar, so it stays at the same hour of the wall clock when the clocks
change. At a wall time that is skipped it happens as long after midnight as on any other day; at one that comes twice,
the first time.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Hours:
    """When a rotation is on shift, by its own wall clock: from ``start`` to ``end`` on ``days`` (0 is Monday).

    An ``end`` that is not after ``start`` is on the following day; the shift then belongs to the day it begins on.
    """

    start: time
    end: time
    days: frozenset[int] = frozenset(range(7))


@dataclass(frozen=True)
class Rotation:
    """People who take turns, ``every_days`` days each, from the handover at ``at`` on ``first`` on.

    Before ``first`` the same order counts backwards. Without ``hours`` somebody is always on shift.
    """

    people: tuple[str, ...]
    zone: tzinfo
    first: date
    at: time
    every_days: int
    hours: Hours | None = None


@dataclass(frozen=True)
class Schedule:
    """Rotations, of which the first that is on shift says who is on call."""

    name: str
    rotations: tuple[Rotation, ...]


@dataclass(frozen=True)
class Override:
    """Somebody stands in for whoever the schedule names, from ``starts_at`` until before ``ends_at``.

    ``made_by`` and ``reason`` say who decided it and why. One that was ended early stays on the record.
    """

    override_id: str
    schedule: str
    contact: str
    starts_at: datetime
    ends_at: datetime
    made_at: datetime
    made_by: str
    reason: str
    ended_at: datetime | None = None
    ended_by: str = ""

    def covers(self, at: datetime) -> bool:
        """Whether it holds at an instant."""
        return self.starts_at <= at < min(self.ends_at, self.ended_at or self.ends_at)


@dataclass(frozen=True)
class Shift:
    """Who is on call from one instant until before another; ``contact`` is empty where nobody is."""

    contact: str
    starts_at: datetime
    ends_at: datetime
    override_id: str = ""


def handover(rotation: Rotation, turn: int) -> datetime:
    """The instant, in UTC, at which a turn begins; turns count from 0, earlier ones are negative."""
    return _instant(rotation.first + turn * rotation.every_days * _DAY, rotation.at, rotation.zone)


def turn_at(rotation: Rotation, at: datetime) -> int:
    """The turn that is under way at an instant: the last whose handover is not after it."""
    days = (at.astimezone(rotation.zone).date() - rotation.first).days
    turn = days // rotation.every_days + 1  # the zone's clock may have been put back over midnight
    while handover(rotation, turn) > at:
        turn -= 1
    return turn


def on_turn(rotation: Rotation, at: datetime) -> str:
    """Whose turn it is; empty outside of the rotation's hours."""
    if rotation.hours is not None and not _on_shift(rotation.hours, rotation.zone, at):
        return ""
    return rotation.people[turn_at(rotation, at) % len(rotation.people)]


def on_call(
    schedule: Schedule, overrides: Iterable[Override], at: datetime, known: frozenset[str] | None = None
) -> tuple[str, str]:
    """Who is on call, and the id of the override by which; empty where nobody is, or no override holds.

    Of several overrides the one made last holds. One whose person is not among ``known`` (any more) holds nothing.
    """
    holding = [
        override
        for override in overrides
        if override.schedule == schedule.name and override.covers(at) and (known is None or override.contact in known)
    ]
    if holding:
        last = max(holding, key=lambda override: (override.made_at, override.override_id))
        return last.contact, last.override_id
    return next((name for rotation in schedule.rotations if (name := on_turn(rotation, at))), ""), ""


def shifts(
    schedule: Schedule,
    overrides: Iterable[Override],
    start: datetime,
    end: datetime,
    known: frozenset[str] | None = None,
) -> list[Shift]:
    """Who is on call between two instants, without a gap: where nobody is, a shift of nobody."""
    made = tuple(overrides)
    instants = sorted({start, *(at for at in _changes(schedule, made, start, end) if start < at < end)})
    found: list[Shift] = []
    for begins, ends in zip(instants, [*instants[1:], end], strict=True):
        contact, override_id = on_call(schedule, made, begins, known)
        last = found[-1] if found else None
        if last and (last.contact, last.override_id) == (contact, override_id):
            found[-1] = Shift(contact, last.starts_at, ends, override_id)
        else:
            found.append(Shift(contact, begins, ends, override_id))
    return found


def _changes(schedule: Schedule, overrides: Iterable[Override], start: datetime, end: datetime) -> Iterable[datetime]:
    """Every instant at which somebody else may come to be on call."""
    for override in overrides:
        yield override.starts_at
        yield min(override.ends_at, override.ended_at or override.ends_at)
    for rotation in schedule.rotations:
        turn = turn_at(rotation, start)
        while (at := handover(rotation, turn)) < end:
            yield at
            turn += 1
        yield from _edges(rotation, start, end)


def _edges(rotation: Rotation, start: datetime, end: datetime) -> Iterable[datetime]:
    """The instants at which a rotation's hours begin or end."""
    if rotation.hours is None:
        return
    day = start.astimezone(rotation.zone).date() - _DAY
    last = end.astimezone(rotation.zone).date() + _DAY
    while day <= last:
        yield from _span(rotation.hours, rotation.zone, day)
        day += _DAY


def _on_shift(hours: Hours, zone: tzinfo, at: datetime) -> bool:
    today = at.astimezone(zone).date()
    for day in (today - _DAY, today, today + _DAY):
        begins, ends = _span(hours, zone, day)
        if day.weekday() in hours.days and begins <= at < ends:
            return True
    return False


def _span(hours: Hours, zone: tzinfo, day: date) -> tuple[datetime, datetime]:
    until = day if hours.end > hours.start else day + _DAY
    return _instant(day, hours.start, zone), _instant(until, hours.end, zone)


def _instant(day: date, at: time, zone: tzinfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)
