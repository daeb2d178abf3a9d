"""The life of a claim: registered, decided, refuted."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from candor_refutation.domain.grams import passage_of_claim
from candor_refutation.domain.refusal import Refused
from candor_refutation.domain.text import normalise


class Verdict(StrEnum):
    """What was found about a claim."""

    FALSE = "false"
    MISLEADING = "misleading"
    UNVERIFIED = "unverified"
    TRUE = "true"


REFUTING = frozenset({Verdict.FALSE, Verdict.MISLEADING})


@dataclass(frozen=True)
class Source:
    """What a verdict rests on."""

    title: str
    url: str


@dataclass(frozen=True)
class Claim:
    """A claim with its present verdict. decided_at is None as long as there is none; times are aware."""

    claim_id: str
    text: str
    locale: str
    registered_at: datetime
    first_seen_at: datetime | None = None
    first_seen_url: str = ""
    verdict: Verdict | None = None
    explanation: str = ""
    sources: tuple[Source, ...] = ()
    decided_at: datetime | None = None

    @property
    def refuted(self) -> bool:
        """Whether outputs are matched with it and its refutation is public."""
        return self.verdict in REFUTING


@dataclass(frozen=True)
class Spreading:
    """A claim with what its matches say.

    Attributes:
        claim: the claim.
        matches: matches on record.
        matches_last_hour: those whose generation is at most an hour old.
        level: the highest level announced, 0: none.
        since: when it was announced, or the epoch.
    """

    claim: Claim
    matches: int
    matches_last_hour: int
    level: int
    since: datetime


def admit(text: str) -> bytes:
    """Check that a claim can be told apart from ordinary texts, and return the fingerprint of its wording, 32 bytes.

    Raises:
        Refused: CLAIM_TOO_SHORT.
    """
    normalised = normalise(text)
    passage_of_claim(normalised)
    return hashlib.sha256(normalised.characters.encode()).digest()


def decide(claim: Claim, verdict: Verdict, explanation: str, sources: tuple[Source, ...], now: datetime) -> Claim:
    """Give a claim its verdict; a later one takes the place of an earlier one.

    Whoever refutes names what the refutation rests on: the measure against a rumour is a refutation with its grounds.

    Source: Deep Synthesis 11

    Raises:
        Refused: SOURCES_REQUIRED.
    """
    if verdict in REFUTING and not sources:
        raise Refused("SOURCES_REQUIRED", f"a verdict of {verdict} names at least one source", field="sources")
    return replace(claim, verdict=verdict, explanation=explanation, sources=sources, decided_at=now)
