"""When a duty arises: an expression in CEL over facts, answered true, false or unknown.

A fact that nobody knows yet makes an answer unknown only where it matters: ``a && b`` with ``b`` false is false
whatever ``a`` is (CEL absorbs the error of the other side).

The library has no cost limit, so what may be written is bounded: no macros, no regular expressions, no arithmetic, no
fields of fields, no maps; every operator and function that is left is linear in its values, the values are capped, and
no expression has more of them than characters. So no expression can take long, and none needs a time-out.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import cel

from candor_packs.clauses import Clause, taken_apart

Value = bool | int | float | str | tuple[str, ...]
"""What a fact may be."""

LONGEST_TEXT = 10_000
"""Characters of a text fact that an expression gets to see at most; a longer one is unknown to it."""
LONGEST_LIST = 1_000
"""Items of a list fact; a longer one is unknown to it."""
LARGEST_LIST = 100_000
"""Characters of all its items together; a larger one is unknown to it."""

_LONGEST_EXPRESSION = 2_000
_LARGEST_INTEGER = 2**63 - 1
_OPERATORS = frozenset({"!_", "-_", "_&&_", "_||_", "_?_:_", "_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "@in"})
_FUNCTIONS = frozenset({"size", "startsWith", "endsWith", "contains"})
_LITERALS = re.compile(r"""\"(?:[^"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'""")
_AFTER_DOT = re.compile(r"\.\s*([A-Za-z_]\w*)")


class Answer(StrEnum):
    """Three-valued: what is not known is not taken for false."""

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"


class TriggerError(ValueError):
    """The expression is no CEL, or uses what a trigger may not use."""


@dataclass(frozen=True)
class Evaluation:
    """The answer, and the facts that were missing for it (empty unless unknown)."""

    answer: Answer
    missing: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Trigger:
    """A compiled expression and the facts it names."""

    source: str
    names: frozenset[str]
    program: Any
    parts: tuple["Trigger", ...] = ()
    """What stands between its ``&&`` and ``||``; empty where there is neither."""

    def evaluate(self, facts: Mapping[str, Value]) -> Evaluation:
        """Answer over the facts that are known. Never raises: what cannot be answered is unknown."""
        seen = {name: _plain(facts[name]) for name in self.names if name in facts and _fits(facts[name])}
        answer = _answer(self, seen)
        return Evaluation(answer, _missing(self, seen) if answer is Answer.UNKNOWN else frozenset())


def _answer(trigger: Trigger, seen: Mapping[str, Any]) -> Answer:
    try:
        result = trigger.program.execute({name: seen[name] for name in trigger.names & seen.keys()})
    except (RuntimeError, KeyError, TypeError, ValueError):
        # A name without a value, or a value of another type than the expression compares it with.
        return Answer.UNKNOWN
    if isinstance(result, bool):
        return Answer.TRUE if result else Answer.FALSE
    return Answer.UNKNOWN


def _missing(trigger: Trigger, seen: Mapping[str, Any]) -> frozenset[str]:
    """The facts that could decide what is unknown: those of a part that is known cannot."""
    unknown = [part for part in trigger.parts if _answer(part, seen) is Answer.UNKNOWN]
    if unknown:
        return frozenset[str]().union(*(_missing(part, seen) for part in unknown))
    return (trigger.names - seen.keys()) or trigger.names


def compile_trigger(source: str) -> Trigger:
    """Compile an expression.

    Raises:
        TriggerError: Too long, no CEL, or a function that a trigger may not use.
    """
    if len(source) > _LONGEST_EXPRESSION:
        raise TriggerError(f"longer than {_LONGEST_EXPRESSION} characters")
    try:
        program = cel.compile(source)
    except ValueError as error:
        raise TriggerError(f"no valid CEL: {_first_line(error)}") from error
    refused = sorted(set(program.functions()) - _OPERATORS - _FUNCTIONS) or sorted(_shapes(source))
    if refused:
        raise TriggerError(f"a trigger may not use {', '.join(refused)}")
    return _compiled(taken_apart(source))


def _compiled(clause: Clause) -> Trigger:
    program = cel.compile(clause.source)
    try:
        parts = tuple(_compiled(part) for part in clause.parts)
    except ValueError:
        parts = ()  # taken apart where CEL would not; whole, it only asks more than it must
    return Trigger(clause.source, frozenset(program.variables()), program, parts)


def _shapes(source: str) -> set[str]:
    """What the list of functions does not show: a map, a message, a field of a fact, which is never known."""
    bare = _LITERALS.sub("", source)
    fields = {f".{name}" for name in _AFTER_DOT.findall(bare) if name not in _FUNCTIONS}
    return fields | ({"{"} if "{" in bare else set())


def both(left: Evaluation, right: Evaluation) -> Evaluation:
    """Left and right, in Kleene's logic: false wins over unknown."""
    if Answer.FALSE in {left.answer, right.answer}:
        return Evaluation(Answer.FALSE)
    if Answer.UNKNOWN in {left.answer, right.answer}:
        return Evaluation(Answer.UNKNOWN, left.missing | right.missing)
    return Evaluation(Answer.TRUE)


def _first_line(error: ValueError) -> str:
    text = str(error).splitlines()[0]
    return text.split("ERROR: <input>:", 1)[-1]


def _fits(value: Value) -> bool:
    if isinstance(value, str):
        return len(value) <= LONGEST_TEXT
    if isinstance(value, tuple):
        lengths = [len(item) for item in value]
        return len(value) <= LONGEST_LIST and max(lengths, default=0) <= LONGEST_TEXT and sum(lengths) <= LARGEST_LIST
    return not isinstance(value, int) or abs(value) <= _LARGEST_INTEGER


def _plain(value: Value) -> bool | float | str | list[str]:
    return list(value) if isinstance(value, tuple) else value
