from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from candor_escalation.domain.disposal import (
    CARRIED_OUT,
    COULD_NOT,
    WAITING,
    WITHDRAWN,
    Act,
    Measure,
    acknowledge,
    ask_again,
    needs_statement,
    plus_months,
    refuse_passed,
    retained_until,
    withdraw,
)
from candor_escalation.domain.refusal import Refused
from hypothesis import given
from hypothesis import strategies as st

from .disposal_builders import ASK, DAY, DISPOSAL, NOW, PATIENCE, of


@pytest.mark.clause("Generative AI Measures 14")
@pytest.mark.clause("Deep Synthesis 10")
@given(st.integers(min_value=1, max_value=60))
def test_an_ask_is_repeated_for_ever_at_pauses_that_double_up_to_an_hour(times: int) -> None:
    asked, pauses, at = ASK, [], NOW
    for _ in range(times):
        at = asked.ask_again_at
        asked = ask_again(asked, PATIENCE, at)
        pauses.append(asked.ask_again_at - at)

    assert asked.attempts == times + 1
    assert asked.state == WAITING
    assert pauses == sorted(pauses)
    assert pauses[0] == timedelta(minutes=2)
    assert pauses[-1] <= timedelta(hours=1)
    assert asked.answer_by == ASK.answer_by


def test_what_could_not_be_done_may_be_done_later_and_what_was_done_stays_done() -> None:
    failed = acknowledge(ASK, COULD_NOT, "no such account", NOW)
    done = acknowledge(failed, CARRIED_OUT, "ticket 5", NOW + DAY)

    assert (failed.state, failed.evidence) == (COULD_NOT, "no such account")
    assert (done.state, done.answered_at) == (CARRIED_OUT, NOW + DAY)
    assert acknowledge(done, CARRIED_OUT, "again", NOW + 2 * DAY) == done
    with pytest.raises(Refused) as refused:
        acknowledge(done, COULD_NOT, "no", NOW)
    assert refused.value.reason == "ASK_ANSWERED"


def test_what_is_taken_back_is_asked_no_more_and_a_late_answer_changes_nothing() -> None:
    withdrawn = withdraw(ASK)
    done = replace(ASK, state=CARRIED_OUT)
    told = replace(ASK, act=Act.DELIVER_STATEMENT)

    assert withdrawn.state == WITHDRAWN
    assert acknowledge(withdrawn, CARRIED_OUT, "late", NOW) == withdrawn
    assert withdraw(done) == done
    assert withdraw(told) == told


@pytest.mark.clause("DSA 17")
def test_dsa_17_the_user_is_told_of_whatever_is_about_them_unless_exempt() -> None:
    assert needs_statement(DISPOSAL)
    assert needs_statement(of(Measure.WARN))
    assert not needs_statement(replace(DISPOSAL, of_person=False))
    assert not needs_statement(replace(DISPOSAL, exemption="deceptive_commercial"))


@pytest.mark.parametrize("until", [NOW, NOW - DAY])
def test_a_term_that_is_over_before_it_begins_is_refused(until: datetime) -> None:
    with pytest.raises(Refused) as refused:
        refuse_passed(until, NOW)
    assert refused.value.reason == "TERM_PASSED"
    refuse_passed(None, NOW)


@pytest.mark.clause("Generative AI Measures 14")
@pytest.mark.clause("DSA 20")
def test_a_record_is_kept_six_months_from_the_last_of_its_instants() -> None:
    ended = replace(DISPOSAL, until=None, ended_at=NOW + 3 * DAY)

    assert retained_until(replace(DISPOSAL, until=None), None, 6) == datetime(2027, 5, 22, 12, tzinfo=UTC)
    assert retained_until(ended, None, 6) == datetime(2027, 5, 25, 12, tzinfo=UTC)
    assert retained_until(DISPOSAL, None, 6) == datetime(2027, 6, 22, 12, tzinfo=UTC)
    assert retained_until(DISPOSAL, NOW + 60 * DAY, 6) == datetime(2027, 7, 21, 12, tzinfo=UTC)


@given(
    st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2100, 1, 1)),  # noqa: DTZ001 - Hypothesis wants it
    st.integers(min_value=0, max_value=240),
)
def test_months_end_on_the_same_day_or_on_the_months_last(at: datetime, months: int) -> None:
    later = plus_months(at, months)

    assert (later.year * 12 + later.month) - (at.year * 12 + at.month) == months
    assert later.day == at.day or (later + DAY).day == 1
    assert later.time() == at.time()
