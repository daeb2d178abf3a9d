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
class Record:
    """A generation with its label, verdict and log entry.

    `log_index` is absent until it is given; `personal` is absent once the record is erased.
    """

    meta: Meta
    label: Label
    verdict: Verdict
    entry: bytes
    log_index: int | None
    personal: Personal | None


@dataclass(frozen=True)
class Placed:
    """A generation with its place in the log, as far as no personal data is told."""

    meta: Meta
    label: Label
    verdict: Verdict
    log_index: int
