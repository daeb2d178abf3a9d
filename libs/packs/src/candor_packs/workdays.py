"""Which days are working days: calendars as published, and what is assumed while they are not."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

_SATURDAY = 5
_DAY = timedelta(days=1)


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

    def assumed(self, day: date) -> bool:
        """Whether an unpublished day is taken for a working day: as many as can be, so that no date comes too late.

        Where holidays are exchanged for Saturdays and Sundays, any of them may become a working day.
        """
        return bool(self.make_up) or day.weekday() < _SATURDAY


UNPUBLISHED = Calendar("", frozenset(), frozenset(), ())
"""The calendar of a place that is not known: whatever it says is an assumption."""


@dataclass(frozen=True)
class ByFact:
    """A calendar that follows from a fact, such as the Member State of the entity that reports."""

    fact: str
    of: Mapping[str, Calendar]

    def chosen(self, value: object) -> Calendar:
        """The calendar of that value; of a value that nobody named, one that knows nothing."""
        return self.of.get(value, UNPUBLISHED) if isinstance(value, str) else UNPUBLISHED


@dataclass(frozen=True)
class Workday:
    """Whether a day is worked, and whether that is a guess."""

    working: bool
    guessed: bool


def workday(day: date, calendar: Calendar | None) -> Workday:
    """What a day is; without a calendar Monday to Friday are worked."""
    if calendar is None:
        return Workday(day.weekday() < _SATURDAY, guessed=False)
    if calendar.knows(day):
        return Workday(calendar.working(day), guessed=False)
    return Workday(calendar.assumed(day), guessed=True)


def nth_after(first: date, amount: int, calendar: Calendar | None) -> tuple[date, bool]:
    """The n-th working day after ``first``, and whether a day on the way was a guess."""
    guessed = False
    for day in _days_after(first):
        found = workday(day, calendar)
        guessed = guessed or found.guessed
        amount -= found.working
        if amount == 0:
            return day, guessed
    raise AssertionError("days do not end")


def next_or_same(day: date, calendar: Calendar | None) -> tuple[date, bool]:
    """The day, or the first working day after it; and whether a day that was looked at was a guess."""
    return nth_after(day - _DAY, 1, calendar)


def _days_after(first: date) -> Iterator[date]:
    day = first
    while True:
        day += _DAY
        yield day
