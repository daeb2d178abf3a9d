from __future__ import annotations

from dataclasses import replace

from candor_escalation.domain import question as rules
from candor_escalation.domain.clock import RECEIPTED
from candor_escalation.domain.incident import Anchor, Incident
from candor_escalation.domain.question import ANSWERED, LAPSED, Known, Question

from .builders import HOUR, INCIDENT, NOON, clock, duty

LEAK = Incident(INCIDENT, "pi_leak", "A leak", "", "open", NOON, signals=1)
AWARE = {"aware": Anchor("aware", NOON, "")}


def asked(kind: str, name: str) -> Question:
    return Question("q", INCIDENT, kind, name, name, name, rules.OPEN, NOON)


def test_what_a_duty_hangs_on_is_asked_once() -> None:
    duties = [
        duty(missing=("persons",)),
        duty(obligation_id="other", missing=("persons", "grade"), disputed=("grade",)),
    ]

    assert rules.topics(LEAK, duties, [], AWARE) == [
        (rules.FACT, "persons"),
        (rules.CONTRADICTION, "grade"),
    ]


def test_an_instant_that_is_still_to_come_is_asked_for_but_no_receipt() -> None:
    duties = [duty(at=None, anchor_key="determined"), duty(at=None, anchor_key="receipt:notification")]

    assert rules.topics(LEAK, duties, [], AWARE) == [(rules.ANCHOR, "determined")]


def test_a_disputed_instant_is_asked_about_where_a_clock_counts_from_it() -> None:
    anchors = {
        "aware": Anchor("aware", NOON, "", disputed=True),
        "found": Anchor("found", NOON, "", disputed=True),
    }

    assert rules.topics(LEAK, [duty(anchor=anchors["aware"])], [], anchors) == [(rules.DISPUTE, "aware")]


def test_what_a_stopped_clock_hung_on_is_asked_no_longer() -> None:
    stopped = replace(clock(), state=RECEIPTED, stopped_at=NOON)

    assert rules.topics(LEAK, [duty(missing=("persons",))], [stopped], AWARE) == []


def test_an_incident_that_no_pack_knows_is_for_a_person_to_look_at() -> None:
    assert rules.topics(LEAK, [], [], AWARE) == [(rules.TRIAGE, "pi_leak")]
    assert rules.topics(LEAK, [], [clock()], AWARE) == []  # a pack is gone, and its clock runs


def test_a_question_ends_as_answered_when_it_is_known_and_lapses_otherwise() -> None:
    known = Known(frozenset({"persons"}), AWARE)
    open_questions = [
        asked(rules.FACT, "persons"), asked(rules.FACT, "cause"), asked(rules.ANCHOR, "aware"),
        asked(rules.DISPUTE, "gone"), asked(rules.FACT, "still"),
    ]  # fmt: skip
    ended, new = rules.settle(open_questions, [(rules.FACT, "still"), (rules.FACT, "new")], known, NOON + HOUR, "li")

    assert [(question.name, question.state) for question in ended] == [
        ("persons", ANSWERED),
        ("cause", LAPSED),
        ("aware", ANSWERED),
        ("gone", LAPSED),
    ]
    assert {(question.answered_at, question.answered_by) for question in ended} == {(NOON + HOUR, "li")}
    assert new == [(rules.FACT, "new")]
