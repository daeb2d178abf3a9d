"""Patterns, by RE2, which searches in linear time whatever the pattern.

RE2's `Set`, which would search all patterns at once, is not used: when its automaton outgrows its memory it finds
nothing and does not say so.
"""

from __future__ import annotations

import itertools
import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Any

import re2

from candor_generation.domain import normal
from candor_generation.domain.screening import MAX_HITS
from candor_generation.matcher.batch import Batch

_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


class PatternIndex:
    """Patterns, compiled."""

    def __init__(self, values: Sequence[str]) -> None:
        self._patterns = [compiled(value) for value in values]

    def occurrences(self, batch: Batch) -> Iterator[tuple[int, int, int, int]]:
        """Pattern number, text number, start and end in code points of the text; so many of each as a verdict names."""
        if not self._patterns:
            return
        for text, start in enumerate(batch.starts[:-1]):
            form = batch.composed
            part = form.slice_of(start, batch.starts[text + 1] - 1)
            places = form.places[part]
            folded = form.codes[part].tobytes().decode("utf-32-le")
            encoded = folded.encode()
            for number, pattern in enumerate(self._patterns):
                if pattern.search(encoded) is None:
                    continue
                for first, last in _spans(pattern, folded, encoded):
                    yield number, text, places.item(first) - start, places.item(last) + 1 - start


def compiled(value: str) -> Any:  # noqa: ANN401 - the library publishes no types
    """A pattern over the composed form; what of it is not ASCII is brought into that form itself.

    Raises:
        re2.error: it is no RE2 expression, or too large a one.
    """
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    options.case_sensitive = False
    return re2.compile(_NOT_ASCII.sub(_composed, value), options)


def _composed(match: re.Match[str]) -> str:
    """A character as texts hold it; what becomes a sign that patterns are written with loses its meaning as one."""
    composed = normal.composed(match[0])
    return re2.escape(composed) if composed.isascii() else composed


def _spans(pattern: Any, folded: str, encoded: bytes) -> Iterator[tuple[int, int]]:  # noqa: ANN401 - as above
    """The first and last character of each match that is not empty."""
    offsets = [0, *itertools.accumulate(len(character.encode()) for character in folded)]
    spans = (match.span() for match in pattern.finditer(encoded))
    for start, end in itertools.islice((span for span in spans if span[0] < span[1]), MAX_HITS):
        yield bisect_left(offsets, start), bisect_left(offsets, end) - 1
