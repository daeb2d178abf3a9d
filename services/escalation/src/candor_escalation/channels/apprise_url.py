"""Whatever Apprise knows how to reach, for want of a channel of its own.

Apprise reads no answer's body: group robots that refuse with HTTP 200 pass as success there. So what it says to have
sent is recorded as unconfirmed.
"""

import asyncio
import logging
from typing import Any, ClassVar

from candor_escalation.channels.base import Channel
from candor_escalation.channels.wire import NoAnswer, Wire
from candor_escalation.domain.delivery import unanswered
from candor_escalation.domain.notice import Notice
from candor_escalation.domain.paging import Delivery

INSTALL = "needs Apprise, which is not installed: pip install 'candor-escalation[apprise]'"


class AppriseUrl(Channel):
    """Sends by the service that ``url`` names.

    Raises:
        ValueError: Apprise is not installed, or does not know such an address.
    """

    kind: ClassVar[str] = "apprise"

    def __init__(self, url: str) -> None:
        self._url = url
        self._apprise: Any = _loaded(url)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The address."""
        return (self._url,)

    async def _send(self, notice: Notice, wire: Wire) -> Delivery:
        text = "\n".join([*notice.lines, f"确认 / Acknowledge: {notice.ack_url}"])
        try:
            async with asyncio.timeout(wire.timeout):
                taken = await self._apprise.async_notify(body=text, title=notice.headline)
        except TimeoutError as error:
            raise NoAnswer(type(error).__name__) from None
        if not taken:
            return unanswered("Apprise could not send it")
        return Delivery(delivered=True, answer="Apprise says that it was sent", unconfirmed=True)


def _loaded(url: str) -> Any:  # noqa: ANN401 - Apprise publishes no types
    try:
        import apprise
    except ImportError:
        raise ValueError(INSTALL) from None
    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # its lines may hold the address
    notifier = apprise.Apprise()
    if not notifier.add(url):
        raise ValueError("Apprise knows no such address")
    return notifier
