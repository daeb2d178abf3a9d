"""Which refuted claims a text repeats, and how sure that is."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from math import ceil

from candor_refutation.domain import grams, signals
from candor_refutation.domain.grams import Passage
from candor_refutation.domain.text import Text, normalise

NEAR_COPY = 0.5
POSSIBLE = 0.2
# A debunk with fewer grams of its own says too little to be recognised by it.
_FEWEST_DEBUNK_GRAMS = 8
_AROUND = 6  # units beside the repeated passage in which a negation still belongs to it


class Band(StrEnum):
    """How sure a match is; only near-copies are decided without a person."""

    AUTOMATIC = "automatic"
    REVIEW = "review"


@dataclass(frozen=True)
class RefutedClaim:
    """A claim as matching needs it. `explanation` is what is true, registered as a text that is not the claim."""

    claim_id: str
    text: str
    explanation: str


@dataclass(frozen=True)
class Match:
    """A text repeats a claim. containment: share of the claim's grams that the text has, 0 to 1."""

    claim_id: str
    containment: float
    band: Band


class _Profile:
    """A claim prepared for comparing."""

    def __init__(self, claim: RefutedClaim) -> None:
        text = normalise(claim.text)
        self.claim_id = claim.claim_id
        self.passage = grams.passage_of_claim(text)
        self.grams = frozenset(self.passage.grams())
        whole = self.passage.part(0, len(self.passage.units))
        self.numbers = signals.numbers(*whole)
        self.negations = signals.negations(*whole)
        self.stances = signals.stances(*whole)
        self.fewest_shared = ceil(POSSIBLE * len(self.grams))
        explained = normalise(claim.explanation)
        debunk = grams.dense(explained) if text.is_dense else grams.spaced(explained)
        self.debunk = frozenset(debunk.grams()) - self.grams


class ClaimIndex:
    """Refuted claims by their grams. Built whole when the claims change; asking it changes nothing."""

    def __init__(self, claims: Iterable[RefutedClaim]) -> None:
        self._profiles = [_Profile(claim) for claim in claims]
        by_characters: dict[str, list[int]] = defaultdict(list)
        by_words: dict[str, list[int]] = defaultdict(list)
        for number, profile in enumerate(self._profiles):
            postings = by_characters if isinstance(profile.passage.units, str) else by_words
            for gram in profile.grams:
                postings[gram].append(number)
        self._by_characters = dict(by_characters)
        self._by_words = dict(by_words)

    def __len__(self) -> int:
        return len(self._profiles)

    def match(self, raw: str) -> list[Match]:
        """Return the claims that a text repeats, the surest first.

        Source: Deep Synthesis 11
        """
        text = normalise(raw)
        found: list[Match] = []
        if self._by_characters and text.has_dense:
            found += self._match(grams.dense(text), self._by_characters, text)
        if self._by_words and len(text.words) >= grams.WORDS:
            found += self._match(grams.spaced(text), self._by_words, text)
        return sorted(found, key=lambda match: (-match.containment, match.claim_id))

    def _match(self, passage: Passage, postings: dict[str, list[int]], text: Text) -> list[Match]:
        held = frozenset(passage.grams())
        shared: dict[int, int] = {}
        for gram in postings.keys() & held:
            for number in postings[gram]:
                shared[number] = shared.get(number, 0) + 1
        matches = (
            _assess(self._profiles[number], count, passage, held, text)
            for number, count in shared.items()
            if count >= self._profiles[number].fewest_shared
        )
        return [match for match in matches if match is not None]


def _assess(profile: _Profile, shared: int, passage: Passage, held: frozenset[str], text: Text) -> Match | None:
    containment = shared / len(profile.grams)
    debunked = _share_of_debunk(profile, held)
    if debunked >= min(containment, NEAR_COPY):
        return None
    sure = (
        containment >= NEAR_COPY
        and debunked < POSSIBLE
        and _same_signals(profile, passage)
        and signals.stances(text.characters, text.words) <= profile.stances
    )
    return Match(profile.claim_id, containment, Band.AUTOMATIC if sure else Band.REVIEW)


def _share_of_debunk(profile: _Profile, held: frozenset[str]) -> float:
    """How much of what only the explanation says is in the text: who repeats the debunk does not spread the rumour."""
    if len(profile.debunk) < _FEWEST_DEBUNK_GRAMS:
        return 0.0
    return len(profile.debunk & held) / len(profile.debunk)


def _same_signals(profile: _Profile, passage: Passage) -> bool:
    start, end = _repeated(profile, passage)
    if signals.numbers(*passage.part(start, end)) != profile.numbers:
        return False
    return signals.negations(*passage.part(start - _AROUND, end + _AROUND)) == profile.negations


def _repeated(profile: _Profile, passage: Passage) -> tuple[int, int]:
    """Return the units [start, end) that repeat the claim most: a window of the claim's length and a half."""
    places = [at for at, gram in enumerate(passage.grams()) if gram in profile.grams]
    width = len(profile.passage.units) * 3 // 2
    best, first = (0, 0, 0), 0
    for last, place in enumerate(places):
        while place - places[first] > width:
            first += 1
        if last - first + 1 > best[0]:
            best = (last - first + 1, places[first], place)
    return best[1], best[2] + passage.size
