"""From what was found to a verdict.

Source: Deep Synthesis 10
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from candor_generation.domain.feature import Feature
from candor_generation.domain.generation import Decision, Hit, Verdict

MAX_HITS = 100
"""A verdict rides a topic, so it names this many hits at most, the most severe first."""


@dataclass(frozen=True)
class Found:
    """A feature in a text, from `start` up to, not with, `end`, in code points of the original.

    Attributes:
        certain: false where a person has to look, whatever the feature decides.
    """

    feature_id: str
    in_prompt: bool
    start: int
    end: int
    certain: bool = True


@dataclass(frozen=True)
class Review:
    """The verdict on a generation, and which features were found in it, those in shadow too: they are counted."""

    verdict: Verdict
    counted: frozenset[str]


def review(
    features: Mapping[str, Feature], found: Iterable[Found], library_digest: bytes, at: datetime | None = None
) -> Review:
    """The most severe decision that any found feature leads to; nothing found is allowed.

    A feature in shadow is counted, and has no other consequence; one that is not valid is as if it were not there.

    Args:
        features: those that screen, by id.
        found: where they were found.
        library_digest: what was searched for.
        at: the time of the screening; None takes every feature as valid.

    Source: Deep Synthesis 10
    """
    valid = [item for item in found if at is None or features[item.feature_id].valid(at)]
    counted = frozenset(item.feature_id for item in valid)
    deciding = [item for item in valid if features[item.feature_id].decides]
    if not deciding:
        return Review(Verdict(Decision.ALLOW, (), library_digest), counted)
    decision = max(_decision(features, item) for item in deciding)
    return Review(Verdict(decision, _named(features, deciding), library_digest), counted)


def _decision(features: Mapping[str, Feature], item: Found) -> Decision:
    decision = features[item.feature_id].decision
    return decision if item.certain else min(decision, Decision.REVIEW)


def _named(features: Mapping[str, Feature], deciding: Iterable[Found]) -> tuple[Hit, ...]:
    """The hits in the order of their severity; each feature's first ones go before any feature's further ones."""
    seen: Counter[tuple[str, bool]] = Counter()
    ranked = []
    for item in sorted(deciding, key=lambda item: (item.start, item.end)):
        seen[item.feature_id, item.in_prompt] += 1
        hit = Hit(item.feature_id, features[item.feature_id].category, item.in_prompt, item.start, item.end)
        ranked.append((-_decision(features, item), seen[item.feature_id, item.in_prompt], hit))
    return tuple(hit for _, _, hit in sorted(ranked)[:MAX_HITS])
