"""Live pages: one question for all who look on, and streams that end when they should."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import grpc
import pytest
from candor.escalation.v1 import act_pb2 as act
from candor.escalation.v1 import model_pb2 as model
from candor.escalation.v1 import service_pb2 as escalation
from candor_console import live as live_module
from candor_console.live import Live
from candor_console.pages.live import looking
from candor_kit.errors import Refusal, Unavailable

EXPIRED = Refusal("TOKEN_EXPIRED", "", domain="x", status=grpc.StatusCode.UNAUTHENTICATED)


class Sight:
    """What there is to see, and with whose token it was looked at."""

    def __init__(self, *seen: str | Exception) -> None:
        self.seen = list(seen)
        self.asked: list[str] = []

    async def look(self, bearer: str) -> str:
        self.asked.append(bearer)
        now = self.seen[0] if len(self.seen) == 1 else self.seen.pop(0)
        if isinstance(now, Exception):
            raise now
        return now


async def take(events: AsyncIterator[str], count: int) -> list[str]:
    """The next events, without beats and the first line."""
    found: list[str] = []
    async with asyncio.timeout(5):
        async for event in events:
            if event.startswith("event:"):
                found.append(event)
            if len(found) == count:
                break
    return found


async def until(fits: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not fits():  # noqa: ASYNC110 - a task of the code under test decides
            await asyncio.sleep(0.001)


async def test_a_change_is_told_once_and_what_stays_is_not() -> None:
    sight = Sight("a", "a", "a", "b")
    events = Live(sight.look, every=0.001).events("s", "token", 60)
    assert await take(events, 2) == ["event: version\ndata: a\n\n", "event: version\ndata: b\n\n"]


async def test_one_question_serves_everybody() -> None:
    sight = Sight("a")
    live = Live(sight.look, every=0.05)
    streams = [live.events(f"s{number}", f"token {number}", 60) for number in range(50)]
    assert [await take(stream, 1) for stream in streams] == [["event: version\ndata: a\n\n"]] * 50
    assert len(sight.asked) < 10


async def test_a_service_that_is_away_is_told_and_its_return_too() -> None:
    sight = Sight("a", Unavailable("escalation"), "a")
    events = Live(sight.look, every=0.001).events("s", "token", 60)
    assert await take(events, 3) == [
        "event: version\ndata: a\n\n",
        "event: away\ndata: escalation\n\n",
        "event: version\ndata: a\n\n",
    ]


async def test_signing_out_ends_the_streams_of_that_session_only() -> None:
    live = Live(Sight("a").look, every=0.01)
    mine, yours = live.events("mine", "t", 60), live.events("yours", "t", 60)
    await take(mine, 1)
    await take(yours, 1)
    live.end("mine")
    async with asyncio.timeout(5):
        assert [event async for event in mine] == []
    assert live.onlookers == 1


async def test_a_stream_lasts_no_longer_than_the_session() -> None:
    live = Live(Sight("a").look, every=0.01)
    async with asyncio.timeout(5):
        told = [event async for event in live.events("s", "t", 0.05) if event.startswith("event:")]
    assert told == ["event: version\ndata: a\n\n"]
    assert live.onlookers == 0


async def test_stopping_ends_every_stream_and_takes_no_more() -> None:
    live = Live(Sight("a").look, every=0.01)
    stream = live.events("s", "t", 60)
    await take(stream, 1)
    live.close()
    async with asyncio.timeout(5):
        assert [event async for event in stream] == []
        assert [event async for event in live.events("s", "t", 60)] == []


async def test_a_token_that_ran_out_ends_its_own_stream_and_the_others_go_on() -> None:
    async def look(bearer: str) -> str:
        if bearer == "old":
            raise EXPIRED
        return "a"

    live = Live(look, every=0.001)
    fresh, old = live.events("s", "new", 60), live.events("s", "old", 60)
    waiting = asyncio.create_task(take(fresh, 1))
    async with asyncio.timeout(5):
        await until(lambda: live.onlookers == 1)
        assert [event async for event in old if event.startswith("event:")] in ([], ["event: version\ndata: a\n\n"])
    assert await waiting == ["event: version\ndata: a\n\n"]


async def test_nobody_looking_on_asks_nothing_and_a_fault_ends_the_streams() -> None:
    sight = Sight("a", RuntimeError("a fault"), "a")
    live = Live(sight.look, every=0.001)
    stream = live.events("s", "t", 60)
    async with asyncio.timeout(5):
        assert [event async for event in stream if event.startswith("event:")] == ["event: version\ndata: a\n\n"]
    asked = len(sight.asked)
    await asyncio.sleep(0.02)
    assert len(sight.asked) == asked
    assert await take(live.events("s", "t", 60), 1) == ["event: version\ndata: a\n\n"]


async def test_a_quiet_stream_says_that_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_module, "BEAT_SECONDS", 0.01)
    stream = Live(Sight("a").look, every=0.01).events("s", "t", 60)
    async with asyncio.timeout(5):
        assert ": still here\n\n" in [await anext(stream) for _ in range(4)]


@pytest.mark.parametrize("change", ["clock", "incident", "act"])
async def test_whatever_happens_in_escalation_is_another_version(desk: Any, change: str) -> None:
    desk.calls.answers["ListClocks"] = escalation.ListClocksResponse()
    desk.calls.answers["ListIncidents"] = escalation.ListIncidentsResponse()
    desk.calls.answers["ListLatestActs"] = act.ListLatestActsResponse()
    look: Callable[[str], Awaitable[str]] = looking(desk.calls)
    before = await look("t")
    assert await look("t") == before
    desk.calls.answers.update(
        {
            "clock": {"ListClocks": escalation.ListClocksResponse(clocks=[model.Clock(clock_id="1")])},
            "incident": {"ListIncidents": escalation.ListIncidentsResponse(incidents=[model.Incident(signals=2)])},
            "act": {"ListLatestActs": act.ListLatestActsResponse(acts=[act.IncidentAct(fact_id="1")])},
        }[change]
    )
    assert await look("t") != before


async def test_an_escalation_service_of_before_acts_is_looked_at_all_the_same(desk: Any) -> None:
    desk.calls.answers["ListClocks"] = escalation.ListClocksResponse()
    desk.calls.answers["ListIncidents"] = escalation.ListIncidentsResponse()
    assert await looking(desk.calls)("t")


def test_who_is_not_signed_in_gets_no_stream_and_no_page_instead(desk: Any) -> None:
    answer = desk.get("/live", Accept="text/event-stream")
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


def test_a_page_that_asks_by_itself_keeps_no_session_alive(desk: Any) -> None:
    desk.calls.answers["ListClocks"] = escalation.ListClocksResponse()
    desk.calls.answers["ListIncidents"] = escalation.ListIncidentsResponse()
    desk.sit_down("on_call")
    desk.clock.at += timedelta(minutes=30)
    asked_by_itself = desk.get("/on-call", **{"X-Candor-Live": "1"})
    assert asked_by_itself.status_code == 200
    assert "set-cookie" not in asked_by_itself.headers
    assert "set-cookie" in desk.get("/on-call").headers


def test_signing_out_ends_the_live_pages(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []
    monkeypatch.setattr(desk.console.live, "end", ended.append)
    session = desk.sit_down("on_call")
    assert desk.post("/sign-out", {"csrf": session.csrf}).status_code == 303
    assert ended == [session.csrf]
