"""The flood guard's rule: a feature that is found far more often than its admission run let expect is mistaken.

Source: Deep Synthesis 10
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from candor_generation.domain.feature import Estimate


@dataclass(frozen=True)
class Limits:
    """When hits are a flood.

    Attributes:
        multiple: how many times the expected share is too much.
        least: fewer hits than this say nothing.
        floor: the expected share is never taken to be less than this, 0 to 1: a run over a few hundred texts cannot
            tell a rare feature from one that is never found.
    """

    multiple: float
    least: int
    floor: float


@dataclass(frozen=True)
class Seen:
    """What was found of one feature: in so many of the generations that were screened since then."""

    hits: int
    screened: int
    since: datetime


def expected(estimate: Estimate | None, limits: Limits) -> float:
    """The share of ordinary texts that a feature may be found in, 0 to 1."""
    return max(estimate.rate if estimate else 0.0, limits.floor)


def floods(seen: Seen, estimate: Estimate | None, limits: Limits) -> bool:
    """Whether a feature is found more than `multiple` times as often as expected.

    Source: Deep Synthesis 10
    """
    if seen.hits < limits.least or not seen.screened:
        return False
    return seen.hits / seen.screened > limits.multiple * expected(estimate, limits)
