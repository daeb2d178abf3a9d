"""The screening of one text that arrives in chunks."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from candor_generation.domain.refusal import Refused
from candor_generation.domain.screening import MAX_HITS, Found, Review
from candor_generation.matcher.engine import Matcher

LONGEST = 524_288
"""Code points of one stream; as much as the output of a record can have."""


class ScreenedStream:
    """One text and the library it is screened with, from its first chunk to its verdict.

    Terms are told as soon as they are certain. Patterns and near copies can only be told of the whole text, which
    is kept for the stream's life if the library has any.
    """

    def __init__(self, matcher: Matcher, *, in_prompt: bool = False, at: datetime | None = None) -> None:
        self._matcher = matcher
        self._in_prompt = in_prompt
        self._at = at
        self._terms = matcher.term_stream()
        self._found: list[Found] = []
        self._counted: Counter[int] = Counter()
        self.length = 0
        self._kept: list[str] = []

    @property
    def clear_until(self) -> int:
        """How many code points can hold no further start of a term, whatever follows (but of patterns and copies)."""
        return self._terms.clear_until

    @property
    def review(self) -> Review:
        """What has been found so far; after `finish`, the same as of the whole text at once.

        Source: Deep Synthesis 10
        """
        return self._matcher.review(self._found, self._at)

    def push(self, chunk: str) -> None:
        """Take the next chunk.

        Raises:
            Refused: TEXT_TOO_LONG, the stream has more than 524,288 code points.
        """
        self.length += len(chunk)
        if self.length > LONGEST:
            raise Refused("TEXT_TOO_LONG", f"a stream has {LONGEST} code points at most")
        if self._matcher.needs_whole_texts:
            self._kept.append(chunk)
        self._take(self._terms.push(chunk))

    def finish(self) -> None:
        """Take the end of the text."""
        self._take(self._terms.finish())
        if self._kept:
            self._found += self._matcher.in_whole_text("".join(self._kept), in_prompt=self._in_prompt)

    def _take(self, occurrences: list[tuple[int, int, int]]) -> None:
        for number, start, end in occurrences:
            self._counted[number] += 1
            if self._counted[number] <= MAX_HITS:
                self._found.append(Found(self._matcher.term_id(number), self._in_prompt, start, end))
