from __future__ import annotations

import asyncio
from collections.abc import Sequence

import psycopg
import pytest
from candor_escalation.alerts import Reported
from candor_escalation.domain.signals import rumour_spread
from candor_escalation.gathering import Gatherer
from candor_escalation.handlers.intake import Taken
from candor_kit.errors import Unavailable
from candor_kit.stop import Stop

from .builders import NOON


def reported(name: str) -> Reported:
    return Reported(rumour_spread(name, 1, 1, NOON), name.encode())


class Handler:
    """Takes everything but what is named poison; remembers what came together."""

    def __init__(self, error: Exception | None = None) -> None:
        self.calls: list[tuple[str, int]] = []
        self.error = error

    async def take(self, caller: str, reported: Sequence[Reported]) -> list[Taken]:
        self.calls.append((caller, len(reported)))
        if self.error is not None:
            raise self.error
        if any(one.digest == b"poison" for one in reported):
            raise LookupError
        return [Taken(one.digest.decode()) for one in reported]


async def gathered(handler: Handler, *calls: tuple[str, list[Reported]]) -> list[list[Taken] | BaseException]:
    stop = Stop()
    gatherer = Gatherer(handler.take)
    waiting = [asyncio.create_task(gatherer.put(caller, told)) for caller, told in calls]
    await asyncio.sleep(0)
    running = asyncio.create_task(gatherer.run(stop))
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    stop.set()
    await running
    return answers


async def test_what_waits_together_is_taken_together_and_each_is_told_its_own() -> None:
    handler = Handler()
    answers = await gathered(
        handler, ("a", [reported("1"), reported("2")]), ("b", [reported("3")]), ("a", [reported("4")])
    )

    assert answers == [[Taken("1"), Taken("2")], [Taken("3")], [Taken("4")]]
    assert handler.calls == [("a", 3), ("b", 1)]


async def test_what_goes_wrong_goes_wrong_alone() -> None:
    answers = await gathered(Handler(), ("a", [reported("1")]), ("a", [reported("poison")]), ("a", [reported("2")]))

    assert (answers[0], answers[2]) == ([Taken("1")], [Taken("2")])
    assert isinstance(answers[1], LookupError)


async def test_without_a_database_everybody_is_told_to_come_again() -> None:
    answers = await gathered(Handler(psycopg.OperationalError()), ("a", [reported("1")]), ("b", [reported("2")]))

    assert [type(answer) for answer in answers] == [Unavailable, Unavailable]


async def test_no_more_than_a_bounded_number_waits() -> None:
    gatherer = Gatherer(Handler().take)
    many = [reported(str(number)) for number in range(20_000)]
    waiting = asyncio.create_task(gatherer.put("a", many))
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await gatherer.put("a", [reported("x")])
    stop = Stop()
    stop.set()
    await gatherer.run(stop)
    with pytest.raises(Unavailable):
        await waiting
