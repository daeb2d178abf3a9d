"""What a measurement gives."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field


class BenchError(Exception):
    """A measurement could not be made; the message says why and where to look."""


@dataclass(frozen=True)
class Figure:
    """One measured figure.

    Attributes:
        name: dotted, the same for ever.
        value: in `unit`.
        how: how it was got, in a sentence or two.
        limit: what limits it.
        peer: the same of the peer, in `unit`.
        ratio: ours to the peer's.
        floor: the ratio, or without a peer the value, that is asked for at least; `ceiling`: at most.
        details: what else was seen, name to number or text.
    """

    name: str
    value: float
    unit: str
    how: str
    limit: str
    peer: float | None = None
    ratio: float | None = None
    floor: float | None = None
    ceiling: float | None = None
    details: Mapping[str, object] = field(default_factory=dict)

    @property
    def judged(self) -> float:
        """What floor and ceiling are about."""
        return self.value if self.ratio is None else self.ratio

    @property
    def met(self) -> bool | None:
        """Whether it is what was asked for; None where nothing was."""
        if self.floor is None and self.ceiling is None:
            return None
        above = self.floor is None or self.judged >= self.floor
        return above and (self.ceiling is None or self.judged <= self.ceiling)

    def line(self) -> str:
        """One line of JSON."""
        told: dict[str, object] = {"name": self.name, "value": self.value, "unit": self.unit}
        told |= {"peer": self.peer, "ratio": self.ratio} if self.ratio is not None else {}
        told |= {"met": self.met} if self.met is not None else {}
        return json.dumps({**told, **self.details}, ensure_ascii=False)
