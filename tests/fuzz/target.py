"""What a fuzz target is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
"""What a parser once let through, by target; every file is tried again by the tests."""


@dataclass(frozen=True)
class Target:
    """A parser and what must hold of it.

    Attributes:
        name: of the parser.
        family: parsers that are tried together in the tests.
        check: returns for every input; whatever it raises is a fault of the parser.
        seeds: whole inputs that others made, to begin with.
        reshape: makes an input whole again after bytes of it were changed, so that what stands behind a checksum is
            reached; None where there is none.
    """

    name: str
    family: str
    check: Callable[[bytes], None]
    seeds: Callable[[], Sequence[bytes]]
    reshape: Callable[[bytes], bytes] | None = None
