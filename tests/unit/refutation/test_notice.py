from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from candor_refutation.domain.claim import Claim, Source, Verdict, decide
from candor_refutation.domain.notice import claim_review, notice_url
from candor_refutation.domain.refusal import Refused

from .samples import GARLIC_TRUTH_ZH, GARLIC_ZH, LEMON_EN

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
URL = "https://example.org/refutations/1"
SOURCE = Source("市中心医院公告", "https://example.org/notice")
SEEN = Claim("1", GARLIC_ZH, "zh-CN", NOON, NOON.replace(day=20), "https://example.org/post/7")
REFUTED = decide(SEEN, Verdict.FALSE, GARLIC_TRUTH_ZH, (SOURCE,), NOON)

pytestmark = pytest.mark.clause("Deep Synthesis 11", "schema.org ClaimReview")


def test_the_notice_has_what_readers_of_claim_review_require() -> None:
    review = claim_review(REFUTED, url=URL, publisher="Example")

    assert review["@context"] == "https://schema.org"
    assert review["@type"] == "ClaimReview"
    assert (review["url"], review["claimReviewed"]) == (URL, GARLIC_ZH)
    assert review["reviewRating"] == {
        "@type": "Rating",
        "ratingValue": 1,
        "bestRating": 5,
        "worstRating": 1,
        "alternateName": "虚假",
    }
    assert review["author"] == {"@type": "Organization", "name": "Example"}
    assert review["datePublished"] == "2026-11-22"


def test_deep_synthesis_11_the_notice_says_what_is_true_and_what_that_rests_on() -> None:
    review = claim_review(REFUTED, url=URL, publisher="Example")

    assert review["reviewBody"] == GARLIC_TRUTH_ZH
    assert review["citation"] == [{"@type": "CreativeWork", "name": SOURCE.title, "url": SOURCE.url}]


def test_the_notice_says_when_and_where_the_claim_was_first_seen() -> None:
    work = {"@type": "CreativeWork", "url": "https://example.org/post/7"}

    assert claim_review(REFUTED, url=URL, publisher="Example")["itemReviewed"] == {
        "@type": "Claim",
        "datePublished": "2026-11-20",
        "appearance": [work],
        "firstAppearance": work,
    }


@pytest.mark.parametrize(("locale", "name"), [("zh-TW", "误导"), ("en-GB", "Misleading"), ("fr", "Misleading")])
def test_the_verdict_is_named_in_the_language_of_the_claim(locale: str, name: str) -> None:
    claim = decide(replace(SEEN, text=LEMON_EN, locale=locale), Verdict.MISLEADING, "no", (SOURCE,), NOON)
    rating = claim_review(claim, url=URL, publisher="Example")["reviewRating"]

    assert (rating["ratingValue"], rating["alternateName"]) == (2, name)


@pytest.mark.parametrize("verdict", [Verdict.TRUE, Verdict.UNVERIFIED])
def test_there_is_no_notice_of_a_claim_that_is_not_refuted(verdict: Verdict) -> None:
    for claim in (SEEN, decide(SEEN, verdict, "尚在核实", (), NOON)):
        with pytest.raises(Refused) as refused:
            claim_review(claim, url=URL, publisher="Example")
        assert refused.value.reason == "NOT_REFUTED"


def test_the_address_of_a_notice_is_under_the_public_base() -> None:
    assert notice_url("https://example.org/", "1") == URL
