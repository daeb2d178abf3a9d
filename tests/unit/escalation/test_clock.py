from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest
from candor_escalation.domain.clock import (
    FALLEN,
    NOT_REPORTED,
    RECEIPTED,
    RUNNING,
    Change,
    Clock,
    Duty,
    assess,
    may_close,
    refuse_running,
    start,
    stop,
)
from candor_escalation.domain.incident import Anchor
from candor_escalation.domain.refusal import Refused
from hypothesis import given
from hypothesis import strategies as st

from .builders import CLOCK, HOUR, INCIDENT, NOON, clock, duty


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


@pytest.mark.parametrize(("state", "over"), [(RECEIPTED, False), (NOT_REPORTED, True), (FALLEN, True)])
def test_what_waits_for_a_report_that_is_never_sent_keeps_no_incident_open(state: str, over: bool) -> None:
    first = replace(clock(), state=state)
    supplement = replace(duty(at=None), anchor_key=f"receipt:{first.pack_id}/{first.obligation_id}")

    assert may_close([first], [supplement]) is over


@pytest.mark.parametrize("hours", [-1, 1])
def test_another_anchor_moves_a_running_clock_and_counts_a_revision(hours: int) -> None:
    running = clock()
    change = look([duty(at=NOON + hours * HOUR)], [running])

    assert [(moved.before, moved.after.strict_due, moved.after.revision) for moved in change.moved] == [
        (running, NOON + (72 + hours) * HOUR, 2)
    ]
    assert change.started == ()
    assert change.counted == [CLOCK]


def test_another_due_date_from_the_same_anchor_moves_the_clock_too() -> None:
    published = look([duty(71, provisional=False)], [clock(provisional=True)])

    assert [(moved.after.strict_due, moved.after.provisional) for moved in published.moved] == [
        (NOON + 71 * HOUR, False)
    ]


@given(st.integers(0, 999), st.integers(1, 1000))
def test_half_of_the_time_is_gone_when_as_much_is_left_as_has_passed(passed: int, left: int) -> None:
    given_time = replace(clock(), started_at=NOON - passed * HOUR, strict_due=NOON + left * HOUR)

    assert given_time.is_half_gone(NOON) == (passed >= left)


def test_what_is_learned_clarifies_a_clock_without_moving_it() -> None:
    running = clock(missing=("persons",))
    change = look([duty()], [running])

    assert change.clarified == (replace(running, missing=()),)


def test_a_stopped_clock_is_neither_moved_nor_clarified_nor_started_again() -> None:
    stopped = replace(clock(), state=RECEIPTED, stopped_at=NOON)

    assert look([duty(at=NOON - HOUR, missing=("persons",))], [stopped]) == Change()


def test_recorded_facts_that_make_the_trigger_false_stop_the_clock_and_others_let_it_rise_again() -> None:
    running = clock()
    fell = assess([], [running], iter(()), INCIDENT, NOON + HOUR, frozenset({CLOCK})).fallen
    rose = look([duty()], list(fell)).restarted

    assert [(stopped.state, stopped.stopped_at) for stopped in fell] == [(FALLEN, NOON + HOUR)]
    assert may_close(fell, [])
    assert [(again.state, again.stopped_at, again.revision) for again in rose] == [(RUNNING, None, 2)]
    assert [(again.anchor, again.strict_due, again.started_at) for again in rose] == [
        (running.anchor, running.strict_due, running.started_at)
    ]


def test_a_receipt_starts_the_next_clock_of_a_duty_that_repeats() -> None:
    done = replace(clock(repeats=True), state=RECEIPTED, stopped_at=NOON + HOUR)
    following = duty(repeats=True, at=NOON + HOUR)
    started = look([following], [done]).started

    assert [(next_one.occurrence, next_one.anchor.at) for next_one in started] == [(2, NOON + HOUR)]
    assert look([following], [done, *started]) == Change()
    assert look([replace(following, repeats=False)], [done]) == Change()


def test_a_submission_without_its_receipt_does_not_put_off_what_repeats() -> None:
    submitted = replace(duty(repeats=True), anchor=Anchor("receipt:xx.law/report", NOON + HOUR, "", provisional=True))

    assert look([submitted], [clock(repeats=True)]) == Change()


def test_an_incident_in_which_a_clock_runs_cannot_be_closed() -> None:
    refuse_running([replace(clock(), state=FALLEN, stopped_at=NOON)])
    with pytest.raises(Refused) as refused:
        refuse_running([clock()])
    assert refused.value.reason == "CLOCK_RUNNING"


def test_a_clock_says_what_is_disputed() -> None:
    disputed = clock(disputed=("persons",), anchor=Anchor("aware", NOON, "a call", disputed=True))

    assert disputed.evidence == (
        "a call (started on the shortest assumption; disputed: persons; the instant aware is disputed)"
    )


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
def test_whatever_is_learned_a_clock_runs_once_per_duty_and_from_what_stands_last(history: list[list[Duty]]) -> None:
    clocks: dict[str, Clock] = {}
    for duties in history:
        change = look(duties, list(clocks.values()))
        moved = [moved.after for moved in change.moved]
        for changed in (*moved, *change.clarified):
            assert changed.clock_id == clocks[changed.obligation_id].clock_id
        for again in moved:
            assert again.revision == clocks[again.obligation_id].revision + 1
        for started in change.started:
            assert started.obligation_id not in clocks
        clocks |= {found.obligation_id: found for found in (*change.started, *moved, *change.clarified)}
        assert look(duties, list(clocks.values())) == Change()
        for found in duties:
            assert found.anchor is None or clocks[found.obligation_id].anchor == found.anchor
        assert all(found.anchor.at <= found.strict_due for found in clocks.values())
