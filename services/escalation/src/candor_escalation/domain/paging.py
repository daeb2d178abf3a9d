"""Pages: who is told, who is next when nobody acknowledges, and when the paging of a clock rests.

An acknowledgement says that a person has seen it. It stops the paging until the clock's next milestone that pages,
never the clock.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

QUEUED = "queued"
SENT = "sent"
FAILED = "failed"
EXPIRED = "expired"
ACKNOWLEDGED = "acknowledged"
CANCELLED = "cancelled"

ACTIVE = frozenset({QUEUED, SENT})
"""States in which somebody is still to be told, or still has time to answer."""

START = "start"
"""Why a clock's first page is sent; later ones name their milestone."""

PAUSE = timedelta(seconds=60)
"""Before the chain starts over: long enough not to flood, short against the shortest legal clock (one hour)."""


@dataclass(frozen=True)
class Contact:
    """Somebody on call. The webhook's address is a secret and stands in no row."""

    name: str
    webhook: str
    ack_timeout: timedelta


@dataclass(frozen=True)
class Page:
    """A message to one person about one clock.

    ``level`` counts from 1: the place in the chain. ``round`` counts from 1: how often the chain has been gone through.
    ``wait`` is how long it is held back before it is sent; ``answer_by`` when the next person is paged, once sent.
    """

    page_id: str
    incident_id: str
    clock_id: str
    cause: str
    contact: str
    level: int
    round: int
    state: str
    wait: timedelta = timedelta(0)
    sent_at: datetime | None = None
    delivered: bool = False
    provider_answer: str = ""
    answer_by: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""


def contact_of(page: Page, chain: tuple[Contact, ...]) -> Contact:
    """Whom a page goes to: the contact of its name, or whoever has the place since. The chain must not be empty."""
    named = next((contact for contact in chain if contact.name == page.contact), None)
    return named or chain[min(page.level, len(chain)) - 1]


@dataclass(frozen=True)
class Delivery:
    """What came of sending: whether the channel took it, and its id for the message or its error."""

    delivered: bool
    answer: str


def first(chain: tuple[Contact, ...], page_id: str, incident_id: str, clock_id: str, cause: str) -> Page | None:
    """The first page of a cause; none where nobody is on call."""
    if not chain:
        return None
    return Page(page_id, incident_id, clock_id, cause, chain[0].name, level=1, round=1, state=QUEUED)


def again(active: Page, page_id: str, cause: str) -> Page:
    """The page of a new cause while the chain is being gone through: to whoever is asked now, in place of theirs."""
    return Page(
        page_id=page_id,
        incident_id=active.incident_id,
        clock_id=active.clock_id,
        cause=cause,
        contact=active.contact,
        level=active.level,
        round=active.round,
        state=QUEUED,
    )


def sent(page: Page, delivery: Delivery, timeout: timedelta, now: datetime) -> Page:
    """The page after it was sent. What the channel did not take waits for nobody.

    One that was acknowledged or cancelled while it was on its way stays so.
    """
    if page.state != QUEUED:
        return replace(page, sent_at=now, delivered=delivery.delivered, provider_answer=delivery.answer)
    return replace(
        page,
        state=SENT if delivery.delivered else FAILED,
        sent_at=now,
        delivered=delivery.delivered,
        provider_answer=delivery.answer,
        answer_by=now + timeout if delivery.delivered else None,
    )


def expired(page: Page) -> Page:
    """The page that nobody acknowledged in time. A late answer still counts."""
    return replace(page, state=EXPIRED)


def following(page: Page, chain: tuple[Contact, ...], page_id: str) -> Page | None:
    """The page to the next person. After the last the chain starts over, after a pause, in a new round."""
    if not chain:
        return None
    over = page.level >= len(chain)
    level = 1 if over else page.level + 1
    return Page(
        page_id=page_id,
        incident_id=page.incident_id,
        clock_id=page.clock_id,
        cause=page.cause,
        contact=chain[level - 1].name,
        level=level,
        round=page.round + over,
        state=QUEUED,
        wait=PAUSE if over else timedelta(0),
    )


def acknowledged(page: Page, by: str, now: datetime) -> Page:
    """The page, acknowledged."""
    return replace(page, state=ACKNOWLEDGED, acknowledged_at=now, acknowledged_by=by)


def cancelled(page: Page) -> Page:
    """The page of a clock that was stopped, or that somebody acknowledged elsewhere."""
    return replace(page, state=CANCELLED)
