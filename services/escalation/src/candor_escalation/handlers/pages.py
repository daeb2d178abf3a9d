"""Paging: from the first page of a cause to the acknowledgement."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from candor.escalation.v1 import facts_pb2, service_pb2
from candor_kit.transaction import Tx

from candor_escalation import codec, store
from candor_escalation.domain import paging
from candor_escalation.domain.clock import Clock, refuse_stopped
from candor_escalation.domain.incident import Incident
from candor_escalation.domain.paging import ACTIVE, Contact, Delivery, Page
from candor_escalation.domain.refusal import Refused
from candor_escalation.store import clocks, incidents, pages

_AT_ONCE = 100
"""Unanswered pages that one transaction moves on at most."""


@dataclass(frozen=True)
class Shown:
    """A page and what it is about."""

    page: Page
    incident: Incident
    clock: Clock


@dataclass(frozen=True)
class Outgoing(Shown):
    """A page on its way to a contact."""

    contact: Contact


class Pages:
    """The on-call chain at work. ``wake`` tells the sender that a page is queued."""

    def __init__(self, chain: tuple[Contact, ...], wake: Callable[[], None]) -> None:
        self._chain = chain
        self._wake = wake

    async def begin(self, tx: Tx, incident_id: str, clock_id: str, cause: str) -> None:
        """Page the first in the chain, or whoever is asked now if it is being gone through for this clock."""
        asked = [page for page in await pages.of_clock(tx.connection, clock_id) if page.state in ACTIVE]
        page = (
            paging.again(asked[-1], tx.new_id(), cause)
            if asked
            else paging.first(self._chain, tx.new_id(), incident_id, clock_id, cause)
        )
        await self.cancel(tx, clock_id)
        if page is not None:
            await self._queue(tx, page)

    async def cancel(self, tx: Tx, clock_id: str) -> None:
        """Let nobody be paged about a clock any more, until its next cause."""
        for page in await pages.of_clock(tx.connection, clock_id):
            if page.state in ACTIVE:
                await pages.update(tx.connection, paging.cancelled(page))

    async def acknowledge_page(
        self, tx: Tx, request: service_pb2.AcknowledgePageRequest
    ) -> service_pb2.AcknowledgePageResponse:
        """Acknowledge as the caller. A page that is acknowledged stays with whoever was first."""
        page = await self._locked(tx, request.page_id)
        if page.acknowledged_at is None:
            page = await self._acknowledge(tx, page, tx.caller.name, tx.now)
        return service_pb2.AcknowledgePageResponse(acknowledged_at=codec.timestamp(page.acknowledged_at))

    async def acknowledge_by_link(self, tx: Tx, page_id: str) -> Page:
        """Acknowledge as the person that the page was sent to; the link works once.

        Raises:
            Refused: PAGE_UNKNOWN, CLOCK_STOPPED, or LINK_INVALID when the page was acknowledged before.
        """
        page = await self._locked(tx, page_id)
        if page.acknowledged_at is not None:
            raise Refused("LINK_INVALID", f"the page was acknowledged before, by {page.acknowledged_by}")
        return await self._acknowledge(tx, page, page.contact, tx.now)

    async def lease(self, tx: Tx, limit: int, seconds: float) -> list[Outgoing]:
        """Claim queued pages to send."""
        outgoing = []
        for page in await pages.lease(tx.connection, limit, seconds) if self._chain else []:
            shown = await self.show(tx, page.page_id)
            contact = paging.contact_of(page, self._chain)
            outgoing.append(Outgoing(page, shown.incident, shown.clock, contact))
        return outgoing

    async def show(self, tx: Tx, page_id: str) -> Shown:
        """A page and what it is about, without locking it.

        Raises:
            Refused: PAGE_UNKNOWN.
        """
        page = await pages.find(tx.connection, page_id)
        incident = await incidents.find(tx.connection, page.incident_id) if page else None
        if page is None or incident is None:
            raise Refused("PAGE_UNKNOWN", "there is no such page", field="page_id")
        return Shown(page, incident, await self._clock(tx, page))

    async def record(self, tx: Tx, outgoing: Outgoing, delivery: Delivery) -> None:
        """Record what came of sending. What the channel did not take goes to the next person at once."""
        page = await self._locked(tx, outgoing.page.page_id)
        if page.sent_at is not None:
            return  # another process sent it, after a lease that ran out
        now = await store.now(tx.connection)
        page = paging.sent(page, delivery, outgoing.contact.ack_timeout, now)
        await pages.update(tx.connection, page)
        fact = facts_pb2.PageSent(incident_id=page.incident_id, page=codec.page_message(page))
        await tx.publish(fact, key=page.incident_id)
        if page.state == paging.FAILED:
            await self._escalate(tx, page)

    async def move_on(self, tx: Tx) -> int:
        """Page the next person about every page whose time to answer has passed; how many there were."""
        late = await pages.unanswered(tx.connection, _AT_ONCE)
        for page in late:
            await pages.update(tx.connection, paging.expired(page))
            await self._escalate(tx, page)
        return len(late)

    async def _acknowledge(self, tx: Tx, page: Page, by: str, now: datetime) -> Page:
        refuse_stopped(await self._clock(tx, page))
        page = paging.acknowledged(page, by, now)
        await pages.update(tx.connection, page)
        await self.cancel(tx, page.clock_id)
        fact = facts_pb2.PageAcknowledged(
            incident_id=page.incident_id,
            page_id=page.page_id,
            contact=by,
            acknowledged_at=codec.timestamp(page.acknowledged_at),
        )
        await tx.publish(fact, key=page.incident_id)
        return page

    async def _escalate(self, tx: Tx, page: Page) -> None:
        following = paging.following(page, self._chain, tx.new_id())
        if following is None:
            return
        await self._queue(tx, following)
        fact = facts_pb2.PageEscalated(incident_id=page.incident_id, page_id=page.page_id, next_level=following.level)
        await tx.publish(fact, key=page.incident_id)

    async def _queue(self, tx: Tx, page: Page) -> None:
        await pages.insert(tx.connection, page)
        tx.after_commit(self._wake)

    async def _locked(self, tx: Tx, page_id: str) -> Page:
        """The page, with its incident locked in front of it."""
        page = await pages.find(tx.connection, page_id)
        if page is None:
            raise Refused("PAGE_UNKNOWN", "there is no such page", field="page_id")
        await incidents.lock(tx.connection, page.incident_id)
        return await pages.find(tx.connection, page_id) or page

    async def _clock(self, tx: Tx, page: Page) -> Clock:
        found = await clocks.of_incident(tx.connection, page.incident_id)
        return next(clock for clock in found if clock.clock_id == page.clock_id)
