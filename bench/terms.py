"""A feature library of the size that is asked for, in force in the generation service's database."""

from __future__ import annotations

import asyncio
import gzip
import json
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from candor_generation.domain.feature import Feature, Kind, Mode, State, feature_digest
from candor_generation.domain.generation import Decision
from candor_generation.store import library
from psycopg import AsyncConnection
from psycopg.rows import dict_row

from bench.plan import data
from bench.texts import Text

COMMON = (
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去"
    "法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点"
)
_LENGTHS = (3, 4, 4, 4, 5, 5, 6, 7, 8)
# One term in so many stands in one of the texts: a library that is never found would measure less.
_FOUND = 1000


def feature(word: str) -> Feature:
    """An admitted term that decides."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return Feature(
        word, Kind.TERM, word, "category", Decision.REVIEW, "clause", State.ADMITTED, "a", "b", now, mode=Mode.ACTIVE
    )


def posts() -> str:
    """Chinese text that words may be taken from: what people wrote under posts, or made of common characters."""
    path = data("rumors.jsonl.gz")
    if path is None:
        return "".join(random.Random(2).choices(COMMON, k=2_000_000))  # noqa: S311 - the same in every run
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return "".join(repost[2] for line in lines for repost in json.loads(line)["spread"])


def words(count: int, texts: Sequence[Text]) -> list[str]:
    """Different stretches of 3 to 8 Chinese characters; one in a thousand stands in one of the texts, no other in any.

    So about one record in a hundred or fewer is flagged, and each by a term that is as rare as the flood guard expects.
    """
    chance = random.Random(1)  # noqa: S311 - the same words in every run
    there = Counter(gram for text in texts for gram in set(_grams(text.prompt)) | set(_grams(text.output)))
    rare = sorted(gram for gram, times in there.items() if times == 1)
    found = set(chance.sample(rare, min(len(rare), count // _FOUND)))
    other = posts()
    while len(found) < count:
        start = chance.randrange(len(other) - 8)
        word = other[start : start + chance.choice(_LENGTHS)]
        if _is_chinese(word) and word[:3] not in there:
            found.add(word)
    return sorted(found)


def _grams(text: str) -> Iterable[str]:
    return (text[at : at + 3] for at in range(len(text) - 2) if _is_chinese(text[at : at + 3]))


def _is_chinese(text: str) -> bool:
    return all("\u4e00" <= character <= "\u9fff" for character in text)


def admit(database_url: str, values: Sequence[str]) -> None:
    """Put terms into the library and let it be in force; the procedure that leads there is not what is measured."""
    asyncio.run(_admit(database_url, [feature(value) for value in values]))


async def _admit(database_url: str, features: Sequence[Feature]) -> None:
    async with await AsyncConnection.connect(database_url, row_factory=dict_row) as connection:
        await library.lock(connection)
        statement = (
            "COPY feature (feature_id, kind, value, category, decision, citation, state, proposed_by, admitted_by,"
            " changed_at, mode, mode_since, digest) FROM STDIN"
        )
        async with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for item in features:
                row = (
                    *(item.feature_id, item.kind.value, item.value, item.category, item.decision.name, item.citation),
                    *(item.state.value, item.proposed_by, item.admitted_by, item.changed_at, item.mode.value),
                    *(item.changed_at, feature_digest(item)),
                )
                await copy.write_row(row)
        await library.renew(connection, [item.feature_id for item in features], datetime.now(UTC))
