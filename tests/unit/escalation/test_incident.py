from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from candor_escalation.domain import incident as rules
from candor_escalation.domain.incident import Anchor, Fact, Json
from candor_escalation.domain.refusal import Refused
from hypothesis import given
from hypothesis import strategies as st

from .builders import HOUR, INCIDENT, NOON


def fact(name: str, value: Json) -> Fact:
    return Fact(name, value, NOON, "li", "on-call")


def test_a_later_fact_corrects_an_earlier_one_and_both_stay() -> None:
    facts = [fact("persons", 10.0), fact("cause", "unknown"), fact("persons", 20.0)]

    assert rules.current(facts) == {"persons": 20.0, "cause": "unknown"}


def test_what_says_nothing_new_is_not_recorded_again() -> None:
    told: dict[str, Json] = {"persons": 10.0, "cause": "bug", "waived": None}

    assert [new.name for new in rules.new_facts({"persons": 10.0}, told, NOON, "li", "x")] == ["cause", "waived"]


def test_an_anchor_moves_only_to_an_earlier_instant() -> None:
    known = {"aware": Anchor("aware", NOON, "")}
    told = [Anchor("aware", NOON + timedelta(seconds=30), ""), Anchor("found", NOON, "")]

    assert [anchor.name for anchor in rules.new_anchors(known, told, NOON)] == ["found"]
    earlier = Anchor("aware", NOON - HOUR, "")
    assert rules.new_anchors(known, [earlier], NOON) == [earlier]


def test_an_anchor_in_the_future_is_refused_but_a_fast_clock_is_forgiven() -> None:
    assert rules.new_anchors({}, [Anchor("aware", NOON + timedelta(seconds=59), "")], NOON)
    with pytest.raises(Refused) as refused:
        rules.new_anchors({}, [Anchor("aware", NOON + timedelta(seconds=61), "")], NOON)
    assert refused.value.reason == "TIME_IN_FUTURE"


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 9)), max_size=12))
def test_the_effective_anchor_is_the_earliest_whatever_the_order(told: list[tuple[str, int]]) -> None:
    recorded: list[Anchor] = []
    for name, hour in told:
        recorded += rules.new_anchors(rules.effective(recorded), [Anchor(name, NOON - hour * HOUR, "")], NOON)
    effective = rules.effective(recorded)

    for name in {name for name, _ in told}:
        assert effective[name].at == NOON - max(hour for other, hour in told if other == name) * HOUR


def test_a_closed_incident_takes_no_facts() -> None:
    signal = rules.rumour_spread("c", 1, 2, NOON)
    incident = rules.opened(signal, INCIDENT, NOON)
    closed = rules.closed(incident, NOON + HOUR)

    rules.refuse_closed(incident)
    with pytest.raises(Refused) as refused:
        rules.refuse_closed(closed)
    assert (refused.value.reason, closed.closed_at) == ("INCIDENT_CLOSED", NOON + HOUR)


@pytest.mark.clause("Deep Synthesis 10")
def test_deep_synthesis_10_blocked_outputs_are_correlated_by_product_and_day_in_china() -> None:
    evening = datetime(2026, 6, 1, 15, 59, tzinfo=UTC)  # 23:59 in China
    keys = [
        rules.illegal_content("chat", at, "g", []).correlation_key for at in (evening, evening + timedelta(minutes=1))
    ]

    assert keys == ["chat:2026-06-01", "chat:2026-06-02"]


@pytest.mark.clause("Deep Synthesis 10")
def test_deep_synthesis_10_the_clock_counts_from_when_the_output_was_made_at_the_earliest_it_can_be_found() -> None:
    signal = rules.illegal_content("chat", NOON, "g-1", ["b", "a"])

    assert [(anchor.name, anchor.at) for anchor in signal.anchors] == [("found", NOON)]
    assert signal.reference == "g-1"


def test_the_categories_of_all_signals_add_up() -> None:
    signal = rules.illegal_content("chat", NOON, "g-1", ["fraud", "violence"])

    assert signal.told({}) == {"product": "chat", "categories": "fraud, violence"}
    assert signal.told({"categories": "incitement, fraud"})["categories"] == "fraud, incitement, violence"
    assert rules.illegal_content("chat", NOON, "g-2", []).told({"categories": "fraud"}) == {"product": "chat"}


@pytest.mark.clause("Deep Synthesis 11")
def test_deep_synthesis_11_a_spread_is_correlated_by_its_claim() -> None:
    signal = rules.rumour_spread("claim-1", 2, 50, NOON)

    assert (signal.kind, signal.correlation_key) == ("rumour_spread", "claim-1")
    assert signal.facts == {"claim_id": "claim-1", "level": 2.0, "matches": 50.0}


def test_the_number_that_is_locked_tells_kind_from_key() -> None:
    assert rules.correlation_lock("a", "bc") != rules.correlation_lock("ab", "c")
    assert -(2**63) <= rules.correlation_lock("a", "b") < 2**63
