"""What is recorded: real prompts and outputs where they lie beside the repository, else sentences of our own."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from candor_generation import corpus

from bench.plan import data

_PROMPT_BYTES = 300
_TEXT_BYTES = 1400
_LOCALE = {"zh": "zh-CN", "en": "en"}


@dataclass(frozen=True)
class Text:
    """One generation's texts, together about 1.4 KB of UTF-8, with its locale."""

    prompt: str
    output: str
    locale: str


def texts() -> tuple[list[Text], str]:
    """The texts, all different, and what they are."""
    path = data("generations.jsonl.gz")
    if path is None:
        return list(_of_our_own()), "ordinary sentences of the built-in benign corpus"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        found = list(_fitted((row["prompt"], row["output"], row["locale"]) for row in map(json.loads, lines)))
    return found, f"{len(found)} real prompts and outputs of language models, English and Chinese"


def _of_our_own() -> Iterator[Text]:
    sentences = corpus.load(None).texts
    chance = random.Random(1)  # noqa: S311 - the same texts in every run
    for _ in range(500):
        yield from _fitted([(chance.choice(sentences), " ".join(chance.choices(sentences, k=40)), "zh")])


def _fitted(given: Iterable[tuple[str, str, str]]) -> Iterator[Text]:
    """Short outputs are told again, long ones cut, so that every record has about the same size."""
    for prompt, output, locale in given:
        asked = _cut(prompt, _PROMPT_BYTES)
        size = _TEXT_BYTES - len(asked.encode())
        times = size // max(1, len(output.encode())) + 1
        yield Text(asked, _cut(" ".join([output or "-"] * times), size), _LOCALE["zh" if "zh" in locale else "en"])


def _cut(text: str, size: int) -> str:
    return text.encode()[:size].decode(errors="ignore")
