"""The matching engine: terms by one Aho-Corasick automaton, patterns by RE2.

RE2 searches in linear time whatever the pattern. Its `Set`, which would search all patterns at once, is not used: when
its automaton outgrows its memory it finds nothing and does not say so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import re2
from ahocorasick_rs import AhoCorasick

from candor_generation.domain import screening
from candor_generation.domain.feature import Feature, Kind, State, library_digest
from candor_generation.domain.generation import Verdict
from candor_generation.domain.refusal import Refused


def check(kind: Kind, value: str) -> None:
    """A feature's value can be searched for.

    Raises:
        Refused: PATTERN_INVALID, it does not compile, or it would be found in every text.
    """
    if kind is Kind.TERM:
        if not screening.normalise(value):
            raise Refused("PATTERN_INVALID", "the term holds nothing that can be seen", field="value")
        return
    try:
        pattern = _compile(value)
    except re2.error as error:
        raise Refused(
            "PATTERN_INVALID", "the pattern is no RE2 expression, or too large a one", field="value"
        ) from error
    if pattern.search(b""):
        raise Refused("PATTERN_INVALID", "the pattern is found in the empty text, so in every text", field="value")


class Matcher:
    """A library, compiled. It never changes; another library is another matcher."""

    def __init__(self, features: Iterable[Feature]) -> None:
        self._features = {item.feature_id: item for item in features if item.state is State.ADMITTED}
        self.digest = library_digest(self._features.values())
        by_term: defaultdict[str, list[str]] = defaultdict(list)
        for item in self._of(Kind.TERM):
            by_term[screening.normalise(item.value)].append(item.feature_id)
        self._of_term = list(by_term.values())
        self._terms = AhoCorasick(list(by_term)) if by_term else None
        self._patterns = [(item.feature_id, _compile(item.value)) for item in self._of(Kind.PATTERN)]

    def screen(self, prompt: str, output: str) -> Verdict:
        """The verdict on a generation."""
        found = [(feature_id, True) for feature_id in self._found(prompt)]
        found += [(feature_id, False) for feature_id in self._found(output)]
        return screening.decide(self._features, found, self.digest)

    def _of(self, kind: Kind) -> Iterator[Feature]:
        return (item for item in self._features.values() if item.kind is kind)

    def _found(self, text: str) -> Iterator[str]:
        normal = screening.normalise(text)
        if self._terms is not None:
            matches = self._terms.find_matches_as_indexes(normal, overlapping=True)
            for index in {index for index, _, _ in matches}:
                yield from self._of_term[index]
        encoded = normal.encode()
        for feature_id, pattern in self._patterns:
            if pattern.search(encoded):
                yield feature_id


def _compile(value: str) -> Any:  # noqa: ANN401 - the library publishes no types
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    options.case_sensitive = False
    return re2.compile(value, options)
