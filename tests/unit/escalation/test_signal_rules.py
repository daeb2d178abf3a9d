from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from candor_escalation.domain import evidence
from candor_escalation.domain import signals as rules

from .builders import HOUR, NOON


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
    assert (signal.reference, signal.evidence) == ("g-1", "g-1")


def test_the_categories_of_all_signals_add_up() -> None:
    signal = rules.illegal_content("chat", NOON, "g-1", ["fraud", "violence"])

    assert signal.told({}) == {"product": "chat", "categories": "fraud, violence"}
    assert signal.told({"categories": "incitement, fraud"})["categories"] == "fraud, incitement, violence"
    assert rules.illegal_content("chat", NOON, "g-2", []).told({"categories": "fraud"}) == {"product": "chat"}


@pytest.mark.clause("Deep Synthesis 10")
def test_deep_synthesis_10_it_was_a_false_alarm_once_people_released_everything() -> None:
    assert rules.reviewed(2, 0, 1) == {"reviews_upheld": 0.0, "reviews_released": 1.0}
    assert rules.reviewed(2, 0, 2)["false_alarm"] is True
    assert rules.reviewed(2, 1, 1)["false_alarm"] is False


@pytest.mark.clause("Deep Synthesis 10")
def test_deep_synthesis_10_a_feature_that_decides_nothing_any_more_is_looked_at() -> None:
    signal = rules.feature_flood("f-1", 900, 1000, NOON)

    assert (signal.kind, signal.correlation_key) == ("feature_flood", "f-1")
    assert signal.facts["severity"] == "low"


@pytest.mark.clause("Deep Synthesis 11")
def test_deep_synthesis_11_a_spread_is_correlated_by_its_claim() -> None:
    signal = rules.rumour_spread("claim-1", 2, 50, NOON)

    assert (signal.kind, signal.correlation_key) == ("rumour_spread", "claim-1")
    assert signal.facts == {"claim_id": "claim-1", "level": 2.0, "matches": 50.0}


@pytest.mark.clause("PIPL 50")
@pytest.mark.clause("GDPR 12(3)")
def test_a_request_over_time_is_one_incident_from_when_it_fell_due() -> None:
    signal = rules.rights_overdue("r-1", "deletion", "pipl", NOON)

    assert (signal.correlation_key, signal.anchors[0].name, signal.anchors[0].at) == ("r-1", "due", NOON)


@pytest.mark.clause("PIPL 47")
def test_pipl_47_evidence_is_held_while_the_incident_lasts_and_as_long_after_as_logs_are_kept() -> None:
    until = evidence.until(NOON)

    assert evidence.release_at(NOON, 183) == NOON + timedelta(days=183)
    assert NOON < evidence.prolong_at(until) < until
    assert [evidence.pause(failures) for failures in (0, 1, 4, 99)] == [1.0, 2.0, 16.0, 300.0]
    assert until - NOON > 24 * HOUR


@pytest.mark.clause("Deep Synthesis 10")
@pytest.mark.clause("Generative AI Measures 14")
@pytest.mark.clause("DSA 14")
def test_a_measure_that_is_not_carried_out_is_one_incident_per_disposal_and_counts_from_when_it_fell_due() -> None:
    signal = rules.disposal_unanswered("d-1", "remove", "chat", 1, 0, NOON)

    assert (signal.kind, signal.correlation_key) == ("disposal_unanswered", "d-1")
    assert [(anchor.name, anchor.at) for anchor in signal.anchors] == [("due", NOON)]
    assert signal.facts["carried_out"] is False
