"""Recall and false alarms on real rumours where CANDOR_TEST_DATA names them, on sentences of our own otherwise."""

from __future__ import annotations

import gzip
import json
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from candor_refutation.domain.claim import admit
from candor_refutation.domain.matching import Band, ClaimIndex, RefutedClaim
from candor_refutation.domain.refusal import Refused
from candor_refutation.domain.text import normalise

from .samples import CLAIMS, ORDINARY

TRUTH = "经有关部门核实，该消息与事实不符，请勿相信和传播"
pytestmark = pytest.mark.clause("Deep Synthesis 11")
Mutation = Callable[[str, random.Random], str]


@dataclass(frozen=True)
class Corpus:
    claims: tuple[RefutedClaim, ...]
    ordinary: tuple[str, ...]


@pytest.fixture(scope="module")
def corpus(test_data: Path | None) -> Corpus:
    if test_data is None:
        return Corpus(CLAIMS, ORDINARY)
    posts = _lines(test_data / "rumors.jsonl.gz")
    outputs = [line["output"] for line in _lines(test_data / "generations.jsonl.gz")]
    ordinary = [post["text"] for post in posts if not post["rumor"]] + outputs[:1000] + outputs[-600:]
    return Corpus(_distinct(post["text"] for post in posts if post["rumor"]), tuple(ordinary))


def _lines(file: Path) -> list[dict[str, Any]]:
    with gzip.open(file) as lines:
        return [json.loads(line) for line in lines]


def _distinct(texts: Iterable[str]) -> tuple[RefutedClaim, ...]:
    claims: dict[bytes, RefutedClaim] = {}
    for text in texts:
        try:
            claims.setdefault(admit(text), RefutedClaim(str(len(claims)), text, TRUTH))
        except Refused:
            continue
    return tuple(claims.values())


def _copy(text: str, _random: random.Random) -> str:
    return text


def _forwarded(text: str, _random: random.Random) -> str:
    return f"大家都看看 {text} 求扩散 http://t.cn/abcd @小明 "


def _embedded(text: str, random_: random.Random) -> str:
    return f"{random_.choice(ORDINARY)}\n{text}\n{random_.choice(ORDINARY)}"


def _dressed(text: str, _random: random.Random) -> str:
    return (
        " \u200b".join(text.split(" "))
        if text.isascii()
        else "，".join(text[at : at + 4] for at in range(0, len(text), 4))
    )


def _truncated(text: str, _random: random.Random) -> str:
    return text[: len(text) * 3 // 5]


def _digits_changed(text: str, random_: random.Random) -> str:
    return "".join(str((int(c) + random_.randint(1, 8)) % 10) if c in "0123456789" else c for c in text)


@pytest.mark.parametrize(
    ("mutation", "found", "automatic"),
    [
        (_copy, 1.0, 1.0),
        (_forwarded, 1.0, 0.9),
        (_dressed, 0.99, 0.9),
        (_embedded, 0.99, 0.8),
        (_truncated, 0.99, 0.0),
    ],
)
def test_a_rumour_is_found_however_it_is_passed_on(
    corpus: Corpus, mutation: Mutation, found: float, automatic: float
) -> None:
    index, seed = ClaimIndex(corpus.claims), random.Random(11)  # noqa: S311 - to repeat it
    bands = [_band(index, claim, mutation(claim.text, seed)) for claim in corpus.claims]

    assert sum(band is not None for band in bands) >= found * len(bands)
    assert sum(band is Band.AUTOMATIC for band in bands) >= automatic * len(bands)


def test_a_rumour_with_other_numbers_is_hardly_ever_decided_automatically(corpus: Corpus) -> None:
    index, seed = ClaimIndex(corpus.claims), random.Random(11)  # noqa: S311 - to repeat it
    numbered = [claim for claim in corpus.claims if any(c.isdigit() for c in normalise(claim.text).characters)]
    bands = [_band(index, claim, _digits_changed(claim.text, seed)) for claim in numbered]

    assert sum(band is Band.AUTOMATIC for band in bands) <= 0.06 * len(bands)


def test_a_debunk_that_quotes_the_rumour_is_no_match(corpus: Corpus) -> None:
    index = ClaimIndex(corpus.claims)
    debunks = [f"【辟谣】网传“{claim.text}”。{claim.explanation}" for claim in corpus.claims]

    assert not any(_band(index, claim, text) for claim, text in zip(corpus.claims, debunks, strict=True))


def test_ordinary_texts_are_hardly_ever_matched_and_never_automatically(corpus: Corpus) -> None:
    index = ClaimIndex(corpus.claims)
    matches = [match for text in corpus.ordinary for match in index.match(text)]

    assert len(matches) <= 0.002 * len(corpus.ordinary)
    assert all(match.band is Band.REVIEW for match in matches)


def test_the_index_beats_comparing_with_every_claim(corpus: Corpus) -> None:
    """The peer: intersecting a text's grams with those of every claim. A ratio, because rates differ per machine."""
    copies = corpus.claims * (200 // len(corpus.claims) + 1)
    claims = [RefutedClaim(str(number), claim.text, claim.explanation) for number, claim in enumerate(copies)]
    if len(corpus.claims) == len(CLAIMS):
        claims = [RefutedClaim(str(n), f"{n} {claim.text}", claim.explanation) for n, claim in enumerate(copies)]
    every = [frozenset(_grams(claim.text)) for claim in claims]
    index = ClaimIndex(claims)

    def scan(text: str) -> None:
        grams = frozenset(_grams(text))
        assert sum(len(grams & held) >= 0.2 * len(held) for held in every) < len(every)

    assert _seconds(scan, corpus.ordinary[:100]) > 3 * _seconds(index.match, corpus.ordinary[:100])


def _grams(text: str) -> list[str]:
    characters = normalise(text).characters
    return [characters[at : at + 4] for at in range(len(characters) - 3)]


def _seconds(work: Callable[[str], object], texts: tuple[str, ...]) -> float:
    start = time.process_time()
    for text in texts:
        work(text)
    return time.process_time() - start


def _band(index: ClaimIndex, claim: RefutedClaim, text: str) -> Band | None:
    return next((match.band for match in index.match(text) if match.claim_id == claim.claim_id), None)
