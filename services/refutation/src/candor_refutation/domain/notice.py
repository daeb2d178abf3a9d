"""The public notice of a refutation.

Source: Deep Synthesis 11
"""

from typing import Any

from candor_refutation.domain.claim import Claim, Verdict
from candor_refutation.domain.refusal import Refused

# 1 is worst, 5 best: what readers of ClaimReview expect.
_RATING = {Verdict.FALSE: 1, Verdict.MISLEADING: 2}
_NAMES = {
    "zh": {Verdict.FALSE: "虚假", Verdict.MISLEADING: "误导"},
    "en": {Verdict.FALSE: "False", Verdict.MISLEADING: "Misleading"},
}


def notice_url(base_url: str, claim_id: str) -> str:
    """Return the address at which anyone can read the refutation of a claim."""
    return f"{base_url.rstrip('/')}/refutations/{claim_id}"


def claim_review(claim: Claim, *, url: str, publisher: str) -> dict[str, Any]:
    """Return the refutation as a JSON-LD object.

    Source: schema.org ClaimReview

    Raises:
        Refused: NOT_REFUTED; there is nothing to publish.
    """
    if claim.verdict not in _RATING or claim.decided_at is None:
        raise Refused("NOT_REFUTED", "the claim has no verdict of false or misleading")
    names = _NAMES.get(claim.locale.split("-")[0], _NAMES["en"])
    return {
        "@context": "https://schema.org",
        "@type": "ClaimReview",
        "url": url,
        "datePublished": claim.decided_at.date().isoformat(),
        "inLanguage": claim.locale,
        "claimReviewed": claim.text,
        "reviewBody": claim.explanation,
        "author": {"@type": "Organization", "name": publisher},
        "reviewRating": {
            "@type": "Rating",
            "ratingValue": _RATING[claim.verdict],
            "bestRating": 5,
            "worstRating": 1,
            "alternateName": names[claim.verdict],
        },
        "itemReviewed": _item(claim),
        "citation": [{"@type": "CreativeWork", "name": source.title, "url": source.url} for source in claim.sources],
    }


def _item(claim: Claim) -> dict[str, Any]:
    item: dict[str, Any] = {"@type": "Claim"}
    if claim.first_seen_at is not None:
        item["datePublished"] = claim.first_seen_at.date().isoformat()
    if claim.first_seen_url:
        work = {"@type": "CreativeWork", "url": claim.first_seen_url}
        item |= {"appearance": [work], "firstAppearance": work}
    return item
