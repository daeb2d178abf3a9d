"""Pages: who is told, who is next when nobody acknowledges, and when the paging of a clock rests.

An acknowledgement says that a person has seen it. It stops the paging until it expires or the clock reaches its next
milestone that pages, never the clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from candor_escalation.domain.roster import Contact, OnDuty, Roster

QUEUED = "queued"
SENT = "sent"
FAILED = "failed"
EXPIRED = "expired"
ACKNOWLEDGED = "acknowledged"
LAPSED = "lapsed"
CANCELLED = "cancelled"

ACTIVE = frozenset({QUEUED, SENT})
"""States in which somebody is still to be told, or still has time to answer."""

SETTLED = frozenset({ACKNOWLEDGED, LAPSED, CANCELLED})
"""States in which nothing is sent about a page any more."""

START = "start"
"""Why a clock's first page is sent; later ones name their milestone."""

LAPSE = "acknowledgement_expired"
"""Why a page is sent again to whoever acknowledged and let the time pass."""

UNANSWERED = "unanswered"
NOT_DELIVERED = "not_delivered"
NOBODY_ON_SHIFT = "nobody_on_shift"

PAUSE = timedelta(seconds=60)
"""Before the chain starts over: long enough not to flood, short against the shortest legal clock (one hour)."""


@dataclass(frozen=True)
class Page:
    """A message to one person about one clock.

    ``level`` counts from 1: the place in the chain. ``round`` counts from 1: how often the chain has been gone through.
    ``contact`` is empty where nobody is on shift at the level. ``wait`` is how long it is held back before it is sent;
    ``answer_by`` when the next person is paged, once sent; ``acknowledged_until`` when people are asked again.
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
    channel: str = ""
    unconfirmed: bool = False
    acknowledged_until: datetime | None = None
    schedule: str = ""


@dataclass(frozen=True)
class Delivery:
    """What came of sending.

    Attributes:
        delivered: Whether the channel took it.
        answer: The channel's id for the message, or its error.
        unconfirmed: It took it, but gives no answer from which that can be told.
        retry_after: When it is worth trying again; None when it is not.
        limited: It was not taken only because too much is sent by this channel.
        renew_after: When it must be sent again, or the channel forgets it.
        ends: Whether the provider keeps it open until it is told that it is over.
    """

    delivered: bool
    answer: str
    unconfirmed: bool = False
    retry_after: timedelta | None = None
    limited: bool = False
    renew_after: timedelta | None = None
    ends: bool = False


def contact_of(page: Page, roster: Roster, asked: Sequence[OnDuty]) -> Contact | None:
    """Whom a page goes to: the contact of its name, or whoever has the place since; None where nobody is on shift."""
    named = roster.contact(page.contact)
    if named or not asked:
        return named
    return roster.contact(asked[min(page.level, len(asked)) - 1].contact)


def first(asked: Sequence[OnDuty], page_id: str, incident_id: str, clock_id: str, cause: str) -> Page | None:
    """The first page of a cause; none where there is no chain."""
    if not asked:
        return None
    person = asked[0]
    return Page(
        page_id, incident_id, clock_id, cause, person.contact, level=1, round=1, state=QUEUED, schedule=person.schedule
    )


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
        schedule=active.schedule,
    )


def sent(page: Page, delivery: Delivery, timeout: timedelta, now: datetime) -> Page:
    """The page after it was sent. What no channel took waits for nobody.

    One that was moved on, acknowledged or cancelled while it was on its way stays so; that it came through is recorded.
    """
    told = replace(
        page,
        sent_at=page.sent_at or now,
        delivered=page.delivered or delivery.delivered,
        provider_answer=page.provider_answer if page.delivered else delivery.answer,
        unconfirmed=page.unconfirmed if page.delivered else delivery.unconfirmed,
    )
    if page.state != QUEUED:
        return told
    return replace(
        told,
        state=SENT if delivery.delivered else FAILED,
        answer_by=now + timeout if delivery.delivered else None,
    )


def expired(page: Page) -> Page:
    """The page that nobody acknowledged in time. A late answer still counts."""
    return replace(page, state=EXPIRED)


def following(page: Page, asked: Sequence[OnDuty], page_id: str) -> Page | None:
    """The page to the next person. After the last the chain starts over, after a pause, in a new round."""
    if not asked:
        return None
    over = page.level >= len(asked)
    level = 1 if over else page.level + 1
    person = asked[level - 1]
    return Page(
        page_id=page_id,
        incident_id=page.incident_id,
        clock_id=page.clock_id,
        cause=page.cause,
        contact=person.contact,
        level=level,
        round=page.round + over,
        state=QUEUED,
        wait=PAUSE if over else timedelta(0),
        schedule=person.schedule,
    )


def why_moved_on(page: Page) -> str:
    """Why the next level is asked."""
    if not page.contact:
        return NOBODY_ON_SHIFT
    return UNANSWERED if page.state == EXPIRED else NOT_DELIVERED


def acknowledged(page: Page, by: str, now: datetime, until: datetime | None = None) -> Page:
    """The page, acknowledged; people are asked again from ``until`` on."""
    return replace(page, state=ACKNOWLEDGED, acknowledged_at=now, acknowledged_by=by, acknowledged_until=until)


def lapsed(page: Page) -> Page:
    """The page whose acknowledgement has expired: it was seen, and the clock still runs."""
    return replace(page, state=LAPSED)


def renewed(page: Page, asked: Sequence[OnDuty], page_id: str) -> Page | None:
    """The page after an acknowledgement has expired: to the same level again, and to the same person if on call."""
    if not asked:
        return None
    level = min(page.level, len(asked))
    person = asked[level - 1]
    return Page(
        page_id=page_id,
        incident_id=page.incident_id,
        clock_id=page.clock_id,
        cause=LAPSE,
        contact=person.contact,
        level=level,
        round=1,
        state=QUEUED,
        schedule=person.schedule,
    )


def cancelled(page: Page) -> Page:
    """The page of a clock that was stopped, or that somebody acknowledged elsewhere."""
    return replace(page, state=CANCELLED)


def nobody_reached(pages: Sequence[Page], ended: Page) -> bool:
    """Whether no channel of anybody took a page in the round that ended with this one.

    ``pages`` are those of the clock, oldest first; what came before the last acknowledgement is another time.
    """
    since = max((place for place, page in enumerate(pages) if page.acknowledged_at), default=-1) + 1
    return not any(page.delivered for page in pages[since:] if page.round == ended.round)
