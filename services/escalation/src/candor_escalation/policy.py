"""The policy packs as the rules of this service see them: duties, and the forms of their reports."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, tzinfo
from functools import lru_cache
from itertools import product
from pathlib import Path

from candor_packs import pack as pack_files
from candor_packs import vectors
from candor_packs.duties import Duty as PackDuty
from candor_packs.duties import arising, known_facts
from candor_packs.pack import Obligation, Pack, PackError
from candor_packs.template import Template
from candor_packs.trigger import Answer, Value

from candor_escalation.domain.anchor import RECEIPT_PREFIX
from candor_escalation.domain.clock import Clock, Duty
from candor_escalation.domain.incident import Anchor, Incident, Json

_TYPES: Mapping[str, Callable[[Json], bool]] = {
    "bool": lambda value: value is None or isinstance(value, bool),
    "number": lambda value: value is None or (isinstance(value, float) and not isinstance(value, bool)),
    "text": lambda value: value is None or isinstance(value, str),
    "texts": lambda value: value is None or (isinstance(value, list) and all(isinstance(item, str) for item in value)),
}


class Form:
    """The report that an obligation asks for: a text per language with named fields, and what their gaps are called."""

    def __init__(self, pack: Pack, obligation: Obligation) -> None:
        self._pack = pack
        self._obligation = obligation

    @property
    def zone(self) -> tzinfo:
        """The zone in which the form states instants."""
        return self._pack.counting.zone

    @property
    def templates(self) -> Mapping[str, Template]:
        """Language -> text."""
        return self._obligation.templates

    def recipient(self, locale: str) -> str:
        """To whom it goes."""
        recipient = self._obligation.recipient
        return getattr(recipient, locale) if recipient else ""

    def labels(self, locale: str) -> dict[str, str]:
        """What each fact is called."""
        return {name: getattr(fact, locale) for name, fact in self._pack.facts.items()}

    def fillable(self) -> dict[str, Callable[[Json], bool]]:
        """The fields that facts of the incident fill, and for each whether a value fits (None takes it back)."""
        named = {name for template in self.templates.values() for name in template.fields}
        declared = {
            name: fact for name, fact in self._pack.facts.items() if name in named and fact.source == "incident"
        }
        return {name: _TYPES[fact.type] for name, fact in declared.items()}

    def facts(self, known: Mapping[str, Value], profile: Mapping[str, Value], locale: str) -> dict[str, Json]:
        """What is known of the facts that the pack declares, a grade that follows from a number among them."""
        found = known_facts(self._pack, known, profile)
        readable: dict[str, Json] = {
            name: list(value) if isinstance(value, tuple) else value for name, value in found.items()
        }
        return readable | self._grade_in_words(found, locale)

    def _grade_in_words(self, found: Mapping[str, Value], locale: str) -> dict[str, Json]:
        """The grade as the law calls it, for the language of the law."""
        grading = self._pack.grading
        if grading is None or locale != "zh":
            return {}
        words = [step.zh for step in grading.steps if step.value == found.get(grading.into)]
        return {grading.into: words[0]} if words else {}


Disputed = Mapping[str, tuple[Json, ...]]
"""Facts that sources disagree about, with everything that is said of each."""
_MOST_ASSUMPTIONS = 16
_MOST_KINDS = 256
_Key = tuple[str, str, str]


def load(directory: Path) -> tuple[Pack, ...]:
    """The packs of a directory, every one of which gets its own test vectors right.

    Raises:
        PackError: a pack is wrong; the message names file and place. None is loaded then.
    """
    packs = pack_files.load(directory)
    for pack in packs:
        for mistake in vectors.run(pack):
            raise PackError(directory, 1, pack.id, f"a test vector of the pack is wrong: {mistake}")
    return packs


class Policy:
    """The packs that are loaded, and what they ask of the company itself (``profile``).

    What the profile leaves open is known where an incident's facts say it.
    """

    def __init__(self, packs: tuple[Pack, ...], profile: Mapping[str, Value]) -> None:
        self.profile = profile
        self.replace(packs)

    def replace(self, packs: tuple[Pack, ...]) -> None:
        """Take other packs from now on."""
        self.packs = packs
        self._incident_packs = tuple(pack for pack in packs if pack.kind == "incident")
        self._relevant = lru_cache(_MOST_KINDS)(self._concerned)

    def duties(
        self,
        incident: Incident,
        facts: Mapping[str, Json],
        anchors: Mapping[str, Anchor],
        disputed: Disputed | None = None,
    ) -> list[Duty]:
        """The duties that arise or may arise from what is known now.

        Where sources disagree, every assumption is tried, and each duty falls due by the one under which it falls due
        first. With too many assumptions the facts in dispute count as unknown, which is shorter still.
        """
        said = disputed or {}
        tried = [self._under({**facts, **assumption}, incident, anchors) for assumption in _assumptions(said)]
        found: dict[_Key, list[Duty]] = {}
        for duties in tried:
            for duty in duties:
                found.setdefault((duty.pack_id, duty.obligation_id, duty.anchor_key), []).append(duty)
        return [self._shortest(duties, len(tried), said) for duties in found.values()]

    def _shortest(self, duties: list[Duty], tried: int, disputed: Disputed) -> Duty:
        """One duty as it is under several assumptions of ``tried``; in dispute where it hangs on which is right."""
        shortest = duties[0]
        for duty in duties[1:]:
            shortest = _shorter(shortest, duty)
        if len(duties) < tried or any(duty != shortest for duty in duties) or disputed.keys() & set(shortest.missing):
            return replace(shortest, disputed=self._in_dispute(shortest, disputed))
        return shortest

    def fallen(
        self,
        incident: Incident,
        facts: Mapping[str, Json],
        anchors: Mapping[str, Anchor],
        duties: Iterable[Duty],
        clocks: Iterable[Clock],
    ) -> frozenset[str]:
        """The running clocks whose trigger is false by what was recorded of the incident.

        That is so where the duty would arise if nothing were recorded, or if its anchor had not been corrected. A pack
        that is gone or was changed, or another profile, makes no clock fall.
        """
        found = {(duty.pack_id, duty.obligation_id, duty.anchor_key) for duty in duties}
        absent = [
            clock
            for clock in clocks
            if clock.is_running and (clock.pack_id, clock.obligation_id, clock.anchor_key) not in found
        ]
        if not absent:
            return frozenset()
        unrecorded = _keys(self._arising({}, incident, anchors))
        fell = set()
        for clock in absent:
            key = (clock.pack_id, clock.obligation_id, clock.anchor_key)
            as_before = {**anchors, clock.anchor.name: clock.anchor}
            if key in unrecorded or key in _keys(self._arising(facts, incident, as_before)):
                fell.add(clock.clock_id)
        return frozenset(fell)

    def label(self, name: str) -> tuple[str, str]:
        """What a fact is called, in Chinese and in English; its name where no pack declares it."""
        for pack in self._incident_packs:
            declared = pack.facts.get(name)
            if declared is not None:
                return declared.zh, declared.en
        return name, name

    def _under(self, facts: Mapping[str, Json], incident: Incident, anchors: Mapping[str, Anchor]) -> list[Duty]:
        return [_duty(duty, anchors) for duty in self._arising(facts, incident, anchors)]

    def _arising(
        self, facts: Mapping[str, Json], incident: Incident, anchors: Mapping[str, Anchor]
    ) -> tuple[PackDuty, ...]:
        readable = facts_of(incident, facts)
        instants: dict[str, datetime] = {name: anchor.at for name, anchor in anchors.items()}
        return arising(self._relevant(incident.kind), readable, {**readable, **self.profile}, instants)

    def _concerned(self, kind: str) -> tuple[Pack, ...]:
        """The packs that can concern a kind of incident: what kind and profile exclude, no further fact brings in."""
        told: dict[str, Value] = {"kind": kind}
        return tuple(
            pack for pack in self._incident_packs if not _excluded(pack, known_facts(pack, told, self.profile))
        )

    def _in_dispute(self, duty: Duty, disputed: Disputed) -> tuple[str, ...]:
        """The facts in dispute that the duty's pack reads."""
        declared: set[str] = set()
        for pack in self._incident_packs:
            if pack.id == duty.pack_id:
                declared |= set(pack.facts)
        return tuple(sorted(declared & disputed.keys()))

    def form(self, clock: Clock) -> Form | None:
        """The form of a clock's report: by the version it runs under, else by the one in force at its anchor."""
        packs = [pack for pack in self._incident_packs if pack.id == clock.pack_id]
        exact = [pack for pack in packs if pack.version == clock.pack_version and pack.in_force(clock.anchor.at)]
        for pack in exact or [pack for pack in packs if pack.in_force(clock.anchor.at)]:
            obligation = pack.obligation(clock.obligation_id)
            if obligation is not None:
                return Form(pack, obligation)
        return None


def facts_of(incident: Incident, facts: Mapping[str, Json]) -> dict[str, Value]:
    """The facts that a trigger can read: texts, numbers, true/false and lists of texts; ``kind`` is the incident's."""
    readable = {name: _value(value) for name, value in facts.items()}
    return {name: value for name, value in readable.items() if value is not None} | {"kind": incident.kind}


def _value(value: Json) -> Value | None:
    if isinstance(value, (bool, float, str)):
        return value
    if isinstance(value, list):
        texts = tuple(item for item in value if isinstance(item, str))
        return texts if len(texts) == len(value) else None
    return None


def _assumptions(disputed: Disputed) -> Iterator[dict[str, Json]]:
    """Every way in which the facts in dispute can be, one empty way where none is."""
    ways = 1
    for said in disputed.values():
        ways *= len(said)
    if ways > _MOST_ASSUMPTIONS:
        yield dict.fromkeys(disputed)
        return
    for chosen in product(*disputed.values()):
        yield dict(zip(disputed, chosen, strict=True))


def _excluded(pack: Pack, known: Mapping[str, Value]) -> bool:
    """Whether a pack is out by what is known: what is false stays false when more is learned (three values)."""
    asked = (trigger for trigger in (pack.applies_when, pack.trigger) if trigger is not None)
    return any(trigger.evaluate(known).answer is Answer.FALSE for trigger in asked)


def _keys(duties: Iterable[PackDuty]) -> Collection[_Key]:
    return {(duty.pack.id, duty.obligation.id, duty.obligation.anchor) for duty in duties}


def _shorter(one: Duty, other: Duty) -> Duty:
    """The duty as it falls due first; what is unknown under either assumption is unknown."""
    if one.strict_due is None or other.strict_due is None:
        first = other if one.strict_due is None else one
    else:
        first = other if other.strict_due < one.strict_due else one
    return replace(first, missing=tuple(sorted({*one.missing, *other.missing})))


def _anchor(duty: PackDuty, anchors: Mapping[str, Anchor]) -> Anchor | None:
    """The anchor that a duty counts from; a receipt's name may be short for its own pack."""
    if duty.anchor is None:
        return None
    short = duty.anchor.removeprefix(RECEIPT_PREFIX)
    return anchors.get(duty.anchor) or anchors.get(f"{RECEIPT_PREFIX}{duty.pack.id}/{short}")


def _duty(duty: PackDuty, anchors: Mapping[str, Anchor]) -> Duty:
    obligation = duty.obligation
    anchor = _anchor(duty, anchors)
    counted = duty.due if anchor else None
    return Duty(
        pack_id=duty.pack.id,
        pack_version=duty.pack.version,
        obligation_id=obligation.id,
        citation=obligation.citation,
        recipient=f"{obligation.recipient.zh} / {obligation.recipient.en}" if obligation.recipient else "",
        anchor_key=obligation.anchor,
        missing=tuple(sorted(duty.missing)) if duty.answer is Answer.UNKNOWN else (),
        legal_number=obligation.due is not None,
        anchor=anchor if counted else None,
        strict_due=counted.strict if counted else None,
        legal_latest=counted.latest if counted else None,
        provisional=counted.provisional if counted else False,
        repeats=bool(getattr(obligation, "repeats", False)),
    )
