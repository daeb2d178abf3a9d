"""The screening RPCs, and the library that a process holds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from candor.generation.v1 import model_pb2
from candor.generation.v1.screening_pb2 import (
    Pdq,
    ScreenImageRequest,
    ScreenRequest,
    ScreenStreamRequest,
    ScreenStreamResponse,
)
from candor_generation.domain.feature import Feature, Kind, Mode, State, library_digest
from candor_generation.domain.generation import Decision
from candor_generation.domain.refusal import Refused
from candor_generation.handlers import screener as screener_module
from candor_generation.handlers.screener import Library, Screener
from candor_generation.handlers.screening import Screening
from candor_generation.matcher import Matcher
from candor_kit.query import Query
from candor_kit.transaction import Caller

pytestmark = pytest.mark.clause("Deep Synthesis 10")
NOW = datetime(2026, 11, 22, tzinfo=UTC)
NOBODY = cast("Any", None)
QUERY = Query(NOBODY, NOW, Caller("backend"))


def feature(feature_id: str, value: str, kind: Kind = Kind.TERM) -> Feature:
    return Feature(
        feature_id,
        kind,
        value,
        "category",
        Decision.BLOCK,
        "clause",
        State.ADMITTED,
        "alice",
        "bob",
        NOW,
        mode=Mode.ACTIVE,
    )


FEATURES = [feature("a", "敏感词"), feature("b", r"\d{4}", Kind.PATTERN), feature("c", "0f" * 32, Kind.IMAGE_HASH)]


@dataclass
class Stored:
    """A library as the database has it."""

    features: Sequence[Feature]
    version: int = 1
    digest: bytes = b""

    async def in_force(self, _connection: object) -> tuple[int, bytes]:
        return self.version, self.digest or library_digest(self.features)

    async def admitted(self, _connection: object, _known: object) -> Sequence[Feature]:
        return self.features


def stored(monkeypatch: pytest.MonkeyPatch, features: Sequence[Feature]) -> Stored:
    made = Stored(features)
    monkeypatch.setattr(screener_module, "library", made)
    return made


async def screening(monkeypatch: pytest.MonkeyPatch) -> Screening:
    stored(monkeypatch, FEATURES)
    held = Screener()
    await held.look(NOBODY)
    return Screening(held)


async def test_a_text_is_screened_and_the_answer_names_span_and_library(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = await (await screening(monkeypatch)).screen(QUERY, ScreenRequest(prompt="敏*感*词", output="您好"))
    assert answer.verdict.decision == model_pb2.DECISION_BLOCK
    assert answer.verdict.library_digest == library_digest(FEATURES)
    assert answer.library_version == 1
    assert list(answer.verdict.hits) == [
        model_pb2.Hit(feature_id="a", category="category", in_prompt=True, start=0, end=5)
    ]


@dataclass
class Conversation:
    """What a handler of a stream sees of it."""

    now: datetime = NOW


async def streamed(handler: Screening, *chunks: str, in_prompt: bool = False) -> list[ScreenStreamResponse]:
    async def requests() -> AsyncIterator[ScreenStreamRequest]:
        for chunk in chunks:
            yield ScreenStreamRequest(chunk=chunk, in_prompt=in_prompt)

    return [answer async for answer in handler.screen_stream(cast("Any", Conversation()), requests())]


async def test_a_term_cut_in_two_is_found_in_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    handler = await screening(monkeypatch)
    answers = await streamed(handler, "你好，敏", "感", "词吗", "？12", "34", in_prompt=True)
    told = [(item.verdict.decision, item.clear_until, item.final) for item in answers]
    allow, block = model_pb2.DECISION_ALLOW, model_pb2.DECISION_BLOCK
    assert told == [
        (allow, 3, False),
        (allow, 3, False),
        (block, 7, False),
        (block, 10, False),
        (block, 12, False),
        (block, 12, True),
    ]
    whole = await handler.screen(QUERY, ScreenRequest(prompt="你好，敏感词吗？1234"))
    assert answers[-1].verdict == whole.verdict
    assert [(hit.feature_id, hit.start, hit.end) for hit in whole.verdict.hits] == [("a", 3, 6), ("b", 8, 12)]


async def test_an_empty_stream_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    (answer,) = await streamed(await screening(monkeypatch))
    assert (answer.verdict.decision, answer.final) == (model_pb2.DECISION_ALLOW, True)


async def test_an_image_is_screened_by_its_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    handler = await screening(monkeypatch)
    answer = await handler.screen_image(QUERY, ScreenImageRequest(pdq=Pdq(hash="0f" * 31 + "0e", quality=80)))
    assert answer.verdict.decision == model_pb2.DECISION_BLOCK
    with pytest.raises(Refused) as refused:
        await handler.screen_image(QUERY, ScreenImageRequest(image=b"no image"))
    assert refused.value.reason == "IMAGE_INVALID"


async def test_a_changed_library_is_taken_with_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    database = stored(monkeypatch, FEATURES[:1])
    held = Screener()
    await held.look(NOBODY)
    first = held.library
    await held.look(NOBODY)
    assert held.library.matcher is first.matcher
    database.features, database.version = FEATURES, 2
    await held.look(NOBODY)
    assert (held.library.version, held.library.matcher.digest) == (2, library_digest(FEATURES))
    database.version = 3
    await held.look(NOBODY)
    assert held.library.version == 3


async def test_a_library_that_does_not_compile_never_replaces_the_one_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    database = stored(monkeypatch, FEATURES)
    held = Screener()
    await held.look(NOBODY)
    before = held.library
    for wrong in (feature("x", "("), feature("y", "短", Kind.NEAR_TEXT)):
        database.features = [replace(wrong, kind=Kind.PATTERN) if wrong.value == "(" else wrong]
        for _ in range(2):
            await held.look(NOBODY)
            assert held.library == before
    database.features, database.version = FEATURES[:1], 4
    await held.look(NOBODY)
    assert held.library.version == 4


async def test_the_old_library_serves_while_the_new_one_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    database = stored(monkeypatch, FEATURES[:1])
    held = Screener()
    await held.look(NOBODY)
    before, may_end, begun = held.library, asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow(features: Sequence[Feature], before: Matcher) -> Matcher:
        loop.call_soon_threadsafe(begun.set)
        asyncio.run_coroutine_threadsafe(may_end.wait(), loop).result()
        return Matcher(features, before)

    monkeypatch.setattr(screener_module, "Matcher", slow)
    monkeypatch.setattr(screener_module, "_PATIENCE_SECONDS", 0.0)
    database.features, database.version = FEATURES, 2
    await held.look(NOBODY)
    await begun.wait()
    assert held.library == before
    may_end.set()
    monkeypatch.setattr(screener_module, "_PATIENCE_SECONDS", 30.0)
    await held.look(NOBODY)
    assert held.library == Library(2, held.library.matcher)
    assert held.library.matcher.digest == library_digest(FEATURES)
