from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import chinese_calendar
import holidays
import pytest
from candor_packs import calendars
from candor_packs.document import PackError

FOLDER = Path(__file__).resolve().parents[3] / "packs" / "calendars"
CALENDARS = calendars.load(FOLDER)
CN = CALENDARS["cn"]
YEARS = [2024, 2025, 2026, 2027]
ABROAD = {name: name.upper() for name in CALENDARS if name not in {"cn", "eu", "in", "uk"}}
TURN_OF_THE_YEAR = {(12, 29), (12, 30), (12, 31), (1, 2), (1, 3)}
ENTRY = """calendar: xx
valid_from: 2026-01-01
valid_through: 2026-12-31
source: the gazette
evidence: {mark: U, checked: 2026-01-01}
holidays:
  - {name: {zh: 一, en: one}, from: 2026-05-01, to: 2026-05-02}
make_up: [2026-05-09]
"""


def days_of(year: int) -> list[date]:
    return [date(year, 1, 1) + timedelta(days=number) for number in range(366 if year % 4 == 0 else 365)]


@pytest.mark.parametrize("year", [2024, 2025, 2026])
def test_the_chinese_calendar_agrees_with_chinesecalendar_on_every_day(year: int) -> None:
    assert [day for day in days_of(year) if CN.working(day) != chinese_calendar.is_workday(day)] == []


@pytest.mark.parametrize("year", [2024, 2025, 2026])
def test_the_chinese_calendar_agrees_with_holidays_on_every_day(year: int) -> None:
    other = holidays.country_holidays("CN", years=year)

    assert [day for day in days_of(year) if CN.working(day) != other.is_working_day(day)] == []


def test_the_make_up_days_of_2026_are_those_of_the_notice() -> None:
    made_up = {(day.month, day.day) for day in CN.make_up if day.year == 2026}

    assert made_up == {(1, 4), (2, 14), (2, 28), (5, 9), (9, 20), (10, 10)}


def test_no_year_of_china_is_there_before_it_is_published() -> None:
    assert not any(CN.knows(day) for day in days_of(2027))


@pytest.mark.parametrize("year", YEARS)
@pytest.mark.parametrize("name", sorted(ABROAD))
def test_a_calendar_agrees_with_holidays_on_every_day(name: str, year: int) -> None:
    other = holidays.country_holidays(ABROAD[name], years=year)
    differing = [day for day in days_of(year) if CALENDARS[name].working(day) != other.is_working_day(day)]

    if name == "jp":  # offices are closed at the turn of the year, which is no holiday of the whole people
        assert {(day.month, day.day) for day in differing} <= TURN_OF_THE_YEAR
    else:
        assert differing == []


@pytest.mark.parametrize("year", YEARS)
def test_the_bank_holidays_of_england_agree_with_holidays_on_every_day(year: int) -> None:
    other = holidays.country_holidays("GB", subdiv="ENG", years=year)

    assert [day for day in days_of(year) if CALENDARS["uk"].working(day) != other.is_working_day(day)] == []


def test_no_day_is_off_in_india_that_the_library_does_not_know() -> None:
    other = holidays.country_holidays("IN", years=[2024, 2025, 2026])

    assert CALENDARS["in"].holidays <= set(other)
    assert not CALENDARS["in"].knows(date(2027, 1, 1))


@pytest.mark.parametrize("year", YEARS)
def test_the_institutions_of_the_union_rest_on_no_day_that_its_seats_all_work(year: int) -> None:
    seats = [holidays.country_holidays(country, years=year) for country in ("BE", "LU", "DE", "FR", "NL")]
    own = [day for day in CALENDARS["eu"].holidays if day.year == year]

    assert [day for day in own if not any(day in seat for seat in seats)] == []


def test_only_china_exchanges_holidays_for_days_at_the_weekend() -> None:
    assert [name for name, calendar in CALENDARS.items() if calendar.make_up] == ["cn"]


def test_a_calendar_knows_only_the_days_it_was_published_for() -> None:
    assert CN.knows(date(2026, 12, 31))
    assert not CN.knows(date(2027, 1, 1))


@pytest.mark.parametrize(
    ("wrong", "right", "line", "field"),
    [
        ("make_up: [2026-05-09]", "make_up: [2026-05-01]", 8, "make_up[0]"),
        ("make_up: [2026-05-09]", "make_up: [2027-05-01]", 8, "make_up[0]"),
        ("to: 2026-05-02", "to: 2026-04-02", 7, "holidays[0]"),
        ("source: the gazette", "sauce: the gazette", 4, "sauce"),
        ("valid_from: 2026-01-01", "valid_from: 20260101", 2, "valid_from"),
    ],
)
def test_a_wrong_calendar_is_refused_with_line_and_field(
    tmp_path: Path, wrong: str, right: str, line: int, field: str
) -> None:
    (tmp_path / "xx-2026.yaml").write_text(ENTRY.replace(wrong, right), "utf-8")

    with pytest.raises(PackError) as refused:
        calendars.load(tmp_path)

    assert (refused.value.line, refused.value.field) == (line, field)


def test_two_files_may_not_speak_of_the_same_day(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(ENTRY, "utf-8")
    (tmp_path / "b.yaml").write_text(ENTRY, "utf-8")

    with pytest.raises(PackError, match="same days"):
        calendars.load(tmp_path)
