from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from candor_escalation.domain.rotation import (
    Hours,
    Override,
    Rotation,
    Schedule,
    handover,
    on_call,
    on_turn,
    shifts,
    turn_at,
)
from hypothesis import given
from hypothesis import strategies as st

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)
WEEK = timedelta(days=7)
PEOPLE = ("anna", "bo", "chen")
ZONES = st.sampled_from(
    ["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "America/Sao_Paulo"]
).map(ZoneInfo)
INSTANTS = st.datetimes(datetime(2005, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
ROTATIONS = st.builds(
    Rotation,
    people=st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=5).map(tuple),
    zone=ZONES,
    first=st.dates(date(2010, 1, 1), date(2035, 1, 1)),
    at=st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    every_days=st.integers(1, 30),
)
HOURS = st.builds(
    Hours,
    start=st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    end=st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    days=st.frozensets(st.integers(0, 6), min_size=1),
)


def weekly(**changes: object) -> Rotation:
    values = {"people": PEOPLE, "zone": BERLIN, "first": date(2026, 3, 2), "at": time(9), "every_days": 7}
    return Rotation(**{**values, **changes})  # type: ignore[arg-type]


def local(*when: int, fold: int = 0, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime(*when, tzinfo=zone, fold=fold).astimezone(UTC)  # type: ignore[arg-type,misc]


def stand_in(contact: str, start: datetime, end: datetime, made: datetime, name: str = "o") -> Override:
    return Override(name, "line", contact, start, end, made, "lead", "holiday")


def test_people_take_turns_from_the_first_handover_on() -> None:
    assert on_turn(weekly(), local(2026, 3, 2, 9)) == "anna"
    assert on_turn(weekly(), local(2026, 3, 9, 8, 59)) == "anna"
    assert on_turn(weekly(), local(2026, 3, 9, 9)) == "bo"
    assert on_turn(weekly(), local(2026, 3, 23, 9)) == "anna"


def test_before_the_first_handover_the_same_order_counts_backwards() -> None:
    assert on_turn(weekly(), local(2026, 3, 2, 8, 59)) == "chen"


@pytest.mark.parametrize(("begins", "hours"), [(date(2026, 3, 23), 167), (date(2026, 10, 19), 169)])
def test_the_handover_stays_at_nine_when_the_clocks_change(begins: date, hours: int) -> None:
    rotation = weekly(first=begins)
    first, second = handover(rotation, 0), handover(rotation, 1)

    assert second - first == hours * HOUR
    assert [at.astimezone(BERLIN).time() for at in (first, second)] == [time(9), time(9)]


def test_a_handover_at_a_time_that_is_skipped_happens_as_long_after_midnight_as_ever() -> None:
    rotation = weekly(first=date(2026, 3, 29), at=time(2, 30), every_days=1)

    assert handover(rotation, 0) == local(2026, 3, 29, 3, 30)


def test_a_handover_at_a_time_that_comes_twice_happens_the_first_time() -> None:
    rotation = weekly(first=date(2026, 10, 25), at=time(2, 30), every_days=1)

    assert handover(rotation, 0) == local(2026, 10, 25, 2, 30, fold=0)
    assert on_turn(rotation, local(2026, 10, 25, 2, 30, fold=1)) == "anna"


def test_a_day_that_a_zone_left_out_loses_its_turn_and_nobody_is_missing() -> None:
    apia = ZoneInfo("Pacific/Apia")
    rotation = weekly(zone=apia, first=date(2011, 12, 28), every_days=1)

    assert handover(rotation, 2) == handover(rotation, 3)  # 30 December 2011 was not
    assert on_turn(rotation, local(2011, 12, 31, 10, zone=apia)) == "anna"


@given(ROTATIONS, INSTANTS)
def test_exactly_one_person_is_on_turn_at_any_instant(rotation: Rotation, at: datetime) -> None:
    turn = turn_at(rotation, at)

    assert handover(rotation, turn) <= at < handover(rotation, turn + 1)
    assert on_turn(rotation, at) == rotation.people[turn % len(rotation.people)]


@given(ROTATIONS, st.integers(-500, 500))
def test_handovers_never_go_backwards(rotation: Rotation, turn: int) -> None:
    assert handover(rotation, turn) <= handover(rotation, turn + 1)


@given(ROTATIONS, HOURS, INSTANTS)
def test_outside_of_its_hours_a_rotation_names_nobody_and_within_them_whose_turn_it_is(
    rotation: Rotation, hours: Hours, at: datetime
) -> None:
    bounded = Rotation(rotation.people, rotation.zone, rotation.first, rotation.at, rotation.every_days, hours)

    assert on_turn(bounded, at) in {"", on_turn(rotation, at)}


def test_hours_over_midnight_belong_to_the_day_they_begin_on() -> None:
    nights = weekly(hours=Hours(time(22), time(6), frozenset({4})))  # Friday

    assert on_turn(nights, local(2026, 3, 7, 5, 59)) == "anna"  # Saturday morning
    assert on_turn(nights, local(2026, 3, 7, 6)) == ""
    assert on_turn(nights, local(2026, 3, 7, 22)) == ""


def test_the_sun_is_followed_by_the_first_rotation_that_is_on_shift() -> None:
    shanghai = ZoneInfo("Asia/Shanghai")
    east = weekly(people=("chen",), zone=shanghai, hours=Hours(time(8), time(20)))
    west = weekly(people=("anna",))
    line = Schedule("line", (east, west))

    assert on_call(line, (), local(2026, 3, 3, 9, zone=shanghai)) == ("chen", "")
    assert on_call(line, (), local(2026, 3, 3, 21, zone=shanghai)) == ("anna", "")


def test_an_override_holds_from_its_start_until_before_its_end() -> None:
    line = Schedule("line", (weekly(),))
    start = local(2026, 3, 3, 12)
    made = (stand_in("chen", start, start + HOUR, start - HOUR),)
    names = [on_call(line, made, start + minutes * timedelta(minutes=1))[0] for minutes in (-1, 0, 59, 60)]

    assert names == ["anna", "chen", "chen", "anna"]


def test_of_several_overrides_the_one_made_last_holds_and_one_of_another_schedule_does_not() -> None:
    line = Schedule("line", (weekly(),))
    at = local(2026, 3, 3, 12)
    old = stand_in("bo", at - HOUR, at + HOUR, at - 2 * HOUR, "old")
    new = stand_in("chen", at - HOUR, at + HOUR, at - HOUR, "new")
    other = Override("other", "second", "bo", at - HOUR, at + HOUR, at, "lead", "swap")

    assert on_call(line, (new, old, other), at) == ("chen", "new")


def test_an_override_that_was_ended_holds_no_more() -> None:
    line = Schedule("line", (weekly(),))
    at = local(2026, 3, 3, 12)
    ended = Override("o", "line", "chen", at - HOUR, at + HOUR, at - HOUR, "lead", "swap", at, "lead")

    assert on_call(line, (ended,), at - timedelta(minutes=1)) == ("chen", "o")
    assert on_call(line, (ended,), at) == ("anna", "")


def test_whom_the_file_knows_no_more_no_override_puts_on_call() -> None:
    line = Schedule("line", (weekly(),))
    at = local(2026, 3, 3, 12)
    made = (stand_in("gone", at - HOUR, at + HOUR, at - HOUR),)

    assert on_call(line, made, at, frozenset(PEOPLE)) == ("anna", "")


def test_the_shifts_of_the_week_the_clocks_change() -> None:
    line = Schedule("line", (weekly(),))
    start, end = local(2026, 3, 23, 9), local(2026, 4, 6, 9)
    made = (stand_in("chen", local(2026, 3, 29, 0), local(2026, 3, 29, 6), start),)
    found = shifts(line, made, start, end)

    assert [(shift.contact, shift.override_id) for shift in found] == [
        ("anna", ""), ("chen", "o"), ("anna", ""), ("bo", ""),
    ]  # fmt: skip
    assert found[1].ends_at - found[1].starts_at == 5 * HOUR


@given(
    st.lists(ROTATIONS, min_size=1, max_size=3),
    HOURS,
    INSTANTS,
    st.integers(1, 24 * 20),
    st.lists(st.tuples(st.sampled_from(PEOPLE), st.integers(-200, 500), st.integers(1, 300)), max_size=4),
)
def test_shifts_leave_no_gap_and_say_at_every_instant_who_is_on_call(
    rotations: list[Rotation], hours: Hours, start: datetime, length: int, made: list[tuple[str, int, int]]
) -> None:
    first = rotations[0]
    bounded = Rotation(first.people, first.zone, first.first, first.at, first.every_days, hours)
    line = Schedule("line", (bounded, *rotations[1:]))
    overrides = [
        stand_in(name, start + after * HOUR, start + (after + lasts) * HOUR, start - HOUR, str(number))
        for number, (name, after, lasts) in enumerate(made)
    ]
    end = start + length * HOUR
    found = shifts(line, overrides, start, end)

    assert (found[0].starts_at, found[-1].ends_at) == (start, end)
    assert all(one.ends_at == other.starts_at for one, other in pairwise(found))
    for shift in found:
        for at in (shift.starts_at, shift.starts_at + (shift.ends_at - shift.starts_at) / 2):
            assert on_call(line, overrides, at) == (shift.contact, shift.override_id)
