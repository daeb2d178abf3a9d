from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from candor_escalation.domain.dispatch import (
    ENDED,
    ENDING,
    REFUSED,
    RENEW_AGAIN,
    STANDING,
    TAKEN,
    TRIES,
    WAITING,
    WITHDRAWN,
    Dispatch,
    answered,
    stale,
    worth_waiting,
)
from candor_escalation.domain.pace import Pace, Share
from candor_escalation.domain.paging import Delivery
from candor_escalation.domain.throttle import MARGIN, Limit, Usage, used, wait
from hypothesis import given
from hypothesis import strategies as st

from .builders import HOUR, MINUTE, NOON, PAGE

DAY = 24 * HOUR
SECOND = timedelta(seconds=1)
REMAINING = st.timedeltas(-30 * DAY, 400 * DAY)
ERROR = Delivery(delivered=False, answer="errcode 1")


@pytest.mark.parametrize(
    ("remaining", "answer", "holds"),
    [
        (HOUR, 2.5 * MINUTE, 15 * MINUTE),
        (4 * HOUR, 10 * MINUTE, HOUR),
        (24 * HOUR, HOUR, 6 * HOUR),
        (72 * HOUR, 3 * HOUR, 18 * HOUR),
        (30 * DAY, 4 * HOUR, 3 * DAY),
        (-5 * DAY, 2 * MINUTE, 15 * MINUTE),
    ],
)
def test_a_short_clock_is_escalated_in_minutes_and_a_long_one_in_hours(
    remaining: timedelta, answer: timedelta, holds: timedelta
) -> None:
    assert Pace().time_to_answer(remaining, None) == answer
    assert Pace().acknowledgement_holds(remaining) == holds


def test_a_person_s_own_time_is_the_most_they_have() -> None:
    assert Pace().time_to_answer(30 * DAY, 5 * MINUTE) == 5 * MINUTE
    assert Pace().time_to_answer(HOUR, DAY) == 2.5 * MINUTE


@given(REMAINING, REMAINING)
def test_less_time_left_never_leaves_more_time_to_answer(one: timedelta, other: timedelta) -> None:
    less, more = sorted((one, other))
    share = Share(0.1, MINUTE, DAY)

    assert share.out_of(less) <= share.out_of(more)
    assert MINUTE <= share.out_of(one) <= DAY


@given(st.integers(3, 1000))
def test_a_chain_of_three_is_gone_through_within_a_quarter_of_the_time_that_is_left(hours: int) -> None:
    remaining, spent = hours * HOUR, timedelta(0)
    for _level in range(3):
        spent += Pace().time_to_answer(remaining - spent, None)

    assert spent <= remaining / 4


def dispatch(state: str = WAITING, tries: int = 1) -> Dispatch:
    return Dispatch(PAGE, 1, "dingtalk", state, tries, NOON)


def test_what_a_channel_took_is_kept_with_its_id() -> None:
    told = answered(dispatch(), Delivery(delivered=True, answer="m-1"), NOON + SECOND)

    assert (told.state, told.provider_id, told.error, told.answered_at) == (TAKEN, "m-1", "", NOON + SECOND)


def test_what_a_channel_refuses_for_good_is_not_tried_again() -> None:
    assert answered(dispatch(), ERROR, NOON).state == REFUSED


def test_what_a_channel_takes_later_is_tried_later_and_not_for_ever() -> None:
    failing = Delivery(delivered=False, answer="HTTP 503", retry_after=MINUTE)
    again, over = answered(dispatch(), failing, NOON), answered(dispatch(tries=TRIES), failing, NOON)

    assert (again.state, again.not_before, again.error) == (WAITING, NOON + MINUTE, "HTTP 503")
    assert over.state == REFUSED


@given(st.integers(1, 10_000))
def test_what_a_provider_only_takes_later_is_never_dropped(tries: int) -> None:
    limited = Delivery(delivered=False, answer="too fast", retry_after=MINUTE, limited=True)
    told = answered(dispatch(tries=tries), limited, NOON)

    assert (told.state, told.not_before) == (WAITING, NOON + MINUTE)


def test_what_a_channel_forgets_is_sent_again_even_after_a_failure() -> None:
    standing = answered(dispatch(), Delivery(delivered=True, answer="", renew_after=MINUTE), NOON)
    failed = answered(standing, ERROR, NOON)

    assert (standing.state, standing.not_before) == (STANDING, NOON + MINUTE)
    assert (failed.state, failed.not_before) == (STANDING, NOON + RENEW_AGAIN)


def test_what_was_withdrawn_while_it_was_on_its_way_stays_so_and_its_id_is_kept() -> None:
    told = answered(dispatch(WITHDRAWN), Delivery(delivered=True, answer="m-1"), NOON)

    assert (told.state, told.provider_id) == (WITHDRAWN, "m-1")


OPEN = Delivery(delivered=True, answer="k", ends=True)


def test_what_went_through_after_it_was_withdrawn_is_ended_if_its_provider_keeps_it_open() -> None:
    told = answered(dispatch(WITHDRAWN), OPEN, NOON)

    assert (told.state, told.provider_id, told.not_before) == (ENDING, "k", NOON)


def test_an_end_is_tried_a_few_times_and_the_page_s_own_id_is_kept() -> None:
    open_ = replace(dispatch(ENDING), provider_id="k", ends=True)
    failing = Delivery(delivered=False, answer="HTTP 503", retry_after=MINUTE)
    later = answered(open_, failing, NOON)

    assert (later.state, later.not_before, later.provider_id) == (ENDING, NOON + MINUTE, "k")
    assert answered(replace(open_, tries=TRIES), failing, NOON).state == ENDED
    assert answered(open_, ERROR, NOON).state == ENDED
    ended = answered(open_, Delivery(delivered=True, answer="another"), NOON)
    assert (ended.state, ended.provider_id) == (ENDED, "k")


def test_an_answer_counts_once_and_for_what_it_answers() -> None:
    sent = dispatch(WAITING, tries=2)

    assert not stale(sent, sent)
    assert not stale(sent, dispatch(WITHDRAWN, tries=2))
    assert stale(sent, dispatch(WAITING, tries=3))
    assert stale(dispatch(STANDING), dispatch(ENDING))


def test_a_channel_is_waited_for_only_if_it_is_limited_and_in_time() -> None:
    limited = Delivery(delivered=False, answer="", retry_after=MINUTE, limited=True)

    assert worth_waiting(limited, MINUTE)
    assert not worth_waiting(limited, MINUTE - SECOND)
    assert not worth_waiting(Delivery(delivered=False, answer="", retry_after=SECOND), MINUTE)


LIMITS = (Limit(5, SECOND), Limit(20, MINUTE))


@given(st.lists(st.timedeltas(timedelta(0), 10 * SECOND), min_size=1, max_size=120))
def test_no_window_ever_holds_more_than_is_allowed(pauses: list[timedelta]) -> None:
    usage, now, sent = Usage(), NOON, []
    for pause in pauses:
        now += pause
        now += wait(usage, LIMITS, now)
        usage = used(usage, LIMITS, now)
        sent.append(now)

    for limit in LIMITS:
        assert all(later - earlier >= limit.window for earlier, later in zip(sent, sent[limit.count :], strict=False))
    assert len(usage.used) <= 20


def test_what_is_allowed_is_sent_at_once() -> None:
    assert wait(Usage(), LIMITS, NOON) == timedelta(0)
    assert wait(Usage((NOON,) * 19), (Limit(20, MINUTE),), NOON) == timedelta(0)
    assert wait(Usage((NOON,) * 20), (Limit(20, MINUTE),), NOON) == MINUTE + MARGIN


def test_a_channel_that_its_provider_blocks_takes_nothing_until_then() -> None:
    assert wait(Usage((), NOON + MINUTE), LIMITS, NOON) == MINUTE
    assert wait(Usage((), NOON), LIMITS, NOON) == timedelta(0)
