"""When a duty arises: an expression in CEL over facts, answered true, false or unknown.

A fact that nobody knows yet makes an answer unknown only where it matters: ``a && b`` with ``b`` false is false
whatever ``a`` is (CEL absorbs the error of the other side). The library has no cost limit, so an expression may use
comparisons and a few functions of bounded cost, no macros and no regular expressions, and values are capped.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import cel

Value = bool | int | float | str | tuple[str, ...]
"""What a fact may be."""

LONGEST_TEXT = 10_000
"""Characters of a text fact that an expression gets to see at most; a longer one is unknown to it."""
LONGEST_LIST = 1_000
"""Items of a list fact; a longer one is unknown to it."""

_LONGEST_EXPRESSION = 2_000
_LARGEST_INTEGER = 2**63 - 1
_OPERATORS = frozenset({"!_", "-_", "_&&_", "_||_", "_?_:_", "_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "@in"})
_FUNCTIONS = frozenset({"size", "startsWith", "endsWith", "contains"})


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

    def evaluate(self, facts: Mapping[str, Value]) -> Evaluation:
        """Answer over the facts that are known. Never raises: what cannot be answered is unknown."""
        seen = {name: _plain(facts[name]) for name in self.names if name in facts and _fits(facts[name])}
        try:
            result = self.program.execute(seen)
        except (RuntimeError, KeyError, TypeError, ValueError):
            # A name without a value, or a value of another type than the expression compares it with.
            return Evaluation(Answer.UNKNOWN, (self.names - seen.keys()) or self.names)
        if isinstance(result, bool):
            return Evaluation(Answer.TRUE if result else Answer.FALSE)
        return Evaluation(Answer.UNKNOWN, self.names)


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
    refused = sorted(set(program.functions()) - _OPERATORS - _FUNCTIONS)
    if refused:
        raise TriggerError(f"a trigger may not use {', '.join(refused)}")
    return Trigger(source, frozenset(program.variables()), program)


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
        return len(value) <= LONGEST_LIST and all(len(item) <= LONGEST_TEXT for item in value)
    return not isinstance(value, int) or abs(value) <= _LARGEST_INTEGER


def _plain(value: Value) -> bool | float | str | list[str]:
    return list(value) if isinstance(value, tuple) else value
