"""What holds of every date that is counted, by whatever rule, calendar and zone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from candor_packs import calendars
from candor_packs.counting import Counting, Period, Rule, Unit, due
from candor_packs.regimes import REGIMES
from candor_packs.workdays import UNPUBLISHED, Calendar, Span
from hypothesis import assume, given, settings
from hypothesis import strategies as st

CALENDARS = calendars.load(Path(__file__).resolve().parents[3] / "packs" / "calendars")
ZONES = [ZoneInfo(name) for name in ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC")]
DAY = timedelta(days=1)

anchors = st.datetimes(datetime(2023, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - zone given
periods = st.builds(Period, st.integers(1, 120), st.sampled_from(Unit))
countings = st.builds(
    Counting,
    st.sampled_from(Rule),
    st.sampled_from(ZONES),
    st.sampled_from([None, UNPUBLISHED, *CALENDARS.values()]),
    day_ends=st.sampled_from([time.max, time(17, 30)]),
)


def latest(anchor: datetime, period: Period, counting: Counting) -> datetime:
    found = due(anchor, period, counting).latest
    assert found is not None
    return found


@given(anchors, periods, countings)
def test_a_deadline_never_precedes_its_anchor_and_what_is_worked_to_never_follows_the_law(
    anchor: datetime, period: Period, counting: Counting
) -> None:
    assume(period.unit is Unit.HOURS or counting.day_ends is time.max)
    counted = due(anchor, period, counting)

    assert counted.latest is not None
    assert anchor < counted.strict <= counted.latest


@given(anchors, periods, countings)
def test_a_day_that_ends_early_only_makes_the_latest_date_earlier(
    anchor: datetime, period: Period, counting: Counting
) -> None:
    whole = due(anchor, period, replace(counting, day_ends=time.max))
    early = due(anchor, period, replace(counting, day_ends=time(17, 30)))

    assert whole.latest is not None
    assert early.latest is not None
    assert early.strict <= whole.strict
    assert early.strict <= early.latest <= whole.latest


@given(anchors, periods, countings)
def test_one_more_of_a_unit_is_never_earlier(anchor: datetime, period: Period, counting: Counting) -> None:
    more = Period(period.amount + 1, period.unit)

    assert due(anchor, more, counting).strict >= due(anchor, period, counting).strict
    # Noon of a day that is moved to comes before the end of the same day, which one less of a unit may reach.
    assert latest(anchor, more, counting) > latest(anchor, period, counting) - DAY


@given(anchors, st.timedeltas(timedelta(0), timedelta(days=40)), periods, countings)
def test_a_later_anchor_never_falls_due_earlier(
    anchor: datetime, gap: timedelta, period: Period, counting: Counting
) -> None:
    sooner, later = due(anchor, period, counting), due(anchor + gap, period, counting)
    assert sooner.latest is not None
    assert later.latest is not None

    if counting.rule is Rule.DORA and period.unit is Unit.HOURS:
        return  # a limit on Sunday moves to Monday noon, one on Monday at 01:00 stays: the law's own step back
    if period.unit is Unit.HOURS or not REGIMES[counting.rule].whole_days:
        # Within one day: the same last day at another time of day, where months clamp or weekends are left out.
        assert sooner.latest <= later.latest + DAY
    else:
        assert sooner.latest <= later.latest
    last_days = [date.strict.astimezone(counting.zone).date() for date in (sooner, later)]
    assert last_days == sorted(last_days)


@given(st.dates(date(2023, 1, 1), date(2032, 1, 1)), st.integers(1, 60), st.sampled_from(ZONES))
def test_a_month_ends_on_the_same_day_of_the_month_or_on_its_last(start: date, amount: int, zone: ZoneInfo) -> None:
    anchor = datetime.combine(start, time(12), zone)
    end = due(anchor, Period(amount, Unit.MONTHS), Counting(Rule.NONE, zone)).strict.astimezone(zone).date()

    assert (end.year * 12 + end.month) - (start.year * 12 + start.month) == amount
    assert end.day == start.day or (end.day < start.day and (end + DAY).day == 1)


@given(anchors, st.integers(1, 2_000), st.sampled_from(Rule), st.sampled_from(ZONES))
def test_hours_are_the_same_in_every_zone_and_calendar(
    anchor: datetime, amount: int, rule: Rule, zone: ZoneInfo
) -> None:
    counted = due(anchor, Period(amount, Unit.HOURS), Counting(rule, zone, CALENDARS["cn"]))

    assert counted.strict == anchor + timedelta(hours=amount)


HORIZON = Span(date(2027, 1, 1), date(2029, 12, 31))
days_to_come = st.frozensets(st.dates(HORIZON.first, HORIZON.last), max_size=60)
near_the_end = st.datetimes(datetime(2026, 10, 1), datetime(2027, 6, 1), timezones=st.just(UTC))  # noqa: DTZ001


@settings(max_examples=300)
@given(near_the_end, st.builds(Period, st.integers(1, 60), st.sampled_from(Unit)), st.sampled_from(ZONES), st.data())
def test_a_provisional_date_is_never_later_than_the_final_one(
    anchor: datetime, period: Period, zone: ZoneInfo, data: st.DataObject
) -> None:
    # Only China exchanges holidays for days at the weekend.
    rule = data.draw(st.sampled_from(Rule))
    holidays = data.draw(days_to_come)
    make_up = data.draw(days_to_come) if rule is Rule.CN else frozenset()
    old = CALENDARS["cn"] if rule is Rule.CN else UNPUBLISHED
    published = Calendar("new", old.holidays | (holidays - make_up), old.make_up | make_up, (*old.known, HORIZON))

    before = due(anchor, period, Counting(rule, zone, old))
    after = due(anchor, period, Counting(rule, zone, published))
    assume(not after.provisional)

    assert before.latest is not None
    assert after.latest is not None
    assert before.strict <= after.strict
    assert before.latest <= after.latest
    assert before.provisional or before == after
