"""Screening against the bare matching library: 50,000 terms, texts of 1 KB, one call a text, in this process.

Ours folds, squeezes, looks, decides and answers with a verdict; the peer (ahocorasick_rs) only looks for the same words
in the same texts as they are. Both are measured in CPU time, in turns.
"""

from __future__ import annotations

import gzip
import json
import random
import time
from collections.abc import Callable, Sequence

from ahocorasick_rs import AhoCorasick, Implementation
from candor_generation.domain.generation import Decision
from candor_generation.matcher import Matcher

from bench.figure import Figure
from bench.plan import data
from bench.terms import COMMON, feature

NAME = "generation.screen.vs_bare_matcher"
_FLOOR = 0.3
_TEXTS = 400
_CHARACTERS = 340
_ROUNDS = 5


def measure(terms: int) -> Figure:
    """Texts a second of both, and the time that 99 of 100 of our calls stay within."""
    chance = random.Random(1)  # noqa: S311 - the same words in every run
    searched, other = _texts(chance)
    texts = [searched[start : start + _CHARACTERS] for start in range(0, len(searched), _CHARACTERS)]
    words = _words(other, searched, chance, terms)
    matcher = Matcher(map(feature, words))
    bare = AhoCorasick(words, implementation=Implementation.ContiguousNFA)
    ours, peer, slowest = _measure(
        texts, lambda one: matcher.screen("", one), lambda one: bare.find_matches_as_indexes(one, overlapping=True)
    )
    return Figure(
        NAME,
        round(ours),
        "texts/s",
        f"{len(texts)} Chinese texts of {_CHARACTERS} characters (1 KB) against {len(words):,} terms, one call a text,"
        f" in one process; processor time, the best of {_ROUNDS} rounds, in turns with the peer: ahocorasick_rs, which"
        " looks for the same words in the same texts without folding them.",
        "folding (width, case, traditional characters, look-alikes, separators), which costs as much as matching",
        peer=round(peer),
        ratio=round(ours / peer, 3),
        floor=_FLOOR,
        details={
            "p99_ms": round(slowest * 1000, 3),
            "terms": len(words),
            "batched": round(_batched(matcher, texts)),
            "flagged": sum(item.decision is not Decision.ALLOW for item in matcher.screen_many(_pairs(texts))),
        },
    )


def _texts(chance: random.Random) -> tuple[str, str]:
    """What is searched, and where the words are taken from: posts, and what people wrote under them."""
    needed = _TEXTS * _CHARACTERS
    path = data("rumors.jsonl.gz")
    if path is None:
        made = "".join(chance.choices(COMMON, k=4 * needed))
        return made[:needed], made[needed:]
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        posts = [json.loads(line) for line in lines]
    searched = "".join(post["text"] for post in posts)[:needed]
    return searched, "".join(repost[2] for post in posts for repost in post["spread"])


def _words(other: str, searched: str, chance: random.Random, count: int) -> list[str]:
    """Stretches of 3 to 8 Chinese characters: one in a thousand from what is searched, the others not in it.

    A library whose terms stand in every text would not have been admitted; one that is never found would measure less.
    """
    words: set[str] = set()
    while len(words) < count:
        there = len(words) % 1000 == 0
        text = searched if there else other
        start = chance.randrange(len(text) - 8)
        word = text[start : start + chance.choice((3, 4, 4, 4, 5, 5, 6, 7, 8))]
        if all("\u4e00" <= character <= "\u9fff" for character in word) and (word in searched) is there:
            words.add(word)
    return sorted(words)


def _measure(
    texts: Sequence[str], ours: Callable[[str], object], peer: Callable[[str], object]
) -> tuple[float, float, float]:
    """Texts a second of either, in the best of several rounds, and the time that 99 of 100 of our calls stay within."""
    best = [float("inf"), float("inf")]
    calls: list[float] = []
    for _ in range(_ROUNDS):
        for place, work in enumerate((ours, peer)):
            started = time.process_time()
            for text in texts:
                work(text)
            best[place] = min(best[place], time.process_time() - started)
        calls = [_seconds(ours, text) for text in texts]
    return len(texts) / best[0], len(texts) / best[1], sorted(calls)[len(calls) * 99 // 100]


def _seconds(work: Callable[[str], object], text: str) -> float:
    started = time.thread_time()
    work(text)
    return time.thread_time() - started


def _pairs(texts: Sequence[str]) -> list[tuple[str, str]]:
    return [("", text) for text in texts]


def _batched(matcher: Matcher, texts: Sequence[str]) -> float:
    """Texts a second where many are screened together, as the ingest path does."""
    pairs = _pairs(texts)
    best = float("inf")
    for _ in range(_ROUNDS):
        started = time.process_time()
        matcher.screen_many(pairs)
        best = min(best, time.process_time() - started)
    return len(texts) / best
