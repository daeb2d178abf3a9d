# ruff: noqa: INP001 - scripts, not a package
"""Screening against the bare matching library: 50,000 terms, texts of 1 KB, one call a text, in this process.

Ours folds, squeezes, looks, decides and answers with a verdict; the peer (ahocorasick_rs) only looks for the same words
in the same texts as they are. Both are measured in CPU time, in turns. Prints one line of JSON.

    python bench/screen.py [posts.jsonl.gz]

The texts are real posts where a file of them is given or lies in ../shared/data, else made of common characters.
"""

from __future__ import annotations

import gzip
import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from ahocorasick_rs import AhoCorasick, Implementation
from candor_generation.domain.feature import Feature, Kind, Mode, State
from candor_generation.domain.generation import Decision
from candor_generation.matcher import Matcher

POSTS = Path(__file__).parents[2] / "shared" / "data" / "rumors.jsonl.gz"
TERMS = 50_000
TEXTS = 400
CHARACTERS = 340
ROUNDS = 5
COMMON = (
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去"
    "法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点"
)


def main() -> None:
    """Measure and print."""
    chance = random.Random(1)  # noqa: S311 - the same words in every run
    searched, other = _texts(Path(sys.argv[1]) if len(sys.argv) > 1 else POSTS, chance)
    texts = [searched[start : start + CHARACTERS] for start in range(0, len(searched), CHARACTERS)]
    words = _words(other, searched, chance)
    matcher = Matcher(map(_feature, words))
    bare = AhoCorasick(words, implementation=Implementation.ContiguousNFA)
    ours, peer, slowest = _measure(
        texts, lambda one: matcher.screen("", one), lambda one: bare.find_matches_as_indexes(one, overlapping=True)
    )
    print(  # noqa: T201 - what it is for
        json.dumps(
            {
                "name": "generation.screen.vs_bare_matcher",
                "value": round(ours),
                "unit": "texts/s",
                "peer": round(peer),
                "ratio": round(ours / peer, 3),
                "p99_ms": round(slowest * 1000, 3),
                "terms": len(words),
                "batched": round(_batched(matcher, texts)),
                "flagged": sum(item.decision is not Decision.ALLOW for item in matcher.screen_many(_pairs(texts))),
            }
        )
    )


def _texts(path: Path, chance: random.Random) -> tuple[str, str]:
    """What is searched, and where the words are taken from: posts, and what people wrote under them."""
    needed = TEXTS * CHARACTERS
    if not path.exists():
        made = "".join(chance.choices(COMMON, k=4 * needed))
        return made[:needed], made[needed:]
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        posts = [json.loads(line) for line in lines]
    searched = "".join(post["text"] for post in posts)[:needed]
    return searched, "".join(repost[2] for post in posts for repost in post["spread"])


def _words(other: str, searched: str, chance: random.Random) -> list[str]:
    """Stretches of 3 to 8 Chinese characters: one in a thousand from what is searched, the others not in it.

    A library whose terms stand in every text would not have been admitted; one that is never found would measure less.
    """
    words: set[str] = set()
    while len(words) < TERMS:
        there = len(words) % 1000 == 0
        text = searched if there else other
        start = chance.randrange(len(text) - 8)
        word = text[start : start + chance.choice((3, 4, 4, 4, 5, 5, 6, 7, 8))]
        if all("\u4e00" <= character <= "\u9fff" for character in word) and (word in searched) is there:
            words.add(word)
    return sorted(words)


def _feature(word: str) -> Feature:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return Feature(
        word, Kind.TERM, word, "category", Decision.REVIEW, "clause", State.ADMITTED, "a", "b", now, mode=Mode.ACTIVE
    )


def _measure(
    texts: Sequence[str], ours: Callable[[str], object], peer: Callable[[str], object]
) -> tuple[float, float, float]:
    """Texts a second of either, in the best of several rounds, and the time that 99 of 100 of our calls stay within."""
    best = [float("inf"), float("inf")]
    calls: list[float] = []
    for _ in range(ROUNDS):
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
    for _ in range(ROUNDS):
        started = time.process_time()
        matcher.screen_many(pairs)
        best = min(best, time.process_time() - started)
    return len(texts) / best


if __name__ == "__main__":
    main()
