"""The shape of the on-call file: what may stand in it, before it means anything."""

from datetime import date, time
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from candor_packs.schema import Day
from pydantic import BeforeValidator, Field, StrictFloat, StrictInt, StrictStr, model_validator

from candor_escalation.domain.roster import ROUTINE
from candor_escalation.oncall.ways import ChannelEntry, Strict, Url

Name = Annotated[StrictStr, Field(pattern=r"^[A-Za-z0-9_.:@-]{1,128}$")]
Kind = Annotated[StrictStr, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEK: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _wall_time(value: object) -> object:
    if not isinstance(value, str) or len(value) != len("09:00"):
        raise ValueError('must be a wall time in quotes, such as "09:00"')
    return value


def _zone(value: object) -> ZoneInfo:
    try:
        if isinstance(value, str):
            return ZoneInfo(value)
    except (ValueError, OSError, LookupError):
        pass
    raise ValueError("must be a zone of the tz database, such as Asia/Shanghai")


WallTime = Annotated[time, BeforeValidator(_wall_time)]
Zone = Annotated[ZoneInfo, BeforeValidator(_zone)]


class ContactEntry(Strict):
    """Somebody who can be paged. ``webhook`` is short for a single channel of that kind."""

    name: Name
    webhook: Url | None = None
    channels: Annotated[list[ChannelEntry], Field(min_length=1, max_length=10)] | None = None
    ack_timeout_seconds: Annotated[StrictInt, Field(ge=1, le=86_400)] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.webhook is None) == (self.channels is None):
            raise ValueError("needs either channels or, in short, a webhook")
        return self


class HoursEntry(Strict):
    """When a rotation is on shift, by the clock of its zone."""

    start: WallTime = Field(alias="from")
    end: WallTime = Field(alias="to")
    days: Annotated[tuple[Weekday, ...], Field(min_length=1)] = WEEK


class RotationEntry(Strict):
    """People who take turns from a day on, handed over at a wall time every so many days."""

    people: Annotated[list[Name], Field(min_length=1, max_length=50)]
    zone: Zone
    first: Day = Field(alias="from")
    at: WallTime = time(9)
    every_days: Annotated[StrictInt, Field(ge=1, le=366)] = 7
    hours: HoursEntry | None = None


class ScheduleEntry(Strict):
    """Rotations, of which the first that is on shift says who is on call."""

    name: Name
    rotations: Annotated[list[RotationEntry], Field(min_length=1, max_length=20)]


class LevelEntry(Strict):
    """A step of the chain."""

    contact: Name | None = None
    schedule: Name | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.contact is None) == (self.schedule is None):
            raise ValueError("needs either a contact or a schedule")
        return self


class ShareEntry(Strict):
    """A share of the time left until the due date, with a least and a most."""

    share: Annotated[StrictFloat, Field(gt=0, le=1)]
    at_least_seconds: Annotated[StrictInt, Field(ge=1, le=2_592_000)]
    at_most_seconds: Annotated[StrictInt, Field(ge=1, le=2_592_000)]

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.at_most_seconds < self.at_least_seconds:
            raise ValueError("at_most_seconds is below at_least_seconds")
        return self


class PaceEntry(Strict):
    """How fast people are asked."""

    answer: ShareEntry | None = None
    acknowledgement: ShareEntry | None = None


class OnCallFile(Strict):
    """The whole file. Without ``chain`` the contacts are paged in their order; ``routine`` are kinds of incident."""

    contacts: Annotated[list[ContactEntry], Field(min_length=1, max_length=200)]
    schedules: Annotated[tuple[ScheduleEntry, ...], Field(max_length=50)] = ()
    chain: Annotated[list[LevelEntry], Field(min_length=1, max_length=50)] | None = None
    pace: PaceEntry = PaceEntry()
    routine: Annotated[frozenset[Kind], Field(max_length=100)] = ROUTINE


def earliest() -> date:
    """The first day that a rotation may begin on: further back its turns would be counted before any calendar."""
    return date(1970, 1, 1)
