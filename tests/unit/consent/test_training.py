from __future__ import annotations

from dataclasses import replace

import pytest
from candor_consent.domain.ending import refuse_training
from candor_consent.domain.training import eligibility

from .builders import CHAT, HOUR, NOON, TRAINING, granted, refused_training, versions_of, withdrawn

TUNING = replace(TRAINING, purpose_id="tuning")
PURPOSES = {name.purpose_id: versions_of(name) for name in (CHAT, TRAINING, TUNING)}
YES = granted(PURPOSES["training"])


@pytest.mark.clause("Generative AI Measures 7")
def test_genai_7_training_needs_consent_to_training() -> None:
    to_chat = granted(PURPOSES["chat"])

    for acts in ([], [to_chat]):
        answer = eligibility(acts, PURPOSES, NOON)
        assert not answer.eligible
        assert (answer.citation, answer.purpose_ids) == ("Generative AI Measures 7", ())
        assert "No consent" in answer.explanation


@pytest.mark.clause("Generative AI Measures 7")
def test_genai_7_one_purpose_of_training_is_enough_and_is_named() -> None:
    answer = eligibility([YES], PURPOSES, NOON)

    assert (answer.eligible, answer.purpose_ids, answer.explanation) == (True, ("training",), "")
    assert answer.citation == "Generative AI Measures 7"
    assert not eligibility([YES], PURPOSES, NOON - HOUR).eligible


@pytest.mark.clause("PIPL 44")
def test_pipl_44_refusal_ends_it_and_a_later_yes_lifts_the_refusal() -> None:
    refusal = refuse_training([YES], PURPOSES, NOON + HOUR, NOON + HOUR, iter(["a", "b"]).__next__)
    acts = [YES, refusal.act, *refusal.withdrawals]

    assert eligibility(acts, PURPOSES, NOON + HOUR / 2).eligible
    refused = eligibility(acts, PURPOSES, NOON + HOUR)
    assert (refused.eligible, refused.citation) == (False, "PIPL 44")
    assert "refused" in refused.explanation

    again = granted(PURPOSES["training"], NOON + 2 * HOUR, "consent-2")
    assert eligibility([*acts, again], PURPOSES, NOON + 2 * HOUR).eligible


@pytest.mark.clause("PIPL 44")
def test_pipl_44_a_yes_to_another_purpose_does_not_lift_the_refusal() -> None:
    acts = [YES, refused_training(NOON + HOUR), granted(PURPOSES["chat"], NOON + 2 * HOUR, "consent-2")]

    assert eligibility(acts, PURPOSES, NOON + 3 * HOUR).citation == "PIPL 44"


@pytest.mark.clause("PIPL 44")
def test_pipl_44_a_later_yes_lifts_the_refusal_only_for_its_own_purpose() -> None:
    acts = [YES, refused_training(NOON + HOUR), granted(PURPOSES["tuning"], NOON + 2 * HOUR, "consent-2")]

    assert eligibility(acts, PURPOSES, NOON + 3 * HOUR).purpose_ids == ("tuning",)


@pytest.mark.clause("PIPL 44")
def test_pipl_44_refusal_stands_for_a_purpose_of_training_that_was_defined_later() -> None:
    later = {"later": versions_of(replace(TRAINING, purpose_id="later"), since=NOON + HOUR)}

    assert eligibility([refused_training(NOON)], later, NOON + 2 * HOUR).citation == "PIPL 44"


@pytest.mark.clause("Generative AI Measures 7")
def test_genai_7_says_why_not() -> None:
    changed = {"training": versions_of(TRAINING, replace(TRAINING, method="otherwise"), every=101 * HOUR)}
    short = granted(PURPOSES["training"], expires_at=NOON + HOUR)

    later = NOON + 2 * HOUR
    assert eligibility([YES, withdrawn(YES, NOON + HOUR)], PURPOSES, later).citation == "PIPL 15"
    assert eligibility([granted(changed["training"])], changed, later).citation == "PIPL 14"
    assert eligibility([short], PURPOSES, later).citation == "PIPL 13(1)"


@pytest.mark.clause("Generative AI Measures 7")
def test_genai_7_consent_to_a_service_that_became_training_trains_nothing() -> None:
    turned = {"chat": versions_of(CHAT, replace(CHAT, training=True), every=101 * HOUR)}
    to_chat = granted(turned["chat"])

    assert not eligibility([to_chat], turned, NOON).eligible
    assert eligibility([to_chat], turned, NOON + 2 * HOUR).citation == "PIPL 14"
