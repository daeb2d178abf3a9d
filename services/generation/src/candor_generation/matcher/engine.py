"""A library, compiled: which features are in a text, and what that adds up to."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import re2

from candor_generation.domain import screening, terms
from candor_generation.domain.feature import Feature, Kind, digest_of, feature_digest
from candor_generation.domain.generation import Decision, Verdict
from candor_generation.domain.nearness import Sample
from candor_generation.domain.refusal import Refused
from candor_generation.domain.screening import MAX_HITS, Found, Review
from candor_generation.domain.terms import Term
from candor_generation.matcher import patterns
from candor_generation.matcher.batch import Batch
from candor_generation.matcher.imageindex import LOWEST_QUALITY, ImageIndex
from candor_generation.matcher.nearindex import NearIndex
from candor_generation.matcher.patterns import PatternIndex
from candor_generation.matcher.pdq import Pdq
from candor_generation.matcher.stream import Beginnings, TermStream
from candor_generation.matcher.termindex import TermIndex

# Texts are searched together up to so many code points: what a pass over them needs then stays in the processor's
# cache.
_TOGETHER = 65_536
_PDQ = re.compile(r"[0-9a-f]{64}")

Pair = tuple[str, str]
Occurrence = tuple[int, str, int, int, bool]
"""Text number, feature id, start, end, and whether it is certain."""


def check(feature: Feature) -> None:
    """A feature's value and exceptions can be searched for.

    Raises:
        Refused: PATTERN_INVALID, naming the field.
    """
    match feature.kind:
        case Kind.TERM:
            _check_term(feature)
        case Kind.PATTERN:
            _check_pattern(feature.value)
        case Kind.NEAR_TEXT:
            _check_sample(feature.value)
        case Kind.IMAGE_HASH:
            if not _PDQ.fullmatch(feature.value):
                raise Refused("PATTERN_INVALID", "a PDQ hash has 64 lower-case hex digits", field="value")


def _check_term(feature: Feature) -> None:
    try:
        terms.term(feature.value)
    except ValueError as error:
        raise Refused("PATTERN_INVALID", f"the term {error}; a pattern can find signs", field="value") from error
    try:
        _term(feature)
    except ValueError as error:
        raise Refused("PATTERN_INVALID", f"the term {error}", field="exceptions") from error


def _check_pattern(value: str) -> None:
    try:
        pattern = patterns.compiled(value)
    except re2.error as error:
        raise Refused(
            "PATTERN_INVALID", "the pattern is no RE2 expression, or too large a one", field="value"
        ) from error
    if pattern.search(b""):
        raise Refused("PATTERN_INVALID", "the pattern is found in the empty text, so in every text", field="value")


def _check_sample(value: str) -> None:
    try:
        Sample.of(value)
    except ValueError as error:
        raise Refused("PATTERN_INVALID", f"the text {error}", field="value") from error


@dataclass(frozen=True)
class Kept:
    """Digests and compiled terms, by feature id."""

    digests: Mapping[str, bytes]
    terms: Mapping[str, Term]


class Matcher:
    """A library, compiled. It never changes; another library is another matcher.

    Args:
        features: the library.
        before: the matcher it follows; what it has compiled of the very same features is used again.
    """

    def __init__(self, features: Iterable[Feature], before: Matcher | None = None) -> None:
        self._features = {item.feature_id: item for item in features if item.screens}
        kept = before.kept(self._features) if before else Kept({}, {})
        self._digests = {name: kept.digests.get(name) or feature_digest(item) for name, item in self._features.items()}
        self.digest = digest_of(self._digests)
        by_kind: defaultdict[Kind, list[Feature]] = defaultdict(list)
        for item in self._features.values():
            by_kind[item.kind].append(item)
        self._ids = {kind: [item.feature_id for item in of_kind] for kind, of_kind in by_kind.items()}
        # Whether the library looks for what no bounded part of a text can tell: patterns and near copies.
        self.needs_whole_texts = any(self._ids.get(kind) for kind in (Kind.PATTERN, Kind.NEAR_TEXT))
        self._terms = TermIndex([kept.terms.get(item.feature_id) or _term(item) for item in by_kind[Kind.TERM]])
        self._beginnings = Beginnings(self._terms.terms)
        self._patterns = PatternIndex([item.value for item in by_kind[Kind.PATTERN]])
        self._samples = NearIndex([Sample.of(item.value) for item in by_kind[Kind.NEAR_TEXT]])
        self._images = ImageIndex([bytes.fromhex(item.value) for item in by_kind[Kind.IMAGE_HASH]])
        self._nothing = Review(Verdict(Decision.ALLOW, (), self.digest), frozenset())

    def by_digest(self) -> dict[bytes, Feature]:
        """The features, each by its digest."""
        return {self._digests[name]: item for name, item in self._features.items()}

    def kept(self, features: Mapping[str, Feature]) -> Kept:
        """What is made already of features, by id, that are this matcher's own."""
        terms = dict(zip(self._ids.get(Kind.TERM, ()), self._terms.terms, strict=True))
        same = [name for name, item in features.items() if self._features.get(name) is item]
        return Kept({name: self._digests[name] for name in same}, {name: terms[name] for name in same if name in terms})

    def screen(self, prompt: str, output: str, at: datetime | None = None) -> Verdict:
        """The verdict on a generation at a time; without one, every feature is taken as valid.

        Source: Deep Synthesis 10
        """
        return self.review_many([(prompt, output)], at)[0].verdict

    def screen_many(self, pairs: Sequence[Pair], at: datetime | None = None) -> list[Verdict]:
        """The verdicts on generations (prompt, output), in their order; much faster than one by one.

        Source: Deep Synthesis 10
        """
        return [item.verdict for item in self.review_many(pairs, at)]

    def review_many(self, pairs: Sequence[Pair], at: datetime | None = None) -> list[Review]:
        """As `screen_many`, with the features that were found, those in shadow too.

        Source: Deep Synthesis 10
        """
        reviews = [self._nothing] * len(pairs)
        for first, last in _groups(pairs):
            texts = [text for pair in pairs[first:last] for text in pair]
            for number, found in self._found_in(texts).items():
                reviews[first + number] = self.review(found, at)
        return reviews

    def found(self, text: str) -> set[str]:
        """The features in one text, those in shadow too."""
        return {feature_id for _, feature_id, *_ in self._occurrences(Batch([text]))}

    def screen_image(self, image: Pdq, at: datetime | None = None) -> Review:
        """The review of an image, as an output; one with too little structure is not told from another.

        Source: Deep Synthesis 10
        """
        if image.quality < LOWEST_QUALITY:
            return self._nothing
        near = [self._ids[Kind.IMAGE_HASH][number] for number in self._images.near(image.value)]
        return self.review([Found(feature_id, in_prompt=False, start=0, end=0) for feature_id in near], at)

    def review(self, found: Iterable[Found], at: datetime | None = None) -> Review:
        """What found features add up to.

        Source: Deep Synthesis 10
        """
        return screening.review(self._features, found, self.digest, at)

    def term_stream(self) -> TermStream:
        """Start to look for the terms in a text that arrives in chunks."""
        return TermStream(self._terms, self._beginnings)

    def term_id(self, number: int) -> str:
        """The feature of a term that a stream found."""
        return self._ids[Kind.TERM][number]

    def in_whole_text(self, text: str, *, in_prompt: bool) -> list[Found]:
        """The patterns and near copies in a text."""
        return [
            Found(feature_id, in_prompt, start, end, certain)
            for _, feature_id, start, end, certain in self._needing_whole_texts(Batch([text]))
        ]

    def _found_in(self, texts: Sequence[str]) -> dict[int, list[Found]]:
        """What is found in texts that alternate between prompts and outputs, by pair."""
        found: defaultdict[int, list[Found]] = defaultdict(list)
        for text, feature_id, start, end, certain in self._occurrences(Batch(texts)):
            found[text // 2].append(Found(feature_id, text % 2 == 0, start, end, certain))
        return found

    def _occurrences(self, batch: Batch) -> Iterator[Occurrence]:
        """Of each term and text, as many occurrences as a verdict names at most."""
        counted: dict[tuple[int, int], int] = {}
        for number, text, start, end in self._terms.occurrences(batch):
            counted[number, text] = times = counted.get((number, text), 0) + 1
            if times <= MAX_HITS:
                yield text, self.term_id(number), start, end, True
        if self.needs_whole_texts:
            yield from self._needing_whole_texts(batch)

    def _needing_whole_texts(self, batch: Batch) -> Iterator[Occurrence]:
        for number, text, start, end in self._patterns.occurrences(batch):
            yield text, self._ids[Kind.PATTERN][number], start, end, True
        for number, text, near in self._samples.near(batch):
            yield text, self._ids[Kind.NEAR_TEXT][number], near.start, near.end, near.certain


def _term(feature: Feature) -> Term:
    return terms.term(feature.value, feature.exceptions, within_words=feature.within_words)


def _groups(pairs: Sequence[Pair]) -> Iterator[tuple[int, int]]:
    """First and last (excluded) of the pairs that are searched together."""
    first = length = 0
    for number, (prompt, output) in enumerate(pairs):
        more = len(prompt) + len(output)
        if length and length + more > _TOGETHER:
            yield first, number
            first, length = number, 0
        length += more
    if first < len(pairs):
        yield first, len(pairs)
