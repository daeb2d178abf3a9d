"""What the facts of the other services mean here: each rule makes the signal that a duty may arise from."""

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone

from candor_escalation.domain.incident import Anchor, Json, Signal

_CHINA = timezone(timedelta(hours=8))


def _day_in_china(at: datetime) -> str:
    return at.astimezone(_CHINA).date().isoformat()


def illegal_content(
    product: str, found_at: datetime, generation_id: str, categories: Iterable[str], evidence: str = "screening blocked"
) -> Signal:
    """The signal of an output that screening blocked, or a person confirmed: one incident per product and day in China.

    It is found when it is screened, at the earliest when it was made: that is what the clock counts from.
    Source: Deep Synthesis 10
    """
    day = _day_in_china(found_at)
    named = tuple(sorted(set(categories)))
    return Signal(
        kind="illegal_content",
        title=f"Blocked output in {product}, {day}",
        correlation_key=f"{product}:{day}",
        facts={"product": product},
        anchors=(Anchor("found", found_at, f"{evidence} generation {generation_id}"),),
        source="generation",
        reference=generation_id,
        gathers={"categories": named} if named else {},
        evidence=generation_id,
    )


def rumour_spread(claim_id: str, level: int, matches: int, found_at: datetime) -> Signal:
    """The signal of a refuted claim that spreads through outputs: one incident per claim.

    Source: Deep Synthesis 11
    """
    return Signal(
        kind="rumour_spread",
        title=f"Refuted claim {claim_id} spreads",
        correlation_key=claim_id,
        facts={"claim_id": claim_id, "level": float(level), "matches": float(matches)},
        anchors=(Anchor("found", found_at, f"spread of level {level} over {matches} matches"),),
        source="refutation",
        reference=claim_id,
    )


def reviewed(total: int, upheld: int, released: int) -> dict[str, Json]:
    """What people's decisions say of an incident of blocked outputs: how many they upheld and released.

    It was a false alarm once everything is released, and none as soon as one is upheld; until then nobody knows.
    Source: Deep Synthesis 10
    """
    told: dict[str, Json] = {"reviews_upheld": float(upheld), "reviews_released": float(released)}
    if upheld:
        told["false_alarm"] = False
    elif released == total:
        told["false_alarm"] = True
    return told


def feature_flood(feature_id: str, hits: int, screened: int, at: datetime) -> Signal:
    """The signal of a feature that found too much and therefore decides nothing any more: a person has to look.

    While it rests, what it stands for is not blocked: the library has to be put right.
    Source: Deep Synthesis 10
    """
    return Signal(
        kind="feature_flood",
        title=f"Feature {feature_id} was put to shadow: it was found in {hits} of {screened}",
        correlation_key=feature_id,
        facts={"feature_id": feature_id, "hits": float(hits), "screened": float(screened), "severity": "low"},
        anchors=(Anchor("found", at, f"the flood guard saw {hits} hits of {screened}"),),
        source="generation",
        reference=feature_id,
    )


def disposal_unanswered(
    disposal_id: str, measure: str, product: str, late: int, could_not: int, since: datetime
) -> Signal:
    """The signal of a measure that its backend did not carry out in time, or could not: one incident per disposal.

    Args:
        disposal_id: what was ordered.
        measure: its name.
        product: whose backend is asked.
        late: how many of its asks nobody answered within their time.
        could_not: how many the backend could not carry out.
        since: when the first of them should have been answered.

    Source: Deep Synthesis 10; Generative AI Measures 14; DSA 14
    """
    return Signal(
        kind="disposal_unanswered",
        title=f"Disposal {disposal_id} ({measure}) is not carried out in {product}",
        correlation_key=disposal_id,
        facts={
            "product": product,
            "disposal_id": disposal_id,
            "disposal": measure,
            "asks_late": float(late),
            "asks_failed": float(could_not),
            "carried_out": False,
        },
        anchors=(Anchor("due", since, f"an ask of disposal {disposal_id} fell due"),),
        source="disposals",
        reference=disposal_id,
    )


def rights_overdue(request_id: str, right: str, regime: str, strict_due: datetime) -> Signal:
    """The signal of a person's request that was not answered in its time: one incident per request.

    Source: PIPL 50; GDPR 12(3)
    """
    return Signal(
        kind="rights_overdue",
        title=f"Request {request_id} ({right}, {regime}) is overdue",
        correlation_key=request_id,
        facts={"request_id": request_id, "right": right, "regime": regime},
        anchors=(Anchor("due", strict_due, f"request {request_id} fell due"),),
        source="rights",
        reference=request_id,
    )
