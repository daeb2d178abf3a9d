from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from candor_packs import calendars
from candor_packs.counting import Counting, Period, Rule, Unit, due

CALENDAR = calendars.load(Path(__file__).resolve().parents[3] / "packs" / "calendars")["cn"]
SHANGHAI = ZoneInfo("Asia/Shanghai")
BRUSSELS = ZoneInfo("Europe/Brussels")
CN = Counting(Rule.CN, SHANGHAI, CALENDAR)
EU = Counting(Rule.EU, BRUSSELS)
PLAIN = Counting(Rule.NONE, ZoneInfo("America/Los_Angeles"))
LAST = (23, 59, 59, 999_999)


def shanghai(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=SHANGHAI)  # type: ignore[misc, arg-type]


def brussels(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=BRUSSELS)  # type: ignore[misc, arg-type]


@pytest.mark.clause("Civil Code 201")
def test_civil_code_201_hours_run_from_the_instant_through_a_holiday() -> None:
    counted = due(shanghai(2026, 10, 1, 23, 30), Period(4, Unit.HOURS), CN)

    assert (counted.strict, counted.latest) == (shanghai(2026, 10, 2, 3, 30), shanghai(2026, 10, 2, 3, 30))
    assert not counted.provisional


@pytest.mark.clause("Civil Code 201")
def test_civil_code_201_the_first_day_is_not_counted() -> None:
    counted = due(shanghai(2026, 3, 2, 9), Period(1, Unit.CALENDAR_DAYS), CN)

    assert counted.strict == shanghai(2026, 3, 3, 9)
    assert counted.latest == shanghai(2026, 3, 3, *LAST)


@pytest.mark.clause("Civil Code 202")
@pytest.mark.parametrize(
    ("start", "months", "day"),
    [((2026, 1, 31), 1, 28), ((2026, 3, 15), 1, 15), ((2025, 12, 31), 2, 28), ((2026, 10, 31), 1, 30)],
)
def test_civil_code_202_a_month_ends_on_the_corresponding_day_or_the_month_s_end(
    start: tuple[int, int, int], months: int, day: int
) -> None:
    counted = due(shanghai(*start, 12), Period(months, Unit.MONTHS), CN)

    assert counted.strict.astimezone(SHANGHAI).day == day


@pytest.mark.clause("Civil Code 203")
def test_civil_code_203_a_last_day_on_a_holiday_rolls_to_the_day_after_it_and_strict_does_not() -> None:
    counted = due(shanghai(2026, 9, 2, 17), Period(30, Unit.CALENDAR_DAYS), CN)

    assert counted.strict == shanghai(2026, 10, 2, 17)
    assert counted.latest == shanghai(2026, 10, 8, *LAST)


@pytest.mark.clause("Civil Code 203")
def test_civil_code_203_a_plain_weekend_is_not_taken_for_a_holiday() -> None:
    counted = due(shanghai(2026, 3, 6, 17), Period(1, Unit.CALENDAR_DAYS), CN)

    assert counted.latest == shanghai(2026, 3, 7, *LAST)  # a Saturday: the earlier reading


def test_ten_working_days_over_national_day_count_the_make_up_saturday() -> None:
    counted = due(shanghai(2026, 9, 28, 9), Period(10, Unit.WORKING_DAYS), CN)

    assert counted.strict == shanghai(2026, 10, 16, 9)
    assert not counted.provisional


def test_past_the_published_calendar_every_day_counts_as_working_and_the_date_is_provisional() -> None:
    counted = due(shanghai(2026, 12, 31, 9), Period(3, Unit.WORKING_DAYS), CN)

    assert counted.strict == shanghai(2027, 1, 3, 9)  # a Sunday after New Year: earliest it can be
    assert counted.provisional


def test_a_last_day_past_the_calendar_is_not_rolled_and_is_provisional() -> None:
    counted = due(shanghai(2026, 12, 2, 9), Period(30, Unit.CALENDAR_DAYS), CN)

    assert counted.latest == shanghai(2027, 1, 1, *LAST)
    assert counted.provisional


@pytest.mark.clause("Regulation 1182/71 3(1)", "Regulation 1182/71 3(4)")
def test_1182_71_3_1_the_hour_of_the_event_is_not_counted_and_hours_do_not_roll() -> None:
    counted = due(brussels(2026, 3, 6, 16, 20), Period(72, Unit.HOURS), EU)  # a Friday

    assert counted.strict == brussels(2026, 3, 9, 16, 20)
    assert counted.latest == brussels(2026, 3, 9, 17)


@pytest.mark.clause("Regulation 1182/71 3(4)")
def test_1182_71_3_4_a_last_day_on_a_weekend_ends_with_the_next_working_day() -> None:
    counted = due(brussels(2026, 3, 2, 9), Period(5, Unit.CALENDAR_DAYS), EU)

    assert counted.strict == brussels(2026, 3, 7, 9)  # Saturday
    assert counted.latest == brussels(2026, 3, 9, *LAST)


@pytest.mark.clause("Regulation 1182/71 3(2)")
def test_1182_71_3_2_a_month_ends_on_the_same_date_or_the_last_day_of_the_month() -> None:
    counted = due(brussels(2026, 1, 30, 9), Period(1, Unit.MONTHS), EU)

    assert counted.strict == brussels(2026, 2, 28, 9)  # a Saturday
    assert counted.latest == brussels(2026, 3, 2, *LAST)


def test_no_rule_adds_nothing() -> None:
    counted = due(datetime(2026, 3, 6, 12, tzinfo=UTC), Period(10, Unit.WORKING_DAYS), PLAIN)

    assert counted.strict == counted.latest == datetime(2026, 3, 20, 11, tzinfo=UTC)  # summer time began


def test_an_anchor_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        due(datetime(2026, 3, 6, 12), Period(1, Unit.HOURS), CN)  # noqa: DTZ001 - the point


def test_a_period_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        due(shanghai(2026, 3, 6), Period(0, Unit.HOURS), CN)
