"""Paging: from the first page of a cause to the acknowledgement, and on when that expires."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from candor.escalation.v1 import facts_pb2, service_pb2
from candor_kit import log, metrics
from candor_kit.transaction import Tx

from candor_escalation import codec, store
from candor_escalation.domain import dispatch as dispatching
from candor_escalation.domain import paging
from candor_escalation.domain.clock import RUNNING, Clock, refuse_stopped
from candor_escalation.domain.dispatch import Dispatch
from candor_escalation.domain.incident import Incident
from candor_escalation.domain.link import Used
from candor_escalation.domain.paging import ACTIVE, Delivery, Page
from candor_escalation.domain.refusal import Refused
from candor_escalation.domain.roster import Contact, OnDuty, Roster
from candor_escalation.store import clocks, dispatches, incidents, overrides, pages

_AT_ONCE = 100
"""Unanswered pages that one transaction moves on at most."""

_LOG = log.get(__name__)
_NOBODY = metrics.counter("nobody_reached", "Rounds through the chain in which no channel of anybody took a page.")


@dataclass(frozen=True)
class Shown:
    """A page and what it is about."""

    page: Page
    incident: Incident
    clock: Clock


@dataclass(frozen=True)
class Outgoing(Shown):
    """A page on its way to a contact; None where nobody is on shift.

    ``held`` is how long its channel takes nothing. ``superseded``: it was to be ended, and people are paged again.
    """

    contact: Contact | None
    dispatch: Dispatch | None = None
    held: timedelta = timedelta(0)
    superseded: bool = False


class Pages:
    """The on-call chain at work. ``wake`` tells the sender that a page is queued."""

    def __init__(self, roster: Roster, wake: Callable[[], None]) -> None:
        self._roster = roster
        self._wake = wake

    async def begin(self, tx: Tx, incident_id: str, clock_id: str, cause: str) -> None:
        """Page the first in the chain, or whoever is asked now if it is being gone through for this clock."""
        earlier = await pages.of_clock(tx.connection, clock_id)
        asked = [page for page in earlier if page.state in ACTIVE]
        page = (
            paging.again(asked[-1], tx.new_id(), cause)
            if asked
            else paging.first(await self._on_call(tx), tx.new_id(), incident_id, clock_id, cause)
        )
        if earlier:
            await self._withdraw(tx, clock_id)
        if page is not None:
            await self._queue(tx, page)

    def is_routine(self, incident: Incident) -> bool:
        """Whether an incident is a day's work, by the on-call file."""
        return incident.kind in self._roster.routine

    def waits(self, incident: Incident, clock: Clock, now: datetime) -> bool:
        """Whether nobody need be woken about a clock yet: it is a day's work, and half of its time is not gone."""
        return self.is_routine(incident) and not clock.is_half_gone(now)

    async def cancel(self, tx: Tx, clock_id: str) -> None:
        """Let nobody be paged about a clock any more, until its next cause; providers are told that it is over."""
        await dispatches.end(tx.connection, clock_id)
        await self._withdraw(tx, clock_id)
        tx.after_commit(self._wake)

    async def _withdraw(self, tx: Tx, clock_id: str) -> None:
        for page in await pages.of_clock(tx.connection, clock_id):
            if page.state in ACTIVE:
                await pages.update(tx.connection, paging.cancelled(page))
        await pages.rest(tx.connection, clock_id)
        await dispatches.withdraw(tx.connection, clock_id)

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
            Used: The page was acknowledged before.
            Refused: PAGE_UNKNOWN, CLOCK_STOPPED.
        """
        page = await self._locked(tx, page_id)
        if page.acknowledged_at is not None:
            raise Used(page.acknowledged_by, page.acknowledged_at)
        return await self._acknowledge(tx, page, page.contact, tx.now)

    async def acknowledge_elsewhere(self, tx: Tx, page_id: str, at: datetime) -> bool:
        """Acknowledge as the person that the page was sent to, who did so ``at`` an instant in a provider's app.

        Whether that still holds: one that has expired on its way changes nothing.

        Raises:
            Refused: PAGE_UNKNOWN, CLOCK_STOPPED.
        """
        page = await self._locked(tx, page_id)
        clock = await self._clock(tx, page)
        refuse_stopped(clock)
        if at + self._roster.pace.acknowledgement_holds(clock.strict_due - at) <= tx.now:
            return False
        await self._acknowledge(tx, page, page.contact, at)
        return True

    async def take_back(self, tx: Tx, page_id: str) -> None:
        """Let an acknowledgement expire now, because it was taken back: people are paged again.

        Raises:
            Refused: PAGE_UNKNOWN, CLOCK_STOPPED.
        """
        page = await self._locked(tx, page_id)
        refuse_stopped(await self._clock(tx, page))
        await pages.update(tx.connection, replace(page, acknowledged_until=await store.now(tx.connection)))

    async def lease(self, tx: Tx, limit: int, seconds: float) -> list[Outgoing]:
        """Claim what is to be sent now."""
        found = await dispatches.lease(tx.connection, limit, seconds) if self._roster.levels else []
        shown = await self._shown(tx, [dispatch.page_id for dispatch in found])
        return [await self._outgoing(tx, shown[dispatch.page_id], dispatch) for dispatch in found]

    async def show(self, tx: Tx, page_id: str) -> Shown:
        """A page and what it is about, without locking it.

        Raises:
            Refused: PAGE_UNKNOWN.
        """
        shown = await self._shown(tx, [page_id])
        if page_id not in shown:
            raise Refused("PAGE_UNKNOWN", "there is no such page", field="page_id")
        return shown[page_id]

    @staticmethod
    async def _shown(tx: Tx, page_ids: Sequence[str]) -> dict[str, Shown]:
        """Page id -> the page and what it is about."""
        found = await pages.of_ids(tx.connection, page_ids) if page_ids else []
        about = await incidents.of_ids(tx.connection, {page.incident_id for page in found}) if found else {}
        running = await clocks.of_ids(tx.connection, {page.clock_id for page in found}) if found else {}
        return {page.page_id: Shown(page, about[page.incident_id], running[page.clock_id]) for page in found}

    async def record(self, tx: Tx, outgoing: Outgoing, delivery: Delivery) -> None:
        """Record what came of sending. What no channel of a person took goes to the next person at once."""
        page = await self._locked(tx, outgoing.page.page_id)
        sent = outgoing.dispatch
        current = await dispatches.find(tx.connection, page.page_id, sent.place) if sent else None
        if sent is None or current is None or dispatching.stale(sent, current):
            return  # another process sent it, after a claim that ran out
        now = await store.now(tx.connection)
        await dispatches.update(tx.connection, dispatching.answered(current, delivery, now))
        if current.state in {dispatching.STANDING, dispatching.ENDING}:
            return  # it was taken before, and only kept from being forgotten, or ended
        told = await self._told(tx, page, outgoing, delivery, now)
        await pages.update(tx.connection, told)
        if not (delivery.limited and current.error):
            fact = facts_pb2.PageSent(incident_id=page.incident_id, page=codec.page_message(told))
            await tx.publish(fact, key=page.incident_id)
        if told.state == paging.FAILED != page.state:
            await self._escalate(tx, told)

    async def move_on(self, tx: Tx) -> int:
        """Page the next person about every page whose time to answer has passed; how many there were."""
        late = await pages.unanswered(tx.connection, _AT_ONCE)
        for page in late:
            over = paging.expired(page)
            await pages.update(tx.connection, over)
            await self._escalate(tx, over)
        return len(late)

    async def lapse(self, tx: Tx) -> int:
        """Page again wherever an acknowledgement has expired and the clock runs on; how many there were."""
        seen = await pages.lapsing(tx.connection, _AT_ONCE)
        for page in seen:
            if (await self._clock(tx, page)).state != RUNNING:
                await pages.rest(tx.connection, page.clock_id)
                continue
            await pages.update(tx.connection, paging.lapsed(page))
            fact = facts_pb2.PageAcknowledgementExpired(
                incident_id=page.incident_id,
                clock_id=page.clock_id,
                page_id=page.page_id,
                contact=page.acknowledged_by,
                acknowledged_until=codec.timestamp(page.acknowledged_until),
            )
            await tx.publish(fact, key=page.incident_id)
            anew = paging.renewed(page, await self._on_call(tx), tx.new_id())
            if anew is not None:
                await self._queue(tx, anew)
        return len(seen)

    async def _told(self, tx: Tx, page: Page, outgoing: Outgoing, delivery: Delivery, now: datetime) -> Page:
        """The page after its channel answered; the next channel of the same person is asked at once."""
        contact, place = outgoing.contact, outgoing.dispatch.place if outgoing.dispatch else 0
        told = page if page.delivered else replace(page, channel=_kind(contact, place))
        time = self._roster.pace.time_to_answer(
            outgoing.clock.strict_due - now, contact.ack_timeout if contact else None
        )
        if page.state == paging.QUEUED and not delivery.delivered:
            if contact and place < len(contact.channels):
                await dispatches.insert(tx.connection, page.page_id, place + 1, _kind(contact, place + 1), timedelta(0))
                tx.after_commit(self._wake)
                return replace(told, provider_answer=delivery.answer)
            if dispatching.worth_waiting(delivery, time):
                return replace(told, provider_answer=delivery.answer)
        return paging.sent(told, delivery, time, now)

    async def _acknowledge(self, tx: Tx, page: Page, by: str, now: datetime) -> Page:
        clock = await self._clock(tx, page)
        refuse_stopped(clock)
        holds = self._roster.pace.acknowledgement_holds(clock.strict_due - now)
        page = paging.acknowledged(page, by, now, await store.now(tx.connection) + holds)
        await self.cancel(tx, page.clock_id)
        await pages.update(tx.connection, page)
        fact = facts_pb2.PageAcknowledged(
            incident_id=page.incident_id,
            page_id=page.page_id,
            contact=by,
            acknowledged_at=codec.timestamp(page.acknowledged_at),
            acknowledged_until=codec.timestamp(page.acknowledged_until),
        )
        await tx.publish(fact, key=page.incident_id)
        return page

    async def _escalate(self, tx: Tx, page: Page) -> None:
        following = paging.following(page, await self._on_call(tx), tx.new_id())
        if following is None:
            return
        if following.round > page.round:
            await self._end_round(tx, page)
        await self._queue(tx, following)
        fact = facts_pb2.PageEscalated(
            incident_id=page.incident_id,
            page_id=page.page_id,
            next_level=following.level,
            cause=paging.why_moved_on(page),
            next_contact=following.contact,
            round=following.round,
        )
        await tx.publish(fact, key=page.incident_id)

    async def _end_round(self, tx: Tx, last: Page) -> None:
        """Say so where nobody at all could be reached in a round."""
        if not paging.nobody_reached(await pages.of_clock(tx.connection, last.clock_id), last):
            return
        _NOBODY.inc()
        _LOG.error("nobody could be reached", incident_id=last.incident_id, clock_id=last.clock_id)
        fact = facts_pb2.NobodyReached(
            incident_id=last.incident_id, clock_id=last.clock_id, round=last.round, levels=len(self._roster.levels)
        )
        await tx.publish(fact, key=last.incident_id)

    async def _queue(self, tx: Tx, page: Page) -> None:
        await pages.insert(tx.connection, page)
        kind = _kind(self._roster.contact(page.contact), 1)
        await dispatches.insert(tx.connection, page.page_id, 1, kind, page.wait)
        tx.after_commit(self._wake)

    async def _outgoing(self, tx: Tx, shown: Shown, dispatch: Dispatch) -> Outgoing:
        contact = self._roster.contact(shown.page.contact)
        if contact is None and shown.page.contact:  # the file knows the name no more
            contact = paging.contact_of(shown.page, self._roster, await self._on_call(tx))
        superseded = dispatch.state == dispatching.ENDING and any(
            page.state in ACTIVE for page in await pages.of_clock(tx.connection, shown.page.clock_id)
        )
        return Outgoing(shown.page, shown.incident, shown.clock, contact, dispatch, superseded=superseded)

    async def _on_call(self, tx: Tx) -> tuple[OnDuty, ...]:
        """Who is on call now, level by level."""
        now = await store.now(tx.connection)
        made = await overrides.between(tx.connection, now, now) if self._roster.schedules else []
        return self._roster.on_call(made, now)

    async def _locked(self, tx: Tx, page_id: str) -> Page:
        """The page, with its incident locked in front of it."""
        page = await pages.find(tx.connection, page_id)
        if page is None:
            raise Refused("PAGE_UNKNOWN", "there is no such page", field="page_id")
        await incidents.lock(tx.connection, page.incident_id)
        return await pages.find(tx.connection, page_id) or page

    @staticmethod
    async def _clock(tx: Tx, page: Page) -> Clock:
        return (await clocks.of_ids(tx.connection, {page.clock_id}))[page.clock_id]


def _kind(contact: Contact | None, place: int) -> str:
    """The kind of a contact's channel by its place, from 1; empty where there is none."""
    return contact.channels[place - 1] if contact and 0 < place <= len(contact.channels) else ""
