"""The loop that sends queued pages. A page is claimed, sent outside of any transaction, and its answer recorded.

Sending is at least once: a process that dies in between leaves its claim to run out, and the page is sent again with
the same ids. A channel that is slow holds up nobody but those who wait for it.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import httpx
from candor_kit import log, metrics
from candor_kit.database import AWAY
from candor_kit.service import Service
from candor_kit.stop import Stop, Wake

from candor_escalation import message
from candor_escalation.channels import Wire
from candor_escalation.domain.delivery import failed, limited
from candor_escalation.domain.dispatch import ENDING
from candor_escalation.domain.link import Link, sign
from candor_escalation.domain.paging import Delivery
from candor_escalation.handlers.pages import Outgoing, Pages
from candor_escalation.handlers.throttling import Throttling
from candor_escalation.store import dispatches

_POLL_SECONDS = 0.5
_AT_ONCE = 32
"""Pages that one transaction claims at most."""
_IN_FLIGHT = 64
"""Pages on their way at once."""
_ADOPT_SECONDS = 30.0
"""How long a page may be queued that a process of an earlier version left behind."""
_LOG = log.get(__name__)
_SENT = metrics.counter("pages_sent", "Pages handed to a channel, by kind and result.", ("channel", "result"))


class Pager:
    """Sends pages by their contacts' channels. ``key`` gives what signs the links, ``base`` is their address."""

    def __init__(
        self,
        service: Service,
        pages: Pages,
        throttling: Throttling,
        wake: Wake,
        *,
        key: Callable[[], bytes],
        base: str,
        valid: timedelta,
        timeout: float,
    ) -> None:
        self._service = service
        self._pages = pages
        self._throttling = throttling
        self._wake = wake
        self._key = key
        self._base = base
        self._valid = valid
        self._timeout = timeout
        self._free = asyncio.Semaphore(_IN_FLIGHT)

    async def run(self, stop: Stop) -> None:
        """Send until the service stops."""
        clock, adopt_at = asyncio.get_running_loop().time, 0.0
        async with (
            httpx.AsyncClient(timeout=self._timeout, follow_redirects=False) as client,
            asyncio.TaskGroup() as sending,
        ):
            wire = Wire(client, self._timeout)
            while not stop.is_set():
                try:
                    if clock() >= adopt_at:
                        await self._adopt()
                        adopt_at = clock() + _ADOPT_SECONDS
                    claimed = await self._claim()
                except AWAY as error:
                    _LOG.warning("waiting for the database", part="pager", type=type(error).__name__)
                    claimed = []
                for page in claimed:
                    await self._free.acquire()
                    sending.create_task(self._deliver(wire, page))
                if not claimed:
                    await self._wake.wait(_POLL_SECONDS, stop)

    async def _adopt(self) -> None:
        async with self._service.transaction("pager") as tx:
            await dispatches.adopt(tx.connection, _ADOPT_SECONDS)

    async def _claim(self) -> list[Outgoing]:
        async with self._service.transaction("pager") as tx:
            claimed = await self._pages.lease(tx, _AT_ONCE, seconds=self._timeout * 3)
            return await self._throttling.admit(tx, claimed)

    async def _deliver(self, wire: Wire, outgoing: Outgoing) -> None:
        try:
            delivery = await self._send(wire, outgoing)
            self._count(outgoing, delivery)
            async with self._service.transaction("pager") as tx:
                await self._pages.record(tx, outgoing, delivery)
            if delivery.limited and not outgoing.held:
                async with self._service.transaction("pager") as tx:
                    await self._throttling.block(tx, outgoing, delivery)
        except AWAY as error:
            # The claim runs out and the page is sent again: better twice than not known.
            _LOG.warning("waiting for the database", part="pager", type=type(error).__name__)
        finally:
            self._free.release()

    async def _send(self, wire: Wire, outgoing: Outgoing) -> Delivery:
        channel = self._throttling.channel(outgoing)
        if channel is None or outgoing.superseded or outgoing.held:
            return _unsent(outgoing)
        link = f"{self._base}/ack/{self._token(outgoing.page.page_id)}"
        notice = message.notice(outgoing, link, self._service.clock.now())
        try:
            if outgoing.dispatch is not None and outgoing.dispatch.state == ENDING:
                return await channel.end(notice, wire)
            return await channel.send(notice, wire)
        except Exception as error:  # noqa: BLE001 - see below
            # A fault of an adapter, or of a library under it, must not keep a page from the next person.
            _LOG.exception("a channel has a fault", channel=channel.kind, type=type(error).__name__)
            return failed(f"a fault of the channel: {type(error).__name__}")

    def _count(self, outgoing: Outgoing, delivery: Delivery) -> None:
        channel = self._throttling.channel(outgoing)
        kind = channel.kind if channel else "none"
        if delivery.delivered:
            _SENT.labels(kind, "unconfirmed" if delivery.unconfirmed else "delivered").inc()
            return
        _SENT.labels(kind, "limited" if delivery.limited else "failed").inc()
        _LOG.warning("a page was not delivered", page_id=outgoing.page.page_id, level=outgoing.page.level, channel=kind)

    def _token(self, page_id: str) -> str:
        return sign(Link(page_id, self._service.clock.now() + self._valid), self._key())


def _unsent(outgoing: Outgoing) -> Delivery:
    """What is recorded of a page that is not handed to any channel."""
    if outgoing.superseded:
        return Delivery(delivered=True, answer="people are paged again")
    if outgoing.contact is None:
        return failed("nobody is on shift")
    if outgoing.held:
        return limited("held back: the provider allows no more by this channel now", outgoing.held)
    return failed("the on-call file has no such channel any more")
