"""What people do about a page in a provider's own app, as the provider tells it, and which page that is about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from candor_escalation.domain.paging import ACKNOWLEDGED, ACTIVE, CANCELLED, Page

SEEN, UNSEEN, OVER = "incident.acknowledged", "incident.unacknowledged", "incident.resolved"
KINDS = frozenset({SEEN, UNSEEN, OVER})
"""What is acted on. Nothing of it stops a clock."""

DRIFT = timedelta(minutes=1)
"""How far a provider's clock may be behind ours."""


@dataclass(frozen=True)
class Event:
    """One thing that happened at a provider.

    Attributes:
        event_id: The provider's; the same however often it is told.
        kind: One of `KINDS`.
        key: What the page was sent under: the clock's id.
        agent: The person who did it, as the provider names them; empty: a machine.
        occurred_at: When, by the provider's clock.
    """

    event_id: str
    kind: str
    key: str
    agent: str
    occurred_at: datetime


def page_of(pages: Sequence[Page], provider: str, occurred_at: datetime) -> Page | None:
    """The page that somebody at a provider had in front of them at an instant; None: none was ever sent there.

    Where that page was taken back for one to the same person about a newer cause, it is that one. What is told of a
    time before any page was there is about the first: nobody can have seen it earlier, so a clock is wrong.

    Args:
        pages: of the clock, oldest first.
        provider: the kind of channel.
        occurred_at: by the provider's clock.
    """
    there = [page for page in pages if page.delivered and page.channel == provider]
    if not there:
        return None
    page = ([page for page in there if _sent_by(page, occurred_at + DRIFT)] or there[:1])[-1]
    if page.state != CANCELLED:
        return page
    newer = [one for one in pages if one.state in ACTIVE and one.contact == page.contact]
    return newer[-1] if newer else page


def acknowledges(event: Event, page: Page) -> bool:
    """Whether an event is the first acknowledgement of its page: a person who closes it there has seen it too."""
    return event.kind in {SEEN, OVER} and bool(event.agent) and page.acknowledged_at is None


def takes_back(event: Event, page: Page) -> bool:
    """Whether an event takes back the acknowledgement that a page has."""
    return event.kind == UNSEEN and page.state == ACKNOWLEDGED


def _sent_by(page: Page, at: datetime) -> bool:
    return page.sent_at is not None and page.sent_at <= at
