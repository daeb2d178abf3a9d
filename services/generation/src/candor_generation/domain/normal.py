"""The forms that texts are compared in, one character at a time, with a map back to the original.

Folding takes each character by itself, so that it can be tabulated and every place of the folded text is a place of
the original one: compatibility forms and case (Unicode 3.13, toNFKC_Casefold, but left decomposed), traditional
characters as simplified ones, look-alikes of other scripts as Latin letters; what cannot be seen is dropped.

- composed form: for patterns. Letters with their marks are single characters again wherever they were single before.
- squeezed form: for terms and near copies. Only letters, digits and marks, without anything that separates them.

Spec: Unicode 3.13; UTS 39, 4
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from candor_generation.domain.simplified import SIMPLIFIED

BARRIER = "\U0010ffff"
"""A noncharacter: it folds to itself, is neither letter nor separator, and no term holds it."""
GAP_LIMIT = 3
"""So many separators may stand in one gap of a hidden term; more are told as one more, which no rule lets pass."""

# Unicode's Default_Ignorable_Code_Point: shows nothing and is put between letters to hide a word.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    # Controls but white space, and marks that strike a letter through or enclose it, which no orthography needs.
    "\u0000-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f\u0334-\u0338\u0488\u0489\u20d0-\u20f0]"
)
# Letters that look like a Latin one in both cases, so that folding them cannot part the two cases of a word.
_LOOKALIKES = dict(
    zip(
        "аеорсухіјѕһԁԛԝкүғαικνορυχօոսհցıɑɡɩɪʀʏɴʜʟꜱᴀʙᴄᴅᴇᴊᴋᴍᴏᴘᴛᴜᴠᴡᴢ",
        "aeopcyxijshdqwkyfaikvopuxonuhgiagiirynhlsabcdejkmoptuvwz",
        strict=True,
    )
)
_LOOKALIKES |= {chr(0x1F150 + place): chr(ord("a") + place) for place in range(26)}  # negative circled
_LOOKALIKES |= {chr(0x1F170 + place): chr(ord("a") + place) for place in range(26)}  # negative squared
_RENAMED = str.maketrans(SIMPLIFIED | _LOOKALIKES)
_SPACES = re.compile(r"\s+")
# Thai to Hangul and the ideographs: scripts whose words are not parted by spaces, or are by endings too.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\ua4cf\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    "\U00016fe0-\U0003ffff]"
)


@functools.lru_cache(maxsize=8192)
def fold(character: str) -> str:
    """What one character is compared as, fully decomposed: none, one or several characters, which stay as they are.

    Spec: Unicode 3.13; UTS 39, 4
    """
    folded = character
    while True:
        decomposed = _UNSEEN.sub("", unicodedata.normalize("NFKD", folded)).casefold()
        again = unicodedata.normalize("NFKD", _UNSEEN.sub("", decomposed).translate(_RENAMED))
        if again == folded:
            return folded
        folded = again


def composed(character: str) -> str:
    """One character of the composed form: none, one or several characters.

    Spec: Unicode 3.13
    """
    return unicodedata.normalize("NFC", fold(character))


def letters(character: str) -> str:
    """One character of the squeezed form: what of its folding is no separator."""
    return "".join(part for part in fold(character) if not is_separator(part))


def is_separator(folded: str) -> bool:
    """Whether a folded character is punctuation, a symbol or white space: what can be put between letters."""
    return folded != BARRIER and (unicodedata.category(folded)[0] in "PSZ" or folded.isspace())


def is_mark(folded: str) -> bool:
    """Whether a folded character changes the letter before it into another one: an accent, a Hangul vowel or final."""
    return unicodedata.category(folded)[0] == "M" or "\u1160" <= folded <= "\u11ff"


def is_spaced(folded: str) -> bool:
    """Whether a folded character is a letter, mark or digit of a script that puts spaces between its words."""
    return unicodedata.category(folded)[0] in "LNM" and not _UNSPACED.match(folded)


def is_unspaced(folded: str) -> bool:
    """Whether a folded character is a letter of a script that puts no spaces between its words, as Chinese does."""
    return _UNSPACED.match(folded) is not None


@dataclass(frozen=True)
class Mapped:
    """A form of a text, and of each of its characters the place in the original, in code points.

    Where one character became several they share a place.
    """

    text: str
    places: tuple[int, ...]


def compose(text: str) -> Mapped:
    """The composed form of a text.

    Spec: Unicode 3.13
    """
    return _mapped(text, composed)


def squeeze(text: str) -> Mapped:
    """The squeezed form of a text."""
    return _mapped(text, letters)


def gap(between: str, before: str = "") -> str:
    """What separates two neighbours of the squeezed form, from the original text that stands between them.

    White space is told as one space, and more than four characters as four.

    Args:
        between: the original text.
        before: what earlier parts of it came to.
    """
    separators = before
    for character in between:
        if len(separators) > GAP_LIMIT:
            break
        separators = _SPACES.sub(" ", separators + _separators(character))
    return separators[: GAP_LIMIT + 1]


def _separators(character: str) -> str:
    return "".join(part for part in fold(character) if is_separator(part))


def _mapped(text: str, form: Callable[[str], str]) -> Mapped:
    parts = [(part, place) for place, character in enumerate(text) for part in form(character)]
    return Mapped("".join(part for part, _ in parts), tuple(place for _, place in parts))
