"""Triggers against another implementation of CEL, and the bound on what one can cost."""

from __future__ import annotations

import time
from datetime import timedelta

import celpy
import pytest
from candor_packs.trigger import (
    LARGEST_LIST,
    LONGEST_LIST,
    LONGEST_TEXT,
    Answer,
    TriggerError,
    Value,
    compile_trigger,
)
from celpy.adapter import json_to_cel
from celpy.evaluation import CELEvalError
from hypothesis import given, settings
from hypothesis import strategies as st

TEXTS = ["", "a", "leak", "pi_leak", "PI", "泄露"]
NUMBERS = [0, 1, 5, 1_000_000]
BOOLS, WORDS, COUNTS, LISTS = ["p", "q"], ["kind", "grade"], ["persons", "hours"], ["states", "products"]


def quoted(text: str) -> str:
    return f'"{text}"'


words = st.sampled_from(WORDS) | st.sampled_from(TEXTS).map(quoted)
counts = st.sampled_from(COUNTS) | st.sampled_from(NUMBERS).map(str)
lists = st.sampled_from(LISTS) | st.lists(st.sampled_from(TEXTS), min_size=1, max_size=3).map(
    lambda items: f"[{', '.join(map(quoted, items))}]"
)
leaves = st.one_of(
    st.sampled_from(BOOLS),
    st.builds("{} {} {}".format, words, st.sampled_from(["==", "!="]), words),
    st.builds("{} {} {}".format, counts, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), counts),
    st.builds("{} in {}".format, words, lists),
    st.builds("{}.{}({})".format, words, st.sampled_from(["contains", "startsWith", "endsWith"]), words),
    st.builds("size({}) {} {}".format, lists | words, st.sampled_from(["==", ">="]), st.sampled_from(["0", "1", "2"])),
)
EXPRESSIONS = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds("({} && {})".format, inner, inner),
        st.builds("({} || {})".format, inner, inner),
        st.builds("!({})".format, inner),
        st.builds("({} ? {} : {})".format, inner, inner, inner),
    ),
    max_leaves=6,
)
FACTS: st.SearchStrategy[dict[str, Value]] = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(BOOLS, st.booleans()),
        **dict.fromkeys(WORDS, st.sampled_from(TEXTS)),
        **dict.fromkeys(COUNTS, st.sampled_from(NUMBERS)),
        **dict.fromkeys(LISTS, st.lists(st.sampled_from(TEXTS), max_size=3).map(tuple)),
    },
)
ENVIRONMENT = celpy.Environment()


def other(source: str, facts: dict[str, Value]) -> Answer:
    activation = {
        name: json_to_cel(list(value) if isinstance(value, tuple) else value) for name, value in facts.items()
    }
    try:
        result = ENVIRONMENT.program(ENVIRONMENT.compile(source)).evaluate(activation)
    except CELEvalError:
        return Answer.UNKNOWN
    return Answer.TRUE if result else Answer.FALSE


@settings(deadline=timedelta(seconds=5), max_examples=100)
@given(EXPRESSIONS, FACTS)
def test_any_expression_is_answered_as_another_implementation_answers_it(source: str, facts: dict[str, Value]) -> None:
    assert compile_trigger(source).evaluate(facts).answer is other(source, facts)


def test_a_fraction_compares_with_a_whole_number_where_the_other_implementation_raises() -> None:
    assert compile_trigger("persons == 5").evaluate({"persons": 5.0}).answer is Answer.TRUE
    assert compile_trigger("persons > 5").evaluate({"persons": 5.5}).answer is Answer.TRUE


@settings(deadline=None)
@given(EXPRESSIONS, FACTS, FACTS)
def test_learning_more_never_turns_a_known_answer_of_any_expression(
    source: str, known: dict[str, Value], more: dict[str, Value]
) -> None:
    trigger = compile_trigger(source)
    before, after = trigger.evaluate(known).answer, trigger.evaluate({**more, **known}).answer

    assert before in {Answer.UNKNOWN, after}


@settings(deadline=None)
@given(EXPRESSIONS, FACTS)
def test_an_unknown_answer_names_a_fact_that_is_missing(source: str, facts: dict[str, Value]) -> None:
    evaluation = compile_trigger(source).evaluate(facts)

    assert (evaluation.answer is Answer.UNKNOWN) == bool(evaluation.missing)
    assert evaluation.missing.isdisjoint(facts)


WORST = [
    "||".join(["t in l"] * 240),
    "||".join(["t.contains(n)"] * 130),
    "&&".join(["l == m"] * 220),
    "&&".join(["t == u"] * 220),
    "!" * 1_990 + "p",
    "&&".join(["p"] * 600),
    "size(l) == 1 ||" * 110 + "p",
]


@pytest.mark.parametrize("source", WORST, ids=lambda source: source[:12])
def test_no_expression_can_take_long_over_values_as_large_as_they_may_be(source: str) -> None:
    items = tuple("x" * 99 + str(number % 10) for number in range(LONGEST_LIST))
    assert sum(map(len, items)) == LARGEST_LIST
    facts: dict[str, Value] = {
        "t": "x" * LONGEST_TEXT,
        "u": "x" * LONGEST_TEXT,
        "n": "x" * (LONGEST_TEXT // 2) + "y",
        "l": items,
        "m": tuple(items),
        "p": True,
    }
    trigger = compile_trigger(source)

    began = time.process_time()
    answer = trigger.evaluate(facts).answer
    took = time.process_time() - began

    assert answer in {Answer.TRUE, Answer.FALSE}
    assert took < 1


@pytest.mark.parametrize(
    "source",
    [
        "l.all(x, x == t)",
        "l.exists(x, x == t)",
        "l.exists_one(x, x == t)",
        "l.filter(x, x == t) == l",
        "has(p.q)",
        "p.q == 1",
        "{'a': 1} == p",
        "Duration{seconds: 1} == p",
        "l[0] == t",
        "duration('1s') == p",
        "a % 2 == 1",
    ],
)
def test_what_could_cost_more_than_its_length_or_is_never_known_is_refused(source: str) -> None:
    with pytest.raises(TriggerError):
        compile_trigger(source)


def test_a_dot_or_a_brace_inside_a_text_is_no_field() -> None:
    assert compile_trigger("""a == "x.y{" || b == 'it\\'s.z'""").names == {"a", "b"}


@pytest.mark.parametrize("source", ["(" * 900 + "a" + ")" * 900, "[" * 990 + "]" * 990 + " == a", "a ? " * 400 + "a"])
def test_an_expression_nested_without_end_is_refused(source: str) -> None:
    with pytest.raises(TriggerError):
        compile_trigger(source)


@settings(deadline=None)
@given(EXPRESSIONS, FACTS)
def test_knowing_all_that_is_asked_for_leaves_nothing_unknown_or_asks_for_less(
    source: str, facts: dict[str, Value]
) -> None:
    trigger = compile_trigger(source)
    asked = trigger.evaluate(facts).missing
    example: dict[str, Value] = {
        **dict.fromkeys(BOOLS, True),
        **dict.fromkeys(WORDS, "leak"),
        **dict.fromkeys(COUNTS, 5),
        **dict.fromkeys(LISTS, ("leak",)),
    }
    after = trigger.evaluate(facts | {name: example[name] for name in asked})

    assert not after.missing & asked
    assert after.answer is not Answer.UNKNOWN or not after.missing <= facts.keys()
