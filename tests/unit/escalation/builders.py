"""What the rules of the escalation service are tried on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from candor_escalation.domain.clock import Clock, Duty, start
from candor_escalation.domain.incident import Anchor
from candor_escalation.domain.paging import QUEUED, Page
from candor_escalation.domain.roster import Contact, Level, OnDuty, Roster

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
INCIDENT = "01973000-0000-7000-8000-000000000001"
CLOCK = "01973000-0000-7000-8000-000000000002"
PAGE = "01973000-0000-7000-8000-000000000003"


def duty(hours: float = 72, at: datetime | None = NOON, **changes: object) -> Duty:
    values: dict[str, object] = {
        "pack_id": "xx.law",
        "pack_version": "1",
        "obligation_id": "report",
        "citation": "Law 1",
        "recipient": "authority",
        "anchor_key": "aware",
        "missing": (),
        "legal_number": True,
        "anchor": Anchor("aware", at, "a call") if at else None,
        "strict_due": at + hours * HOUR if at else None,
        "legal_latest": at + hours * HOUR if at else None,
    }
    return Duty(**{**values, **changes})  # type: ignore[arg-type]


def clock(hours: float = 72, now: datetime = NOON, **changes: object) -> Clock:
    return start(duty(hours, **changes), CLOCK, INCIDENT, now)  # type: ignore[arg-type]


def roster(size: int = 3) -> Roster:
    contacts = tuple(Contact(f"person-{number}", ("webhook",), 5 * MINUTE) for number in range(1, size + 1))
    return Roster(contacts, tuple(Level(contact.name) for contact in contacts))


def chain(size: int = 3) -> tuple[OnDuty, ...]:
    return roster(size).on_call((), NOON)


def page(level: int = 1, state: str = QUEUED, round_: int = 1) -> Page:
    return Page(PAGE, INCIDENT, CLOCK, "start", f"person-{level}", level, round_, state)
