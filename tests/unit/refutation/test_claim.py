from __future__ import annotations

from datetime import UTC, datetime

import pytest
from candor_refutation.domain.claim import Claim, Source, Verdict, admit, decide
from candor_refutation.domain.refusal import Refused

from .samples import GARLIC_TRUTH_ZH, GARLIC_ZH, LEMON_EN

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
CLAIM = Claim("1", GARLIC_ZH, "zh-CN", NOON)
SOURCE = Source("市中心医院公告", "https://example.org/notice")


@pytest.mark.parametrize(
    "text",
    [
        "大蒜能够杀死流感病毒请大家转发啊",
        "！！！" * 40,
        "Lemon water melts kidney stones within two days",
        "大蒜" + "\u200b" * 50,
    ],
)
def test_a_claim_that_ordinary_texts_would_match_is_too_short(text: str) -> None:
    with pytest.raises(Refused) as refused:
        admit(text)

    assert (refused.value.reason, refused.value.field) == ("CLAIM_TOO_SHORT", "text")


def test_twenty_characters_or_twelve_words_are_enough() -> None:
    assert len(admit("大" * 20)) == 32
    assert len(admit("one two three four five six seven eight nine ten eleven twelve")) == 32


def test_the_fingerprint_is_that_of_the_wording() -> None:
    assert admit(GARLIC_ZH) == admit(f"  {GARLIC_ZH.replace('，', '。')} http://example.org/x ")
    assert admit(LEMON_EN) == admit(LEMON_EN.upper())
    assert admit(GARLIC_ZH) != admit(GARLIC_ZH.replace("七天", "八天"))


@pytest.mark.clause("Deep Synthesis 11")
@pytest.mark.parametrize("verdict", [Verdict.FALSE, Verdict.MISLEADING])
def test_deep_synthesis_11_a_refutation_names_what_it_rests_on(verdict: Verdict) -> None:
    with pytest.raises(Refused) as refused:
        decide(CLAIM, verdict, GARLIC_TRUTH_ZH, (), NOON)

    assert refused.value.reason == "SOURCES_REQUIRED"
    assert decide(CLAIM, verdict, GARLIC_TRUTH_ZH, (SOURCE,), NOON).refuted


@pytest.mark.parametrize("verdict", [Verdict.TRUE, Verdict.UNVERIFIED])
def test_a_claim_not_refuted_needs_no_source(verdict: Verdict) -> None:
    assert not decide(CLAIM, verdict, "尚在核实", (), NOON).refuted


def test_a_later_verdict_takes_the_place_of_an_earlier_one() -> None:
    refuted = decide(CLAIM, Verdict.FALSE, GARLIC_TRUTH_ZH, (SOURCE,), NOON)
    corrected = decide(refuted, Verdict.TRUE, "确认属实", (), NOON.replace(hour=13))

    assert (corrected.refuted, corrected.decided_at, corrected.sources) == (False, NOON.replace(hour=13), ())
