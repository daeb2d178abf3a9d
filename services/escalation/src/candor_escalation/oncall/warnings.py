"""What is right in an on-call file and may still not be meant so."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from candor_escalation.domain.roster import Roster
from candor_escalation.domain.rotation import shifts

AHEAD = timedelta(days=28)
"""How far schedules are looked at."""


def warnings(roster: Roster, now: datetime) -> Iterator[str]:
    """One sentence each."""
    used = {level.schedule for level in roster.levels}
    paged = {level.contact for level in roster.levels}
    for schedule in roster.schedules.values():
        if schedule.name in used:
            paged |= {person for rotation in schedule.rotations for person in rotation.people}
        else:
            yield f"schedule {schedule.name}: no level of the chain asks it"
    for contact in roster.contacts:
        if contact.name not in paged:
            yield f"contact {contact.name}: is never paged, except by an override"
        if set(contact.channels) == {"apprise"}:
            yield f"contact {contact.name}: has only channels that give no proof (apprise)"
        elif len(contact.channels) == 1:
            yield f"contact {contact.name}: has one channel; when that fails the next level is asked"
    if len(roster.levels) == 1:
        yield "the chain has one level: when nobody answers the same is asked again"
    yield from _gaps(roster, now, used)


def _gaps(roster: Roster, now: datetime, used: set[str]) -> Iterator[str]:
    for schedule in roster.schedules.values():
        empty = [shift for shift in shifts(schedule, (), now, now + AHEAD) if not shift.contact]
        if schedule.name in used and empty:
            hours = sum(((shift.ends_at - shift.starts_at) for shift in empty), timedelta()) / timedelta(hours=1)
            yield (
                f"schedule {schedule.name}: nobody is on shift for {hours:.0f} of the next {AHEAD.days * 24} hours,"
                f" first from {empty[0].starts_at:%Y-%m-%d %H:%M} UTC"
            )
