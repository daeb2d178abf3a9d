from __future__ import annotations

import pytest
from candor_refutation.domain.matching import Band, ClaimIndex, Match, RefutedClaim
from hypothesis import given
from hypothesis import strategies as st

from .samples import (
    BRIDGE_ZH,
    CLAIMS,
    EN,
    GARLIC_TRUTH_ZH,
    GARLIC_ZH,
    LEMON_EN,
    LEMON_TRUTH_EN,
    ORDINARY,
    ZH,
)

INDEX = ClaimIndex(CLAIMS)
pytestmark = pytest.mark.clause("Deep Synthesis 11")


def only(text: str) -> Match:
    (match,) = INDEX.match(text)
    return match


@pytest.mark.parametrize(("text", "claim_id"), [(GARLIC_ZH, ZH), (LEMON_EN, EN)])
def test_a_copy_is_matched_automatically(text: str, claim_id: str) -> None:
    assert only(text) == Match(claim_id, 1.0, Band.AUTOMATIC)


@pytest.mark.parametrize(
    ("text", "claim_id"),
    [
        ("大家好，我来回答你的问题。" + ORDINARY[0] + GARLIC_ZH + ORDINARY[1], ZH),
        (f"{ORDINARY[2]} {LEMON_EN}. {ORDINARY[4]}", EN),
        ("转发微博//@热心群众:" + GARLIC_ZH.replace("，", " ， "), ZH),
        (LEMON_EN.upper().replace(" ", "  "), EN),
    ],
)
def test_a_copy_inside_another_text_is_matched_automatically(text: str, claim_id: str) -> None:
    match = only(text)

    assert (match.claim_id, match.band) == (claim_id, Band.AUTOMATIC)
    assert match.containment > 0.9


@pytest.mark.parametrize(
    "text",
    [
        BRIDGE_ZH.replace("35", "53"),
        GARLIC_ZH.replace("七天", "九天"),
        LEMON_EN.replace("48 hours", "24 hours"),
    ],
)
def test_a_changed_number_is_for_a_person(text: str) -> None:
    match = only(text)

    assert match.containment >= 0.5
    assert match.band is Band.REVIEW


@pytest.mark.parametrize(
    "text",
    [GARLIC_ZH.replace("就能", "也不能"), LEMON_EN.replace("melts", "never melts")],
)
def test_a_negated_copy_is_for_a_person(text: str) -> None:
    assert only(text).band is Band.REVIEW


@pytest.mark.parametrize("text", [f"网传“{GARLIC_ZH}”是谣言", f"It is a hoax that {LEMON_EN}"])
def test_a_copy_beside_a_stand_taken_is_for_a_person(text: str) -> None:
    assert only(text).band is Band.REVIEW


@pytest.mark.parametrize("text", [GARLIC_ZH[: len(GARLIC_ZH) * 2 // 5], " ".join(LEMON_EN.split()[:10])])
def test_a_fragment_is_for_a_person(text: str) -> None:
    match = only(text)

    assert 0.2 <= match.containment < 0.5
    assert match.band is Band.REVIEW


@pytest.mark.parametrize(
    "text",
    [
        GARLIC_TRUTH_ZH,
        f"针对“{GARLIC_ZH}”的说法，{GARLIC_TRUTH_ZH}。",
        LEMON_TRUTH_EN,
        f"“{LEMON_EN}” says a post. {LEMON_TRUTH_EN}",
    ],
)
def test_who_repeats_the_explanation_does_not_spread_the_claim(text: str) -> None:
    assert INDEX.match(text) == []


def test_half_an_explanation_makes_a_copy_a_case_for_a_person_or_nothing() -> None:
    part = GARLIC_TRUTH_ZH[: len(GARLIC_TRUTH_ZH) * 2 // 5]

    assert all(match.band is Band.REVIEW for match in INDEX.match(f"{GARLIC_ZH}。{part}"))


@pytest.mark.parametrize("text", ORDINARY)
def test_an_ordinary_text_on_the_same_subject_is_no_match(text: str) -> None:
    assert INDEX.match(text) == []


def test_a_text_may_repeat_claims_of_both_languages() -> None:
    found = INDEX.match(f"{GARLIC_ZH}\n{LEMON_EN}")

    assert {match.claim_id for match in found} == {ZH, EN}
    assert all(match.containment == 1.0 for match in found)


def test_an_index_of_nothing_matches_nothing() -> None:
    assert ClaimIndex(()).match(GARLIC_ZH) == []


@given(st.text(), st.text())
def test_a_chinese_claim_is_found_whatever_stands_around_it(before: str, after: str) -> None:
    found = {match.claim_id: match for match in INDEX.match(f"{before}\n{GARLIC_ZH}\n{after}")}

    assert found[ZH].containment == 1.0


@given(st.text(max_size=300))
def test_containment_is_a_share_and_only_near_copies_are_automatic(text: str) -> None:
    for match in INDEX.match(text):
        assert 0.2 <= match.containment <= 1.0
        assert match.band is Band.REVIEW or match.containment >= 0.5


def test_a_short_explanation_is_not_taken_for_a_debunk() -> None:
    index = ClaimIndex([RefutedClaim(ZH, GARLIC_ZH, "假的")])

    assert [match.band for match in index.match(GARLIC_ZH)] == [Band.AUTOMATIC]
