"""From text to verdict: the form a text is searched in, and what the features found in it add up to."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

from candor_generation.domain.feature import Feature
from candor_generation.domain.generation import Decision, Hit, Verdict

MAX_HITS = 100
"""A verdict rides a topic, so it names this many hits at most, the most severe first."""

# Characters that show nothing and are put between letters to hide a word: Unicode's Default_Ignorable_Code_Point.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


def normalise(text: str) -> str:
    """The form that texts and terms are compared in: unseen characters gone, compatibility forms and case folded.

    This is Unicode's toNFKC_Casefold (The Unicode Standard 3.13, R5); it leaves what it made as it is.

    Source: Unicode 3.13
    """
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFD", _UNSEEN.sub("", text))
    while True:
        again = unicodedata.normalize("NFKC", _UNSEEN.sub("", unicodedata.normalize("NFKC", folded).casefold()))
        if again == folded:
            return folded
        folded = again


def decide(features: Mapping[str, Feature], found: Iterable[tuple[str, bool]], library_digest: bytes) -> Verdict:
    """The most severe decision that any found feature leads to; nothing found is allowed.

    Args:
        features: the admitted ones by id.
        found: feature id, and whether it stood in the prompt.
        library_digest: what was searched for.

    Source: Deep Synthesis 10
    """
    hits = [Hit(feature_id, features[feature_id].category, in_prompt) for feature_id, in_prompt in set(found)]
    hits.sort(key=lambda hit: (-features[hit.feature_id].decision, hit))
    decision = features[hits[0].feature_id].decision if hits else Decision.ALLOW
    return Verdict(decision, tuple(hits[:MAX_HITS]), library_digest)
