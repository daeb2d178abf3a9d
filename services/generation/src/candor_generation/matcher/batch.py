"""Many texts as one array, so that a pass over all of them costs what a pass over one of that length does."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property

from candor_generation.domain import normal
from candor_generation.matcher import folding
from candor_generation.matcher.folding import Codes, Form, Places


class Formed:
    """The texts of a batch in one form, a barrier after each."""

    def __init__(self, form: Form, codes: Codes) -> None:
        self.codes: Codes
        self.places: Places
        self.codes, self.places = form.apply(codes)
        self._raw: bytes | None = None

    @property
    def raw(self) -> bytes:
        """The codes, four bytes each."""
        if self._raw is None:
            self._raw = self.codes.tobytes()
        return self._raw

    @cached_property
    def expands(self) -> bool:
        """Whether some character stands for several (ß for ss), so that counting letters does not count places."""
        return bool((self.places[1:] == self.places[:-1]).any())

    def slice_of(self, start: int, end: int) -> slice:
        """The part that stems from a stretch of the joined texts."""
        first, last = self.places.searchsorted((start, end)).tolist()
        return slice(first, last)


class Batch:
    """Texts to be looked in together. Indices are those of the squeezed form of all of them (`terms.Text`)."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts
        self._joined = folding.joined(texts)
        self._codes = folding.codes(self._joined)
        # Where each text starts in the joined ones, and where the last one's barrier ends.
        self.starts = [0, *itertools.accumulate([len(text) + 1 for text in texts])]
        self.squeezed = Formed(folding.squeezed(), self._codes)

    @cached_property
    def composed(self) -> Formed:
        """The composed form, for patterns."""
        return Formed(folding.composed(), self._codes)

    def number_of(self, place: int) -> int:
        """Which text a place of the joined texts belongs to."""
        return bisect_right(self.starts, place) - 1

    def span(self, start: int, length: int) -> tuple[int, int, int]:
        """Which text so many squeezed letters belong to, and their start and end in it, in code points."""
        first = self.squeezed.places.item(start)
        end = self.squeezed.places.item(start + length - 1) + 1
        number = self.number_of(first)
        return number, first - self.starts[number], end - self.starts[number]

    def letter(self, index: int) -> str:
        """The squeezed letter at an index; a barrier beyond a text's edges, empty beyond those of all."""
        return chr(self.squeezed.codes.item(index)) if 0 <= index < len(self.squeezed.codes) else ""

    def gap(self, index: int) -> str:
        """What separates the squeezed letter at an index from the one before it."""
        places = self.squeezed.places
        if not 0 < index < len(places):
            return ""
        before, at = places.item(index - 1), places.item(index)
        return normal.gap(self._joined[before + 1 : at]) if at - before > 1 else ""

    def gaps(self, start: int, end: int) -> Sequence[str]:
        """The gaps between the squeezed letters of a stretch; empty where there is none at all."""
        places = self.squeezed.places
        if places.item(end - 1) - places.item(start) == end - 1 - start and not self.squeezed.expands:
            return ()
        gaps = [self.gap(index) for index in range(start + 1, end)]
        return gaps if any(gaps) else ()

    def holds(self, key: str, index: int) -> bool:
        """Whether the squeezed letters from an index on are those of the key."""
        return index >= 0 and self.squeezed.raw.startswith(key.encode("utf-32-le"), 4 * index)
