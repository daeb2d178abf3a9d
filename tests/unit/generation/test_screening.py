"""Screening: what is found becomes a verdict; times."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from candor_generation.domain import feature, generation, screening
from candor_generation.domain.feature import Feature, Kind, Mode, State
from candor_generation.domain.generation import Decision, Hit
from candor_generation.domain.refusal import Refused
from candor_generation.matcher import Matcher, Pdq, ScreenedStream, check
from hypothesis import given, settings
from hypothesis import strategies as st

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def admitted(feature_id: str, value: str, decision: Decision = Decision.REVIEW, kind: Kind = Kind.TERM) -> Feature:
    return Feature(
        feature_id,
        kind,
        value,
        "category",
        decision,
        "clause",
        State.ADMITTED,
        "alice",
        "bob",
        NOW,
        mode=Mode.ACTIVE,
    )


def screen(features: list[Feature], prompt: str, output: str) -> generation.Verdict:
    return Matcher(features).screen(prompt, output)


@pytest.mark.clause("Deep Synthesis 10")
def test_deep_synthesis_10_a_term_is_not_found_in_a_longer_word_unless_that_is_asked_for() -> None:
    wanted = admitted("a", "SM")
    assert screen([wanted], "", "No Smoking").decision is Decision.ALLOW
    assert screen([wanted], "", "No SM").decision is Decision.REVIEW
    assert screen([replace(wanted, within_words=True)], "", "No Smoking").decision is Decision.REVIEW


@pytest.mark.clause("Deep Synthesis 10")
def test_deep_synthesis_10_nothing_found_is_allowed() -> None:
    verdict = screen([admitted("a", "谣言")], "你好", "您好")
    assert verdict == generation.Verdict(Decision.ALLOW, (), feature.library_digest([admitted("a", "谣言")]))


@pytest.mark.clause("Deep Synthesis 10")
def test_deep_synthesis_10_the_most_severe_decision_wins_and_says_where() -> None:
    features = [admitted("a", "foo"), admitted("b", "bar", Decision.BLOCK)]
    verdict = screen(features, "FOO", "a foo at the bar")
    assert verdict.decision is Decision.BLOCK
    assert verdict.hits == (
        Hit("b", "category", False, 13, 16),
        Hit("a", "category", False, 2, 5),
        Hit("a", "category", True, 0, 3),
    )


@pytest.mark.clause("Deep Synthesis 10")
@pytest.mark.parametrize("state", [State.PROPOSED, State.RETIRED])
def test_deep_synthesis_10_only_admitted_features_screen(state: State) -> None:
    assert screen([replace(admitted("a", "foo"), state=state)], "foo", "foo").decision is Decision.ALLOW


def test_terms_within_terms_are_all_found() -> None:
    features = [admitted("a", "感词"), admitted("b", "敏感词汇"), admitted("c", "词汇"), admitted("d", "感词的")]
    assert {hit.feature_id for hit in screen(features, "", "敏感词汇").hits} == {"a", "b", "c"}


def test_two_features_with_the_same_normalised_term_are_both_found() -> None:
    features = [admitted("a", "Foo"), admitted("b", "ＦＯＯ", Decision.BLOCK)]
    assert {hit.feature_id for hit in screen(features, "", "foo").hits} == {"a", "b"}


def test_a_hidden_term_is_found() -> None:
    assert screen([admitted("a", "谣言")], "", "这是谣\u200b\u2060言").decision is Decision.REVIEW


def test_patterns_are_searched_in_the_normalised_text() -> None:
    pattern = admitted("p", r"1[3-9]\d{9}", kind=Kind.PATTERN)
    assert screen([pattern], "", "打１３８００１３８０００").hits == (Hit("p", "category", False, 1, 12),)
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
    often = screen([admitted("a", "foo"), admitted("b", "bar")], "", "foo " * 150 + "bar")
    assert [hit.feature_id for hit in often.hits[:3]] == ["a", "b", "a"]
    assert len(often.hits) == screening.MAX_HITS
    assert verdict.decision is Decision.BLOCK


@pytest.mark.parametrize(
    ("kind", "value", "exceptions", "field"),
    [
        (Kind.PATTERN, "(", (), "value"),
        (Kind.PATTERN, r"(a)\1", (), "value"),
        (Kind.PATTERN, "a*", (), "value"),
        (Kind.PATTERN, "x|", (), "value"),
        (Kind.PATTERN, "((((a{1,100}){1,100}){1,100}){1,100})", (), "value"),
        (Kind.TERM, "\u200b\u200b", (), "value"),
        (Kind.TERM, "***", (), "value"),
        (Kind.TERM, "大麻", ("大",), "exceptions"),
        (Kind.TERM, "大麻", ("！",), "exceptions"),
        (Kind.NEAR_TEXT, "一二三四五，六七八九十，一二三四五六七八九", (), "value"),
        (Kind.IMAGE_HASH, "f" * 63, (), "value"),
        (Kind.IMAGE_HASH, "F" * 64, (), "value"),
    ],
)
def test_a_feature_that_cannot_be_searched_for_is_refused(
    kind: Kind, value: str, exceptions: tuple[str, ...], field: str
) -> None:
    with pytest.raises(Refused) as refused:
        check(replace(admitted("a", value, kind=kind), exceptions=exceptions))
    assert refused.value.reason == "PATTERN_INVALID"
    assert refused.value.field == field


def test_features_that_can_be_searched_for_are_taken() -> None:
    check(replace(admitted("a", "大麻"), exceptions=("大麻烦",)))
    check(admitted("a", r"\bfoo\b", kind=Kind.PATTERN))
    check(admitted("a", "一二三四五六七八九十一二三四五六七八九十", kind=Kind.NEAR_TEXT))
    check(admitted("a", "0f" * 32, kind=Kind.IMAGE_HASH))


@pytest.mark.clause("Deep Synthesis 10")
def test_deep_synthesis_10_a_feature_in_shadow_is_counted_and_decides_nothing() -> None:
    shadow = replace(admitted("s", "foo", Decision.BLOCK), mode=Mode.SHADOW)
    matcher = Matcher([shadow, admitted("a", "bar"), replace(admitted("x", "foo"), mode=Mode.SUSPENDED)])
    (foo, both, none) = matcher.review_many([("foo", "foo"), ("foo", "bar"), ("", "")])
    assert (foo.verdict.decision, foo.verdict.hits, set(foo.counted)) == (Decision.ALLOW, (), {"s"})
    assert [hit.feature_id for hit in both.verdict.hits] == ["a"]
    assert both.counted == {"s", "a"}
    assert (none.verdict.decision, none.counted) == (Decision.ALLOW, frozenset())
    assert matcher.found("foo bar") == {"s", "a"}


@pytest.mark.clause("Deep Synthesis 10")
def test_deep_synthesis_10_a_feature_screens_while_it_is_valid() -> None:
    later = NOW + timedelta(days=1)
    matcher = Matcher([replace(admitted("a", "foo"), valid_from=NOW, valid_until=later)])
    assert matcher.screen("", "foo", NOW - timedelta(seconds=1)).decision is Decision.ALLOW
    assert matcher.screen("", "foo", NOW).decision is Decision.REVIEW
    assert matcher.screen("", "foo", later).decision is Decision.ALLOW
    assert matcher.review_many([("", "foo")], later)[0].counted == frozenset()


def test_a_pattern_is_written_in_any_form_that_texts_have() -> None:
    library = [admitted("a", "謠言+", kind=Kind.PATTERN), admitted("b", "（x）", kind=Kind.PATTERN)]
    assert [hit.feature_id for hit in screen(library, "", "谣言言").hits] == ["a"]
    assert [hit.feature_id for hit in screen(library, "", "(x)").hits] == ["b"]
    assert screen(library, "", "x").hits == ()


def test_a_pattern_names_each_place_in_the_original() -> None:
    text = "ß１２，é34\u200b5"
    verdict = screen([admitted("p", r"\d+", kind=Kind.PATTERN)], "", text)
    assert [text[hit.start : hit.end] for hit in verdict.hits] == ["１２", "34\u200b5"]


RUMOUR = "紧急通知：本市自来水今晚八点起停水七十二小时，请市民立即储水，不要饮用水龙头的水。"


@pytest.mark.clause("Deep Synthesis 10")
def test_deep_synthesis_10_a_near_copy_is_found_in_a_long_answer() -> None:
    sample = admitted("n", RUMOUR, Decision.BLOCK, Kind.NEAR_TEXT)
    text = "您好！" * 30 + "听说" + RUMOUR.replace("请", "請") + "是真的吗？" * 30
    verdict = screen([sample], "", text)
    assert verdict.decision is Decision.BLOCK
    (hit,) = verdict.hits
    assert text[hit.start : hit.end] == RUMOUR.replace("请", "請")[:-1]
    assert screen([sample], "", "您好，今晚八点见，请带水。" * 5).decision is Decision.ALLOW


@pytest.mark.clause("Deep Synthesis 10")
@pytest.mark.parametrize(
    "text", [RUMOUR.replace("今晚", "今晚没有说"), "官方否认了" + RUMOUR[:18] + "的说法", RUMOUR[:22]]
)
def test_deep_synthesis_10_a_copy_that_may_claim_something_else_goes_to_a_person(text: str) -> None:
    sample = admitted("n", RUMOUR, Decision.BLOCK, Kind.NEAR_TEXT)
    assert screen([sample], "", text).decision is Decision.REVIEW


def test_a_copy_with_another_number_goes_to_a_person() -> None:
    sample = admitted("n", "据报道昨天的事故造成一百人受伤其中25人伤势严重正在抢救", Decision.BLOCK, Kind.NEAR_TEXT)
    assert screen([sample], "", sample.value).decision is Decision.BLOCK
    assert screen([sample], "", sample.value.replace("25", "75")).decision is Decision.REVIEW


@pytest.mark.clause("Deep Synthesis 10")
def test_deep_synthesis_10_an_image_is_found_by_its_hash() -> None:
    matcher = Matcher([admitted("i", "0f" * 32, Decision.BLOCK, Kind.IMAGE_HASH), admitted("t", "foo")])
    near = bytes.fromhex("0f" * 28 + "f0" * 3 + "0f")
    assert matcher.screen_image(Pdq(near, 50)).verdict.decision is Decision.BLOCK
    assert matcher.screen_image(Pdq(near, 49)).verdict.decision is Decision.ALLOW
    far = bytes.fromhex("0f" * 27 + "f0" * 4 + "0f")
    assert matcher.screen_image(Pdq(far, 100)).verdict.decision is Decision.ALLOW


LETTERS = st.text(st.sampled_from("大麻烦谣言foo *，。1２é\u200b"), max_size=30)
LIBRARY = [
    replace(admitted("a", "大麻"), exceptions=("大麻烦",)),
    admitted("b", "foo", Decision.BLOCK),
    admitted("c", "谣言"),
    admitted("d", r"\d[^\d]\d", kind=Kind.PATTERN),
    admitted("e", "大麻烦" * 7, kind=Kind.NEAR_TEXT),
    replace(admitted("f", "烦"), mode=Mode.SHADOW),
]


def test_a_matcher_that_follows_another_is_the_same_as_one_made_anew() -> None:
    old, new = Matcher(LIBRARY), [*LIBRARY[1:], admitted("z", "zebra"), replace(LIBRARY[0], exceptions=("大麻袋",))]
    followed, anew = Matcher(new, old), Matcher(new)
    assert followed.digest == anew.digest != old.digest
    pairs = [("", f"{item.value}大麻烦 大麻袋 foo zebra 谣*言 1a2") for item in LIBRARY]
    assert followed.screen_many(pairs) == anew.screen_many(pairs)
    assert followed.by_digest() == anew.by_digest()


@settings(deadline=None)
@given(st.lists(st.tuples(LETTERS, LETTERS), max_size=8))
def test_many_are_screened_as_one_by_one(pairs: list[tuple[str, str]]) -> None:
    matcher = Matcher(LIBRARY)
    assert matcher.screen_many(pairs) == [matcher.screen(prompt, output) for prompt, output in pairs]


def test_batches_beyond_what_is_searched_together_keep_their_order() -> None:
    pairs = [(f"{number}", "foo" if number % 97 == 0 else "字" * 500) for number in range(1000)]
    verdicts = Matcher(LIBRARY).screen_many([*pairs, ("", "字" * 200_000 + "谣言"), ("foo", "")])
    flagged = [number for number, verdict in enumerate(verdicts) if verdict.decision is not Decision.ALLOW]
    assert flagged == [*range(0, 1000, 97), 1000, 1001]
    assert (verdicts[1000].hits[0].start, verdicts[1001].hits[0].in_prompt) == (200_000, True)


@settings(max_examples=100, deadline=None)
@given(st.lists(LETTERS, max_size=8), st.booleans())
def test_a_stream_ends_with_the_verdict_on_the_whole_text(chunks: list[str], in_prompt: bool) -> None:
    matcher = Matcher(LIBRARY)
    stream = ScreenedStream(matcher, in_prompt=in_prompt)
    for chunk in chunks:
        stream.push(chunk)
    stream.finish()
    whole = "".join(chunks)
    assert stream.review == matcher.review_many([(whole, "") if in_prompt else ("", whole)])[0]


def test_a_stream_longer_than_a_record_is_refused() -> None:
    stream = ScreenedStream(Matcher(LIBRARY[:1]))
    for _ in range(8):
        stream.push("字" * 65_536)
    with pytest.raises(Refused) as refused:
        stream.push("字")
    assert refused.value.reason == "TEXT_TOO_LONG"


@pytest.mark.clause("Generative AI Labelling Measures 9")
def test_labelling_measures_9_a_record_lies_five_minutes_ahead_at_most() -> None:
    assert generation.latest(NOW) == NOW + timedelta(minutes=5)
    assert generation.in_future("occurred_at").reason == "TIME_IN_FUTURE"


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
