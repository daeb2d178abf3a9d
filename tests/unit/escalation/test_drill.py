"""Drills: set apart from what has happened, and timed against what the law allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from candor_escalation.domain import drill, drill_times
from candor_escalation.domain.approval import Approval
from candor_escalation.domain.clock import FALLEN, NOT_REPORTED, RECEIPTED, Clock, may_close, stop
from candor_escalation.domain.drill import Drill, Instant, Scenario
from candor_escalation.domain.drill_times import STEPS, Record, Result
from candor_escalation.domain.incident import CLOSED, OPEN, Incident, closed, opened
from candor_escalation.domain.refusal import Refused
from candor_escalation.domain.register import BY_HAND, DRILL
from candor_escalation.domain.report import Draft, Receipt, Submission
from candor_escalation.domain.timeliness import IN_LEGAL_TIME, IN_TIME, LATE
from candor_escalation.domain.timeliness import OPEN as NOT_YET
from hypothesis import given
from hypothesis import strategies as st

from .builders import CLOCK, HOUR, INCIDENT, MINUTE, NOON, clock, duty, page

OTHER = "01973000-0000-7000-8000-000000000009"
SCENARIO = Scenario("leak", "pi_leak", "A bucket", {"persons": 2.0}, (Instant("aware", 5 * MINUTE, "a call"),))
INSTANTS = st.none() | st.integers(-120, 400).map(lambda minutes: NOON + minutes * MINUTE)


def incident(ended: datetime | None = None, by: str = "") -> Incident:
    begun = opened(drill.signal(SCENARIO, NOON), INCIDENT, NOON)
    return closed(begun, ended, by, "the shift is over") if ended else begun


def record(clocks: tuple[Clock, ...], done: Mapping[str, datetime | None], **more: object) -> Record:
    """What is on record where each step of the first clock was done then."""
    pages = [
        replace(
            page(), delivered=done.get("paged") is not None, sent_at=done.get("paged"),
            acknowledged_at=done.get("acknowledged"),
        )
    ]  # fmt: skip
    drafted, approved, sent, received = (done.get(name) for name in STEPS[2:])
    drafts = [Draft(CLOCK, 1, "zh", "", (), b"", drafted, "li")] if drafted else []
    receipt = Receipt("R", received, "li", received, b"") if received else None
    submissions = (
        [Submission("s", CLOCK, 1, "zh", "portal", "li", sent or NOON, b"", receipt)] if sent or receipt else []
    )
    approvals = [Approval(CLOCK, 1, "wang", approved)] if approved else []
    return Record(clocks, pages, drafts, approvals, submissions, **more)  # type: ignore[arg-type]


def everything(minutes: int = 10) -> dict[str, datetime | None]:
    return {name: NOON + minutes * number * MINUTE for number, name in enumerate(STEPS, 1)}


def timed(held: Record, ended: datetime | None = None, now: datetime = NOON + HOUR) -> Result:
    return drill_times.result(incident(ended), held, now)


def test_the_signal_of_a_drill_is_marked_and_can_be_read_into_nothing() -> None:
    told = drill.signal(SCENARIO, NOON)

    assert (told.drill, told.correlation_key, told.reference, told.evidence) == (True, "", "", "")
    assert told.title == "【DRILL / 演练】A bucket"
    assert [(one.name, one.at) for one in told.anchors] == [("aware", NOON - 5 * MINUTE)]
    assert incident().drill


@pytest.mark.clause("PIPL 51(5)", "GDPR 32(1)(d)")
def test_every_step_is_timed_from_the_signal_and_against_the_due_date() -> None:
    found = timed(record((stop(clock(4), RECEIPTED, NOON + HOUR),), everything()), NOON + HOUR)
    (times,) = found.clocks

    assert [step.kind for step in times.steps] == list(STEPS)
    assert [step.after for step in times.steps] == [10 * number * MINUTE for number in range(1, 7)]
    assert [step.left for step in times.steps] == [4 * HOUR - 10 * number * MINUTE for number in range(1, 7)]
    assert {step.punctuality for step in times.steps} == {IN_TIME}
    assert (times.not_done, found.not_done) == ((), ())
    assert found.steps == times.steps


def test_a_step_is_late_against_both_dates_and_within_the_law_between_them() -> None:
    between = replace(clock(1), legal_latest=NOON + 2 * HOUR)
    done = {**everything(1), "submitted": NOON + 1.5 * HOUR, "receipted": NOON + 3 * HOUR}
    found = timed(record((between,), done), now=NOON + 3 * HOUR)
    by_kind = {step.kind: step.punctuality for step in found.clocks[0].steps}

    assert (by_kind["approved"], by_kind["submitted"], by_kind["receipted"]) == (IN_TIME, IN_LEGAL_TIME, LATE)


def test_what_was_not_done_is_measured_at_the_end_of_the_drill() -> None:
    done = {"paged": NOON, "acknowledged": NOON + MINUTE}
    in_time = timed(record((clock(4),), done), NOON + HOUR)
    too_late = timed(record((clock(4),), done), NOON + 5 * HOUR)

    for found, left, said in ((in_time, 3 * HOUR, NOT_YET), (too_late, -HOUR, LATE)):
        draft = found.clocks[0].steps[2]
        assert (draft.at, draft.after, draft.left, draft.punctuality) == (None, timedelta(0), left, said)
        assert found.not_done == STEPS[2:]


def test_a_page_that_no_channel_took_is_no_page() -> None:
    held = record((clock(),), {})
    assert "paged" in timed(replace(held, pages=[replace(page(), sent_at=NOON, delivered=False)])).not_done


def test_a_page_is_about_what_happened_and_counts_for_every_clock() -> None:
    second = replace(clock(8), clock_id=OTHER)
    found = timed(record((clock(4), second), {"paged": NOON + MINUTE}))

    assert [times.steps[0].at for times in found.clocks] == [NOON + MINUTE] * 2


def test_in_all_a_step_is_done_when_the_last_clock_has_it_against_the_least_time_left() -> None:
    second = replace(clock(1), clock_id=OTHER)
    held = record((clock(4), second), {"paged": NOON, "acknowledged": NOON, "drafted": NOON + 10 * MINUTE})
    half = timed(held)
    late = replace(held, drafts=[*held.drafts, replace(held.drafts[0], clock_id=OTHER, drafted_at=NOON + 2 * HOUR)])
    whole = timed(late, now=NOON + 2 * HOUR)

    assert {step.kind: step.at for step in half.steps}["drafted"] is None
    drafted = {step.kind: step for step in whole.steps}["drafted"]
    assert (drafted.at, drafted.left, drafted.punctuality) == (NOON + 2 * HOUR, -HOUR, LATE)


def test_where_it_was_decided_not_to_report_no_report_is_missing() -> None:
    decided = stop(clock(), NOT_REPORTED, NOON + HOUR)
    fell = stop(replace(clock(), clock_id=OTHER), FALLEN, NOON + HOUR)
    found = timed(record((decided, fell), {"paged": NOON}))

    assert [times.not_done for times in found.clocks] == [("acknowledged",)] * 2
    cut = timed(record((decided, fell), {"paged": NOON}, cut={OTHER}))
    assert cut.clocks[1].not_done == STEPS[1:]


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(STEPS, INSTANTS)), st.integers(1, 300), st.integers(1, 400))
def test_a_step_is_done_or_missing_and_never_both_and_time_runs_forwards(
    done: dict[str, datetime | None], hours: int, end: int
) -> None:
    found = timed(record((clock(hours),), done), NOON + end * MINUTE)
    (times,) = found.clocks

    assert {step.kind for step in times.steps if step.at is None} == set(times.not_done) == set(found.not_done)
    for step in times.steps:
        assert step.after >= timedelta(0)
        until = step.at or NOON + end * MINUTE
        assert step.left == times.clock.strict_due - until
        assert (step.punctuality == LATE) == (step.left < timedelta(0))
    assert found.steps == times.steps  # of one clock, in all is the same


@given(st.lists(st.tuples(INSTANTS, st.integers(1, 100)), min_size=1, max_size=4))
def test_in_all_is_never_better_than_any_clock(drafted: list[tuple[datetime | None, int]]) -> None:
    clocks = tuple(replace(clock(hours), clock_id=f"c{place}") for place, (_, hours) in enumerate(drafted))
    drafts = [Draft(f"c{place}", 1, "zh", "", (), b"", at, "li") for place, (at, _) in enumerate(drafted) if at]
    found = timed(Record(clocks, [], drafts, [], []), now=NOON + 500 * MINUTE)
    in_all = {step.kind: step for step in found.steps}["drafted"]
    single = [times.steps[2] for times in found.clocks]

    assert in_all.left == min(step.left for step in single)
    assert (in_all.at is None) == any(step.at is None for step in single)
    assert all(in_all.after >= step.after for step in single if in_all.at)


def test_the_result_is_kept_as_an_entry_of_the_register_of_drills() -> None:
    over = incident(NOON + HOUR, "lead")
    found = drill_times.result(over, record((clock(4),), {"paged": NOON + MINUTE}), NOON + HOUR)
    entry = drill_times.entry(over, Drill(INCIDENT, "leak", "li", "e"), found, NOON + HOUR)

    assert (entry.register, entry.state, entry.entry_id, entry.incident_id) == (DRILL, "ended", "e", INCIDENT)
    assert entry.title.startswith("【DRILL / 演练】")
    assert (entry.fields["seconds"], entry.fields["ended_by"], entry.fields["reason"]) == (
        3600.0, "lead", "the shift is over",
    )  # fmt: skip
    assert entry.fields["not_done"] == list(STEPS[1:])
    assert DRILL not in BY_HAND  # nobody writes a result by hand


@pytest.mark.parametrize(
    ("ended", "by", "state"), [(None, "", drill.RUNNING), (NOON, "", drill.COMPLETED), (NOON, "li", drill.ENDED)]
)
def test_a_drill_runs_is_completed_or_was_ended(ended: datetime | None, by: str, state: str) -> None:
    assert drill.state(incident(ended, by)) == state


def test_only_a_drill_that_runs_can_be_ended_and_nothing_of_it_has_an_effect() -> None:
    real = Incident(INCIDENT, "pi_leak", "A bucket", "", OPEN, NOON, 1)
    for found, reason in ((real, "NOT_A_DRILL"), (incident(NOON), "DRILL_ENDED")):
        with pytest.raises(Refused) as refused:
            drill.refuse_ended(found)
        assert refused.value.reason == reason
    drill.refuse_ended(incident())
    drill.refuse_effect(real)
    with pytest.raises(Refused) as refused:
        drill.refuse_effect(replace(incident(), state=CLOSED))
    assert refused.value.reason == "ONLY_A_DRILL"


def test_a_receipt_of_a_drill_cannot_be_taken_for_an_authoritys() -> None:
    receipt = Receipt("12387-1", NOON, "li", NOON, b"")
    marked = drill.receipt_of(receipt)

    assert marked.reference == "DRILL / 演练: 12387-1"
    assert drill.receipt_of(marked) == marked


def test_a_drill_is_over_when_its_clocks_are_whatever_waits_for_an_instant() -> None:
    stopped = [stop(clock(), RECEIPTED, NOON)]

    assert may_close(stopped, [])
    assert not may_close(stopped, [duty(at=None, anchor=None)])
