"""The forms of domain/normal.py by table: many texts at once, a few nanoseconds a character."""

from __future__ import annotations

import functools
import itertools
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from candor_generation.domain import normal
from candor_generation.domain.simplified import SIMPLIFIED

Codes = NDArray[np.uint32]
Places = NDArray[np.int64]

_END = 0x110000
"""First number that is no code point: from here on a table's entry names a row of its expansions."""
_FEW = 200
_FEW_CODES = 2000
_FAR = range(0x2F800, 0x2FA20), range(0xE0000, 0xE1000)
_DULL = range(0x3400, 0x4DC0), range(0x4E00, 0xA000), range(0x17000, 0x18D00), range(0xD800, 0xE000)


def _folding() -> Iterator[int]:
    """The code points that may fold to something else; the tests go through all the others."""
    dull = set(itertools.chain(*_DULL))
    near = (point for point in range(0x20000) if point not in dull and unicodedata.category(chr(point)) != "Cn")
    yield from itertools.chain(near, *_FAR, map(ord, SIMPLIFIED), range(0xFFF0, 0xFFF9), (0x2065,))


@dataclass(frozen=True)
class Form:
    """A form as a table: per code point 0 (dropped), a code point, or `_END` + row of the expansions."""

    table: Codes
    lengths: NDArray[np.int64]
    firsts: NDArray[np.int64]
    expansions: Codes

    @classmethod
    def of(cls, form: Callable[[str], str]) -> Form:
        """Tabulate a form of single characters."""
        table = np.arange(_END, dtype=np.uint32)
        longer: list[str] = []
        for point in _folding():
            made = form(chr(point))
            if len(made) > 1:
                table[point] = _END + len(longer)
                longer.append(made)
            else:
                table[point] = ord(made) if made else 0
        lengths = np.array([len(made) for made in longer], np.int64)
        return cls(table, lengths, np.cumsum(lengths) - lengths, codes("".join(longer)))

    def apply(self, text: Codes) -> tuple[Codes, Places]:
        """The text in this form, and of each of its characters the place in the text."""
        mapped = self.table.take(text, mode="clip")
        # Of many numbers it is faster to compare them first, of few it is one call more.
        (places,) = (mapped if len(mapped) < _FEW_CODES else mapped != 0).nonzero()
        made = mapped.take(places)
        if len(made) and made.item(made.argmax()) >= _END:
            return self._expanded(made, places)
        return made, places

    def _expanded(self, made: Codes, places: Places) -> tuple[Codes, Places]:
        longer = np.flatnonzero(made >= _END)
        rows = made[longer] - _END
        if len(longer) <= _FEW:
            return self._pieced(made, places, longer, rows)
        extra = self.lengths[rows]
        counts = np.ones(len(made), np.int64)
        counts[longer] = extra
        repeated = np.repeat(made, counts)
        # Each expansion's characters go, one after the other, where its row number now stands several times.
        within = np.arange(int(extra.sum())) - np.repeat(np.cumsum(extra) - extra, extra)
        repeated[repeated >= _END] = self.expansions[np.repeat(self.firsts[rows], extra) + within]
        return repeated, np.repeat(places, counts)

    def _pieced(self, made: Codes, places: Places, longer: Places, rows: Codes) -> tuple[Codes, Places]:
        """The same where few characters become several: whole stretches are copied."""
        codes, where, done = [], [], 0
        for index, row in zip(longer.tolist(), rows.tolist(), strict=True):
            first, count = int(self.firsts[row]), int(self.lengths[row])
            codes += [made[done:index], self.expansions[first : first + count]]
            where += [places[done:index], np.full(count, places[index])]
            done = index + 1
        return np.concatenate([*codes, made[done:]]), np.concatenate([*where, places[done:]])


@functools.cache
def squeezed() -> Form:
    """The squeezed form (`normal.squeeze`)."""
    return Form.of(normal.letters)


@functools.cache
def composed() -> Form:
    """The composed form (`normal.compose`)."""
    return Form.of(normal.composed)


def codes(text: str) -> Codes:
    """The code points of a text."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def joined(texts: Iterable[str]) -> str:
    """Texts as one, a barrier after each."""
    return normal.BARRIER.join((*texts, ""))
