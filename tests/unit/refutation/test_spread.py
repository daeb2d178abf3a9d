from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from candor_refutation.domain.matching import Band
from candor_refutation.domain.spread import WINDOW, Hour, Levels, confirm, end_of, minute_of, window_start
from hypothesis import given
from hypothesis import strategies as st

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LEVELS = Levels((50, 100, 200))
SECONDS = st.lists(st.integers(0, 3 * 3600), min_size=1, max_size=300)


def counted(times: Sequence[datetime], band: Band = Band.AUTOMATIC) -> Hour:
    hour = Hour()
    for at in times:
        hour = hour.counted(at, band, LEVELS)
    return hour


@pytest.mark.clause("Deep Synthesis 11")
@pytest.mark.parametrize(("matches", "level"), [(0, 0), (49, 0), (50, 1), (99, 1), (100, 2), (200, 3), (10**6, 3)])
def test_levels_are_reached_by_counts(matches: int, level: int) -> None:
    assert LEVELS.reached(matches) == level


@pytest.mark.parametrize("thresholds", [(), (0,), (-1, 5), (50, 50), (100, 50), tuple(range(1, 11))])
def test_levels_that_do_not_rise_are_no_levels(thresholds: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="rising"):
        Levels(thresholds)


@given(SECONDS)
def test_buckets_hold_exactly_the_matches_of_the_hour_that_ends_with_the_latest_minute(seconds: list[int]) -> None:
    times = sorted(NOON + timedelta(seconds=second) for second in seconds)
    hour = counted(times)
    end = end_of(hour.latest)

    assert sum(hour.automatic.values()) == sum(end - WINDOW <= at < end for at in times)


@given(SECONDS, st.randoms(use_true_random=False))
def test_late_matches_never_make_an_hour_larger_than_it_is(seconds: list[int], random: object) -> None:
    times = [NOON + timedelta(seconds=second) for second in seconds]
    random.shuffle(times)  # type: ignore[attr-defined]
    hour = counted(times)
    end = end_of(minute_of(max(times)))

    assert hour.latest == minute_of(max(times))
    assert sum(hour.automatic.values()) == sum(end - WINDOW <= at < end for at in times)
    assert len(hour.automatic) <= 60


def test_a_spread_over_two_hours_of_the_clock_is_seen() -> None:
    times = [NOON + timedelta(minutes=35, seconds=60 * minute) for minute in range(50)]

    assert counted(times).nominates == (1, end_of(minute_of(times[-1])))


def test_matches_that_a_person_must_look_at_are_counted_apart_and_nominate_nothing() -> None:
    hour = counted([NOON] * 500, Band.REVIEW)

    assert sum(hour.review.values()) == 500
    assert hour.nominates is None


def test_an_announced_level_is_not_nominated_again_but_the_next_one_is() -> None:
    hour = counted([NOON] * 60)

    end = end_of(minute_of(NOON))
    assert hour.nominates == (1, end)
    assert hour.announced_at(1).nominates is None
    assert counted([NOON] * 120).announced_at(1).nominates == (2, end)
    assert hour.announced_at(3).announced_at(1).announced == 3


@pytest.mark.clause("Deep Synthesis 11")
def test_a_recount_announces_every_level_once() -> None:
    first = confirm(LEVELS, 130, 0, NOON)

    assert [(spread.level, spread.matches) for spread in first] == [(1, 130), (2, 130)]
    assert all((spread.window_start, spread.window_end) == (NOON - WINDOW, NOON) for spread in first)
    assert confirm(LEVELS, 130, 2, NOON) == ()
    assert [spread.level for spread in confirm(LEVELS, 200, 2, NOON)] == [3]


def test_a_recount_below_the_level_announces_nothing() -> None:
    assert confirm(LEVELS, 49, 0, NOON) == ()


def test_the_first_hour_of_the_calendar_has_a_start() -> None:
    first = datetime.min.replace(tzinfo=UTC)

    assert window_start(first) == first


def test_a_level_reached_while_a_backlog_was_read_is_nominated_with_its_own_hour() -> None:
    later = NOON + timedelta(hours=5)

    assert counted([NOON] * 60 + [later] * 3).nominates == (1, end_of(minute_of(NOON)))
    assert counted([NOON] * 60 + [later] * 55).nominates == (1, end_of(minute_of(later)))
    assert counted([NOON] * 110 + [later] * 55).nominates == (2, end_of(minute_of(NOON)))


@given(SECONDS)
def test_what_is_nominated_is_confirmed_by_a_recount_of_the_same_hour(seconds: list[int]) -> None:
    times = sorted(NOON + timedelta(seconds=second) for second in seconds)
    nominated = counted(times).nominates

    if nominated is not None:
        level, end = nominated
        assert LEVELS.reached(sum(end - WINDOW <= at < end for at in times)) >= level
