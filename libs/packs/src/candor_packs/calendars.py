"""Calendars as dated data: one file per published year, joined by name."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path

from candor_packs import document
from candor_packs.schema import CalendarEntry, HolidayEntry, check
from candor_packs.workdays import Calendar, Span


def load(directory: Path) -> Mapping[str, Calendar]:
    """The calendars of every file in the directory, by name.

    Raises:
        PackError: A file is wrong, or two files speak of the same day.
    """
    years: dict[str, list[CalendarEntry]] = defaultdict(list)
    for file in sorted(directory.glob("*.yaml")):
        read = document.read(file)
        entry = _entry(read)
        _refuse_overlap(read, entry, years[entry.calendar])
        years[entry.calendar].append(entry)
    return {name: _joined(name, entries) for name, entries in years.items()}


def _entry(read: document.Document) -> CalendarEntry:
    entry = check(read, CalendarEntry)
    whole = Span(entry.valid_from, entry.valid_through)
    for index, holiday in enumerate(entry.holidays):
        if holiday.until < holiday.since or holiday.since not in whole or holiday.until not in whole:
            raise read.error(("holidays", index), "does not lie within valid_from and valid_through")
    for index, day in enumerate(entry.make_up):
        if day not in whole:
            raise read.error(("make_up", index), "does not lie within valid_from and valid_through")
        if any(holiday.since <= day <= holiday.until for holiday in entry.holidays):
            raise read.error(("make_up", index), "is a holiday as well")
    return entry


def _refuse_overlap(read: document.Document, entry: CalendarEntry, others: list[CalendarEntry]) -> None:
    for other in others:
        if entry.valid_from <= other.valid_through and other.valid_from <= entry.valid_through:
            raise read.error(("valid_from",), "another file speaks of the same days")


def _joined(name: str, entries: list[CalendarEntry]) -> Calendar:
    return Calendar(
        name,
        holidays=frozenset(day for entry in entries for holiday in entry.holidays for day in _days(holiday)),
        make_up=frozenset(day for entry in entries for day in entry.make_up),
        known=tuple(Span(entry.valid_from, entry.valid_through) for entry in entries),
    )


def _days(holiday: HolidayEntry) -> Iterator[date]:
    day = holiday.since
    while day <= holiday.until:
        yield day
        day += timedelta(days=1)
