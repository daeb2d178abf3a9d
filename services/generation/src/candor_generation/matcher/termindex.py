"""Where terms may stand: a filter over the first letters of all terms, then the letters themselves.

Tables, indexed by a hash of the first letters (four, or all of a shorter term), say where a term may begin; few
places pass that begin none, and those that pass are compared letter by letter. On ordinary texts this is several
times as fast as an automaton, because the tables stay in the processor's cache and the passes over the text are
vectorised.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from candor_generation.domain.terms import Term, counts
from candor_generation.matcher.batch import Batch
from candor_generation.matcher.folding import Codes, Places

_HEAD = 4
# A table has 32 to 64 places for each term, but stays within the processor's cache.
_SPARSE, _FEWEST_BITS, _MOST_BITS = 5, 10, 21
# Odd multipliers with well spread bits (Knuth's multiplicative hashing, one per position).
_FACTORS = tuple(np.uint32(factor) for factor in (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F))
_AGAIN = np.uint32(0x165667B1)
_LETTER = 4
_MANY = 4096


class TermIndex:
    """Terms, compiled. It never changes."""

    def __init__(self, terms: Sequence[Term]) -> None:
        self._terms = terms
        of_key: defaultdict[bytes, list[int]] = defaultdict(list)
        for number, item in enumerate(terms):
            of_key[item.key.encode("utf-32-le")].append(number)
        self._of_key = {key: tuple(numbers) for key, numbers in of_key.items()}
        self._lengths = _lengths_by_head(of_key)
        self._filters = [_filter(of_key, letters) for letters in range(1, _HEAD + 1)]

    @property
    def terms(self) -> Sequence[Term]:
        """The terms, by number."""
        return self._terms

    def occurrences(self, batch: Batch) -> Iterator[tuple[int, int, int, int]]:
        """Term number, text number, start and end in code points of the text, for each occurrence that counts."""
        for start, numbers in self.standing(batch.squeezed.codes, batch.squeezed.raw):
            for number in numbers:
                item = self._terms[number]
                if counts(item, batch, start):
                    yield number, *batch.span(start, len(item.key))

    def standing(self, codes: Codes, raw: bytes) -> Iterator[tuple[int, Sequence[int]]]:
        """Where the letters of terms stand one after the other, and of which terms.

        Args:
            codes: squeezed letters; a barrier ends them.
            raw: the same as bytes, four each.
        """
        if not self._terms:
            return
        of_key, lengths = self._of_key, self._lengths
        for letters, starts in self._beginnings(codes):
            for start in starts:
                place = _LETTER * start
                for length in lengths.get(raw[place : place + _LETTER * letters], ()):
                    if (numbers := of_key.get(raw[place : place + length])) is not None:
                        yield start, numbers

    def _beginnings(self, codes: Codes) -> Iterator[tuple[int, list[int]]]:
        """Where keys of one, two and three letters may stand, and where longer ones may begin."""
        hashed = codes * _FACTORS[0]
        for letters, factor in enumerate(_FACTORS, 1):
            if letters > 1:
                hashed = hashed[:-1]
                hashed += codes[letters - 1 :] * factor
            if (known := self._filters[letters - 1]) is not None:
                yield letters, known.places(hashed)


class _Filter:
    """Which hashes are those of a key's first letters, but for a few more."""

    def __init__(self, hashes: Codes) -> None:
        bits = min(max(len(hashes).bit_length() + _SPARSE, _FEWEST_BITS), _MOST_BITS)
        self._shift, self._wide_shift = np.uint32(32 - bits), np.intp(32 - bits)
        self._first = np.zeros(1 << bits, np.bool_)
        self._first[hashes >> self._shift] = True
        self._second = np.zeros(1 << bits, np.bool_)
        self._second[(hashes * _AGAIN) >> self._shift] = True

    def places(self, hashes: Codes) -> list[int]:
        """Where such a hash stands."""
        found: Places = self._first.take(np.right_shift(hashes, self._wide_shift, dtype=np.intp)).nonzero()[0]
        if len(hashes) > _MANY:
            # The hash's lower bits rule nearly all of the few more out; for few texts looking at letters is cheaper.
            found = found[self._second.take(((hashes.take(found) * _AGAIN) >> self._shift).astype(np.intp))]
        places: list[int] = found.tolist()
        return places


def _filter(keys: Iterable[bytes], letters: int) -> _Filter | None:
    heads = _heads(keys, letters)
    hashed = np.zeros(len(heads), np.uint32)
    for place, factor in enumerate(_FACTORS[:letters]):
        hashed += heads[:, place] * factor
    return _Filter(hashed) if len(heads) else None


def _heads(keys: Iterable[bytes], letters: int) -> NDArray[np.uint32]:
    """The heads of so many letters, a row each."""
    chosen = (head for head in map(_head, keys) if len(head) == letters * _LETTER)
    return np.frombuffer(b"".join(chosen), np.uint32).reshape(-1, letters)


def _lengths_by_head(keys: Iterable[bytes]) -> dict[bytes, tuple[int, ...]]:
    """Head -> how many bytes long the keys are that begin so."""
    found: defaultdict[bytes, set[int]] = defaultdict(set)
    for key in keys:
        found[_head(key)].add(len(key))
    return {head: tuple(sorted(lengths)) for head, lengths in found.items()}


def _head(key: bytes) -> bytes:
    """The key, or its first four letters."""
    return key[: _HEAD * _LETTER]
