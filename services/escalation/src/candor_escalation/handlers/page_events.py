"""What people do about our pages in a provider's app: acknowledged there is acknowledged here; no clock stops of it."""

from datetime import datetime

from candor.escalation.v1 import facts_pb2
from candor_kit.errors import Unavailable
from candor_kit.ids import is_uuid
from candor_kit.transaction import Tx

from candor_escalation import codec
from candor_escalation.domain import page_event as rules
from candor_escalation.domain.page_event import Event
from candor_escalation.domain.paging import Page
from candor_escalation.domain.refusal import Refused
from candor_escalation.handlers.pages import Pages
from candor_escalation.store import clocks, incidents, page_events, pages

# What became of an event.
ACKNOWLEDGED, TAKEN_BACK, RECORDED = "acknowledged", "taken_back", "recorded"
REPEATED, EXPIRED, CLOCK_STOPPED, PAGE_UNKNOWN = "repeated", "expired", "clock_stopped", "page_unknown"


class PageEvents:
    """One event at a time, each once."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def take(self, tx: Tx, provider: str, event: Event) -> str:
        """Take an event of a provider; what became of it.

        Raises:
            Unavailable: our own record of the page that it is about is still on its way; it is to be told again.
        """
        incident_id = await clocks.incident_of(tx.connection, event.key) if is_uuid(event.key) else None
        if incident_id is None:
            return PAGE_UNKNOWN  # somebody else's incident, or a test page: nothing of it is kept
        await incidents.lock(tx.connection, incident_id)
        if await page_events.seen(tx.connection, provider, event.event_id):
            return REPEATED
        occurred_at = min(event.occurred_at, tx.now)
        found = await pages.of_clock(tx.connection, event.key)
        page = rules.page_of(found, provider, occurred_at)
        if page is None:
            if await page_events.on_its_way(tx.connection, event.key, provider):
                raise Unavailable("the record of that page")
            return PAGE_UNKNOWN
        outcome = await self._follow(tx, event, page, occurred_at)
        await page_events.add(tx.connection, provider, event, page.page_id, outcome, tx.now)
        fact = facts_pb2.PageEventReceived(
            incident_id=incident_id,
            clock_id=page.clock_id,
            page_id=page.page_id,
            provider=provider,
            event_id=event.event_id,
            kind=event.kind,
            agent=event.agent,
            occurred_at=codec.timestamp(occurred_at),
        )
        await tx.publish(fact, key=incident_id)
        return outcome

    async def _follow(self, tx: Tx, event: Event, page: Page, occurred_at: datetime) -> str:
        try:
            if rules.acknowledges(event, page):
                taken = await self._pages.acknowledge_elsewhere(tx, page.page_id, occurred_at)
                return ACKNOWLEDGED if taken else EXPIRED
            if rules.takes_back(event, page):
                await self._pages.take_back(tx, page.page_id)
                return TAKEN_BACK
        except Refused as refused:
            if refused.reason != "CLOCK_STOPPED":
                raise
            return CLOCK_STOPPED
        return RECORDED
