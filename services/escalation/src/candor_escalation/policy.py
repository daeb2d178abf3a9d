"""The policy packs as the rules of this service see them: duties, and the forms of their reports."""

from collections.abc import Callable, Mapping
from datetime import tzinfo

from candor_packs.duties import Duty as PackDuty
from candor_packs.duties import arising, known_facts
from candor_packs.pack import Obligation, Pack
from candor_packs.template import Template
from candor_packs.trigger import Value

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


class Policy:
    """The packs that are loaded, and what they ask of the company itself (``profile``)."""

    def __init__(self, packs: tuple[Pack, ...], profile: Mapping[str, Value]) -> None:
        self.packs = packs
        self.profile = profile
        self._incident_packs = tuple(pack for pack in packs if pack.kind == "incident")

    def duties(self, incident: Incident, facts: Mapping[str, Json], anchors: Mapping[str, Anchor]) -> list[Duty]:
        """The duties that arise or may arise from what is known now."""
        instants = {name: anchor.at for name, anchor in anchors.items()}
        found = arising(self._incident_packs, facts_of(incident, facts), self.profile, instants)
        return [_duty(duty, anchors) for duty in found]

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


def _duty(duty: PackDuty, anchors: Mapping[str, Anchor]) -> Duty:
    obligation = duty.obligation
    return Duty(
        pack_id=duty.pack.id,
        pack_version=duty.pack.version,
        obligation_id=obligation.id,
        citation=obligation.citation,
        recipient=f"{obligation.recipient.zh} / {obligation.recipient.en}" if obligation.recipient else "",
        anchor_key=obligation.anchor,
        missing=tuple(sorted(duty.missing)),
        legal_number=obligation.due is not None,
        anchor=anchors[duty.anchor] if duty.anchor else None,
        strict_due=duty.due.strict if duty.due else None,
        legal_latest=duty.due.latest if duty.due else None,
        provisional=duty.due.provisional if duty.due else False,
    )
