"""Reports that come in at the same time are taken together: a storm of them is a few transactions, not thousands."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from candor_kit import log
from candor_kit.database import TRY_AGAIN, is_away
from candor_kit.errors import Unavailable
from candor_kit.stop import Stop, Wake

from candor_escalation.alerts import Reported
from candor_escalation.handlers.intake import Taken

_MOST_AT_ONCE = 2_000
_MOST_WAITING = 20_000
_LOG = log.get(__name__)

Take = Callable[[str, Sequence[Reported]], Awaitable[list[Taken]]]
"""Takes the reports of one caller in one transaction."""


@dataclass(frozen=True, eq=False)
class _Call:
    caller: str
    reported: Sequence[Reported]
    answer: "asyncio.Future[list[Taken]]"


class Gatherer:
    """Takes what is waiting, in the order it came, one transaction per caller. It answers when it is committed."""

    def __init__(self, take: Take) -> None:
        self._take = take
        self._waiting: list[_Call] = []
        self._wake = Wake()
        self._stopped = False

    async def put(self, caller: str, reported: Sequence[Reported]) -> list[Taken]:
        """Hand over reports and wait until they are taken.

        Raises:
            Unavailable: too many wait, or the database does not answer; nothing was taken.
        """
        if self._stopped or sum(len(call.reported) for call in self._waiting) >= _MOST_WAITING:
            raise Unavailable("a place for another signal")
        if not reported:
            return []
        call = _Call(caller, reported, asyncio.get_running_loop().create_future())
        self._waiting.append(call)
        self._wake.set()
        return await call.answer

    async def run(self, stop: Stop) -> None:
        """Take until the service stops; whoever waits then is told to come again."""
        while not stop.is_set():
            while calls := self._next():
                await self._together(calls)
            await self._wake.wait(60.0, stop)
        self._stopped = True
        for call in self._waiting:
            _fail(call, Unavailable("the service, which is stopping,"))

    def _next(self) -> list[_Call]:
        """The calls of the caller whose turn it is, up to a transaction's worth."""
        chosen: list[_Call] = []
        size = 0
        for call in self._waiting:
            if chosen and (call.caller != chosen[0].caller or size + len(call.reported) > _MOST_AT_ONCE):
                continue
            chosen.append(call)
            size += len(call.reported)
        self._waiting = [call for call in self._waiting if call not in chosen]
        return chosen

    async def _together(self, calls: list[_Call]) -> None:
        try:
            taken = iter(await self._take(calls[0].caller, [one for call in calls for one in call.reported]))
        except Exception as error:  # noqa: BLE001 - handed to whoever waits
            await self._failed(calls, error)
            return
        for call in calls:
            told = [next(taken) for _ in call.reported]
            if not call.answer.done():
                call.answer.set_result(told)

    async def _failed(self, calls: list[_Call], error: Exception) -> None:
        """Tell the error; where one of several calls may be its cause, take each by itself."""
        if is_away(error) or isinstance(error, TRY_AGAIN):
            for call in calls:
                _fail(call, Unavailable("the database"))
        elif len(calls) > 1:
            for call in calls:
                await self._together([call])
        else:
            _LOG.error("signals could not be taken", caller=calls[0].caller, exc_info=error)
            _fail(calls[0], error)


def _fail(call: _Call, error: Exception) -> None:
    if not call.answer.done():
        call.answer.set_exception(error)
