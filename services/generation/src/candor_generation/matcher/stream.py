"""A text that arrives in chunks: a term that is cut in two is found, and memory stays within the longest term.

What is kept of the text are its last squeezed letters, with their places and gaps: as many as the longest term has, and
what may decide on either side of it. The result is that of the whole text, whatever the chunks.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from candor_generation.domain import normal
from candor_generation.domain.terms import Term, counts
from candor_generation.matcher import folding
from candor_generation.matcher.termindex import TermIndex


class Beginnings:
    """Which letters begin a term; made once for a library."""

    def __init__(self, terms: Sequence[Term]) -> None:
        self.longest = max((len(item.key) for item in terms), default=0)
        self.context = max((item.context for item in terms), default=1)
        self._keys = sorted({item.key for item in terms})
        self._initials = frozenset(key[0] for key in self._keys)

    def first_open(self, letters: str) -> int | None:
        """The first index from which on the letters are the beginning of a longer term; None where there is none."""
        for index in range(max(len(letters) - self.longest + 1, 0), len(letters)):
            if letters[index] in self._initials and self._begins(letters[index:]):
                return index
        return None

    def _begins(self, letters: str) -> bool:
        place = bisect_left(self._keys, letters + "\0")
        return place < len(self._keys) and self._keys[place].startswith(letters)


@dataclass
class Tail:
    """The last letters of a stream, as `terms.Text`; places are in code points of the whole stream."""

    letters: str = ""
    places: tuple[int, ...] = ()
    gaps_before: tuple[str, ...] = ()

    def letter(self, index: int) -> str:
        """The letter at an index; empty beyond the edges."""
        return self.letters[index] if 0 <= index < len(self.letters) else ""

    def gap(self, index: int) -> str:
        """What separates the letter at an index from the one before it."""
        return self.gaps_before[index] if 0 <= index < len(self.letters) else ""

    def gaps(self, start: int, end: int) -> Sequence[str]:
        """The gaps between the letters of a stretch; empty where there is none at all."""
        gaps = self.gaps_before[start + 1 : end]
        return gaps if any(gaps) else ()

    def holds(self, key: str, index: int) -> bool:
        """Whether the letters from an index on are those of the key."""
        return index >= 0 and self.letters.startswith(key, index)


class TermStream:
    """Finds terms in one stream."""

    def __init__(self, index: TermIndex, beginnings: Beginnings) -> None:
        self._index = index
        self._beginnings = beginnings
        self._tail = Tail()
        self._read = 0
        self._gap = ""
        self._open: int | None = None

    @property
    def clear_until(self) -> int:
        """How many code points of the stream no term can start in any more, whatever follows."""
        return self._read if self._open is None else self._open

    def push(self, chunk: str) -> list[tuple[int, int, int]]:
        """Take the next chunk; term number, start and end of the occurrences that have become certain with it."""
        known = len(self._tail.letters)
        self._append(chunk)
        found = list(self._decided(known, len(self._tail.letters)))
        self._open = self._first_open()
        self._forget()
        return found

    def finish(self) -> list[tuple[int, int, int]]:
        """The stream has ended: the occurrences that nothing can follow any more."""
        found = list(self._decided(len(self._tail.letters), None))
        self._open = None
        return found

    def _append(self, chunk: str) -> None:
        made, found = folding.squeezed().apply(folding.codes(chunk))
        places = found.tolist()
        gaps = [""] * len(places)
        done = 0
        for index in (np.diff(found, prepend=-1) > 1).nonzero()[0].tolist():
            gaps[index] = normal.gap(chunk[places[index - 1] + 1 if index else 0 : places[index]])
        if places:
            gaps[0] = normal.gap(chunk[: places[0]], self._gap)
            self._gap, done = "", places[-1] + 1
        self._gap = normal.gap(chunk[done:], self._gap)
        tail = self._tail
        self._tail = Tail(
            tail.letters + made.tobytes().decode("utf-32-le"),
            (*tail.places, *(place + self._read for place in places)),
            (*tail.gaps_before, *gaps),
        )
        self._read += len(chunk)

    def _decided(self, known: int, now: int | None) -> Iterator[tuple[int, int, int]]:
        """The occurrences decided by the first `now` letters (None: by the end), but not by the first `known`."""
        for number, start, needs in self._standing():
            if needs > known and (now is None or needs <= now) and counts(self._index.terms[number], self._tail, start):
                last = start + len(self._index.terms[number].key) - 1
                yield number, self._tail.places[start], self._tail.places[last] + 1

    def _standing(self) -> Iterator[tuple[int, int, int]]:
        """Term number and index of each place where a term's letters stand, and how many letters decide on it."""
        codes = folding.codes(self._tail.letters + normal.BARRIER)
        for start, numbers in self._index.standing(codes, codes.tobytes()):
            for number in numbers:
                item = self._index.terms[number]
                yield number, start, start + len(item.key) + item.context

    def _first_open(self) -> int | None:
        """The place of the first letter that may yet turn out to start a term."""
        letters = self._tail.letters
        undecided = [start for _, start, needs in self._standing() if needs > len(letters)]
        begun = self._beginnings.first_open(letters)
        first = min([*undecided, *([] if begun is None else [begun])], default=None)
        return None if first is None else self._tail.places[first]

    def _forget(self) -> None:
        """Keep what an undecided occurrence may consist of or be decided by."""
        keep = self._beginnings.longest + 2 * self._beginnings.context + 1
        tail = self._tail
        if len(tail.letters) > 2 * keep:
            self._tail = Tail(tail.letters[-keep:], tail.places[-keep:], tail.gaps_before[-keep:])
