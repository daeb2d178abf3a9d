from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest
from candor_escalation.domain.clock import (
    NOT_REPORTED,
    RECEIPTED,
    RUNNING,
    Change,
    Clock,
    Duty,
    assess,
    may_close,
    start,
    stop,
)
from candor_escalation.domain.refusal import Refused
from hypothesis import given
from hypothesis import strategies as st

from .builders import HOUR, INCIDENT, NOON, clock, duty


def look(duties: list[Duty], clocks: list[Clock]) -> Change:
    return assess(duties, clocks, (f"clock-{number}" for number in count(1)), INCIDENT, NOON)


def test_a_duty_that_may_arise_starts_a_clock_and_says_what_is_unknown() -> None:
    change = look([duty(missing=("grade", "persons"))], [])

    assert [started.state for started in change.started] == [RUNNING]
    assert change.started[0].evidence == "a call (started on the shortest assumption; unknown: grade, persons)"


def test_one_duty_is_one_clock_however_often_it_is_looked_at() -> None:
    first = look([duty()], []).started

    assert look([duty()], list(first)) == Change()


def test_a_duty_without_its_anchor_starts_nothing_and_keeps_the_incident_open() -> None:
    waiting = duty(at=None)

    assert look([waiting], []) == Change()
    assert not may_close([replace(clock(), state=RECEIPTED)], [waiting])


def test_an_earlier_anchor_moves_a_running_clock_and_counts_a_revision() -> None:
    change = look([duty(at=NOON - HOUR)], [clock()])

    assert [(moved.strict_due, moved.revision) for moved in change.moved] == [(NOON + 71 * HOUR, 2)]
    assert change.started == ()


def test_a_later_anchor_leaves_the_clock_as_it_is() -> None:
    assert look([duty(at=NOON + HOUR)], [clock()]) == Change()


def test_what_is_learned_clarifies_a_clock_without_moving_it() -> None:
    running = clock(missing=("persons",))
    change = look([duty()], [running])

    assert change.clarified == (replace(running, missing=()),)


def test_a_stopped_clock_is_neither_moved_nor_clarified_nor_started_again() -> None:
    stopped = replace(clock(), state=RECEIPTED, stopped_at=NOON)

    assert look([duty(at=NOON - HOUR, missing=("persons",))], [stopped]) == Change()


def test_a_duty_that_is_found_no_longer_leaves_its_clock_running() -> None:
    assert look([], [clock()]) == Change()
    assert not may_close([clock()], [])


@pytest.mark.parametrize("state", [RECEIPTED, NOT_REPORTED])
def test_a_receipt_or_a_decision_stops_a_clock_once(state: str) -> None:
    stopped = stop(clock(), state, NOON)

    assert (stopped.state, stopped.stopped_at) == (state, NOON)
    with pytest.raises(Refused) as refused:
        stop(stopped, state, NOON)
    assert refused.value.reason == "CLOCK_STOPPED"


def test_nothing_else_stops_a_clock() -> None:
    with pytest.raises(ValueError, match="stops no clock"):
        stop(clock(), "acknowledged", NOON)


def test_an_incident_closes_when_every_clock_is_stopped() -> None:
    done = replace(clock(), state=RECEIPTED)

    assert may_close([done, done], [duty()])
    assert not may_close([done, clock()], [])
    assert not may_close([], [])


def test_a_clock_is_not_started_without_an_anchor() -> None:
    with pytest.raises(ValueError, match="anchor"):
        start(duty(at=None), "clock", INCIDENT, NOON)


def _duty(name: str, hours: int, known: bool) -> Duty:
    return duty(at=NOON - hours * HOUR if known else None, obligation_id=name)


DUTIES = st.lists(
    st.builds(_duty, st.sampled_from("abc"), st.integers(0, 48), st.booleans()),
    max_size=4,
    unique_by=lambda found: found.obligation_id,
)


@given(st.lists(DUTIES, max_size=8))
def test_whatever_is_learned_a_clock_runs_once_per_duty_and_only_ever_moves_earlier(history: list[list[Duty]]) -> None:
    clocks: dict[str, Clock] = {}
    for duties in history:
        change = look(duties, list(clocks.values()))
        for changed in (*change.moved, *change.clarified):
            before = clocks[changed.obligation_id]
            assert changed.clock_id == before.clock_id
            assert changed.strict_due <= before.strict_due
        for started in change.started:
            assert started.obligation_id not in clocks
        clocks |= {found.obligation_id: found for found in (*change.started, *change.moved, *change.clarified)}
