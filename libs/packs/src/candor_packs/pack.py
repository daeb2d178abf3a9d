"""Policy packs: one law per file, dated, with its citation, its triggers and its duties.

A wrong pack never loads: the error names the file, the line and the field.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from candor_packs import calendars, document, template
from candor_packs.counting import Calendar, Counting, Period
from candor_packs.document import Document, FieldPath, PackError
from candor_packs.schema import (
    Both,
    CountingEntry,
    Evidence,
    FactEntry,
    Grading,
    ObligationEntry,
    PackEntry,
    Vector,
    check,
)
from candor_packs.template import Template
from candor_packs.trigger import Trigger, TriggerError, compile_trigger

__all__ = ["Obligation", "Pack", "PackError", "in_force", "load"]

_KIND = "kind"
"""The one fact that every incident has."""


@dataclass(frozen=True)
class Obligation:
    """One duty of a pack.

    ``due`` is the law's number, absent where the law says "at once"; then ``objective`` is our own. ``anchor`` names
    the instant it counts from; the earliest known of it and ``anchor_also`` counts. ``rights`` is filled in request
    packs. ``templates`` holds a text per language, empty where nothing is reported.
    """

    id: str
    title: Both
    citation: str
    recipient: Both | None
    anchor: str
    anchor_also: tuple[str, ...]
    when: Trigger | None
    due: Period | None
    objective: Period | None
    rights: tuple[str, ...]
    templates: Mapping[str, Template]

    @property
    def period(self) -> Period:
        """What is worked to: the law's number, else our own."""
        period = self.due or self.objective
        if period is None:
            raise AssertionError("the schema demands one of the two")
        return period


@dataclass(frozen=True)
class Pack:
    """One law, as this library reads it, for the days it is in force (zone of ``counting``; ``until`` absent: open)."""

    id: str
    version: str
    kind: str
    jurisdiction: str
    title: Both
    citation: str
    source: str
    since: date
    until: date | None
    status: str
    evidence: Evidence
    counting: Counting
    regime: str | None
    facts: Mapping[str, FactEntry]
    grading: Grading | None
    applies_when: Trigger | None
    trigger: Trigger | None
    obligations: tuple[Obligation, ...]
    vectors: tuple[Vector, ...]
    file: Path

    def obligation(self, identifier: str) -> Obligation | None:
        """The obligation of that id."""
        return next((duty for duty in self.obligations if duty.id == identifier), None)

    def in_force(self, at: datetime) -> bool:
        """Whether the pack applies to what happened at ``at``."""
        day = at.astimezone(self.counting.zone).date()
        return self.since <= day and (self.until is None or day <= self.until)


def load(directory: Path) -> tuple[Pack, ...]:
    """Every pack under the directory, by file name; calendars/ and templates/ hold what packs refer to.

    Raises:
        PackError: The first thing that is wrong in any of them.
    """
    if not directory.is_dir():
        raise PackError(directory, 1, "", "is no directory")
    known = calendars.load(directory / "calendars")
    files = (file for file in sorted(directory.rglob("*.yaml")) if file.parent != directory / "calendars")
    packs = tuple(_pack(document.read(file), known, directory / "templates") for file in files)
    _refuse_overlap(packs)
    return packs


def in_force(packs: tuple[Pack, ...], at: datetime) -> tuple[Pack, ...]:
    """The packs that apply to what happened at ``at`` (an aware instant)."""
    return tuple(pack for pack in packs if pack.in_force(at))


def _pack(read: Document, known: Mapping[str, Calendar], templates: Path) -> Pack:
    entry = check(read, PackEntry)
    _check_kind(read, entry)
    _check_vectors(read, entry)
    profile = frozenset(name for name, fact in entry.facts.items() if fact.source == "profile")
    names = frozenset(entry.facts) | {_KIND} | ({entry.grading.into} if entry.grading else set())
    if entry.grading and entry.grading.fact not in entry.facts:
        raise read.error(("grading", "fact"), f"{entry.grading.fact} is not declared under facts")
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
        counting=_counting(read, entry.counting, known),
        regime=entry.regime,
        facts=entry.facts,
        grading=entry.grading,
        applies_when=_trigger(read, ("applies_when",), entry.applies_when, profile),
        trigger=_trigger(read, ("trigger",), entry.trigger, names),
        obligations=_obligations(read, entry, names, templates),
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


def _check_vectors(read: Document, entry: PackEntry) -> None:
    duties = {duty.id for duty in entry.obligations}
    for number, vector in enumerate(entry.vectors):
        for index, expected in enumerate(vector.expect):
            if expected.obligation not in duties:
                path: FieldPath = ("vectors", number, "expect", index, "obligation")
                raise read.error(path, f"{expected.obligation} is no obligation of this pack")


def _counting(read: Document, entry: CountingEntry, known: Mapping[str, Calendar]) -> Counting:
    try:
        zone = ZoneInfo(entry.zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise read.error(("counting", "zone"), f"{entry.zone} is no time zone") from error
    if entry.calendar is not None and entry.calendar not in known:
        raise read.error(("counting", "calendar"), f"there is no calendar {entry.calendar}")
    return Counting(entry.rule, zone, known[entry.calendar] if entry.calendar else None)


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


def _obligations(read: Document, entry: PackEntry, names: frozenset[str], templates: Path) -> tuple[Obligation, ...]:
    seen: set[str] = set()
    for index, duty in enumerate(entry.obligations):
        if duty.id in seen:
            raise read.error(("obligations", index, "id"), f"{duty.id} stands here twice")
        seen.add(duty.id)
    return tuple(
        _obligation(read, ("obligations", index), duty, names, templates)
        for index, duty in enumerate(entry.obligations)
    )


def _obligation(
    read: Document, path: FieldPath, entry: ObligationEntry, names: frozenset[str], templates: Path
) -> Obligation:
    return Obligation(
        id=entry.id,
        title=entry.title,
        citation=entry.citation,
        recipient=entry.recipient,
        anchor=entry.anchor,
        anchor_also=tuple(entry.anchor_also),
        when=_trigger(read, (*path, "when"), entry.when, names),
        due=Period(entry.due.n, entry.due.unit) if entry.due else None,
        objective=Period(entry.objective.n, entry.objective.unit) if entry.objective else None,
        rights=tuple(entry.rights),
        templates=_templates(read, path, entry, names, templates),
    )


def _templates(
    read: Document, path: FieldPath, entry: ObligationEntry, names: frozenset[str], directory: Path
) -> Mapping[str, Template]:
    if entry.template is None:
        return {}
    files = {locale: directory / f"{entry.template}.{locale}.txt" for locale in template.LOCALES}
    for file in files.values():
        if not file.is_file():
            raise read.error((*path, "template"), f"there is no {file.name} under templates/")
    return {locale: template.load(file, names | template.BUILT_IN) for locale, file in files.items()}


def _refuse_overlap(packs: tuple[Pack, ...]) -> None:
    """One law has one reading at any instant."""
    for index, pack in enumerate(packs):
        for other in packs[:index]:
            apart = (other.until or date.max) < pack.since or (pack.until or date.max) < other.since
            if pack.id == other.id and not apart:
                raise PackError(pack.file, 1, "in_force", f"{pack.id} is in force twice, see {other.file.name}")
