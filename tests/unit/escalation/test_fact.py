from __future__ import annotations

from candor_escalation.domain import fact as rules
from candor_escalation.domain.incident import Fact, Json
from hypothesis import given
from hypothesis import strategies as st

from .builders import NOON


def fact(name: str, value: Json, source: str = "on-call", reason: str = "") -> Fact:
    return Fact(name, value, NOON, "li", source, reason)


def test_a_later_fact_of_a_source_corrects_its_earlier_one_and_both_stay() -> None:
    facts = [fact("persons", 10.0), fact("cause", "unknown"), fact("persons", 20.0)]

    assert rules.current(facts) == {"persons": 20.0, "cause": "unknown"}
    assert rules.contradictions(facts) == {}


def test_sources_that_disagree_both_stand() -> None:
    facts = [fact("persons", 10.0), fact("persons", 2e6, "monitoring"), fact("persons", 10.0, "hotline")]

    assert rules.contradictions(facts) == {"persons": (10.0, 2e6)}


def test_a_reason_settles_what_every_source_said_before() -> None:
    facts = [fact("persons", 10.0), fact("persons", 2e6, "monitoring"), fact("persons", 12.0, "audit", "counted twice")]

    assert rules.contradictions(facts) == {}
    assert rules.current(facts) == {"persons": 12.0}


def test_a_source_that_does_not_know_contradicts_nobody() -> None:
    facts = [fact("persons", 10.0), fact("persons", None, "hotline")]

    assert rules.contradictions(facts) == {}
    assert rules.current(facts) == {"persons": 10.0}
    assert rules.current([*facts, fact("persons", None)]) == {"persons": None}


def test_a_machine_that_repeats_itself_opens_nothing_again() -> None:
    facts = [fact("persons", 2e6, "monitoring"), fact("persons", 12.0, "audit", "counted twice")]

    assert rules.from_signal(facts, {"persons": 2e6}, NOON, "m", "monitoring") == []
    assert [new.value for new in rules.from_signal(facts, {"persons": 3e6}, NOON, "m", "monitoring")] == [3e6]


def test_what_a_person_says_again_is_not_recorded_again_unless_it_settles() -> None:
    facts = [fact("persons", 10.0)]
    told: dict[str, Json] = {"persons": 10.0, "cause": "bug", "waived": None}

    assert [new.name for new in rules.from_person(facts, told, NOON, "li", "on-call", "")] == ["cause", "waived"]
    assert [new.name for new in rules.from_person(facts, told, NOON, "li", "hotline", "")] == [
        "persons",
        "cause",
        "waived",
    ]
    assert len(rules.from_person(facts, told, NOON, "li", "on-call", "I asked again")) == 3


def test_a_person_who_takes_a_settlement_back_is_heard() -> None:
    facts = [fact("persons", 10.0), fact("persons", 12.0, "audit", "counted twice")]

    assert [new.value for new in rules.from_person(facts, {"persons": 10.0}, NOON, "li", "on-call", "")] == [10.0]


FACTS = st.lists(
    st.builds(
        fact,
        st.sampled_from("ab"),
        st.sampled_from([1.0, 2.0, None]),
        st.sampled_from("xyz"),
        st.sampled_from(["", "r"]),
    ),
    max_size=12,
)


@given(FACTS)
def test_nobodys_last_word_is_dropped_but_for_a_reason(facts: list[Fact]) -> None:
    contradictions = rules.contradictions(facts)
    for name in {fact.name for fact in facts}:
        said = [fact for fact in facts if fact.name == name]
        since = max((number for number, fact in enumerate(said) if fact.reason), default=0)
        last = {fact.source: fact.value for fact in said[since:]}
        values = [value for value in dict.fromkeys(map(str, last.values())) if value != "None"]
        assert sorted(map(str, contradictions.get(name, values))) == sorted(values)
        assert (name in contradictions) == (len(values) > 1)
        assert str(rules.current(facts)[name]) in (values or ["None"])
