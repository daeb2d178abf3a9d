from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from candor_escalation.domain.delivery import LONGEST_ANSWER, failed, judge
from candor_escalation.domain.paging import (
    ACKNOWLEDGED,
    CANCELLED,
    FAILED,
    LAPSE,
    LAPSED,
    PAUSE,
    QUEUED,
    SENT,
    Delivery,
    acknowledged,
    again,
    contact_of,
    expired,
    first,
    following,
    lapsed,
    nobody_reached,
    renewed,
    sent,
    why_moved_on,
)
from candor_escalation.domain.roster import OnDuty

from .builders import CLOCK, INCIDENT, MINUTE, NOON, chain, page, roster

TAKEN = Delivery(delivered=True, answer="m-1")
REFUSED = Delivery(delivered=False, answer="HTTP 500")


def test_the_first_page_goes_to_the_first_in_the_chain() -> None:
    begun = first(chain(), "p", INCIDENT, CLOCK, "start")

    assert begun is not None
    assert (begun.contact, begun.level, begun.round, begun.state) == ("person-1", 1, 1, QUEUED)
    assert begun.wait == timedelta(0)


def test_a_milestone_that_pages_asks_whoever_is_asked_now_again_and_loses_no_level() -> None:
    told = sent(page(2, round_=3), TAKEN, 5 * MINUTE, NOON)
    asked = again(told, "p", "due")

    assert (asked.page_id, asked.cause, asked.contact, asked.level, asked.round) == ("p", "due", "person-2", 2, 3)
    assert (asked.state, asked.sent_at, asked.answer_by) == (QUEUED, None, None)


def test_nobody_is_paged_where_nobody_is_on_call() -> None:
    assert first((), "p", INCIDENT, CLOCK, "start") is None
    assert following(page(), (), "p") is None


def test_a_page_that_was_taken_gives_its_person_time_to_answer() -> None:
    told = sent(page(), TAKEN, 5 * MINUTE, NOON)

    assert (told.state, told.answer_by, told.provider_answer) == (SENT, NOON + 5 * MINUTE, "m-1")


def test_a_page_that_was_not_taken_waits_for_nobody() -> None:
    told = sent(page(), REFUSED, 5 * MINUTE, NOON)

    assert (told.state, told.answer_by, told.delivered) == (FAILED, None, False)


@pytest.mark.parametrize("state", [ACKNOWLEDGED, CANCELLED])
def test_what_was_settled_while_a_page_was_on_its_way_stays_settled(state: str) -> None:
    told = sent(page(state=state), TAKEN, 5 * MINUTE, NOON)

    assert (told.state, told.sent_at, told.answer_by) == (state, NOON, None)


def test_the_next_person_follows_at_once() -> None:
    third = following(expired(page(2)), chain(), "p")

    assert third is not None
    assert (third.contact, third.level, third.round, third.wait) == ("person-3", 3, 1, timedelta(0))


def test_after_the_last_the_chain_starts_over_in_a_new_round_after_a_pause() -> None:
    again = following(expired(page(3)), chain(), "p")

    assert again is not None
    assert (again.contact, again.level, again.round, again.wait) == ("person-1", 1, 2, PAUSE)


def test_whoever_leaves_the_chain_is_replaced_by_who_has_the_place() -> None:
    stays, replaced = contact_of(page(3), roster(3), chain(3)), contact_of(page(3), roster(2), chain(2))

    assert (stays.name if stays else None, replaced.name if replaced else None) == ("person-3", "person-2")


def test_an_acknowledgement_names_who_and_when() -> None:
    seen = acknowledged(page(), "anna", NOON)

    assert (seen.state, seen.acknowledged_by, seen.acknowledged_at) == (ACKNOWLEDGED, "anna", NOON)


@pytest.mark.parametrize(
    ("status", "body", "delivered", "answer"),
    [
        (200, '{"errcode": 0, "errmsg": "ok"}', True, '{"errcode": 0, "errmsg": "ok"}'),
        (200, '{"errcode": 310000, "errmsg": "sign"}', False, 'errcode 310000: {"errcode": 310000, "errmsg": "sign"}'),
        (200, '{"code": 19021, "msg": "sign"}', False, 'code 19021: {"code": 19021, "msg": "sign"}'),
        (200, '{"StatusCode": 0, "code": 0}', True, '{"StatusCode": 0, "code": 0}'),
        (200, '{"ok": false}', False, 'refused: {"ok": false}'),
        (202, '{"status": "success", "dedup_key": "k"}', True, "k"),
        (201, '{"id": "m-7"}', True, "m-7"),
        (200, "ok", True, "ok"),
        (200, "", True, ""),
        (200, "[1]", True, "[1]"),
        (302, "", False, "HTTP 302:"),
        (500, "no\n  idea", False, "HTTP 500: no idea"),
    ],
)
def test_a_channel_s_answer_is_read_not_only_its_status(status: int, body: str, delivered: bool, answer: str) -> None:
    assert judge(status, body) == Delivery(delivered, answer)


def test_a_long_answer_is_cut() -> None:
    assert len(judge(500, "x" * 10_000).answer) == LONGEST_ANSWER
    assert failed("ConnectTimeout") == Delivery(delivered=False, answer="ConnectTimeout")


def test_what_comes_through_late_is_recorded_and_asks_nobody_again() -> None:
    late = sent(page(state=FAILED), TAKEN, 5 * MINUTE, NOON)
    worse = sent(late, REFUSED, 5 * MINUTE, NOON + MINUTE)

    assert (late.state, late.delivered, late.provider_answer) == (FAILED, True, "m-1")
    assert (worse.delivered, worse.provider_answer, worse.sent_at) == (True, "m-1", NOON)


def test_where_an_acknowledgement_expired_the_same_level_is_asked_again_by_who_is_on_call_now() -> None:
    seen = lapsed(acknowledged(page(2, round_=3), "anna", NOON, NOON + MINUTE))
    asked = renewed(seen, chain(), "p")

    assert (seen.state, seen.acknowledged_by) == (LAPSED, "anna")
    assert asked is not None
    assert (asked.cause, asked.contact, asked.level, asked.round, asked.state) == (LAPSE, "person-2", 2, 1, QUEUED)
    assert renewed(seen, (), "p") is None


def test_why_the_next_level_is_asked() -> None:
    assert why_moved_on(expired(page())) == "unanswered"
    assert why_moved_on(page(state=FAILED)) == "not_delivered"
    assert why_moved_on(replace(page(state=FAILED), contact="")) == "nobody_on_shift"


def test_nobody_was_reached_if_no_page_of_the_round_came_through() -> None:
    failed_before, taken = page(1, FAILED), replace(page(2, "expired"), delivered=True)
    last = page(3, FAILED)

    assert nobody_reached([failed_before, last], last)
    assert not nobody_reached([failed_before, taken, last], last)


def test_what_came_through_before_an_acknowledgement_counts_for_no_later_round() -> None:
    seen = lapsed(acknowledged(replace(page(1), delivered=True), "anna", NOON))
    anew = page(1, FAILED)

    assert nobody_reached([seen, anew], anew)


def test_nobody_on_shift_is_asked_as_nobody() -> None:
    asked = (OnDuty("", "nights"), OnDuty("bo"))
    begun = first(asked, "p", INCIDENT, CLOCK, "start")

    assert begun is not None
    assert (begun.contact, begun.schedule) == ("", "nights")
    assert contact_of(begun, roster(), asked) is None
