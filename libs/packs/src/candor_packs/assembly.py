"""From what a pack file says to a pack: what it refers to is there, and what it says hangs together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from candor_packs import template
from candor_packs.counting import Counting, Period, Rule, Unit
from candor_packs.document import Document, FieldPath
from candor_packs.model import RECEIPT, Cap, Obligation, Pack, receipt
from candor_packs.schema import CalendarByFact, CountingEntry, ObligationEntry, PackEntry, PeriodEntry, check
from candor_packs.template import Template
from candor_packs.trigger import Trigger, TriggerError, compile_trigger
from candor_packs.workdays import UNPUBLISHED, ByFact, Calendar

_KIND = "kind"
"""The one fact that every incident has."""


@dataclass(frozen=True)
class _Desk:
    """A pack file on the way to a pack, and what it may refer to."""

    read: Document
    entry: PackEntry
    calendars: Mapping[str, Calendar]
    templates: Path

    @property
    def names(self) -> frozenset[str]:
        """What a trigger or a template may name."""
        graded = {self.entry.grading.into} if self.entry.grading else set()
        return frozenset(self.entry.facts) | {_KIND} | graded


def assemble(read: Document, calendars: Mapping[str, Calendar], templates: Path) -> Pack:
    """The pack of a file.

    Raises:
        PackError: The first thing that is wrong with it.
    """
    entry = check(read, PackEntry)
    desk = _Desk(read, entry, calendars, templates)
    _check_kind(read, entry)
    _check_references(read, entry)
    profile = frozenset(name for name, fact in entry.facts.items() if fact.source == "profile")
    counting = _counting(desk, ("counting",), entry.counting)
    return Pack(
        id=entry.id,
        version=entry.version,
        kind=entry.kind,
        jurisdiction=entry.jurisdiction,
        title=entry.title,
        citation=entry.citation,
        source=entry.source,
        since=entry.in_force.since,
        until=entry.in_force.until,
        status=entry.status,
        evidence=entry.evidence,
        counting=counting,
        regime=entry.regime,
        facts=entry.facts,
        grading=entry.grading,
        applies_when=_trigger(read, ("applies_when",), entry.applies_when, profile),
        trigger=_trigger(read, ("trigger",), entry.trigger, desk.names),
        obligations=tuple(_obligation(desk, index, duty) for index, duty in enumerate(entry.obligations)),
        vectors=tuple(entry.vectors),
        file=read.file,
    )


def _check_kind(read: Document, entry: PackEntry) -> None:
    if (entry.status == "reviewed") != (entry.reviewed_by is not None):
        raise read.error(("status",), "a reviewed pack names who reviewed it (reviewed_by), a draft nobody")
    if entry.kind == "incident" and entry.trigger is None:
        raise read.error(("trigger",), "is missing: an incident pack says when its duties arise")
    for index, duty in enumerate(entry.obligations):
        if entry.kind == "incident" and (duty.template is None or duty.recipient is None):
            raise read.error(("obligations", index), "of an incident pack needs a recipient and a template")
    if (entry.kind == "request") != (entry.regime is not None):
        raise read.error(("regime",), "belongs to a request pack, and every request pack has one")
    for index, duty in enumerate(entry.obligations):
        if (entry.kind == "request") != bool(duty.rights):
            raise read.error(("obligations", index, "rights"), "belong to every obligation of a request pack")


def _check_references(read: Document, entry: PackEntry) -> None:
    duties = [duty.id for duty in entry.obligations]
    for index, duty in enumerate(entry.obligations):
        place: FieldPath = ("obligations", index)
        if duty.id in duties[:index]:
            raise read.error((*place, "id"), f"{duty.id} stands here twice")
        for field, anchor in _anchors_of(duty):
            _check_anchor(read, (*place, *field), anchor, [other for other in duties if other != duty.id])
    for number, vector in enumerate(entry.vectors):
        where: FieldPath = ("vectors", number)
        for anchor in vector.anchors:
            _check_anchor(read, (*where, "anchors", anchor), anchor, duties)
        for index, expected in enumerate(vector.expect):
            if expected.obligation not in duties:
                path: FieldPath = (*where, "expect", index, "obligation")
                raise read.error(path, f"{expected.obligation} is no obligation of this pack")
    if entry.grading and entry.grading.fact not in entry.facts:
        raise read.error(("grading", "fact"), f"{entry.grading.fact} is not declared under facts")


def _anchors_of(duty: ObligationEntry) -> list[tuple[FieldPath, str]]:
    found: list[tuple[FieldPath, str]] = [(("anchor",), duty.anchor)]
    found += [(("anchor_also", index), anchor) for index, anchor in enumerate(duty.anchor_also)]
    found += [(("until",), duty.until)] if duty.until else []
    if duty.cap:
        found.append((("cap", "anchor"), duty.cap.anchor))
        found += [(("cap", "anchor_also", index), anchor) for index, anchor in enumerate(duty.cap.anchor_also)]
    return found


def _check_anchor(read: Document, path: FieldPath, anchor: str, duties: Sequence[str]) -> None:
    report = anchor.removeprefix(RECEIPT)
    if report != anchor and report not in duties:
        raise read.error(path, f"{report} is no other obligation of this pack")


def _counting(desk: _Desk, path: FieldPath, entry: CountingEntry) -> Counting:
    try:
        zone = ZoneInfo(entry.zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise desk.read.error((*path, "zone"), f"{entry.zone} is no time zone") from error
    ends = entry.day_ends or time.max
    if not isinstance(entry.calendar, CalendarByFact):
        return Counting(entry.rule, zone, _calendar(desk, (*path, "calendar"), entry.calendar), day_ends=ends)
    return Counting(entry.rule, zone, UNPUBLISHED, _by_fact(desk, (*path, "calendar"), entry.calendar), ends)


def _calendar(desk: _Desk, path: FieldPath, name: str | None) -> Calendar | None:
    if name is not None and name not in desk.calendars:
        raise desk.read.error(path, f"there is no calendar {name}")
    return desk.calendars[name] if name else None


def _by_fact(desk: _Desk, path: FieldPath, entry: CalendarByFact) -> ByFact:
    fact = desk.entry.facts.get(entry.by)
    if fact is None or fact.type != "text":
        raise desk.read.error((*path, "by"), f"{entry.by} is not declared under facts as a text")
    for name in entry.of.values():
        _calendar(desk, path, name)
    return ByFact(entry.by, {value: desk.calendars[name] for value, name in entry.of.items()})


def _own_counting(desk: _Desk, path: FieldPath, entry: ObligationEntry) -> Counting:
    """How the duty counts: as its pack, but for what it says itself."""
    common = desk.entry.counting
    if entry.counting is None:
        counting = _counting(desk, ("counting",), common)
    else:
        own = {name: getattr(entry.counting, name) for name in entry.counting.model_fields_set}
        counting = _counting(desk, (*path, "counting"), common.model_copy(update=own))
    units = {period.unit for period in (entry.due, entry.objective, entry.cap) if period is not None}
    if Unit.WORKING_DAYS in units and counting.calendar is None and counting.rule is not Rule.NONE:
        raise desk.read.error(path, f"counts working days by the rule {counting.rule}, which needs a calendar")
    return counting


def _trigger(read: Document, path: FieldPath, source: str | None, names: frozenset[str]) -> Trigger | None:
    if source is None:
        return None
    try:
        trigger = compile_trigger(source)
    except TriggerError as error:
        raise read.error(path, str(error)) from error
    undeclared = sorted(trigger.names - names)
    if undeclared:
        raise read.error(path, f"{', '.join(undeclared)}: not declared under facts")
    return trigger


def _obligation(desk: _Desk, index: int, entry: ObligationEntry) -> Obligation:
    path: FieldPath = ("obligations", index)
    pack = desk.entry.id
    return Obligation(
        id=entry.id,
        title=entry.title,
        citation=entry.citation,
        recipient=entry.recipient,
        anchor=qualified(pack, entry.anchor),
        anchor_also=tuple(qualified(pack, name) for name in entry.anchor_also),
        when=_trigger(desk.read, (*path, "when"), entry.when, desk.names),
        due=_period(entry.due),
        objective=_period(entry.objective),
        cap=_cap(pack, entry),
        counting=_own_counting(desk, path, entry),
        repeats=entry.repeats,
        until=qualified(pack, entry.until) if entry.until else None,
        rights=tuple(entry.rights),
        templates=_templates(desk, path, entry),
    )


def qualified(pack_id: str, anchor: str) -> str:
    """The anchor as a caller names it: a receipt with the pack it belongs to."""
    report = anchor.removeprefix(RECEIPT)
    return anchor if report == anchor else receipt(pack_id, report)


def _period(entry: PeriodEntry | None) -> Period | None:
    return Period(entry.n, entry.unit) if entry else None


def _cap(pack_id: str, entry: ObligationEntry) -> Cap | None:
    cap = entry.cap
    if cap is None:
        return None
    anchors = tuple(qualified(pack_id, name) for name in (cap.anchor, *cap.anchor_also))
    return Cap(Period(cap.n, cap.unit), anchors, cap.lapses)


def _templates(desk: _Desk, path: FieldPath, entry: ObligationEntry) -> Mapping[str, Template]:
    if entry.template is None:
        return {}
    files = {locale: desk.templates / f"{entry.template}.{locale}.txt" for locale in template.LOCALES}
    for file in files.values():
        if not file.is_file():
            raise desk.read.error((*path, "template"), f"there is no {file.name} under templates/")
    return {locale: template.load(file, desk.names | template.BUILT_IN) for locale, file in files.items()}
