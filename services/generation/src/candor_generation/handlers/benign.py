"""The admission run: candidates held against benign texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from candor_generation.corpus import Corpus
from candor_generation.domain.feature import Feature, Mode, State
from candor_generation.matcher import Matcher


def count_hits(candidates: Sequence[Feature], corpus: Corpus) -> Counter[str]:
    """In how many of the texts each candidate is found, by feature id, with the very engine that would screen.

    A candidate's validity does not matter here: it is looked for as on its first day.

    Source: Deep Synthesis 10
    """
    trial = [
        replace(item, state=State.ADMITTED, mode=Mode.SHADOW, valid_from=None, valid_until=None) for item in candidates
    ]
    matcher = Matcher(trial)
    counts: Counter[str] = Counter()
    if trial:
        for text in corpus.texts:
            counts.update(matcher.found(text))
    return counts
