"""One generation: what a backend reports, and what the service decides about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum

from candor_generation.domain.refusal import Refused

MAX_AHEAD = timedelta(minutes=5)
"""How far a backend's clock may run ahead of ours."""


class Modality(StrEnum):
    """What kind of content was generated."""

    TEXT = "text"
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"


class Decision(IntEnum):
    """What screening decided, the more severe the higher.

    Source: Deep Synthesis 10
    """

    ALLOW = 1
    REVIEW = 2
    BLOCK = 3


@dataclass(frozen=True, order=True)
class Hit:
    """Where a feature was found: from `start` up to, not with, `end`, in code points of the original text."""

    feature_id: str
    category: str
    in_prompt: bool
    start: int = 0
    end: int = 0


@dataclass(frozen=True)
class Verdict:
    """What screening decided, why, and against which library (SHA-256, 32 bytes)."""

    decision: Decision
    hits: tuple[Hit, ...]
    library_digest: bytes

    def without_hits(self) -> Verdict:
        """The verdict as it may be kept once the text it is about is erased: hits are derived from the text.

        Source: PIPL 47; GDPR 17(1)
        """
        return replace(self, hits=())


@dataclass(frozen=True)
class Meta:
    """A generation as far as no personal data is told. Times are UTC, to the microsecond."""

    generation_id: str
    occurred_at: datetime
    provider: str
    model: str
    product: str
    locale: str
    modality: Modality


@dataclass(frozen=True)
class Payload:
    """The personal data of a generation: whose it is, what was asked, what was answered."""

    subject: str
    prompt: str
    output: str


def latest(now: datetime) -> datetime:
    """The latest time that a record may have: it keeps the time of its generation, so that time must have been.

    Source: Generative AI Labelling Measures 9
    """
    return now + MAX_AHEAD


def in_future(field: str) -> Refused:
    """What is said of a record that has a later time, or an id that was made at one."""
    return Refused("TIME_IN_FUTURE", f"{field} lies more than five minutes in the future", field=field)


def made_before_erasure(occurred_at: datetime, erased_at: datetime | None) -> bool:
    """Whether a record that arrives now belongs to what its subject had erased; it is discarded and counted then.

    Source: PIPL 47; GDPR 17(1)
    """
    return erased_at is not None and occurred_at <= erased_at
