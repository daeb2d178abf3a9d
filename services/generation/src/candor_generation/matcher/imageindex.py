"""Which of many PDQ hashes are near one: multi-index hashing.

Two hashes that differ in 31 bits at most differ in one bit at most in some of their 16 words of 16 bits; so only
those are compared that share a word but for one bit.

Spec: PDQ, facebook/ThreatExchange pdq/README.md
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LARGEST_DISTANCE = 31
"""Bits that two hashes of one image differ in at most."""
LOWEST_QUALITY = 50
"""Below, an image has so little structure that its hash says nothing."""

_WORDS = 16
_FLIPS = np.concatenate((np.zeros(1, np.uint16), (1 << np.arange(16)).astype(np.uint16)))

Words = NDArray[np.uint16]


class ImageIndex:
    """Hashes, compiled."""

    def __init__(self, hashes: Sequence[bytes]) -> None:
        self._hashes: Words = np.frombuffer(b"".join(hashes), np.uint16).reshape(-1, _WORDS)
        # Per word: the hashes in the order of that word, and the word itself in this order.
        self._orders = np.argsort(self._hashes, axis=0, kind="stable").astype(np.int32).T.copy()
        self._sorted = np.sort(self._hashes, axis=0).T.copy()

    def near(self, value: bytes) -> list[int]:
        """The numbers of the hashes that differ from a hash, 32 bytes, in 31 bits at most."""
        words = np.frombuffer(value, np.uint16)
        found = []
        for place in range(_WORDS):
            probes = words[place] ^ _FLIPS
            first = self._sorted[place].searchsorted(probes, "left")
            last = self._sorted[place].searchsorted(probes, "right")
            found += [self._orders[place, start:end] for start, end in zip(first, last, strict=True) if start < end]
        if not found:
            return []
        numbers = np.unique(np.concatenate(found))
        distances = np.bitwise_count(self._hashes[numbers] ^ words).sum(axis=1)
        near: list[int] = numbers[distances <= LARGEST_DISTANCE].tolist()
        return near
