"""Near copies of many samples at once: only texts that hold enough of a sample's 4-grams are measured."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from candor_generation.domain.nearness import NEAR, Nearness, Sample
from candor_generation.matcher import folding
from candor_generation.matcher.batch import Batch
from candor_generation.matcher.folding import Codes

Hashes = NDArray[np.uint64]

_BITS = 20
_MULTIPLIERS = tuple(
    np.uint64(value) for value in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93)
)


class NearIndex:
    """Samples, compiled. It never changes."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        self._samples = samples
        self._holders: defaultdict[int, list[int]] = defaultdict(list)
        for number, sample in enumerate(samples):
            for hashed in set(_hashes(folding.codes("".join(sample.grams))[: 4 * len(sample.grams)], step=4).tolist()):
                self._holders[hashed].append(number)
        self._known = np.zeros(1 << _BITS, np.bool_)
        self._known[np.array(list(self._holders), np.uint64) >> np.uint64(64 - _BITS)] = True

    def near(self, batch: Batch) -> Iterator[tuple[int, int, Nearness]]:
        """Sample number, text number and nearness, for each text that is near a sample."""
        if not self._samples:
            return
        hashes = _hashes(batch.squeezed.codes)
        places = self._known.take((hashes >> np.uint64(64 - _BITS)).astype(np.intp)).nonzero()[0]
        shared: Counter[tuple[int, int]] = Counter()
        seen: set[tuple[int, int]] = set()
        for place, hashed in zip(places.tolist(), hashes[places].tolist(), strict=True):
            if hashed not in self._holders:
                continue
            text = batch.number_of(batch.squeezed.places.item(place))
            if (text, hashed) not in seen:
                seen.add((text, hashed))
                shared.update((number, text) for number in self._holders[hashed])
        for (number, text), count in shared.items():
            sample = self._samples[number]
            if count >= NEAR * len(sample.grams) and (found := sample.nearness(batch.texts[text])) is not None:
                yield number, text, found


def _hashes(codes: Codes, step: int = 1) -> Hashes:
    """The hash of the four codes from each place on, or from every `step`th."""
    wide = codes.astype(np.uint64)
    count = max(len(wide) - 3, 0)
    hashed = np.zeros(count, np.uint64)
    for offset, multiplier in enumerate(_MULTIPLIERS):
        hashed += wide[offset : offset + count] * multiplier
    hashed ^= hashed >> np.uint64(31)
    hashed *= _MULTIPLIERS[0]
    return hashed[::step]
