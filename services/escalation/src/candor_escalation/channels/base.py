"""What every channel is."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Iterable
from datetime import timedelta
from typing import ClassVar

from candor_escalation.channels.wire import Answer, NoAnswer, Wire
from candor_escalation.domain.delivery import by_code, by_status, unanswered, without
from candor_escalation.domain.notice import Notice
from candor_escalation.domain.paging import Delivery
from candor_escalation.domain.throttle import Limit


class Channel(ABC):
    """A way to one person.

    Attributes:
        kind: Its name in the on-call file and on the record.
        limits: What the provider allows for one address.
    """

    kind: ClassVar[str]
    limits: ClassVar[tuple[Limit, ...]] = ()

    @property
    @abstractmethod
    def secrets(self) -> tuple[str, ...]:
        """What must stand in no row, no log and no message; together they name the address that ``limits`` count."""

    async def send(self, notice: Notice, wire: Wire) -> Delivery:
        """Send a page. Sending it again is safe: it carries the same ids."""
        return await self._told(self._send(notice, wire))

    async def end(self, notice: Notice, wire: Wire) -> Delivery:
        """Tell the provider that a page which it keeps open is over."""
        return await self._told(self._end(notice, wire))

    async def _told(self, sending: Awaitable[Delivery]) -> Delivery:
        try:
            delivery = await sending
        except NoAnswer as error:
            delivery = unanswered(str(error))
        return without(delivery, self.secrets)

    @abstractmethod
    async def _send(self, notice: Notice, wire: Wire) -> Delivery: ...

    async def _end(self, notice: Notice, wire: Wire) -> Delivery:
        """What keeps nothing open has nothing to be told."""
        del notice, wire
        return Delivery(delivered=True, answer="")


def refused_by_status(answer: Answer) -> Delivery | None:
    """What an answer's status says, if it is not a good one."""
    return by_status(answer.status, answer.body, answer.headers.get("retry-after", ""))


def judged_by_code(answer: Answer, key: str, codes_of_limits: Iterable[int], *, wait: timedelta) -> Delivery:
    """What a group robot's answer says: its code counts, and a bad status whatever the code."""
    told = by_code(answer.body, key, codes_of_limits, wait=wait)
    bad = refused_by_status(answer)
    return told if bad is None or told.limited else bad
