"""How a legal period is counted: from an anchor and a period to the two instants that matter.

``strict`` is what people work to: the event plus the period, nothing rolled. ``latest`` is the last instant that the
law allows, with what the law adds (the uncounted first day or hour, the end of the last day, a holiday rolled over).
Pure functions over the standard library; which rule applies is data of the pack, never of the code that asks.
"""

import calendar as months
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
_SATURDAY = 5


class Unit(StrEnum):
    """What a period is expressed in."""

    HOURS = "hours"
    CALENDAR_DAYS = "calendar_days"
    WORKING_DAYS = "working_days"
    MONTHS = "months"


class Rule(StrEnum):
    """Whose way of counting applies."""

    NONE = "none"
    """Nothing is added: the strict due date is the legal one."""
    CN = "cn"
    """Civil Code of the PRC 200-204."""
    EU = "eu-1182-71"
    """Regulation (EEC, Euratom) 1182/71 art 3."""


@dataclass(frozen=True)
class Period:
    """An amount (at least 1) of a unit."""

    amount: int
    unit: Unit


@dataclass(frozen=True)
class Span:
    """Days from ``first`` to ``last``, both inside."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        """Whether the day lies in the span."""
        return self.first <= day <= self.last


@dataclass(frozen=True)
class Calendar:
    """Public holidays and make-up working days, and for which days they are known."""

    name: str
    holidays: frozenset[date]
    make_up: frozenset[date]
    known: tuple[Span, ...]

    def knows(self, day: date) -> bool:
        """Whether the calendar of that day is published."""
        return any(day in span for span in self.known)

    def working(self, day: date) -> bool:
        """Whether the day is a working day. Ask only for a day that is known."""
        return day in self.make_up or (day.weekday() < _SATURDAY and day not in self.holidays)


@dataclass(frozen=True)
class Counting:
    """How a pack counts: the rule, the zone whose days are meant, and the calendar (absent: Monday to Friday)."""

    rule: Rule
    zone: ZoneInfo
    calendar: Calendar | None = None


@dataclass(frozen=True)
class Due:
    """When a duty falls due, in UTC.

    ``latest`` is absent where the law gives no number. ``provisional``: the calculation crossed days whose calendar is
    not published; it then rests on the shortest assumption and can only move later.
    """

    strict: datetime
    latest: datetime | None
    provisional: bool


def due(anchor: datetime, period: Period, counting: Counting) -> Due:
    """When a period that runs from ``anchor`` falls due. The last day counts to its end.

    Source: Civil Code 203; Regulation 1182/71 3(2)

    Raises:
        ValueError: The anchor has no zone, or the amount is below 1.
    """
    if anchor.tzinfo is None:
        raise ValueError("an anchor needs a zone")
    if period.amount < 1:
        raise ValueError("a period is at least 1")
    if period.unit is Unit.HOURS:
        return _hours(anchor, period.amount, counting.rule)
    local = anchor.astimezone(counting.zone)
    last, provisional = _last_day(local.date(), period, counting)
    strict = datetime.combine(last, local.time(), counting.zone)
    if counting.rule is Rule.NONE:
        return Due(_utc(strict), _utc(strict), provisional)
    rolled, guessed = _rolled(last, period.unit, counting)
    latest = datetime.combine(rolled, time.max, counting.zone)
    return Due(_utc(strict), _utc(latest), provisional or guessed)


def _hours(anchor: datetime, amount: int, rule: Rule) -> Due:
    """Hours run on through nights and holidays; under 1182/71 the hour in which the event falls is not counted.

    Source: Civil Code 201; Regulation 1182/71 3(1); Regulation 1182/71 3(4)
    """
    start = anchor.astimezone(UTC)
    strict = start + amount * _HOUR
    if rule is not Rule.EU:
        return Due(strict, strict, provisional=False)
    # Art 3(5), two working days in every period of two days or more, is not applied: whether it reaches hours is
    # unclear, and without it the date is earlier.
    counted_from = start.replace(minute=0, second=0, microsecond=0) + _HOUR
    return Due(strict, counted_from + amount * _HOUR, provisional=False)


def _last_day(first: date, period: Period, counting: Counting) -> tuple[date, bool]:
    """The last day of a period, the day of the event not counted.

    Source: Civil Code 201; Regulation 1182/71 3(1)
    """
    if period.unit is Unit.MONTHS:
        return _months_later(first, period.amount), False
    if period.unit is Unit.CALENDAR_DAYS:
        return first + period.amount * _DAY, False
    return _nth_working_day(first, period.amount, counting)


def _months_later(first: date, amount: int) -> date:
    """The corresponding day, or the last day of a shorter month.

    Source: Civil Code 202; Regulation 1182/71 3(2)
    """
    index = first.year * 12 + first.month - 1 + amount
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(first.day, months.monthrange(year, month)[1]))


def _nth_working_day(first: date, amount: int, counting: Counting) -> tuple[date, bool]:
    provisional = False
    counted = 0
    for day in _days_after(first):
        working, guessed = _working(day, counting)
        provisional = provisional or guessed
        counted += working
        if counted == amount:
            return day, provisional
    raise AssertionError("days do not end")


def _days_after(first: date) -> Iterator[date]:
    day = first
    while True:
        day += _DAY
        yield day


def _working(day: date, counting: Counting) -> tuple[bool, bool]:
    """Whether a day counts as a working day, and whether that is a guess."""
    if counting.calendar is None:
        return day.weekday() < _SATURDAY, False
    if counting.calendar.knows(day):
        return counting.calendar.working(day), False
    # Not published yet. The earliest due date comes of taking every day as working: in China a Saturday or Sunday may
    # be made a working day in exchange for a holiday; elsewhere none is.
    return counting.rule is Rule.CN or day.weekday() < _SATURDAY, True


def _rolled(last: date, unit: Unit, counting: Counting) -> tuple[date, bool]:
    """The last day, moved on while the law lets it roll, and whether an unpublished calendar cut that short."""
    if unit is Unit.WORKING_DAYS:
        return last, False
    if counting.rule is Rule.EU:
        return _rolled_eu(last, counting), False
    return _rolled_cn(last, counting)


def _rolled_cn(last: date, counting: Counting) -> tuple[date, bool]:
    """To the day after a statutory holiday; a plain weekend is not taken for one, which is the earlier reading.

    Source: Civil Code 203
    """
    if counting.calendar is None:
        return last, False
    day = last
    while counting.calendar.knows(day) and day in counting.calendar.holidays:
        day += _DAY
    return day, not counting.calendar.knows(day)


def _rolled_eu(last: date, counting: Counting) -> date:
    """To the end of the next working day; holidays of no known calendar are not rolled over.

    Source: Regulation 1182/71 3(4)
    """
    day = last
    while not _working(day, counting)[0]:
        day += _DAY
    return day


def _utc(local: datetime) -> datetime:
    return local.astimezone(UTC)
