"""The loop that sends queued pages. A page is claimed, sent outside of any transaction, and its answer recorded.

Sending is at least once: a process that dies in between leaves its claim to run out, and the page is sent again with
the same Idempotency-Key.
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
from candor_escalation.domain.delivery import failed, judge
from candor_escalation.domain.link import Link, sign
from candor_escalation.domain.paging import Delivery
from candor_escalation.handlers.pages import Outgoing, Pages

_POLL_SECONDS = 0.5
_AT_ONCE = 8
_LARGEST_ANSWER = 65_536
_LOG = log.get(__name__)
_SENT = metrics.counter("pages_sent", "Pages handed to a channel, by result.", ("result",))


class Pager:
    """Sends pages to webhooks. ``key`` gives what signs the acknowledge links, ``base`` is their address."""

    def __init__(
        self,
        service: Service,
        pages: Pages,
        wake: Wake,
        *,
        key: Callable[[], bytes],
        base: str,
        valid: timedelta,
        timeout: float,
    ) -> None:
        self._service = service
        self._pages = pages
        self._wake = wake
        self._key = key
        self._base = base
        self._valid = valid
        self._timeout = timeout

    async def run(self, stop: Stop) -> None:
        """Send until the service stops."""
        async with httpx.AsyncClient(timeout=self._timeout, follow_redirects=False) as client:
            while not stop.is_set():
                if not await self._round(client):
                    await self._wake.wait(_POLL_SECONDS, stop)

    async def _round(self, client: httpx.AsyncClient) -> int:
        try:
            async with self._service.transaction("pager") as tx:
                outgoing = await self._pages.lease(tx, _AT_ONCE, seconds=self._timeout * 3)
        except AWAY as error:
            _LOG.warning("waiting for the database", part="pager", type=type(error).__name__)
            return 0
        async with asyncio.TaskGroup() as sending:
            for page in outgoing:
                sending.create_task(self._deliver(client, page))
        return len(outgoing)

    async def _deliver(self, client: httpx.AsyncClient, outgoing: Outgoing) -> None:
        delivery = await self._post(client, outgoing)
        _SENT.labels("delivered" if delivery.delivered else "failed").inc()
        if not delivery.delivered:
            _LOG.warning("a page was not delivered", page_id=outgoing.page.page_id, level=outgoing.page.level)
        try:
            async with self._service.transaction("pager") as tx:
                await self._pages.record(tx, outgoing, delivery)
        except AWAY as error:
            # The claim runs out and the page is sent again: better twice than not known.
            _LOG.warning("waiting for the database", part="pager", type=type(error).__name__)

    async def _post(self, client: httpx.AsyncClient, outgoing: Outgoing) -> Delivery:
        page_id = outgoing.page.page_id
        body = message.body(outgoing, f"{self._base}/ack/{self._token(page_id)}")
        try:
            async with asyncio.timeout(self._timeout):
                request = client.stream(
                    "POST", outgoing.contact.webhook, json=body, headers={"Idempotency-Key": page_id}
                )
                async with request as answer:
                    return judge(answer.status_code, await _start_of(answer))
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            return failed(type(error).__name__)

    def _token(self, page_id: str) -> str:
        return sign(Link(page_id, self._service.clock.now() + self._valid), self._key())


async def _start_of(answer: httpx.Response) -> str:
    """The answer's body as far as it is of interest."""
    body = b""
    async for chunk in answer.aiter_bytes():
        body += chunk
        if len(body) >= _LARGEST_ANSWER:
            break
    return body[:_LARGEST_ANSWER].decode(errors="replace")
