from __future__ import annotations

import pytest
from candor_refutation.domain.text import normalise
from hypothesis import given
from hypothesis import strategies as st

from .samples import GARLIC_ZH, LEMON_EN

HIDDEN = st.sampled_from(["\u200b", "\u200d", "\ufeff", "\u00ad", "\ufe0f"])


@pytest.mark.parametrize(
    ("dressed", "plain"),
    [
        ("ＡＢＣ１２３", "abc123"),
        ("每天，生吃。三瓣！大蒜", "每天生吃三瓣大蒜"),
        ("看看 https://example.com/a?b=c 大蒜", "看看大蒜"),
        ("看看http://t.cn/RaBc大蒜", "看看大蒜"),
        ("哈哈//@某人:大蒜", "哈哈大蒜"),
        ("回复@某人:大蒜", "大蒜"),
        ("@某人 大蒜", "大蒜"),
        ("RT @someone: garlic", "garlic"),
        ("大\u200b蒜\ufeff", "大蒜"),
        ("涨了3.5%", "涨了3.5"),
        ("1,000人.", "1000人"),
    ],
)
def test_what_a_repost_changes_is_taken_away(dressed: str, plain: str) -> None:
    assert normalise(dressed).characters == plain


def test_an_at_sign_in_front_of_a_rumour_does_not_hide_it() -> None:
    assert "连续七天每天生吃三瓣大蒜" in normalise("@" + GARLIC_ZH.replace("，", "")).characters


def test_a_point_between_digits_is_part_of_the_number() -> None:
    assert normalise("3.5").characters != normalise("35").characters


def test_words_keep_their_apostrophe_and_numbers_stand_alone() -> None:
    assert normalise("It doesn’t cost $1,250.50").words == ("it", "doesn't", "cost", "1250.50")


@pytest.mark.parametrize(("text", "dense"), [(GARLIC_ZH, True), (LEMON_EN, False), ("iPhone 手机会爆炸吗", True)])
def test_a_text_is_read_the_way_its_script_is_written(text: str, dense: bool) -> None:
    assert normalise(text).is_dense is dense


@given(st.lists(HIDDEN, min_size=len(GARLIC_ZH), max_size=len(GARLIC_ZH)))
def test_invisible_characters_change_nothing(hidden: list[str]) -> None:
    dressed = "".join(character + mark for character, mark in zip(GARLIC_ZH, hidden, strict=True))

    assert normalise(dressed).characters == normalise(GARLIC_ZH).characters


@given(st.text())
def test_any_text_can_be_normalised_and_again_to_the_same(raw: str) -> None:
    once = normalise(raw).characters

    assert all(character.isalnum() or character == "." for character in once)
    assert normalise(once).characters == once
