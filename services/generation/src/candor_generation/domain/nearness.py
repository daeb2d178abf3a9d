"""Near copies of a text: how much of its wording another text contains.

Containment of character 4-grams finds a text inside a longer one, shortened, wrapped or reworded in places; measures of
similarity as a whole do not. A matcher sees wording, not meaning: a changed number, or a "not" more or less, is another
claim, and a debunk repeats what it refutes. So only close copies that agree in numbers and negations are certain.

Source: Deep Synthesis 10
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from candor_generation.domain import normal

GRAM = 4
SHORTEST = 20
"""Squeezed letters that a text must have: below, ordinary texts contain too much of it by chance."""
NEAR, CERTAIN = 0.3, 0.5

_NUMBERS = re.compile(r"\d+")
_NEGATIONS = re.compile("[不没无未非否假谣]|(?<![a-z])(?:not|no|never|false|fake)(?![a-z])|n['’]t")


@dataclass(frozen=True)
class Nearness:
    """How near a text is: the share of grams it contains (0 to 1), where they stand, and whether it is certain."""

    containment: float
    start: int
    end: int
    certain: bool


def grams(squeezed: str) -> frozenset[str]:
    """The distinct 4-grams of a squeezed text."""
    return frozenset(squeezed[place : place + GRAM] for place in range(len(squeezed) - GRAM + 1))


@dataclass(frozen=True)
class Sample:
    """A text whose near copies are looked for."""

    original: str
    grams: frozenset[str]

    @classmethod
    def of(cls, original: str) -> Sample:
        """Take a text as a sample.

        Raises:
            ValueError: it is too short.
        """
        squeezed = normal.squeeze(original).text
        if len(squeezed) < SHORTEST:
            raise ValueError(f"has {len(squeezed)} letters and digits; near copies need {SHORTEST} to be told")
        return cls(original, grams(squeezed))

    def nearness(self, text: str) -> Nearness | None:
        """How near a text is; None where it is not.

        Source: Deep Synthesis 10
        """
        squeezed = normal.squeeze(text)
        places = [
            place for place in range(len(squeezed.text) - GRAM + 1) if squeezed.text[place : place + GRAM] in self.grams
        ]
        containment = len({squeezed.text[place : place + GRAM] for place in places}) / len(self.grams)
        if containment < NEAR:
            return None
        start, end = squeezed.places[places[0]], squeezed.places[places[-1] + GRAM - 1] + 1
        certain = containment >= CERTAIN and _claims(text[start:end]) == _claims(self.original)
        return Nearness(containment, start, end, certain)


def _claims(text: str) -> tuple[Counter[str], int]:
    """The numbers that a text tells, and how often it negates."""
    composed = normal.compose(text).text
    return Counter(_NUMBERS.findall(composed)), len(_NEGATIONS.findall(composed))
