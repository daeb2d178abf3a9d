"""The roster: who can be paged by what, who is on call when, in which order, and how fast it goes on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

from candor_escalation.domain.pace import Pace
from candor_escalation.domain.refusal import Refused
from candor_escalation.domain.rotation import Override, Schedule, on_call

LONGEST_OVERRIDE = timedelta(days=92)
"""An override that lasts longer is a rotation, and belongs into the file."""


ROUTINE = frozenset({
    "complaint", "content_notice", "launch_planned", "periodic_duty", "register_due", "restriction", "service_change",
    "service_end", "service_start", "technology_change", "year_end",
})  # fmt: skip
"""The kinds of incident that are a day's work where the on-call file does not say otherwise."""


@dataclass(frozen=True)
class Contact:
    """Somebody who can be paged. Addresses and secrets are not here: ``channels`` are their kinds, in order.

    ``ack_timeout`` is the most that this person may take to answer; None leaves it to the pace.
    """

    name: str
    channels: tuple[str, ...]
    ack_timeout: timedelta | None = None


@dataclass(frozen=True)
class Level:
    """A step of the chain: a schedule, or a person who is always on call. Exactly one of the two is named."""

    contact: str = ""
    schedule: str = ""


@dataclass(frozen=True)
class OnDuty:
    """Who is on call at a level; ``contact`` is empty where nobody is on shift."""

    contact: str
    schedule: str = ""
    override_id: str = ""


@dataclass(frozen=True)
class Roster:
    """Everything that is said about on-call. Without levels nobody is paged.

    ``routine`` are the kinds of incident that wake nobody before half of their time is gone.
    """

    contacts: tuple[Contact, ...] = ()
    levels: tuple[Level, ...] = ()
    schedules: Mapping[str, Schedule] = field(default_factory=lambda: MappingProxyType({}))
    pace: Pace = field(default_factory=Pace)
    routine: frozenset[str] = ROUTINE

    @property
    def names(self) -> frozenset[str]:
        """The names of everybody who can be paged."""
        return frozenset(contact.name for contact in self.contacts)

    def contact(self, name: str) -> Contact | None:
        """The contact of a name; None where the file knows it no more."""
        return next((contact for contact in self.contacts if contact.name == name), None)

    def schedule(self, name: str) -> Schedule:
        """The schedule of a name.

        Raises:
            Refused: SCHEDULE_UNKNOWN.
        """
        if name not in self.schedules:
            raise Refused("SCHEDULE_UNKNOWN", "the on-call file has no such schedule", field="schedule")
        return self.schedules[name]

    def on_call(self, overrides: Iterable[Override], at: datetime) -> tuple[OnDuty, ...]:
        """Who is on call at an instant, level by level."""
        made = tuple(overrides)
        return tuple(self._duty(level, made, at) for level in self.levels)

    def _duty(self, level: Level, overrides: tuple[Override, ...], at: datetime) -> OnDuty:
        if not level.schedule:
            return OnDuty(level.contact)
        contact, override_id = on_call(self.schedules[level.schedule], overrides, at, self.names)
        return OnDuty(contact, level.schedule, override_id)


def checked(roster: Roster, override: Override, now: datetime) -> Override:
    """The override, if the roster knows who and what it is about and its time makes sense.

    Raises:
        Refused: SCHEDULE_UNKNOWN, CONTACT_UNKNOWN, or PERIOD_INVALID.
    """
    roster.schedule(override.schedule)
    if override.contact not in roster.names:
        raise Refused("CONTACT_UNKNOWN", "the on-call file has no such contact", field="contact")
    if not override.starts_at < override.ends_at:
        raise Refused("PERIOD_INVALID", "it must end after it starts", field="ends_at")
    if override.ends_at <= now:
        raise Refused("PERIOD_INVALID", "it lies in the past; what has been cannot be changed", field="ends_at")
    if override.ends_at - max(override.starts_at, now) > LONGEST_OVERRIDE:
        message = f"it lasts more than {LONGEST_OVERRIDE.days} days; change the rotation in the on-call file instead"
        raise Refused("PERIOD_INVALID", message, field="ends_at")
    return override


def refuse_ended(override: Override, now: datetime) -> None:
    """Refuse to end what is over.

    Raises:
        Refused: OVERRIDE_ENDED.
    """
    if override.ended_at is not None or override.ends_at <= now:
        raise Refused("OVERRIDE_ENDED", "the override is over already", field="override_id")
