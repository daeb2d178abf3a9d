"""What counts as an occurrence of a term, once its letters stand one after the other in the squeezed form of a text.

Squeezing leaves out whatever may separate letters, so it finds hidden terms and neighbours that nobody hid. The rules
here tell them apart by what stood between the letters (the gaps) and next to them:

1. As written: no gap where the term has none, a gap where it has one ("red pill" is found in "red-pill", not in
   "redpill"; 大麻 is not found in "声音很大。麻烦你").
2. Spaced out: three letters or more with the same separator in every gap ("f.u.c.k", "敏 感 词"). Two letters with a
   comma between them are how any two clauses meet, so they do not count.
3. Broken by marks that a reader does not see or reads over (Markdown emphasis and the like), next to a letter of a
   script without word spaces only ("**敏**感词"): in Latin text such marks join words as well (snake_case).
4. An end of the term that is a letter or digit of a spaced script stands at a word boundary, unless the feature says
   otherwise: SM is not found in Smoking.
5. A single Chinese character is a word only where no other letter touches it.
6. No combining mark follows: it would make the last letter another one.
7. An exception of the feature (大麻烦 for 大麻) that occurs by rules 1 to 3 and overlaps the term without lying inside
   it swallows it: the longer word is what was meant.

Source: Deep Synthesis 10
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from candor_generation.domain import normal

# What a renderer swallows or a reader reads over between two ideographs.
_READ_OVER = frozenset("*_`^\\")
_SPACED_OUT = 3
# One for all: an empty set of its own takes as much memory as the rest of a term.
_UNBROKEN: frozenset[int] = frozenset()


class Text(Protocol):
    """A text in squeezed form, with its gaps. Indices are those of the squeezed form; edges have no letter."""

    def letter(self, index: int) -> str:
        """The letter at an index; empty beyond the text's edges."""

    def gap(self, index: int) -> str:
        """What separates the letter at an index from the one before it, as `normal.gap` tells it."""

    def gaps(self, start: int, end: int) -> Sequence[str]:
        """The gaps between the letters from `start` up to, not with, `end`; empty where there is none at all."""

    def holds(self, key: str, index: int) -> bool:
        """Whether the letters from an index on are those of the key."""


@dataclass(frozen=True, slots=True)
class Term:
    """A term as it is looked for.

    Attributes:
        key: its squeezed form, never empty.
        breaks: the indices of the key before which the term itself has a separator.
        unspaced: whether all its letters are of scripts without spaces.
        from_boundary, to_boundary: whether no other letter of a spaced script may touch its start, its end.
        exceptions: longer words that swallow it.
    """

    key: str
    breaks: frozenset[int]
    unspaced: bool
    from_boundary: bool = False
    to_boundary: bool = False
    exceptions: tuple[Term, ...] = ()

    @property
    def context(self) -> int:
        """How many letters on either side may decide whether an occurrence counts, at least 1."""
        return max([1, *(len(item.key) for item in self.exceptions)])


def term(value: str, exceptions: Sequence[str] = (), *, within_words: bool = False) -> Term:
    """The term that a value stands for.

    Raises:
        ValueError: it holds no letter or digit, so nothing would be left to look for; so does an exception, or an
            exception does not reach beyond the term.
    """
    made = tuple(term(item) for item in exceptions)
    squeezed = normal.squeeze(value)
    if not squeezed.text:
        raise ValueError("holds no letter or digit")
    if normal.BARRIER in squeezed.text:
        raise ValueError("holds a noncharacter")
    if any(item.key in squeezed.text for item in made):
        raise ValueError("has an exception that is no longer than itself")
    places = squeezed.places
    found = [index for index in range(1, len(places)) if normal.gap(value[places[index - 1] + 1 : places[index]])]
    breaks = frozenset(found) if found else _UNBROKEN
    unspaced = all(normal.is_unspaced(letter) for letter in squeezed.text)
    first, last = (not within_words and normal.is_spaced(squeezed.text[end]) for end in (0, -1))
    return Term(squeezed.text, breaks, unspaced, first, last, made)


def counts(wanted: Term, text: Text, start: int) -> bool:
    """Whether the term, whose letters stand at an index of the text, occurs there by the rules above."""
    return (
        _is_joined(wanted, text, start)
        and _is_bounded(wanted, text, start)
        and not any(_swallows(item, wanted, text, start) for item in wanted.exceptions)
    )


def _is_joined(wanted: Term, text: Text, start: int) -> bool:
    """Rules 1 to 3."""
    gaps = text.gaps(start, start + len(wanted.key))
    if not gaps:
        return not wanted.breaks
    if any(len(gap) > normal.GAP_LIMIT for gap in gaps):
        return False
    if all(bool(gap) == (offset in wanted.breaks) for offset, gap in enumerate(gaps, 1)):
        return True
    if wanted.breaks:
        return False
    if all(not gap or _is_read_over(wanted.key, offset, gap) for offset, gap in enumerate(gaps, 1)):
        return True
    return len(wanted.key) >= _SPACED_OUT and len(set(gaps)) == 1


def _is_read_over(key: str, offset: int, gap: str) -> bool:
    """Rule 3, for the gap before the letter at an index of the key."""
    return _READ_OVER.issuperset(gap) and (normal.is_unspaced(key[offset - 1]) or normal.is_unspaced(key[offset]))


def _is_bounded(wanted: Term, text: Text, start: int) -> bool:
    """Rules 4 to 6."""
    end = start + len(wanted.key)
    alone = wanted.unspaced and len(wanted.key) == 1
    after = text.letter(end)
    if (
        after
        and (normal.is_mark(after) or _touches(after, alone=alone, boundary=wanted.to_boundary))
        and not text.gap(end)
    ):
        return False
    if not (alone or wanted.from_boundary):
        return True
    before = text.letter(start - 1)
    return not (before and _touches(before, alone=alone, boundary=wanted.from_boundary) and not text.gap(start))


def _swallows(exception: Term, wanted: Term, text: Text, start: int) -> bool:
    """Rule 7."""
    end = start + len(wanted.key)
    for first in range(start - len(exception.key) + 1, end):
        inside = start <= first and first + len(exception.key) <= end
        if not inside and text.holds(exception.key, first) and _is_joined(exception, text, first):
            return True
    return False


def _touches(neighbour: str, *, alone: bool, boundary: bool) -> bool:
    return ((alone or boundary) and normal.is_spaced(neighbour)) or (alone and normal.is_unspaced(neighbour))


@dataclass(frozen=True)
class Whole:
    """A whole text, squeezed: the plain definition that faster engines are held against."""

    original: str
    squeezed: normal.Mapped

    @classmethod
    def of(cls, original: str) -> Whole:
        """The text to look in."""
        return cls(original, normal.squeeze(original))

    def letter(self, index: int) -> str:
        """The letter at an index; empty beyond the text's edges."""
        return self.squeezed.text[index] if 0 <= index < len(self.squeezed.text) else ""

    def gap(self, index: int) -> str:
        """What separates the letter at an index from the one before it."""
        places = self.squeezed.places
        if not 0 < index < len(places):
            return ""
        return normal.gap(self.original[places[index - 1] + 1 : places[index]])

    def gaps(self, start: int, end: int) -> Sequence[str]:
        """The gaps between the letters of a stretch."""
        gaps = [self.gap(index) for index in range(start + 1, end)]
        return gaps if any(gaps) else ()

    def holds(self, key: str, index: int) -> bool:
        """Whether the letters from an index on are those of the key."""
        return index >= 0 and self.squeezed.text.startswith(key, index)

    def occurrences(self, wanted: Term) -> Iterator[tuple[int, int]]:
        """Where the term occurs: start and end in code points of the original."""
        index = self.squeezed.text.find(wanted.key)
        while index >= 0:
            if counts(wanted, self, index):
                places = self.squeezed.places
                yield places[index], places[index + len(wanted.key) - 1] + 1
            index = self.squeezed.text.find(wanted.key, index + 1)
