from __future__ import annotations

import celpy
import pytest
from candor_packs.trigger import (
    LONGEST_LIST,
    LONGEST_TEXT,
    Answer,
    Evaluation,
    TriggerError,
    Value,
    both,
    compile_trigger,
)
from celpy.adapter import json_to_cel
from celpy.evaluation import CELEvalError
from hypothesis import given, settings
from hypothesis import strategies as st

SOURCE = 'kind in ["pi_leak", "security"] && (persons >= 1000000 || grade == "major") && !waived'
_ENVIRONMENT = celpy.Environment()
OTHER = _ENVIRONMENT.program(_ENVIRONMENT.compile(SOURCE))
FACTS: st.SearchStrategy[dict[str, Value]] = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from(["pi_leak", "security", "service_start"]),
        "persons": st.sampled_from([0.0, 999_999.0, 1_000_000.0, 1e12]),
        "grade": st.sampled_from(["major", "lesser"]),
        "waived": st.booleans(),
    },
)


def answer(source: str, **facts: Value) -> Answer:
    return compile_trigger(source).evaluate(facts).answer


def test_a_missing_fact_makes_the_answer_unknown_and_is_named() -> None:
    evaluation = compile_trigger('kind == "security" && personal').evaluate({"kind": "security"})

    assert evaluation == Evaluation(Answer.UNKNOWN, frozenset({"personal"}))


def test_a_missing_fact_that_does_not_matter_leaves_the_answer() -> None:
    assert answer("a && b", b=False) is Answer.FALSE
    assert answer("a || b", b=True) is Answer.TRUE


def test_a_fact_of_another_type_is_unknown_not_false() -> None:
    assert answer("persons >= 5", persons="many") is Answer.UNKNOWN


def test_a_result_that_is_no_truth_value_is_unknown() -> None:
    assert answer("a", a="yes") is Answer.UNKNOWN


def test_values_beyond_the_cap_are_unknown_to_the_expression() -> None:
    assert answer('a.contains("x")', a="x" * LONGEST_TEXT) is Answer.TRUE
    assert answer('a.contains("x")', a="x" * (LONGEST_TEXT + 1)) is Answer.UNKNOWN
    assert answer('"x" in a', a=("x",) * LONGEST_LIST) is Answer.TRUE
    assert answer('"x" in a', a=("x",) * (LONGEST_LIST + 1)) is Answer.UNKNOWN
    assert answer("a > 1", a=2**80) is Answer.UNKNOWN


@pytest.mark.parametrize(
    "source",
    [
        "a >",
        "",
        "a &&& b",
        "[1, 2].map(x, x * 2) == a",
        'a.matches("(x+)+y")',
        "timestamp(a) < b",
        "a + b == 3",
        "x" * 3000,
    ],
)
def test_what_is_no_cel_or_has_no_bounded_cost_is_refused(source: str) -> None:
    with pytest.raises(TriggerError):
        compile_trigger(source)


def test_false_wins_over_unknown_and_unknown_over_true() -> None:
    true, false = Evaluation(Answer.TRUE), Evaluation(Answer.FALSE)
    left, right = (Evaluation(Answer.UNKNOWN, frozenset({name})) for name in "ab")

    assert both(left, false) == both(false, left) == false
    assert both(true, left) == left
    assert both(left, right) == Evaluation(Answer.UNKNOWN, frozenset({"a", "b"}))
    assert both(true, true) == true


@settings(deadline=None)
@given(FACTS)
def test_another_implementation_of_cel_gives_the_same_answers(facts: dict[str, Value]) -> None:
    activation = {name: json_to_cel(value) for name, value in facts.items()}  # type: ignore[arg-type]
    try:
        expected = Answer.TRUE if OTHER.evaluate(activation) else Answer.FALSE
    except CELEvalError:
        expected = Answer.UNKNOWN

    assert compile_trigger(SOURCE).evaluate(facts).answer is expected


@given(FACTS, FACTS)
def test_learning_more_never_turns_a_known_answer(known: dict[str, Value], more: dict[str, Value]) -> None:
    trigger = compile_trigger(SOURCE)
    before, after = trigger.evaluate(known).answer, trigger.evaluate({**more, **known}).answer

    assert before in {Answer.UNKNOWN, after}


@pytest.mark.parametrize(
    ("source", "known", "missing"),
    [
        ('(kind == "leak" || (kind == "security" && personal)) && minors', {"kind": "leak"}, {"minors"}),
        (
            '(kind == "leak" || (kind == "security" && personal)) && minors',
            {"kind": "security"},
            {"personal", "minors"},
        ),
        ('(kind == "leak" || (kind == "security" && personal)) && minors', {"minors": True}, {"kind", "personal"}),
        ("a && (b || c)", {"b": True}, {"a"}),
        ("!(a || b) && c", {"a": False}, {"b", "c"}),
        ("!a || b", {"b": False}, {"a"}),
        ("a ? b : c", {"a": True, "c": True}, {"b"}),
        ("(a ? b : c) && d", {"a": True, "c": True, "b": True}, {"d"}),
        ('text == "a && (b" || c', {"text": "x"}, {"c"}),
        ("text == 'it\\'s || a' && c", {"c": True}, {"text"}),
        ('a in ["x", "("] || b', {"a": "y"}, {"b"}),
        ("persons > 5 && a", {"persons": "many", "a": True}, {"persons"}),
    ],
)
def test_only_a_fact_that_matters_is_asked_for(source: str, known: dict[str, Value], missing: set[str]) -> None:
    assert compile_trigger(source).evaluate(known) == Evaluation(Answer.UNKNOWN, frozenset(missing))
