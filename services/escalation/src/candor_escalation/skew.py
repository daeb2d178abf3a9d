"""The loop that holds this machine's clock against the database's and the generation service's.

What falls due is decided by the database's clock, so a wrong clock here delays and doubles nothing; but tokens, links
and what is shown do depend on it, and a wrong clock there would move every deadline. So a difference is an alarm.
"""

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx
from candor_kit import log, metrics
from candor_kit.clock import Clock
from candor_kit.database import AWAY
from candor_kit.service import Service
from candor_kit.stop import Stop

from candor_escalation import store

_LOG = log.get(__name__)
_SKEW = metrics.gauge("clock_skew_seconds", "How far another clock is ahead of this machine's.", ("source",))
_ALARM = metrics.gauge("clock_skew_alarm", "1 while a clock differs by more than is allowed.", ("source",))


def skew(before: datetime, other: datetime, after: datetime) -> float:
    """How many seconds another clock is ahead, asked between two looks at ours: at least so much, towards zero.

    What the asking took cannot be told from a difference, and is not taken for one.
    """
    if other > after:
        return (other - after).total_seconds()
    if other < before:
        return (other - before).total_seconds()
    return 0.0


DATABASE, GENERATION = "database", "generation"
_PATIENCE_SECONDS = 5.0
_WHOLE_SECOND = timedelta(seconds=1)


class SkewAlarm:
    """Looks every ``seconds``; alarms beyond ``limit`` seconds. ``generation``: that service's HTTP address."""

    def __init__(self, service: Service, clock: Clock, generation: str, limit: float, seconds: float) -> None:
        self._service = service
        self._clock = clock
        self._generation = generation
        self._limit = limit
        self._seconds = seconds
        self._alarmed: set[str] = set()

    async def run(self, stop: Stop) -> None:
        """Look until the service stops."""
        async with httpx.AsyncClient(timeout=_PATIENCE_SECONDS, trust_env=False) as client:
            while not stop.is_set():
                try:
                    self.judge(DATABASE, await self.measure())
                except AWAY as error:
                    _LOG.warning("waiting for the database", part="skew", type=type(error).__name__)
                told = await self.ask(client)
                if told is not None:
                    self.judge(GENERATION, told)
                await stop.wait(self._seconds)

    async def ask(self, client: httpx.AsyncClient) -> float | None:
        """How far the clock is ahead by which outputs are dated; None while that service does not say.

        It says whole seconds (RFC 9110, Date), so up to one of them is no difference.
        """
        before = self._clock.now()
        try:
            answer = await client.get(f"http://{self._generation}/livez")
            other = parsedate_to_datetime(answer.headers.get("date", ""))
        except (httpx.HTTPError, ValueError):
            return None
        return skew(before - _WHOLE_SECOND, other, self._clock.now())

    async def measure(self) -> float:
        """How far the database's clock is ahead, in seconds."""
        async with self._service.pool.connection() as connection:
            before = self._clock.now()
            other = await store.now(connection)
            return skew(before, other, self._clock.now())

    def judge(self, source: str, seconds: float) -> bool:
        """Show the difference, and raise the alarm once when it is too large; whether it is."""
        wrong = abs(seconds) > self._limit
        _SKEW.labels(source).set(seconds)
        _ALARM.labels(source).set(int(wrong))
        if wrong and source not in self._alarmed:
            _LOG.error("clocks differ", source=source, seconds=round(seconds, 3), limit=self._limit)
            self._alarmed.add(source)
        elif source in self._alarmed and not wrong:
            _LOG.info("clocks agree again", source=source)
            self._alarmed.discard(source)
        return wrong
