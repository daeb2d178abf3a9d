"""A trigger taken apart at its ``&&``, ``||`` and ``!``, to find the questions that matter.

CEL says whether an expression is known; which of the facts it misses could decide it, it does not say. In
``(kind == "leak" || stolen) && children`` with kind "leak" it is only ``children``.
"""

import re
from dataclasses import dataclass

_PIECE = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|&&|\|\||[()\[\]?:]|.""", re.DOTALL)
_OPENING, _CLOSING = frozenset("(["), frozenset(")]")


@dataclass(frozen=True)
class Clause:
    """An expression, and the expressions between its operators; none where it is not taken apart."""

    source: str
    parts: tuple["Clause", ...] = ()


def taken_apart(source: str) -> Clause:
    """The clauses of an expression that is valid CEL. What it does not understand stays one clause."""
    source = source.strip()
    if _split(source, "?") is None:  # a choice binds loosest of all; it stays whole
        for operator in ("||", "&&"):
            parts = _split(source, operator)
            if parts is not None:
                return Clause(source, tuple(taken_apart(part) for part in parts))
        if _enclosed(source):
            return taken_apart(source[1:-1])
        if source.startswith("!") and _enclosed(source[1:].strip()):
            return Clause(source, (taken_apart(source[1:]),))
    return Clause(source)


def _split(source: str, operator: str) -> list[str] | None:
    """The parts between an operator that stands outside all brackets and texts; None if it does not."""
    parts, depth, part = [], 0, ""
    for piece in _PIECE.findall(source):
        depth += (piece in _OPENING) - (piece in _CLOSING)
        if piece == operator and depth == 0:
            parts.append(part)
            part = ""
        else:
            part += piece
    return [*parts, part] if parts else None


def _enclosed(source: str) -> bool:
    """Whether one pair of brackets holds all of it."""
    depth = 0
    pieces = _PIECE.findall(source)
    for number, piece in enumerate(pieces):
        depth += (piece in _OPENING) - (piece in _CLOSING)
        if depth == 0:
            return piece == ")" and pieces[0] == "(" and number == len(pieces) - 1
    return False
