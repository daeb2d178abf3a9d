"""How a legal period is counted: from an anchor and a period to the two instants that matter.

``strict`` is what people work to: the event plus the period, nothing rolled. ``latest`` is the last instant that the
law allows, with what the law adds (the uncounted first day or hour, the end of the last day, a holiday rolled over).
Pure functions over the standard library; which rule applies is data of the pack, never of the code that asks.
"""

import calendar as months
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from candor_packs.regimes import REGIMES, Regime, Roll, Rule
from candor_packs.workdays import ByFact, Calendar, next_or_same, nth_after

__all__ = ["Count", "Counting", "Due", "Period", "Rule", "Step", "Unit", "What", "count", "due"]

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
_NOON = time(12)


class Unit(StrEnum):
    """What a period is expressed in."""

    HOURS = "hours"
    CALENDAR_DAYS = "calendar_days"
    WORKING_DAYS = "working_days"
    WEEKS = "weeks"
    MONTHS = "months"


@dataclass(frozen=True)
class Period:
    """An amount (at least 1) of a unit."""

    amount: int
    unit: Unit


@dataclass(frozen=True)
class Counting:
    """How a duty counts: the rule, the zone whose days are meant, and the calendar (absent: Monday to Friday).

    ``choice``: the calendar follows from a fact; until ``settled``, ``calendar`` is one that knows nothing.
    ``day_ends``: when the recipient's day ends, where it does not end at midnight.
    """

    rule: Rule
    zone: ZoneInfo
    calendar: Calendar | None = None
    choice: ByFact | None = None
    day_ends: time = time.max

    def settled(self, value: object) -> "Counting":
        """With the calendar of ``value``, what is known of the fact that ``choice`` names (None: nothing)."""
        return self if self.choice is None else replace(self, calendar=self.choice.chosen(value))


@dataclass(frozen=True)
class Due:
    """When a duty falls due, in UTC.

    ``latest`` is absent where the law gives no number. ``provisional``: the calculation crossed days whose calendar is
    not published; it then rests on the shortest assumption and can only move later.
    """

    strict: datetime
    latest: datetime | None
    provisional: bool


class What(StrEnum):
    """What a step of a count does."""

    STARTS = "starts"
    FIRST_NOT_COUNTED = "first_not_counted"
    FIRST_COUNTED = "first_counted"
    HOUR_NOT_COUNTED = "hour_not_counted"
    RUNS = "runs"
    LAST_DAY = "last_day"
    ASSUMED = "assumed"
    ROLLED = "rolled"
    TWO_WORKING_DAYS = "two_working_days"
    ENDS = "ends"


@dataclass(frozen=True)
class Step:
    """One step of a count: what it does, the day or the instant (UTC) that it comes to, and the clause that says so."""

    what: What
    at: date | datetime
    source: str = ""


@dataclass(frozen=True)
class Count:
    """When a period falls due, and the steps that lead there.

    ``strict_provisional``: what is worked to rests on an assumption; else, at most, the latest date does.
    """

    due: Due
    steps: tuple[Step, ...]
    strict_provisional: bool


def due(anchor: datetime, period: Period, counting: Counting) -> Due:
    """When a period that runs from ``anchor`` falls due. The last day counts to its end.

    Source: Civil Code 203; Regulation 1182/71 3(2)

    Raises:
        ValueError: The anchor has no zone, the amount is below 1, or the period ends after the year 9999.
    """
    return count(anchor, period, counting).due


def count(anchor: datetime, period: Period, counting: Counting) -> Count:
    """As ``due``, with its steps."""
    if anchor.tzinfo is None:
        raise ValueError("an anchor needs a zone")
    if period.amount < 1:
        raise ValueError("a period is at least 1")
    try:
        counted = _hours if period.unit is Unit.HOURS else _days
        return counted(anchor, period, counting, REGIMES[counting.rule])
    except OverflowError as error:
        raise ValueError("the period ends after the year 9999") from error


def _hours(anchor: datetime, period: Period, counting: Counting, regime: Regime) -> Count:
    """Hours are hours that pass: they run on through nights, holidays and the change of the clocks.

    Source: Civil Code 201; Regulation 1182/71 3(4)
    """
    start = anchor.astimezone(UTC)
    strict = start + period.amount * _HOUR
    steps = [Step(What.STARTS, start), Step(What.RUNS, strict, regime.hours)]
    if not regime.hour_not_counted:
        return _closed(strict, strict, steps)
    # Art 3(5), two working days in every period of two days or more, is not applied: whether it reaches hours is
    # unclear, and without it the date is earlier.
    latest = _next_hour(anchor, counting.zone) + period.amount * _HOUR
    steps.append(Step(What.HOUR_NOT_COUNTED, latest, regime.hour_not_counted))
    if not regime.hours_roll:
        return _closed(strict, latest, steps)
    rolled, guessed = _noon_if_not_worked(latest, counting)
    if rolled != latest:
        steps.append(Step(What.ROLLED, rolled, regime.hours_roll))
    return _closed(strict, rolled, steps, latest_guessed=guessed)


def _next_hour(anchor: datetime, zone: ZoneInfo) -> datetime:
    """When the next hour of the clock begins.

    Source: Regulation 1182/71 3(1)
    """
    local = anchor.astimezone(zone)
    gone = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    return anchor.astimezone(UTC) - gone + _HOUR


def _noon_if_not_worked(at: datetime, counting: Counting) -> tuple[datetime, bool]:
    """A limit on a day that is not worked moves to noon of the next working day.

    Source: Regulation 2025/301 5(4)
    """
    day = at.astimezone(counting.zone).date()
    worked, guessed = next_or_same(day, counting.calendar)
    return (at if worked == day else _instant(worked, _NOON, counting)), guessed


def _days(anchor: datetime, period: Period, counting: Counting, regime: Regime) -> Count:
    local = anchor.astimezone(counting.zone)
    last, guessed = _last_day(local.date(), period, counting, regime)
    steps = [Step(What.STARTS, anchor.astimezone(UTC)), _first(local.date(), period, regime)]
    steps.append(Step(What.LAST_DAY, last, regime.months if period.unit is Unit.MONTHS else ""))
    strict = _instant(last, local.time(), counting)
    if not regime.whole_days:
        return _closed(strict, strict, steps, strict_guessed=guessed)
    if _counts_first(period, regime):
        # The day of the event is the first one: the same time of the last day would come less than n days after it.
        strict = _instant(last, counting.day_ends, counting)
    day, ends, unsure = _rolled(local.date(), last, period, counting, regime, steps)
    latest = _instant(day, ends, counting)
    steps.append(Step(What.ENDS, latest, regime.whole_days))
    return _closed(min(strict, latest), latest, steps, strict_guessed=guessed, latest_guessed=unsure)


def _first(day: date, period: Period, regime: Regime) -> Step:
    if _counts_first(period, regime):
        return Step(What.FIRST_COUNTED, day, regime.first_counted)
    return Step(What.FIRST_NOT_COUNTED, day, regime.first_not_counted)


def _counts_first(period: Period, regime: Regime) -> bool:
    """Whether the day of the event is day 1, as the PPC counts days; months and working days begin the day after."""
    return bool(regime.first_counted) and period.unit in {Unit.CALENDAR_DAYS, Unit.WEEKS}


def _last_day(first: date, period: Period, counting: Counting, regime: Regime) -> tuple[date, bool]:
    """The last day of a period, the day of the event not counted.

    Source: Civil Code 201; Regulation 1182/71 3(1)
    """
    if period.unit is Unit.MONTHS:
        return _months_later(first, period.amount), False
    if period.unit is Unit.WORKING_DAYS:
        return nth_after(first, period.amount, counting.calendar)
    days = period.amount * (7 if period.unit is Unit.WEEKS else 1)
    return first + (days - _counts_first(period, regime)) * _DAY, False


def _months_later(first: date, amount: int) -> date:
    """The corresponding day, or the last day of a shorter month.

    Source: Civil Code 202; Regulation 1182/71 3(2)
    """
    index = first.year * 12 + first.month - 1 + amount
    year, month = index // 12, index % 12 + 1
    if year > date.max.year:
        raise OverflowError("after the year 9999")
    return date(year, month, min(first.day, months.monthrange(year, month)[1]))


def _rolled(
    first: date, last: date, period: Period, counting: Counting, regime: Regime, steps: list[Step]
) -> tuple[date, time, bool]:
    """The last day moved on as far as the law lets it, when that day ends, and whether a day on the way is a guess."""
    if period.unit is Unit.WORKING_DAYS or regime.roll is Roll.NOT:
        return last, counting.day_ends, False
    roll = _past_holidays if regime.roll is Roll.HOLIDAYS else next_or_same
    day, guessed = roll(last, counting.calendar)
    ends = _NOON if regime.to_noon and day != last else counting.day_ends
    if day != last:
        steps.append(Step(What.ROLLED, day, regime.to_noon or regime.rolls))
    if not regime.two_working_days or last - first < 2 * _DAY:
        return day, ends, guessed
    second, unsure = _second_working_day(first, counting.calendar)
    if second <= day:
        return day, ends, guessed or unsure
    steps.append(Step(What.TWO_WORKING_DAYS, second, regime.two_working_days))
    return second, counting.day_ends, guessed or unsure


def _past_holidays(last: date, calendar: Calendar | None) -> tuple[date, bool]:
    """To the day after a statutory holiday; a plain weekend is not taken for one, which is the earlier reading.

    Source: Civil Code 203
    """
    if calendar is None:
        return last, False
    day = last
    while calendar.knows(day) and day in calendar.holidays:
        day += _DAY
    return day, not calendar.knows(day)


def _second_working_day(first: date, calendar: Calendar | None) -> tuple[date, bool]:
    """A period of two days or more has at least two working days; this is the second after ``first``.

    Source: Regulation 1182/71 3(5)
    """
    return nth_after(first, 2, calendar)


def _instant(day: date, at: time, counting: Counting) -> datetime:
    return datetime.combine(day, at, counting.zone).astimezone(UTC)


def _closed(
    strict: datetime,
    latest: datetime,
    steps: list[Step],
    *,
    strict_guessed: bool = False,
    latest_guessed: bool = False,
) -> Count:
    guessed = strict_guessed or latest_guessed
    assumed = [Step(What.ASSUMED, latest)] if guessed else []
    return Count(Due(strict, latest, guessed), (*steps, *assumed), strict_guessed)
