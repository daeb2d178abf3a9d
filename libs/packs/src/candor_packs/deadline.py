"""When one obligation falls due: from its own anchor, from its cap, or from its own last receipt."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from candor_packs.counting import Count, Counting, Due, Period, What, count
from candor_packs.model import Obligation, receipt

_TO_STRICT = frozenset({What.STARTS, What.RUNS, What.FIRST_COUNTED, What.FIRST_NOT_COUNTED, What.LAST_DAY})
"""The steps that lead to what is worked to."""


@dataclass(frozen=True)
class Part:
    """One count that a deadline rests on: the duty's own, or (``cap``) that of its cap."""

    anchor: str
    period: Period
    counting: Counting
    count: Count
    cap: bool = False
    lapsed: bool = False
    """A cap that does not bind, as the duty's own anchor came after it."""


@dataclass(frozen=True)
class Deadline:
    """When an obligation falls due, the anchor from which the date is counted that binds, and all that was counted."""

    anchor: str
    due: Due
    parts: tuple[Part, ...]


def deadline(
    pack_id: str, obligation: Obligation, counting: Counting, anchors: Mapping[str, datetime]
) -> Deadline | None:
    """The deadline, by what is known of its anchors; None while nothing is known that it counts from.

    Args:
        pack_id: The pack of the obligation.
        obligation: What falls due.
        counting: How it counts, its calendar settled.
        anchors: Name -> instant; the last receipt of a report under the name that ``receipt`` gives it.
    """
    own = _own(pack_id, obligation, counting, anchors)
    cap = _cap(obligation, counting, anchors, own)
    parts = tuple(part for part in (own, cap) if part is not None)
    binding = [part for part in parts if not part.lapsed]
    if not binding:
        return None
    first = min(binding, key=lambda part: part.count.due.strict)
    return Deadline(first.anchor, _sooner(first, binding), parts)


def _own(pack_id: str, obligation: Obligation, counting: Counting, anchors: Mapping[str, datetime]) -> Part | None:
    last = receipt(pack_id, obligation.id)
    names = (last,) if obligation.repeats and last in anchors else obligation.anchors
    anchor = earliest(names, anchors)
    if anchor is None:
        return None
    counted = count(anchors[anchor], obligation.period, counting)
    return Part(anchor, obligation.period, counting, counted if obligation.due else _without_latest(counted))


def _without_latest(counted: Count) -> Count:
    """Our own number where the law has none: what the law would add to it is not added."""
    due = Due(counted.due.strict, None, counted.strict_provisional)
    return replace(counted, due=due, steps=tuple(step for step in counted.steps if step.what in _TO_STRICT))


def _cap(obligation: Obligation, counting: Counting, anchors: Mapping[str, datetime], own: Part | None) -> Part | None:
    cap = obligation.cap
    anchor = earliest(cap.anchors, anchors) if cap else None
    if cap is None or anchor is None:
        return None
    counted = count(anchors[anchor], cap.period, counting)
    lapsed = cap.lapses and own is not None and anchors[own.anchor] > counted.due.strict
    return Part(anchor, cap.period, counting, counted, cap=True, lapsed=lapsed)


def earliest(names: Iterable[str], anchors: Mapping[str, datetime]) -> str | None:
    """The anchor of these that came first, of those that are known."""
    return min((name for name in names if name in anchors), key=lambda name: anchors[name], default=None)


def _sooner(first: Part, parts: list[Part]) -> Due:
    """Each of the two dates is the earliest one; they are provisional if what makes either the earliest is.

    Our own number, where the law has none, is never a latest date; that of a cap is the law's.
    """
    dues = [part.count.due for part in parts if part.count.due.latest is not None]
    last = min(dues, key=lambda due: due.latest or due.strict, default=None)
    provisional = first.count.strict_provisional or (last is not None and last.provisional)
    return Due(first.count.due.strict, last.latest if last else None, provisional)
