"""What a matcher must read apart from the wording: numbers, negation, and words that take a stand.

A changed number is another claim, a negated one its opposite, and a debunk quotes what it refutes; none of them changes
the grams much, so each is compared by itself.
"""

import re
from collections import Counter
from collections.abc import Iterable

_NUMBER = re.compile(r"\d+(?:\.\d+)*|[零〇一二三四五六七八九十百千万亿两]+")
_NEGATION = re.compile("不是|不会|不能|不可|不要|没有|并非|绝非|从未|无法|不|没|未|非|勿|否")
_STANCE = re.compile(
    "辟谣|谣言|谣传|造谣|传谣|不实|不属实|虚假|假消息|假新闻|假的|误传|澄清|求证|系谣|非真实|真相是|伪科学|骗局"
)
# fmt: off
_NUMBER_WORDS = frozenset({
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty", "thirty", "forty", "fifty",
    "sixty", "seventy", "eighty", "ninety", "hundred", "thousand", "million", "billion", "trillion", "dozen", "half",
})
_NEGATION_WORDS = frozenset({
    "no", "not", "never", "none", "nothing", "nobody", "neither", "nor", "cannot", "without", "unlikely", "hardly",
    "isn't", "aren't", "wasn't", "weren't", "don't", "doesn't", "didn't", "won't", "wouldn't", "can't", "couldn't",
    "shouldn't", "hasn't", "haven't", "hadn't", "mustn't",
})
_STANCE_WORDS = frozenset({
    "fake", "false", "falsely", "untrue", "hoax", "myth", "myths", "debunk", "debunked", "debunks", "debunking",
    "misinformation", "disinformation", "misleading", "unfounded", "baseless", "fabricated", "incorrect", "inaccurate",
    "rumor", "rumors", "rumour", "rumours", "conspiracy", "evidence",
})
# fmt: on


def numbers(characters: str, words: Iterable[str]) -> Counter[str]:
    """Return the numbers of a passage with their counts: digits and Chinese numerals, and English number words."""
    found = Counter(_NUMBER.findall(characters))
    found.update(word for word in words if word in _NUMBER_WORDS)
    return found


def negations(characters: str, words: Iterable[str]) -> int:
    """Return how many negations a passage has."""
    return len(_NEGATION.findall(characters)) + sum(word in _NEGATION_WORDS for word in words)


def stances(characters: str, words: Iterable[str]) -> frozenset[str]:
    """Return the words by which a text takes a stand on a rumour."""
    return frozenset(_STANCE.findall(characters)) | _STANCE_WORDS.intersection(words)
