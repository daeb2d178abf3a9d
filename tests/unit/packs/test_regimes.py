"""The rules of counting beside the Civil Code and 1182/71, and what they add to each other."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from candor_packs import calendars
from candor_packs.counting import Counting, Period, Rule, Unit, What, count, due
from candor_packs.workdays import UNPUBLISHED, ByFact, Calendar, Span

CALENDARS = calendars.load(Path(__file__).resolve().parents[3] / "packs" / "calendars")
BERLIN, NEW_YORK, TOKYO = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York"), ZoneInfo("Asia/Tokyo")
SINGAPORE, SEOUL = ZoneInfo("Asia/Singapore"), ZoneInfo("Asia/Seoul")
EU = Counting(Rule.EU, BERLIN, CALENDARS["de"])
DORA = Counting(Rule.DORA, BERLIN, CALENDARS["de"])
US = Counting(Rule.US, NEW_YORK, CALENDARS["us"])
JP = Counting(Rule.JP, TOKYO, CALENDARS["jp"])
SG = Counting(Rule.SG, SINGAPORE, CALENDARS["sg"])
KR = Counting(Rule.KR, SEOUL, CALENDARS["kr"])
LAST = (23, 59, 59, 999_999)


def at(zone: ZoneInfo, *parts: int) -> datetime:
    return datetime(*parts, tzinfo=zone)  # type: ignore[misc, arg-type]


@pytest.mark.clause("Regulation 1182/71 3(4)")
def test_1182_71_3_4_a_last_day_on_a_holiday_of_the_member_state_rolls_over_it() -> None:
    # The 30th day is Saturday 3 October, German Unity Day; Monday 5 October is worked.
    counted = due(at(BERLIN, 2026, 9, 3, 9), Period(30, Unit.CALENDAR_DAYS), EU)

    assert counted.strict == at(BERLIN, 2026, 10, 3, 9)
    assert counted.latest == at(BERLIN, 2026, 10, 5, *LAST)
    assert not counted.provisional


@pytest.mark.clause("Regulation 1182/71 3(4)")
@pytest.mark.parametrize(("country", "day"), [("de", 7), ("fr", 7), ("ie", 7), ("be", 7), ("se", 7), ("es", 6)])
def test_1182_71_3_4_good_friday_to_easter_monday_depends_on_the_member_state(country: str, day: int) -> None:
    # Five days after Wednesday 1 April 2026 is Easter Monday, 6 April, which Spain works.
    counting = Counting(Rule.EU, BERLIN, CALENDARS[country])

    assert due(at(BERLIN, 2026, 4, 1, 9), Period(5, Unit.CALENDAR_DAYS), counting).latest == at(
        BERLIN, 2026, 4, day, *LAST
    )


@pytest.mark.clause("Regulation 1182/71 3(5)")
def test_1182_71_3_5_a_period_of_two_days_has_two_working_days() -> None:
    # Thursday before Good Friday + 2 days is Saturday; 3(4) moves it to Tuesday, the first working day since.
    counted = due(at(BERLIN, 2026, 4, 2, 9), Period(2, Unit.CALENDAR_DAYS), EU)

    assert counted.strict == at(BERLIN, 2026, 4, 4, 9)
    assert counted.latest == at(BERLIN, 2026, 4, 8, *LAST)


@pytest.mark.clause("Regulation 1182/71 3(5)")
def test_1182_71_3_5_a_period_of_one_day_or_of_hours_need_not_have_two_working_days() -> None:
    friday = at(BERLIN, 2026, 3, 6, 9)

    assert due(friday, Period(1, Unit.CALENDAR_DAYS), EU).latest == at(BERLIN, 2026, 3, 9, *LAST)
    assert due(friday, Period(48, Unit.HOURS), EU).latest == at(BERLIN, 2026, 3, 8, 10)


@pytest.mark.clause("Regulation 1182/71 3(1)")
def test_1182_71_3_1_the_hour_is_that_of_the_zone() -> None:
    # Half past the hour in Calcutta is a full hour of universal time.
    counting = Counting(Rule.EU, ZoneInfo("Asia/Kolkata"))
    anchor = datetime(2026, 3, 6, 10, 30, tzinfo=UTC)  # 16:00 there

    assert due(anchor, Period(1, Unit.HOURS), counting).latest == datetime(2026, 3, 6, 12, 30, tzinfo=UTC)


@pytest.mark.clause("Regulation 1182/71 3(2)")
def test_1182_71_3_2_a_week_ends_on_the_same_day_of_the_week() -> None:
    counted = due(at(BERLIN, 2026, 3, 3, 9), Period(4, Unit.WEEKS), EU)

    assert counted.strict == at(BERLIN, 2026, 3, 31, 9)  # over the change to summer time, at the same time of day
    assert counted.latest == at(BERLIN, 2026, 3, 31, *LAST)


@pytest.mark.clause("Regulation 2025/301 5(4)")
def test_2025_301_5_4_a_month_that_ends_on_a_day_not_worked_moves_to_noon() -> None:
    counted = due(at(BERLIN, 2026, 4, 14, 15), Period(1, Unit.MONTHS), DORA)  # Ascension Day

    assert counted.strict == at(BERLIN, 2026, 5, 14, 15)
    assert counted.latest == at(BERLIN, 2026, 5, 15, 12)


@pytest.mark.clause("Regulation 2025/301 5(4)")
def test_2025_301_5_4_hours_that_end_on_a_day_not_worked_move_to_noon_and_others_stay() -> None:
    friday = at(BERLIN, 2026, 3, 6, 22, 10)

    assert due(friday, Period(4, Unit.HOURS), DORA).latest == at(BERLIN, 2026, 3, 9, 12)
    assert due(friday, Period(4, Unit.HOURS), DORA).strict == at(BERLIN, 2026, 3, 7, 2, 10)
    assert due(friday, Period(72, Unit.HOURS), DORA).latest == at(BERLIN, 2026, 3, 9, 23)


@pytest.mark.clause("Regulation 2025/301 5(4)")
def test_2025_301_5_4_a_limit_on_a_working_day_keeps_its_own_end() -> None:
    assert due(at(BERLIN, 2026, 3, 2, 15), Period(1, Unit.MONTHS), DORA).latest == at(BERLIN, 2026, 4, 2, *LAST)


def test_us_business_days_leave_out_federal_holidays_and_the_day_of_the_event() -> None:
    # Wednesday before Thanksgiving: Friday, Monday, Tuesday, Wednesday.
    counted = due(at(NEW_YORK, 2026, 11, 25, 10), Period(4, Unit.WORKING_DAYS), US)

    assert counted.strict == at(NEW_YORK, 2026, 12, 2, 10)
    assert counted.latest == at(NEW_YORK, 2026, 12, 2, *LAST)


def test_us_business_days_from_a_saturday_count_monday_as_the_first() -> None:
    assert due(at(NEW_YORK, 2026, 3, 7, 10), Period(4, Unit.WORKING_DAYS), US).strict == at(NEW_YORK, 2026, 3, 12, 10)


def test_a_day_that_ends_in_the_afternoon_ends_the_period_and_what_is_worked_to() -> None:
    counting = Counting(Rule.US, NEW_YORK, CALENDARS["us"], day_ends=time(17, 30))
    counted = due(at(NEW_YORK, 2026, 3, 2, 20), Period(4, Unit.WORKING_DAYS), counting)

    assert counted.strict == counted.latest == at(NEW_YORK, 2026, 3, 6, 17, 30)


def test_us_calendar_days_run_over_the_weekend_and_do_not_roll() -> None:
    assert due(at(NEW_YORK, 2026, 1, 1, 10), Period(30, Unit.CALENDAR_DAYS), US).latest == at(
        NEW_YORK, 2026, 1, 31, *LAST
    )


def test_jp_the_day_of_knowing_is_day_1_and_the_last_day_rolls_over_the_turn_of_the_year() -> None:
    counted = due(at(TOKYO, 2026, 12, 1, 9), Period(30, Unit.CALENDAR_DAYS), JP)  # day 30 is 30 December

    assert counted.strict == at(TOKYO, 2026, 12, 30, *LAST)
    assert counted.latest == at(TOKYO, 2027, 1, 4, *LAST)


def test_jp_sixty_days_roll_over_a_substitute_holiday() -> None:
    counted = due(at(TOKYO, 2026, 3, 8, 9), Period(60, Unit.CALENDAR_DAYS), JP)  # day 60 is 6 May, a substitute

    assert (counted.strict, counted.latest) == (at(TOKYO, 2026, 5, 6, *LAST), at(TOKYO, 2026, 5, 7, *LAST))


def test_jp_months_begin_the_day_after() -> None:
    assert due(at(TOKYO, 2026, 1, 31, 9), Period(1, Unit.MONTHS), JP).strict == at(TOKYO, 2026, 2, 28, 9)


def test_sg_three_days_after_the_day_do_not_roll() -> None:
    counted = due(at(SINGAPORE, 2026, 4, 30, 9), Period(3, Unit.CALENDAR_DAYS), SG)  # Labour Day between, ends Sunday

    assert counted.strict == at(SINGAPORE, 2026, 5, 3, 9)
    assert counted.latest == at(SINGAPORE, 2026, 5, 3, *LAST)


def test_kr_a_last_day_on_a_saturday_or_holiday_rolls_and_hours_do_not() -> None:
    start = at(SEOUL, 2026, 9, 23, 9)  # Chuseok is 24 to 26 September, the 27th a Sunday

    assert due(start, Period(1, Unit.CALENDAR_DAYS), KR).latest == at(SEOUL, 2026, 9, 28, *LAST)
    assert due(start, Period(72, Unit.HOURS), KR).latest == at(SEOUL, 2026, 9, 26, 9)


@pytest.mark.parametrize(("year", "day"), [(2024, 29), (2025, 28), (2028, 29)])
@pytest.mark.parametrize("rule", [Rule.EU, Rule.DORA, Rule.US, Rule.SG, Rule.KR, Rule.CN, Rule.JP, Rule.NONE])
def test_a_month_from_the_end_of_january_ends_with_february(rule: Rule, year: int, day: int) -> None:
    strict = due(at(BERLIN, year, 1, 31, 9), Period(1, Unit.MONTHS), Counting(rule, BERLIN)).strict

    assert strict == at(BERLIN, year, 2, day, 9)


@pytest.mark.parametrize("rule", list(Rule))
def test_hours_are_hours_that_pass_when_the_clocks_change(rule: Rule) -> None:
    counting = Counting(rule, BERLIN)
    forward, back = at(BERLIN, 2026, 3, 27, 10), at(BERLIN, 2026, 10, 23, 10)

    assert due(forward, Period(72, Unit.HOURS), counting).strict == at(BERLIN, 2026, 3, 30, 11)
    assert due(back, Period(72, Unit.HOURS), counting).strict == at(BERLIN, 2026, 10, 26, 9)


@pytest.mark.parametrize("rule", [Rule.EU, Rule.CN, Rule.US, Rule.SG, Rule.KR])
def test_days_keep_the_time_of_day_when_the_clocks_change(rule: Rule) -> None:
    counting = Counting(rule, NEW_YORK, UNPUBLISHED)

    assert due(at(NEW_YORK, 2026, 3, 6, 10), Period(3, Unit.CALENDAR_DAYS), counting).strict == at(
        NEW_YORK, 2026, 3, 9, 10
    )


def test_a_time_that_the_clocks_skip_is_taken_an_hour_on_and_one_that_comes_twice_is_the_first() -> None:
    skipped = due(at(BERLIN, 2026, 3, 28, 2, 30), Period(1, Unit.CALENDAR_DAYS), EU).strict
    twice = due(at(BERLIN, 2026, 10, 24, 2, 30), Period(1, Unit.CALENDAR_DAYS), EU).strict

    assert skipped == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # 03:30 summer time
    assert twice == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 02:30, still summer time


def test_the_calendar_of_a_member_state_that_nobody_named_makes_the_date_provisional() -> None:
    by = ByFact("member_state", {"DE": CALENDARS["de"]})
    counting = Counting(Rule.EU, BERLIN, UNPUBLISHED, by)
    start, period = at(BERLIN, 2026, 4, 1, 9), Period(5, Unit.CALENDAR_DAYS)

    known, unknown = due(start, period, counting.settled("DE")), due(start, period, counting.settled("CZ"))

    assert (known.latest, known.provisional) == (at(BERLIN, 2026, 4, 7, *LAST), False)
    assert (unknown.latest, unknown.provisional) == (at(BERLIN, 2026, 4, 6, *LAST), True)
    assert due(start, period, counting) == due(start, period, counting.settled(None)) == unknown


def test_only_where_holidays_are_exchanged_may_an_unpublished_weekend_be_worked() -> None:
    year = Span(date(2026, 1, 1), date(2026, 12, 31))
    exchanging = Calendar("x", frozenset(), frozenset({date(2026, 1, 4)}), (year,))
    plain = Calendar("y", frozenset(), frozenset(), (year,))

    assert exchanging.assumed(date(2027, 1, 2))
    assert not plain.assumed(date(2027, 1, 2))


def test_the_steps_of_a_count_name_their_clauses_in_order() -> None:
    counted = count(at(BERLIN, 2026, 4, 2, 9), Period(2, Unit.CALENDAR_DAYS), EU)

    assert [(step.what, step.source.removeprefix("Regulation 1182/71 ")) for step in counted.steps] == [
        (What.STARTS, ""),
        (What.FIRST_NOT_COUNTED, "art 3(1)"),
        (What.LAST_DAY, ""),
        (What.ROLLED, "art 3(4)"),
        (What.TWO_WORKING_DAYS, "art 3(5)"),
        (What.ENDS, "art 3(2)(b)"),
    ]


def test_a_period_that_never_ends_is_refused() -> None:
    with pytest.raises(ValueError, match="9999"):
        due(at(BERLIN, 9999, 12, 1, 9), Period(1, Unit.MONTHS), EU)
    with pytest.raises(ValueError, match="9999"):
        due(at(BERLIN, 9999, 12, 1, 9), Period(10_000, Unit.CALENDAR_DAYS), EU)
