from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from candor_escalation.domain.page_event import Event, acknowledges, page_of, takes_back
from candor_escalation.domain.paging import Page
from candor_escalation.pagerduty import event_of, signed
from hypothesis import given
from hypothesis import strategies as st
from pagerduty import INTEGRATION, encoded, ping, signatures, webhook

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CLOCK = "01935000-0000-7000-8000-00000000000c"
PAGE = Page(
    "p1", "i", CLOCK, "start", "mueller", level=1, round=1, state="sent", sent_at=NOW, delivered=True,
    channel="pagerduty",
)  # fmt: skip
EVENT = Event("e1", "incident.acknowledged", CLOCK, "Tenex Engineer PLH1HKV", NOW)


def test_the_signature_of_the_documentation_s_kind_is_taken_by_any_of_the_secrets() -> None:
    body = encoded(webhook("incident.acknowledged", CLOCK, NOW))

    assert signed(body, signatures(body, "one", "two"), ["two"])
    assert signed(body, " " + signatures(body, "one").replace("v1=", "v1="), ["two", "one"])
    assert not signed(body, signatures(body, "one"), ["two"])
    assert not signed(body + b" ", signatures(body, "one"), ["one"])
    assert not signed(body, signatures(body, "one"), [])
    assert not signed(body, signatures(body, "one").replace("v1=", "v2="), ["one"])


@given(st.text(), st.binary())
def test_no_header_that_nobody_signed_is_taken(header: str, body: bytes) -> None:
    assert not signed(body, header, ["secret"])


def test_an_acknowledgement_is_read_with_who_and_when() -> None:
    body = webhook("incident.acknowledged", CLOCK, NOW, event_id="e1")

    assert event_of(json.loads(encoded(body))) == EVENT
    assert event_of(webhook("incident.resolved", CLOCK, NOW, INTEGRATION, "e1")) == replace(
        EVENT, kind="incident.resolved", agent=""
    )
    assert event_of(webhook("incident.resolved", CLOCK, NOW, None, "e1")) == replace(
        EVENT, kind="incident.resolved", agent=""
    )


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"event": None},
        ping(NOW),
        webhook("incident.priority_updated", CLOCK, NOW),
        {"event": {**webhook("incident.resolved", CLOCK, NOW)["event"], "occurred_at": "yesterday"}},
        {"event": {**webhook("incident.resolved", CLOCK, NOW)["event"], "occurred_at": "2026-11-22T12:00:00"}},
        {"event": {**webhook("incident.resolved", CLOCK, NOW)["event"], "id": ""}},
        {"event": {**webhook("incident.resolved", CLOCK, NOW)["event"], "data": {"incident_key": None}}},
    ],
)
def test_what_is_no_event_of_a_page_is_none(body: Any) -> None:
    assert event_of(body) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["event", "data", "id", "agent", "type"]), inner),
)


@given(JSON, JSON)
def test_odd_bodies_are_read_without_a_fault(body: Any, agent: Any) -> None:
    event_of(body)
    event = event_of({"event": {**webhook("incident.acknowledged", CLOCK, NOW)["event"], "agent": agent}})
    assert event is not None
    event.agent.encode()


def test_the_page_is_the_last_that_went_there_by_then_and_a_clock_may_be_off() -> None:
    other = replace(PAGE, page_id="p2", channel="email", sent_at=NOW + MINUTE)
    later = replace(PAGE, page_id="p3", sent_at=NOW + 10 * MINUTE)
    pages = [PAGE, other, later]

    assert page_of(pages, "pagerduty", NOW + 5 * MINUTE) == PAGE
    assert page_of(pages, "pagerduty", NOW + 10 * MINUTE - timedelta(seconds=30)) == later
    assert page_of(pages, "pagerduty", NOW - 60 * MINUTE) == PAGE
    assert page_of([other], "pagerduty", NOW + 5 * MINUTE) is None


def test_a_page_that_was_taken_back_for_a_newer_one_to_the_same_person_is_that_one() -> None:
    cancelled = replace(PAGE, state="cancelled")
    newer = replace(PAGE, page_id="p2", state="queued", sent_at=None, delivered=False, channel="")

    assert page_of([cancelled, newer], "pagerduty", NOW) == newer
    assert page_of([cancelled, replace(newer, contact="wang")], "pagerduty", NOW) == cancelled


def test_a_person_acknowledges_once_a_machine_never_and_only_an_acknowledgement_is_taken_back() -> None:
    acknowledged = replace(PAGE, state="acknowledged", acknowledged_at=NOW)
    over, unseen = replace(EVENT, kind="incident.resolved"), replace(EVENT, kind="incident.unacknowledged")

    assert acknowledges(EVENT, PAGE)
    assert acknowledges(over, PAGE)
    assert not acknowledges(replace(EVENT, agent=""), PAGE)
    assert not acknowledges(unseen, PAGE)
    assert not acknowledges(EVENT, acknowledged)
    assert takes_back(unseen, acknowledged)
    assert not takes_back(unseen, PAGE)
    assert not takes_back(EVENT, acknowledged)
