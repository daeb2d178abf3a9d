"""A generation as it is kept."""

from __future__ import annotations

from dataclasses import dataclass

from candor_generation.domain.generation import Meta, Verdict
from candor_generation.domain.label import Label


@dataclass(frozen=True)
class Personal:
    """What erasing a person empties: whose the record is, and both ciphertexts."""

    subject: str
    payload: bytes
    wrapped_key: bytes


@dataclass(frozen=True)
class Place:
    """A place in a log. `index` is absent until it is given."""

    origin: str
    index: int | None


@dataclass(frozen=True)
class Record:
    """A generation with its label, verdict and place.

    `personal` is absent once the record is erased, or restricted: then a legal hold keeps it, out of everybody's reach.
    """

    meta: Meta
    label: Label
    verdict: Verdict
    place: Place
    personal: Personal | None
    restricted: bool = False
