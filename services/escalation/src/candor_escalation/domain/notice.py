"""What a page says, before any channel puts it into its own format: nothing about any person."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Notice:
    """One page in words.

    Attributes:
        page_id: Names this page; the same when it is sent again.
        clock_id: Names the clock; the same for all pages about it.
        contact: Whom it goes to.
        headline: One line, Chinese and English, without a line break.
        lines: Everything a person must know, one fact each, Chinese and English.
        ack_url: Where it is acknowledged.
        due: What on-call works to.
        latest: The last instant that the law allows, if it gives one.
        overdue: Whether the due date has passed.
        sent_at: When it is sent, by the service's clock.
        details: What a machine is sent, as JSON.
        test: Whether nothing has happened, and somebody tries whether pages arrive.
    """

    page_id: str
    clock_id: str
    contact: str
    headline: str
    lines: tuple[str, ...]
    ack_url: str
    due: datetime
    latest: datetime | None
    overdue: bool
    sent_at: datetime
    details: Mapping[str, object] = field(default_factory=dict)
    test: bool = False
