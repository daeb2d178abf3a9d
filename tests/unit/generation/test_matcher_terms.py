"""Terms: what counts as an occurrence, and that the fast engine and streams find what is defined."""

from __future__ import annotations

import pytest
from candor_generation.domain import terms
from candor_generation.domain.terms import Whole
from candor_generation.matcher.batch import Batch
from candor_generation.matcher.stream import Beginnings, TermStream
from candor_generation.matcher.termindex import TermIndex
from hypothesis import example, given, settings
from hypothesis import strategies as st

PARTS = st.sampled_from("大麻烦敏感词smSM ab*._，。\n\u200b-ée\u0301ß1台臺😀\U0010ffff")
WORDS = st.text(PARTS, min_size=1, max_size=5)


def found(value: str, text: str, *exceptions: str, within_words: bool = False) -> list[str]:
    wanted = terms.term(value, exceptions, within_words=within_words)
    return [text[start:end] for start, end in Whole.of(text).occurrences(wanted)]


@pytest.mark.clause("Deep Synthesis 10")
@pytest.mark.parametrize(
    ("value", "text", "spans"),
    [
        ("敏感词", "说敏感词。", ["敏感词"]),
        ("敏感词", "敏*感*词", ["敏*感*词"]),
        ("敏感词", "**敏**感词", ["敏**感词"]),
        ("敏感词", "敏，感，词", ["敏，感，词"]),
        ("敏感词", "敏\u200b感\u2060词", ["敏\u200b感\u2060词"]),
        ("敏感词", "ＭＩＮ敏　感　词", ["敏　感　词"]),
        ("大麻", "大*麻", ["大*麻"]),
        ("谣言abc", "谣*言abc", ["谣*言abc"]),
        ("谣言abc", "**谣言**abc", ["谣言**abc"]),
        ("台湾", "臺灣", ["臺灣"]),
        ("fuck", "F.U.C.K", ["F.U.C.K"]),
        ("fuck", "f u c k", ["f u c k"]),
        ("fuck", "ｆｕｃｋ", ["ｆｕｃｋ"]),
        ("sex", "ѕех", ["ѕех"]),
        ("SM", "玩SM的", ["SM"]),
        ("red pill", "the red-pill", ["red-pill"]),
        ("red pill", "red\n   pill", ["red\n   pill"]),
        ("cafe", "cafe", ["cafe"]),
        ("café", "cafe\u0301", ["cafe\u0301"]),
        ("靠", "靠！", ["靠"]),
        ("街头", "街头街头", ["街头", "街头"]),
    ],
)
def test_deep_synthesis_10_an_occurrence_is_found_and_where(value: str, text: str, spans: list[str]) -> None:
    assert found(value, text) == spans


@pytest.mark.clause("Deep Synthesis 10")
@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("SM", "Smoking"),
        ("SM", "prism"),
        ("ass", "pass class assess"),
        ("大麻", "声音很大。麻烦你了"),
        ("谣言abc", "谣言a*bc"),
        ("谣言abc", "谣，言abc"),
        ("大麻", "声音很大 麻烦你了"),
        ("敏感词", "他很敏，感词穷"),
        ("敏感词", "敏----感----词"),
        ("therapist", "the rapist"),
        ("the rapist", "therapist"),
        ("abc", "ab_c"),
        ("cafe", "café"),
        ("cafe", "cafe\u0301"),
        ("か", "が"),
        ("가", "각"),
        ("靠", "依靠别人"),
        ("靠", "靠A"),
        ("64", "1964年"),
    ],
)
def test_deep_synthesis_10_ordinary_neighbours_are_no_occurrence(value: str, text: str) -> None:
    assert found(value, text) == []


@pytest.mark.clause("Deep Synthesis 10")
def test_deep_synthesis_10_a_longer_word_that_is_named_swallows_the_term() -> None:
    assert found("大麻", "真是大麻烦", "大麻烦") == []
    assert found("大麻", "**大**麻烦", "大麻烦") == []
    assert found("大麻", "吸大麻，大麻烦", "大麻烦") == ["大麻"]
    assert found("大麻", "大麻。烦死了", "大麻烦") == ["大麻"]
    assert found("死胡", "走进死胡同", "胡同") == []
    assert found("SM", "smtp", "smtp", within_words=True) == []


def test_a_term_is_found_within_words_where_its_feature_says_so() -> None:
    assert found("SM", "Smoking", within_words=True) == ["Sm"]


@pytest.mark.parametrize(
    ("value", "exceptions"), [("!!!", ()), ("\u200b", ()), ("a\U0010ffff", ()), ("ab", ("a-b",)), ("ab", ("?",))]
)
def test_a_term_that_cannot_be_looked_for_is_refused(value: str, exceptions: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"holds|has"):
        terms.term(value, exceptions)


def made(values: list[tuple[str, list[str], bool]]) -> list[terms.Term]:
    wanted = []
    for value, exceptions, within_words in values:
        try:
            wanted.append(terms.term(value, exceptions, within_words=within_words))
        except ValueError:
            continue
    return wanted


LIBRARIES = st.lists(st.tuples(WORDS, st.lists(WORDS, max_size=2), st.booleans()), max_size=6).map(made)
TEXTS = st.text(PARTS, max_size=40)


@settings(max_examples=150, deadline=None)
@example([terms.term("1ß")], ["1，ß"])
@given(LIBRARIES, st.lists(TEXTS, max_size=4))
def test_the_fast_engine_finds_what_is_defined(library: list[terms.Term], texts: list[str]) -> None:
    defined = [
        (number, text, *span)
        for number, wanted in enumerate(library)
        for text, content in enumerate(texts)
        for span in Whole.of(content).occurrences(wanted)
    ]
    assert sorted(TermIndex(library).occurrences(Batch(texts))) == sorted(defined)


@settings(max_examples=150, deadline=None)
@given(LIBRARIES, st.lists(st.text(PARTS, max_size=9), max_size=12))
def test_a_stream_finds_what_the_whole_text_holds(library: list[terms.Term], chunks: list[str]) -> None:
    whole = Whole.of("".join(chunks))
    defined = sorted((number, *span) for number, wanted in enumerate(library) for span in whole.occurrences(wanted))
    stream = TermStream(TermIndex(library), Beginnings(library))
    told = []
    read = 0
    for chunk in chunks:
        clear = stream.clear_until
        new = stream.push(chunk)
        assert all(start >= clear for _, start, _ in new)
        told += new
        read += len(chunk)
        assert clear <= stream.clear_until <= read
    told += stream.finish()
    assert sorted(told) == defined
    assert stream.clear_until == read


def test_a_stream_keeps_no_more_than_its_longest_term_needs() -> None:
    library = [terms.term("大麻" * 10, ["大麻" * 12])]
    stream = TermStream(TermIndex(library), Beginnings(library))
    for _ in range(2000):
        stream.push("大*麻，烦\u200b" * 5)
    assert len(stream._tail.letters) < 300
    assert len(stream._gap) <= 4
    for _ in range(100):
        stream.push("\u200b，" * 1000)
    assert len(stream._gap) <= 4


def test_a_stream_says_how_far_its_text_can_be_shown() -> None:
    library = [terms.term("敏感词"), terms.term("大麻", ["大麻烦"])]
    stream = TermStream(TermIndex(library), Beginnings(library))
    assert (stream.push("你好，敏"), stream.clear_until) == ([], 3)
    assert (stream.push("捷"), stream.clear_until) == ([], 5)
    assert (stream.push("敏*感"), stream.clear_until) == ([], 5)
    assert (stream.push("*词"), stream.clear_until) == ([], 5)
    assert stream.push("很好看啊") == [(0, 5, 10)]
    assert (stream.push("大麻"), stream.clear_until) == ([], 14)
    assert (stream.push("烦不断"), stream.clear_until) == ([], 19)
