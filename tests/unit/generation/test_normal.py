"""The forms that texts are compared in, by definition and by table."""

from __future__ import annotations

import itertools
import unicodedata

import numpy as np
import pytest
from candor_generation.domain import normal
from candor_generation.domain.simplified import SIMPLIFIED
from candor_generation.matcher import folding
from hypothesis import given, settings
from hypothesis import strategies as st

POINTS = [chr(point) for point in range(0x110000) if not 0xD800 <= point < 0xE000]
# Characters that fold in every way there is: dropped, to one, to several, beyond the BMP.
LIVELY = st.text(st.one_of(st.characters(), st.sampled_from("aAß…，。 *\u200bé①㍿½ﬁ臺灣ｶﾞ각🅰😀𝓕ЅехΩ\U0010ffff")))


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
        ("謠言", "谣言"),
        ("臺灣", "台湾"),
        ("ｶﾞ", "ガ"),
        ("𝓯𝓻𝓮𝓮", "free"),
        ("🅵🆁🅴🅴", "free"),
        ("\u1112\u1161\u11ab", "한"),
        ("\u2f24", "大"),
    ],
)
def test_unicode_3_13_texts_that_are_compared_as_equal(text: str, same: str) -> None:
    assert normal.squeeze(text).text == normal.squeeze(same).text


@pytest.mark.parametrize(("text", "same"), [("ѕех", "sex"), ("СОСА", "coca"), ("ραу", "pay"), ("ցuո", "gun")])
def test_uts_39_lookalikes_of_latin_letters_are_those_letters(text: str, same: str) -> None:
    assert normal.squeeze(text).text == same


def test_uts_39_the_two_cases_of_a_word_stay_the_same_word() -> None:
    alphabet = "абвгдеёжзийклмнопрстуфхцчшщъыьэюяαβγδεζηθικλμνξοπρστυφχψωաբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւփքօֆ"
    for letter in alphabet:
        assert normal.fold(letter.upper()) == normal.fold(letter)


def test_unicode_3_13_every_character_folds_once_and_for_all() -> None:
    folded = {part for character in POINTS[:0x20000] for part in normal.fold(character)}
    assert {part for part in folded if normal.fold(part) != part} == set()
    assert all(part == part.casefold() and unicodedata.is_normalized("NFKD", part) for part in folded)


def test_a_traditional_character_and_its_simplified_one_are_the_same() -> None:
    assert len(SIMPLIFIED) > 4000
    assert all(normal.fold(traditional) == normal.fold(simple) for traditional, simple in SIMPLIFIED.items())


@pytest.mark.parametrize(
    ("form", "by_character"), [(folding.squeezed, normal.letters), (folding.composed, normal.composed)]
)
def test_the_tables_hold_what_is_defined_for_every_code_point(form: object, by_character: object) -> None:
    text = "".join(POINTS)
    made, places = form().apply(folding.codes(text))  # type: ignore[operator]
    expected = [by_character(character) for character in POINTS]  # type: ignore[operator]
    assert made.tobytes() == "".join(expected).encode("utf-32-le")
    counts = np.array([len(part) for part in expected])
    assert np.array_equal(places, np.repeat(np.arange(len(POINTS)), counts))


@settings(deadline=None)
@given(LIVELY)
def test_the_tables_do_what_is_defined(text: str) -> None:
    for form, defined in ((folding.squeezed(), normal.squeeze(text)), (folding.composed(), normal.compose(text))):
        made, places = form.apply(folding.codes(text))
        assert made.tobytes().decode("utf-32-le") == defined.text
        assert tuple(places.tolist()) == defined.places


def test_many_expansions_in_one_text_are_placed_as_few_are() -> None:
    text = "ßaé㍿" * 500
    made, places = folding.squeezed().apply(folding.codes(text))
    assert made.tobytes().decode("utf-32-le") == normal.squeeze(text).text
    assert tuple(places.tolist()) == normal.squeeze(text).places


@given(st.text(), st.text())
def test_a_text_is_squeezed_one_part_after_the_other(first: str, second: str) -> None:
    whole = normal.squeeze(first + second)
    assert whole.text == normal.squeeze(first).text + normal.squeeze(second).text
    shifted = (place + len(first) for place in normal.squeeze(second).places)
    assert whole.places == tuple(itertools.chain(normal.squeeze(first).places, shifted))


@pytest.mark.parametrize(
    ("between", "told"),
    [
        ("", ""),
        ("\u200b", ""),
        ("*", "*"),
        (" \n\t ", " "),
        ("，", ","),
        ("…", "..."),
        ("-----", "----"),
        (" - ", " - "),
    ],
)
def test_what_separates_two_letters(between: str, told: str) -> None:
    assert normal.gap(between) == told
