"""Reads the on-call file, and tells where it is wrong."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

from candor_packs import document
from candor_packs.document import Document, FieldPath
from candor_packs.schema import check

from candor_escalation.channels import Channel, Webhook
from candor_escalation.domain.pace import Pace, Share
from candor_escalation.domain.roster import Contact, Level, Roster
from candor_escalation.domain.rotation import Hours, Rotation, Schedule
from candor_escalation.oncall import schema
from candor_escalation.oncall.references import Fill, filled_from, left_out
from candor_escalation.oncall.ways import ChannelEntry


@dataclass(frozen=True)
class OnCall:
    """The roster, and by contact the channels with their secrets."""

    roster: Roster = field(default_factory=Roster)
    channels: Mapping[str, tuple[Channel, ...]] = field(default_factory=lambda: MappingProxyType({}), repr=False)

    def channel(self, contact: str, place: int) -> Channel | None:
        """A contact's channel by its place, from 1; None where the file has none there (any more)."""
        ways = self.channels.get(contact, ())
        return ways[place - 1] if 0 < place <= len(ways) else None


def load(file: Path, environment: Mapping[str, str] = os.environ) -> OnCall:
    """What a YAML file says, with the secrets of an environment in it.

    Raises:
        PackError: The file, line and field that is wrong. No secret is part of it.
    """
    read, said = _checked(file, filled_from(environment))
    ways = {
        contact.name: _channels(read, ("contacts", number), contact) for number, contact in enumerate(said.contacts)
    }
    return OnCall(_roster(said), MappingProxyType(ways))


def look(file: Path) -> Roster:
    """Who is on call by a YAML file, without looking for any secret.

    Raises:
        PackError: The file, line and field that is wrong.
    """
    return _roster(_checked(file, left_out)[1])


def _checked(file: Path, fill: Fill) -> tuple[Document, schema.OnCallFile]:
    read = document.read(file)
    filled = Document(read.file, _filled(read, read.data, (), fill), read.lines)
    said = check(filled, schema.OnCallFile)
    _refuse_contradictions(filled, said)
    return filled, said


def _filled(read: Document, data: Any, path: FieldPath, fill: Fill) -> Any:  # noqa: ANN401 - YAML holds anything
    if isinstance(data, dict):
        return {key: _filled(read, value, (*path, key), fill) for key, value in data.items()}
    if isinstance(data, list):
        return [_filled(read, value, (*path, number), fill) for number, value in enumerate(data)]
    if not isinstance(data, str):
        return data
    try:
        return fill(data)
    except ValueError as error:
        raise read.error(path, str(error)) from None


def _refuse_contradictions(read: Document, said: schema.OnCallFile) -> None:
    """Names stand for one thing each, and whatever is named is there."""
    contacts = _names(read, "contacts", [contact.name for contact in said.contacts])
    schedules = _names(read, "schedules", [schedule.name for schedule in said.schedules])
    for number, schedule in enumerate(said.schedules):
        for place, rotation in enumerate(schedule.rotations):
            path: FieldPath = ("schedules", number, "rotations", place)
            if rotation.first < schema.earliest():
                raise read.error((*path, "from"), "lies before 1970")
            for position, person in enumerate(rotation.people):
                if person not in contacts:
                    raise read.error((*path, "people", position), f"{person} is no contact of this file")
    for number, level in enumerate(said.chain or []):
        if level.contact is not None and level.contact not in contacts:
            raise read.error(("chain", number, "contact"), f"{level.contact} is no contact of this file")
        if level.schedule is not None and level.schedule not in schedules:
            raise read.error(("chain", number, "schedule"), f"{level.schedule} is no schedule of this file")


def _names(read: Document, part: str, names: list[str]) -> set[str]:
    for number, name in enumerate(names):
        if name in names[:number]:
            raise read.error((part, number, "name"), f"{name} stands here twice")
    return set(names)


def _channels(read: Document, path: FieldPath, contact: schema.ContactEntry) -> tuple[Channel, ...]:
    if contact.channels is None:
        return (Webhook(contact.webhook or ""),)
    return tuple(_channel(read, (*path, "channels", place), entry) for place, entry in enumerate(contact.channels))


def _channel(read: Document, path: FieldPath, entry: ChannelEntry) -> Channel:
    try:
        return entry.channel()
    except ValueError as error:
        raise read.error(path, str(error)) from None


def _roster(said: schema.OnCallFile) -> Roster:
    contacts = tuple(
        Contact(
            contact.name,
            tuple(entry.kind for entry in contact.channels or ()) or (Webhook.kind,),
            timedelta(seconds=contact.ack_timeout_seconds) if contact.ack_timeout_seconds else None,
        )
        for contact in said.contacts
    )
    levels = (
        tuple(Level(contact.name) for contact in contacts)
        if said.chain is None
        else tuple(Level(level.contact or "", level.schedule or "") for level in said.chain)
    )
    schedules = {schedule.name: _schedule(schedule) for schedule in said.schedules}
    return Roster(contacts, levels, MappingProxyType(schedules), _pace(said.pace), said.routine)


def _schedule(entry: schema.ScheduleEntry) -> Schedule:
    return Schedule(entry.name, tuple(_rotation(rotation) for rotation in entry.rotations))


def _rotation(entry: schema.RotationEntry) -> Rotation:
    hours = entry.hours
    return Rotation(
        tuple(entry.people),
        entry.zone,
        entry.first,
        entry.at,
        entry.every_days,
        Hours(hours.start, hours.end, frozenset(schema.WEEK.index(day) for day in hours.days)) if hours else None,
    )


def _pace(entry: schema.PaceEntry) -> Pace:
    usual = Pace()
    return Pace(_share(entry.answer) or usual.answer, _share(entry.acknowledgement) or usual.acknowledgement)


def _share(entry: schema.ShareEntry | None) -> Share | None:
    if entry is None:
        return None
    least, most = timedelta(seconds=entry.at_least_seconds), timedelta(seconds=entry.at_most_seconds)
    return Share(entry.share, least, most)
