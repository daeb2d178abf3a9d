from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from candor_packs.counting import Counting, Rule
from candor_packs.pack import Pack, load
from candor_packs.schema import Expectation, Vector
from candor_packs.vectors import run

PACKS = load(Path(__file__).resolve().parents[3] / "packs")


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.id)
def test_every_vector_of_a_pack_comes_out_as_the_pack_says(pack: Pack) -> None:
    assert [f"{mistake.vector.name}: {mistake.message}" for mistake in run(pack)] == []


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.id)
def test_every_obligation_arises_in_a_vector(pack: Pack) -> None:
    expected = {expectation.obligation for vector in pack.vectors for expectation in vector.expect}

    assert expected == {obligation.id for obligation in pack.obligations}


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: f"{pack.id}-{pack.version}")
def test_every_obligation_has_a_date_in_a_vector(pack: Pack) -> None:
    dated = {
        expectation.obligation
        for vector in pack.vectors
        for expectation in vector.expect
        if expectation.strict is not None
    }

    assert {obligation.id for obligation in pack.obligations} - dated == set()


def test_the_vectors_hold_at_least_a_hundred_and_fifty_deadlines() -> None:
    expected = [expectation for pack in PACKS for vector in pack.vectors for expectation in vector.expect]

    assert sum(expectation.strict is not None for expectation in expected) >= 150


@pytest.mark.parametrize("jurisdiction", ["CN", "EU", "US", "KR", "JP", "SG", "IN", "UK"])
def test_every_jurisdiction_that_the_service_promises_has_a_pack(jurisdiction: str) -> None:
    assert any(pack.jurisdiction.split("-")[0] == jurisdiction for pack in PACKS)


Counted = tuple[Pack, Vector, Expectation, Counting]
COUNTED: list[Counted] = [
    (pack, vector, expectation, obligation.counting)
    for pack in PACKS
    for vector in pack.vectors
    for expectation in vector.expect
    for obligation in pack.obligations
    if obligation.id == expectation.obligation and expectation.strict is not None
]


def strict(counted: Counted) -> datetime:
    _, _, expectation, counting = counted
    assert expectation.strict is not None
    return expectation.strict.astimezone(counting.zone)


def leap_day(counted: Counted) -> bool:
    return (strict(counted).month, strict(counted).day) == (2, 29)


def end_of_a_short_month(counted: Counted) -> bool:
    _, vector, _, counting = counted
    last = (strict(counted) + timedelta(days=1)).day == 1
    return last and any(at.astimezone(counting.zone).day > strict(counted).day for at in vector.anchors.values())


def change_of_the_clocks(counted: Counted) -> bool:
    _, vector, _, counting = counted
    return any(
        at.astimezone(counting.zone).utcoffset() != strict(counted).utcoffset() for at in vector.anchors.values()
    )


def make_up_day_of_2026(counted: Counted) -> bool:
    _, vector, _, counting = counted
    made_up = [day for day in (counting.calendar.make_up if counting.calendar else ()) if day.year == 2026]
    first = min(at.astimezone(counting.zone).date() for at in vector.anchors.values())
    return any(first < day < strict(counted).date() for day in made_up)


def unpublished_year_of_china(counted: Counted) -> bool:
    pack, _, expectation, _ = counted
    return pack.jurisdiction == "CN" and expectation.provisional


def holiday_of_a_member_state(counted: Counted) -> bool:
    _, _, expectation, counting = counted
    if expectation.latest is None or expectation.provisional or counting.choice is None:
        return False
    calendars = counting.choice.of.values()
    rolled = [strict(counted).date() + timedelta(days=number) for number in range(1, 4)]
    reached = [day for day in rolled if day < expectation.latest.astimezone(counting.zone).date()]
    return any(day.weekday() < 5 and day in calendar.holidays for day in reached for calendar in calendars)


TRAPS: list[Callable[[Counted], bool]] = [
    leap_day,
    end_of_a_short_month,
    change_of_the_clocks,
    make_up_day_of_2026,
    unpublished_year_of_china,
    holiday_of_a_member_state,
]


@pytest.mark.parametrize("trap", TRAPS)
def test_the_vectors_reach_the_traps_of_the_calendar(trap: Callable[[Counted], bool]) -> None:
    assert any(trap(counted) for counted in COUNTED)


def test_every_rule_of_counting_is_used_by_a_pack() -> None:
    assert {counting.rule for _, _, _, counting in COUNTED} == set(Rule)


def test_the_packs_that_the_service_promises_are_there() -> None:
    promised = {
        "cn.pipl.57",
        "cn.deep-synthesis.10",
        "cn.deep-synthesis.11",
        "cn.incident-reporting",
        "cn.algorithm-filing",
        "eu.gdpr.33",
    }

    assert promised <= {pack.id for pack in PACKS}


def test_no_pack_claims_a_lawyer_signed_it() -> None:
    assert {pack.status for pack in PACKS} == {"draft"}


def test_our_own_number_is_never_shown_as_the_law_s() -> None:
    for pack in PACKS:
        for obligation in pack.obligations:
            assert (obligation.due is None) == (obligation.objective is not None)
