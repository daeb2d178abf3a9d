from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from candor_escalation.domain.milestone import DUE, HALF, HOUR_LEFT, OVERDUE, PAGING, QUARTER, schedule
from hypothesis import given
from hypothesis import strategies as st

from .builders import HOUR, MINUTE, NOON, clock


def instants(hours: float, passed: timedelta = timedelta(0)) -> dict[str, timedelta]:
    now = NOON + passed
    return {milestone.kind: milestone.due_at - NOON for milestone in schedule(clock(hours, now), now)}


def test_milestones_are_fractions_of_the_time_that_remains() -> None:
    assert instants(72) == {
        HALF: 36 * HOUR,
        QUARTER: 54 * HOUR,
        HOUR_LEFT: 71 * HOUR,
        DUE: 72 * HOUR,
        OVERDUE: 73 * HOUR,
    }


def test_a_clock_that_starts_late_divides_what_is_left() -> None:
    assert instants(72, 70 * HOUR) == {HALF: 71 * HOUR, QUARTER: 71.5 * HOUR, DUE: 72 * HOUR, OVERDUE: 72.5 * HOUR}


def test_one_hour_left_is_only_told_where_more_than_two_remain() -> None:
    assert HOUR_LEFT not in instants(2)
    assert HOUR_LEFT in instants(2.1)


def test_a_clock_that_is_past_due_when_it_starts_is_due_at_once() -> None:
    assert instants(1, 5 * HOUR) == {DUE: HOUR, OVERDUE: HOUR + MINUTE}


def test_overdue_waits_for_the_last_instant_that_the_law_allows() -> None:
    rolled = clock(72, legal_latest=NOON + 120 * HOUR)

    assert {m.kind: m.due_at for m in schedule(rolled, NOON)}[OVERDUE] == NOON + 120 * HOUR


def test_only_due_and_overdue_page_again() -> None:
    assert {DUE, OVERDUE} == PAGING


@pytest.mark.parametrize("revision", [1, 2])
def test_a_milestone_carries_its_clock_s_revision(revision: int) -> None:
    assert {m.revision for m in schedule(replace(clock(), revision=revision), NOON)} == {revision}


@given(st.floats(0.01, 5000), st.timedeltas(timedelta(0), timedelta(days=300)))
def test_milestones_come_in_their_order_and_none_before_the_clock_started(hours: float, passed: timedelta) -> None:
    now = NOON + passed
    planned = schedule(clock(hours, now), now)
    by_due = sorted(planned, key=lambda milestone: milestone.due_at)
    order = [HALF, QUARTER, HOUR_LEFT, DUE, OVERDUE]

    assert by_due[-2].kind == DUE
    assert by_due[-1].kind == OVERDUE
    assert len({milestone.kind for milestone in planned}) == len(planned)
    assert all(milestone.kind in order for milestone in planned)
    assert all(milestone.due_at >= now for milestone in planned if milestone.kind in {HALF, QUARTER, HOUR_LEFT})
