"""What sources say of an incident: each corrects itself, none overwrites another, a reason settles."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from candor_escalation.domain.incident import Fact, Json

Standing = Mapping[str, Mapping[str, Fact]]
"""Name -> source -> what that source says of it now."""


def standing(facts: Iterable[Fact]) -> dict[str, dict[str, Fact]]:
    """What each source says now, from facts in the order they were recorded."""
    found: dict[str, dict[str, Fact]] = {}
    for fact in facts:
        by_source = found.setdefault(fact.name, {})
        if fact.reason:
            by_source.clear()
        by_source.pop(fact.source, None)  # the latest stands last
        by_source[fact.source] = fact
    return found


def current(facts: Iterable[Fact]) -> dict[str, Json]:
    """What was said last of each fact; a source that does not know takes nothing from one that does."""
    found: dict[str, Json] = {}
    for name, by_source in standing(facts).items():
        values = [fact.value for fact in by_source.values()]
        known = [value for value in values if value is not None]
        found[name] = (known or values)[-1]
    return found


def contradictions(facts: Iterable[Fact]) -> dict[str, tuple[Json, ...]]:
    """The facts that sources disagree about, with everything that is said of each. Nobody's word is dropped."""
    found: dict[str, tuple[Json, ...]] = {}
    for name, by_source in standing(facts).items():
        said: list[Json] = []
        for fact in by_source.values():
            if fact.value is not None and fact.value not in said:
                said.append(fact.value)
        if len(said) > 1:
            found[name] = tuple(said)
    return found


def said_last(facts: Iterable[Fact], source: str) -> dict[str, Json]:
    """What a source said last of each fact, whether or not it was settled otherwise since."""
    return {fact.name: fact.value for fact in facts if fact.source == source}


def from_signal(
    facts: Iterable[Fact], told: Mapping[str, Json], now: datetime, recorded_by: str, source: str
) -> list[Fact]:
    """The facts to append from a signal: those of which its source says something else than it said last.

    A machine that repeats itself does not open again what a person has settled.
    """
    last = said_last(facts, source)
    return [
        Fact(name, value, now, recorded_by, source)
        for name, value in told.items()
        if name not in last or last[name] != value
    ]


def from_person(
    facts: Iterable[Fact], told: Mapping[str, Json], now: datetime, recorded_by: str, source: str, reason: str
) -> list[Fact]:
    """The facts to append from a person: all that are settled with a reason, else those that say something new."""
    stands = standing(facts)

    def says_it(name: str, value: Json) -> bool:
        fact = stands.get(name, {}).get(source)
        return fact is not None and fact.value == value

    return [
        Fact(name, value, now, recorded_by, source, reason)
        for name, value in told.items()
        if reason or not says_it(name, value)
    ]
