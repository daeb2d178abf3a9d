"""Near copies: by definition, and that the index of many samples finds what each alone does."""

from __future__ import annotations

import pytest
from candor_generation.domain.nearness import CERTAIN, NEAR, SHORTEST, Sample
from candor_generation.matcher.batch import Batch
from candor_generation.matcher.nearindex import NearIndex
from hypothesis import given, settings
from hypothesis import strategies as st

CLAIM = "专家提醒吃完螃蟹之后不能马上吃柿子否则会中毒身亡，请转发给身边的家人和朋友，让更多的人知道"
WORDS = st.text(st.sampled_from("一二三四五六七，* 八九"), max_size=60)


def shuffled(text: str) -> str:
    first, second, third = text.split("，")
    return f"{third}，{second}，{first}"


@pytest.mark.clause("Deep Synthesis 10")
@pytest.mark.parametrize(
    "text",
    [
        "转发：" + CLAIM + "！！！",
        CLAIM[:28],
        "".join(letter + ("*" if place % 4 == 0 else "") for place, letter in enumerate(CLAIM)),
        CLAIM.replace("专家", "專家").replace("转发", "轉發").replace("马", "馬"),
        shuffled(CLAIM),
        "今天天气很好。" * 40 + CLAIM + "大家都在说这件事。" * 40,
    ],
)
def test_deep_synthesis_10_a_copy_is_near_whatever_was_done_to_it(text: str) -> None:
    found = Sample.of(CLAIM).nearness(text)
    assert found is not None
    assert found.containment >= CERTAIN


@pytest.mark.clause("Deep Synthesis 10")
@pytest.mark.parametrize("text", ["", "螃蟹和柿子都很好吃，请转发给家人", "今天天气很好。" * 100])
def test_deep_synthesis_10_other_texts_are_not_near(text: str) -> None:
    assert Sample.of(CLAIM).nearness(text) is None


def test_a_short_text_is_no_sample() -> None:
    with pytest.raises(ValueError, match="has 19 letters"):
        Sample.of("一" * (SHORTEST - 1) + "，" * 9)


@settings(deadline=None)
@given(st.lists(WORDS, max_size=4), st.lists(WORDS, max_size=4))
def test_the_index_finds_what_each_sample_alone_does(values: list[str], texts: list[str]) -> None:
    samples = []
    for value in values:
        try:
            samples.append(Sample.of(value))
        except ValueError:
            continue
    defined = [
        (number, text, found)
        for number, sample in enumerate(samples)
        for text, content in enumerate(texts)
        if (found := sample.nearness(content)) is not None
    ]
    told = sorted(NearIndex(samples).near(Batch(texts)), key=lambda item: item[:2])
    assert told == defined
    assert all(found.containment >= NEAR for _, _, found in told)
