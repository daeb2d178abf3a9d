"""A policy pack in memory: one law, its triggers and its duties."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from candor_packs.counting import Counting, Period
from candor_packs.schema import Both, Evidence, FactEntry, Grading, Vector
from candor_packs.template import Template
from candor_packs.trigger import Trigger

RECEIPT = "receipt:"
"""What the name of an anchor begins with that is the receipt of an earlier report."""


def receipt(pack_id: str, obligation_id: str) -> str:
    """The name of the anchor that a receipt sets: ``receipt:eu.nis2.23/notification``."""
    return f"{RECEIPT}{pack_id}/{obligation_id}"


@dataclass(frozen=True)
class Cap:
    """No later than ``period`` after the earliest known of ``anchors``, whatever the duty's own anchor says.

    ``lapses``: it no longer binds once the duty's own anchor comes after it.
    """

    period: Period
    anchors: tuple[str, ...]
    lapses: bool


@dataclass(frozen=True)
class Obligation:
    """One duty of a pack.

    ``due`` is the law's number, absent where the law says "at once"; then ``objective`` is our own. ``anchor`` names
    the instant it counts from; the earliest known of it and ``anchor_also`` counts. A receipt's anchor is named as
    ``receipt`` names it. ``repeats``: it counts anew from each of its own receipts, until the anchor ``until``.
    ``rights`` is filled in request packs. ``templates`` holds a text per language, empty where nothing is reported.
    """

    id: str
    title: Both
    citation: str
    recipient: Both | None
    anchor: str
    anchor_also: tuple[str, ...]
    when: Trigger | None
    due: Period | None
    objective: Period | None
    cap: Cap | None
    counting: Counting
    repeats: bool
    until: str | None
    rights: tuple[str, ...]
    templates: Mapping[str, Template]

    @property
    def period(self) -> Period:
        """What is worked to: the law's number, else our own."""
        period = self.due or self.objective
        if period is None:
            raise AssertionError("the schema demands one of the two")
        return period

    @property
    def anchors(self) -> tuple[str, ...]:
        """Every anchor that it may count from."""
        return (self.anchor, *self.anchor_also)


@dataclass(frozen=True)
class Pack:
    """One law, as this library reads it, for the days it is in force (zone of ``counting``; ``until`` absent: open)."""

    id: str
    version: str
    kind: str
    jurisdiction: str
    title: Both
    citation: str
    source: str
    since: date
    until: date | None
    status: str
    evidence: Evidence
    counting: Counting
    regime: str | None
    facts: Mapping[str, FactEntry]
    grading: Grading | None
    applies_when: Trigger | None
    trigger: Trigger | None
    obligations: tuple[Obligation, ...]
    vectors: tuple[Vector, ...]
    file: Path

    def obligation(self, identifier: str) -> Obligation | None:
        """The obligation of that id."""
        return next((duty for duty in self.obligations if duty.id == identifier), None)

    def in_force(self, at: datetime) -> bool:
        """Whether the pack applies to what happened at ``at``."""
        day = at.astimezone(self.counting.zone).date()
        return self.since <= day and (self.until is None or day <= self.until)
