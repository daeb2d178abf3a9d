"""Texts made comparable: what a repost changes (width, case, spaces, marks, links, mentions) is taken away.

Traditional characters are left as they are: folding them needs a table that the standard library does not carry.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property

# Scripts written without spaces between words: Han with its extensions, kana, hangul.
_DENSE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003134f"
_DENSE_CHARACTER = re.compile(f"[{_DENSE}]")
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u206a-\u206f\ufe00-\ufe0f\ufeff]+"
)
_LINK = re.compile(r"(?:https?://|www\.|t\.cn/)[!-~]+")
# A chain of reposts, "comment//@name: earlier comment": the names go, what was said stays.
_CHAIN = re.compile(r"//\s*@[^:\s]{1,30}:?|回复\s*@[^:\s]{1,30}:|转发微博|^\s*rt\s+@[^:\s]{1,30}:?")
# Only a mention that ends before more text: an @ glued to a rumour must not hide it.
_MENTION = re.compile(r"@[\w-]{1,20}(?=[\s:,]|$)")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3})")
_NOT_CHARACTERS = re.compile(r"(?:[^\w.]|_|(?<!\d)\.|\.(?!\d))+")
_WORD = re.compile(rf"\d+(?:\.\d+)*|[^\W\d_{_DENSE}]+(?:'[^\W\d_{_DENSE}]+)?")


@dataclass(frozen=True)
class Text:
    """A text without what a repost changes, still with its spaces and punctuation."""

    clean: str

    @cached_property
    def characters(self) -> str:
        """Letters and digits only; a point between digits stays, because 3.5 is not 35."""
        return _NOT_CHARACTERS.sub("", self.clean)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words and numbers of scripts that put spaces between words."""
        return tuple(_WORD.findall(self.clean))

    @cached_property
    def has_dense(self) -> bool:
        """Whether there is a character of a script without spaces between words."""
        return not self.clean.isascii() and _DENSE_CHARACTER.search(self.clean) is not None

    @cached_property
    def is_dense(self) -> bool:
        """Whether it has more characters of such a script than words of others: Chinese rather than English."""
        return len(_DENSE_CHARACTER.findall(self.clean)) > len(self.words)


def normalise(raw: str) -> Text:
    """Return the comparable form of a text; the same for all reposts that only dress it differently."""
    # The questions for one character are much cheaper than the expressions that they spare.
    text = raw.casefold()
    if not text.isascii():
        text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).casefold().replace("’", "'")
    if "/" in text or "www." in text:
        text = _LINK.sub(" ", text)
    if "@" in text or "转发微博" in text:
        text = _MENTION.sub(" ", _CHAIN.sub(" ", text))
    return Text(_THOUSANDS.sub("", text) if "," in text else text)
