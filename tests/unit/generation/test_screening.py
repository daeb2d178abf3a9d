"""Screening: the form texts are compared in, verdicts, the matching engine, times."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from candor_generation.domain import feature, generation, screening
from candor_generation.domain.feature import Feature, Kind, State
from candor_generation.domain.generation import Decision, Hit
from candor_generation.domain.refusal import Refused
from candor_generation.matcher import Matcher, check
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def admitted(feature_id: str, value: str, decision: Decision = Decision.REVIEW, kind: Kind = Kind.TERM) -> Feature:
    return Feature(feature_id, kind, value, "category", decision, "clause", State.ADMITTED, "alice", "bob", NOW)


def screen(features: list[Feature], prompt: str, output: str) -> generation.Verdict:
    return Matcher(features).screen(prompt, output)


@pytest.mark.clause("Unicode 3.13")
@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("ＦＵＬＬ　Width", "full width"),
        ("Straße", "STRASSE"),
        ("谣\u200b言", "谣言"),
        ("谣\ufeff言\u00ad", "谣言"),
        ("ｒｕ\u2060ｍｏｒ", "RUMOR"),
        ("①②", "12"),
        ("e\u0301", "É"),
        ("e\u200d\u0301", "é"),
        ("\u1e9e", "ss"),
        ("a\u3164b", "ab"),
    ],
)
def test_unicode_3_13_texts_that_are_compared_as_equal(text: str, same: str) -> None:
    assert screening.normalise(text) == screening.normalise(same)


@pytest.mark.clause("Unicode 3.13")
@given(st.text())
def test_unicode_3_13_normalising_is_done_once(text: str) -> None:
    once = screening.normalise(text)
    assert screening.normalise(once) == once


@pytest.mark.clause("Unicode 3.13")
def test_unicode_3_13_every_character_has_one_form() -> None:
    for point in range(0x110000):
        if 0xD800 <= point < 0xE000:
            continue
        once = screening.normalise(chr(point))
        assert screening.normalise(once) == once
        assert unicodedata.is_normalized("NFKC", once)


@pytest.mark.clause("Deep Synthesis 10")
def test_deep_synthesis_10_nothing_found_is_allowed() -> None:
    verdict = screen([admitted("a", "谣言")], "你好", "您好")
    assert verdict == generation.Verdict(Decision.ALLOW, (), feature.library_digest([admitted("a", "谣言")]))


@pytest.mark.clause("Deep Synthesis 10")
def test_deep_synthesis_10_the_most_severe_decision_wins_and_says_where() -> None:
    features = [admitted("a", "foo"), admitted("b", "bar", Decision.BLOCK)]
    verdict = screen(features, "FOO", "a foo at the bar")
    assert verdict.decision is Decision.BLOCK
    assert verdict.hits == (Hit("b", "category", False), Hit("a", "category", False), Hit("a", "category", True))


@pytest.mark.clause("Deep Synthesis 10")
@pytest.mark.parametrize("state", [State.PROPOSED, State.RETIRED])
def test_deep_synthesis_10_only_admitted_features_screen(state: State) -> None:
    assert screen([replace(admitted("a", "foo"), state=state)], "foo", "foo").decision is Decision.ALLOW


def test_terms_within_terms_are_all_found() -> None:
    features = [admitted("a", "bc"), admitted("b", "abcd"), admitted("c", "cd"), admitted("d", "bcx")]
    assert {hit.feature_id for hit in screen(features, "", "abcd").hits} == {"a", "b", "c"}


def test_two_features_with_the_same_normalised_term_are_both_found() -> None:
    features = [admitted("a", "Foo"), admitted("b", "ＦＯＯ", Decision.BLOCK)]
    assert {hit.feature_id for hit in screen(features, "", "foo").hits} == {"a", "b"}


def test_a_hidden_term_is_found() -> None:
    assert screen([admitted("a", "谣言")], "", "这是谣\u200b\u2060言").decision is Decision.REVIEW


def test_patterns_are_searched_in_the_normalised_text() -> None:
    pattern = admitted("p", r"1[3-9]\d{9}", kind=Kind.PATTERN)
    assert screen([pattern], "", "打１３８００１３８０００").hits == (Hit("p", "category", False),)
    assert screen([pattern], "", "12345").decision is Decision.ALLOW
    assert screen([admitted("p", r"foo\s+bar", kind=Kind.PATTERN)], "FOO \n bar", "x").hits[0].in_prompt


def test_a_pattern_that_would_take_others_exponentially_long_does_not() -> None:
    pattern = admitted("p", r"(a+)+$", kind=Kind.PATTERN)
    assert screen([pattern], "", "a" * 100_000 + "b").decision is Decision.ALLOW


def test_an_empty_library_allows() -> None:
    assert screen([], "any", "thing").decision is Decision.ALLOW


def test_a_verdict_names_a_hundred_hits_the_most_severe_first() -> None:
    features = [admitted(f"f{number:03d}", f"w{number:03d}") for number in range(150)]
    features.append(admitted("z", "worst", Decision.BLOCK))
    verdict = screen(features, "", " ".join(item.value for item in features))
    assert len(verdict.hits) == screening.MAX_HITS
    assert verdict.hits[0].feature_id == "z"
    assert verdict.decision is Decision.BLOCK


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.PATTERN, "("),
        (Kind.PATTERN, r"(a)\1"),
        (Kind.PATTERN, "a*"),
        (Kind.PATTERN, "x|"),
        (Kind.TERM, "\u200b\u200b"),
        (Kind.PATTERN, "((((a{1,100}){1,100}){1,100}){1,100})"),
    ],
)
def test_a_feature_that_cannot_be_searched_for_is_refused(kind: Kind, value: str) -> None:
    with pytest.raises(Refused) as refused:
        check(kind, value)
    assert refused.value.reason == "PATTERN_INVALID"
    assert refused.value.field == "value"


def test_features_that_can_be_searched_for_are_taken() -> None:
    check(Kind.TERM, "谣言")
    check(Kind.PATTERN, r"\bfoo\b")


@pytest.mark.clause("Generative AI Labelling Measures 9")
def test_labelling_measures_9_a_record_lies_five_minutes_ahead_at_most() -> None:
    generation.check_time(NOW + timedelta(minutes=5), NOW)
    generation.check_time(NOW - timedelta(days=30), NOW)
    with pytest.raises(Refused) as refused:
        generation.check_time(NOW + timedelta(minutes=5, microseconds=1), NOW)
    assert refused.value.reason == "TIME_IN_FUTURE"


@pytest.mark.clause("PIPL 47", "GDPR 17(1)")
def test_pipl_47_what_was_made_before_an_erasure_does_not_come_back() -> None:
    assert not generation.made_before_erasure(NOW, None)
    assert generation.made_before_erasure(NOW - timedelta(seconds=1), NOW)
    assert generation.made_before_erasure(NOW, NOW)
    assert not generation.made_before_erasure(NOW + timedelta(microseconds=1), NOW)


@pytest.mark.clause("PIPL 47", "GDPR 17(1)")
def test_pipl_47_a_verdict_is_kept_without_what_it_found_once_the_text_is_erased() -> None:
    verdict = screen([admitted("a", "foo")], "", "foo")
    kept = verdict.without_hits()
    assert (kept.decision, kept.hits, kept.library_digest) == (verdict.decision, (), verdict.library_digest)
