"""The real `openai` package: the caller's code is as ever, and what it was shown is on record."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import openai
import pytest
from candor.generation.v1 import model_pb2
from candor.generation.v1.service_pb2 import RecordRequest
from candor_client import Candor, CandorError, Refused
from candor_client.openai import recorded
from openai import AsyncOpenAI, OpenAI

from .models import ANSWER, PIECES, models
from .standin import StandIn

ASKED: list[Any] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [{"type": "text", "text": "Why is the sky blue?"}]},
]
PROMPT = "system: Be brief.\nuser: Why is the sky blue?"
CHAT: dict[str, Any] = {"model": "acme-7b", "messages": ASKED}


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    with models() as url:
        yield url


class Desk:
    """A recorded client, what was recorded by it, and what went wrong."""

    def __init__(self, service: StandIn, folder: Path, base_url: str) -> None:
        self.service = service
        self.errors: list[CandorError] = []
        self.candor = Candor(address=service.address, token="t", spool=folder, on_error=self.errors.append)
        self.plain = OpenAI(base_url=base_url, api_key="k", max_retries=0)
        self.plain_async = AsyncOpenAI(base_url=base_url, api_key="k", max_retries=0)
        named: dict[str, Any] = {"subject": "account-1042", "product": "chat", "locale": "en", "provider": "acme"}
        self.client = recorded(self.plain, self.candor, **named)
        self.client_async = recorded(self.plain_async, self.candor, **named)

    def records(self) -> list[RecordRequest]:
        assert self.candor.flush(10)
        return list(self.service.records.values())

    def outputs(self) -> list[str]:
        assert self.errors == []
        return [request.output for request in self.records()]


@pytest.fixture
async def desk(service: StandIn, tmp_path: Path, base_url: str) -> AsyncIterator[Desk]:
    made = Desk(service, tmp_path, base_url)
    yield made
    made.candor.close()
    made.plain.close()
    await made.plain_async.close()


def test_a_chat_is_as_ever_and_on_record(desk: Desk) -> None:
    answer = desk.client.chat.completions.create(**CHAT)
    assert answer == desk.plain.chat.completions.create(**CHAT)
    (record,) = desk.records()
    assert (record.subject, record.provider, record.model, record.product, record.locale) == (
        "account-1042",
        "acme",
        "acme-7b",
        "chat",
        "en",
    )
    assert (record.prompt, record.output) == (PROMPT, ANSWER)
    assert record.modality == model_pb2.MODALITY_TEXT


async def test_a_chat_of_a_task(desk: Desk) -> None:
    answer = await desk.client_async.chat.completions.create(**CHAT)
    assert answer.choices[0].message.content == ANSWER
    assert desk.outputs() == [ANSWER]


def test_the_client_given_stays_as_it_is_and_the_new_one_is_of_its_class(desk: Desk) -> None:
    desk.plain.chat.completions.create(**CHAT)
    assert desk.outputs() == []
    assert isinstance(desk.client, OpenAI)
    assert isinstance(desk.client.chat.completions, type(desk.plain.chat.completions))


def test_every_choice_is_a_generation_of_its_own(desk: Desk) -> None:
    desk.client.chat.completions.create(**CHAT, n=3)
    assert desk.outputs() == [ANSWER, f"{ANSWER}1", f"{ANSWER}2"]


def test_a_call_of_a_tool_is_an_output(desk: Desk) -> None:
    tool: Any = {"type": "function", "function": {"name": "look"}}
    desk.client.chat.completions.create(**CHAT, tools=[tool])
    assert desk.outputs() == ['[tool_call] look {"at":"sky"}']


def test_a_stream_gives_the_same_chunks_and_is_recorded_at_its_end(desk: Desk) -> None:
    stream = desk.client.chat.completions.create(**CHAT, stream=True)
    assert isinstance(stream, openai.Stream)
    chunks = list(stream)
    assert chunks == list(desk.plain.chat.completions.create(**CHAT, stream=True))
    assert desk.outputs() == [ANSWER]


@pytest.mark.parametrize("how", ["with", "close", "drop", "response"])
def test_a_stream_that_is_ended_early_records_what_was_shown(desk: Desk, how: str) -> None:
    stream = desk.client.chat.completions.create(**CHAT, stream=True)
    if how == "with":
        with stream as entered:
            shown = _some(entered)
    else:
        shown = _some(stream)
    if how == "close":
        stream.close()
    elif how == "response":
        stream.response.close()
    del stream
    if how == "drop":
        gc.collect()
    assert shown == "Air scatters "
    assert desk.outputs() == [shown]


def _some(stream: Any) -> str:
    shown = ""
    for chunk in stream:
        shown += chunk.choices[0].delta.content or ""
        if shown == "Air scatters ":
            break
    return shown


def test_a_stream_that_breaks_records_what_came_and_breaks_as_ever(desk: Desk) -> None:
    broken: dict[str, Any] = {"model": "breaks", "messages": ASKED, "stream": True}
    with pytest.raises(Exception) as plain:  # noqa: PT011 - whatever the package raises, it is to be the same
        list(desk.plain.chat.completions.create(**broken))
    shown: list[str] = []
    chunks = desk.client.chat.completions.create(**broken)
    with pytest.raises(type(plain.value)):
        shown.extend(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert "".join(shown) == "Air scatters "
    assert desk.outputs() == ["Air scatters "]


async def test_a_stream_of_a_task(desk: Desk) -> None:
    stream = await desk.client_async.chat.completions.create(**CHAT, stream=True)
    assert isinstance(stream, openai.AsyncStream)
    said = [chunk.choices[0].delta.content or "" async for chunk in stream]
    assert "".join(said) == ANSWER
    assert desk.outputs() == [ANSWER]


async def test_a_task_that_is_cancelled_in_a_stream_records_what_was_shown(desk: Desk) -> None:
    shown: list[str] = []
    reached = asyncio.Event()

    async def show() -> None:
        async with await desk.client_async.chat.completions.create(**CHAT, stream=True) as stream:
            async for chunk in stream:
                shown.append(chunk.choices[0].delta.content or "")
                if len(shown) == 3:
                    reached.set()
                    await asyncio.Event().wait()

    task = asyncio.create_task(show())
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert desk.outputs() == ["Air scatters "]


def test_the_stream_helper_is_recorded_to_its_end_or_to_where_it_was_left(desk: Desk) -> None:
    with desk.client.chat.completions.stream(**CHAT) as stream:
        stream.until_done()
        assert stream.get_final_completion().choices[0].message.content == ANSWER
    with desk.client.chat.completions.stream(**CHAT) as stream:
        for event in stream:
            if event.type == "content.delta" and event.delta:
                break
    assert desk.outputs() == [ANSWER, PIECES[0]]


async def test_the_stream_helper_of_a_task(desk: Desk) -> None:
    async with desk.client_async.chat.completions.stream(**CHAT) as stream:
        await stream.until_done()
    async with desk.client_async.responses.stream(model="acme-7b", input="Why?") as events:
        await events.until_done()
    assert desk.outputs() == [ANSWER, ANSWER]


def test_parse_and_its_old_name(desk: Desk) -> None:
    desk.client.chat.completions.parse(**CHAT)
    desk.client.beta.chat.completions.parse(**CHAT)
    assert desk.outputs() == [ANSWER, ANSWER]


def test_responses_whole_and_streamed(desk: Desk) -> None:
    whole = desk.client.responses.create(model="acme-7b", input="Why is the sky blue?", instructions="Be brief.")
    assert whole.output_text == ANSWER
    events = list(desk.client.responses.create(model="acme-7b", input=ASKED, stream=True))
    assert events[-1].type == "response.completed"
    with desk.client.responses.stream(model="acme-7b", input="Why?") as stream:
        assert stream.get_final_response().output_text == ANSWER
    shown = ""
    for event in (partial := desk.client.responses.create(model="acme-7b", input="Why?", stream=True)):
        if event.type == "response.output_text.delta":
            shown += event.delta
            break
    partial.close()
    assert desk.outputs() == [ANSWER, ANSWER, ANSWER, shown]
    prompts = [record.prompt for record in desk.records()]
    assert prompts[:2] == ["system: Be brief.\nWhy is the sky blue?", PROMPT]


def test_completions_whole_and_streamed(desk: Desk) -> None:
    desk.client.completions.create(model="acme-7b", prompt="Why?")
    list(desk.client.completions.create(model="acme-7b", prompt="Why?", stream=True))
    assert desk.outputs() == [ANSWER, ANSWER]


def test_raw_answers_are_recorded_too(desk: Desk) -> None:
    raw = desk.client.chat.completions.with_raw_response.create(**CHAT)
    assert raw.headers["content-type"] == "application/json"
    assert raw.parse().choices[0].message.content == ANSWER
    streamed = desk.client.chat.completions.with_raw_response.create(**CHAT, stream=True)
    assert streamed.parse() is streamed.parse()
    assert len(list(streamed.parse())) == len(PIECES) + 2
    desk.client.with_raw_response.chat.completions.create(**CHAT)
    with desk.client.chat.completions.with_streaming_response.create(**CHAT) as response:
        assert response.parse().choices[0].message.content == ANSWER
    assert desk.outputs() == [ANSWER] * 4


async def test_raw_answers_of_tasks(desk: Desk) -> None:
    raw = await desk.client_async.chat.completions.with_raw_response.create(**CHAT)
    assert raw.parse().choices[0].message.content == ANSWER
    async with desk.client_async.chat.completions.with_streaming_response.create(**CHAT) as response:
        assert (await response.parse()).choices[0].message.content == ANSWER
    assert desk.outputs() == [ANSWER] * 2


def test_a_streaming_response_that_is_read_past_the_client_is_told(desk: Desk) -> None:
    with desk.client.chat.completions.with_streaming_response.create(**CHAT) as response:
        assert ANSWER in response.text()
    assert ["not on record" in str(error) for error in desk.errors] == [True]


def test_a_client_with_other_options_is_recorded_too(desk: Desk) -> None:
    desk.client.with_options(timeout=5).chat.completions.create(**CHAT)
    desk.client.copy(timeout=5).with_options(max_retries=1).chat.completions.create(**CHAT)
    assert desk.outputs() == [ANSWER] * 2


def test_a_call_that_fails_fails_as_ever_and_nothing_is_recorded(desk: Desk) -> None:
    with pytest.raises(openai.BadRequestError):
        desk.client.chat.completions.create(model="refuses", messages=ASKED)
    assert desk.outputs() == []


def test_who_is_served_is_asked_at_each_call(desk: Desk) -> None:
    def user(call: Mapping[str, Any]) -> str:
        return str(call["user"])

    client = recorded(desk.plain, desk.candor, subject=user, product=lambda _call: "help", locale="zh-CN")
    client.chat.completions.create(**CHAT, user="account-7")
    (record,) = desk.records()
    assert (record.subject, record.product, record.provider) == ("account-7", "help", "127.0.0.1")


@pytest.mark.parametrize("subject", ["ada@example.com", lambda call: call["user"]])
def test_what_cannot_be_recorded_never_breaks_the_call(desk: Desk, subject: Any) -> None:
    client = recorded(desk.plain, desk.candor, subject=subject, product="chat", locale="en")
    assert client.chat.completions.create(**CHAT).choices[0].message.content == ANSWER
    assert len(list(client.chat.completions.create(**CHAT, stream=True))) == len(PIECES) + 2
    assert len(desk.errors) == 2
    assert all("ada" not in str(error) for error in desk.errors)
    if isinstance(subject, str):
        assert isinstance(desk.errors[0], Refused)


def test_while_candor_is_away_the_call_is_as_fast_and_the_record_follows(desk: Desk) -> None:
    desk.service.stop()
    for _ in range(5):
        desk.client.chat.completions.create(**CHAT)
    desk.service.start()
    assert [record.output for record in desk.records()] == [ANSWER] * 5


def test_a_client_that_only_looks_like_openai_s_will_do(desk: Desk) -> None:
    def create(**_call: Any) -> dict[str, Any]:
        return {"model": "@cf/acme-7b", "choices": [{"index": 0, "message": {"content": "plain\0\ud800 dicts"}}]}

    like = SimpleNamespace(chat=SimpleNamespace(completions=SimpleNamespace(create=create)))
    client = recorded(like, desk.candor, subject="s", product="chat", locale="en", provider="acme")
    client.chat.completions.create(**CHAT)
    (record,) = desk.records()
    assert (record.model, record.output) == ("cf/acme-7b", "plain\ufffd\ufffd dicts")


def test_texts_that_are_too_long_are_cut_and_say_so(desk: Desk) -> None:
    def create(**_call: Any) -> dict[str, Any]:
        return {"choices": [{"index": 0, "message": {"content": "蓝" * 200_000}}]}

    like = SimpleNamespace(chat=SimpleNamespace(completions=SimpleNamespace(create=create)))
    client = recorded(like, desk.candor, subject="s", product="chat", locale="zh", provider="acme")
    client.chat.completions.create(model="acme-7b", messages=[{"role": "user", "content": "问" * 100_000}])
    (record,) = desk.records()
    assert len(record.output.encode()) <= 524_288
    assert record.output.endswith("[600000 bytes; the rest is left out]")
    assert len(record.prompt.encode()) <= 262_144
    assert record.prompt.startswith("[300006 bytes; the rest is left out]\n问")


def test_what_cannot_be_wrapped_is_said_at_once(desk: Desk, service: StandIn) -> None:
    named: dict[str, Any] = {"subject": "s", "product": "chat", "locale": "en"}
    with Candor(address=service.address) as bare, pytest.raises(ValueError, match="spool="):
        recorded(desk.plain, bare, **named)
    with pytest.raises(ValueError, match="provider="):
        recorded(SimpleNamespace(), desk.candor, **named)
