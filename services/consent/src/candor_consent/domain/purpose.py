"""Purposes and their versions: what consent is bound to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Definition:
    """A purpose as an officer defines it. The order of the categories says nothing."""

    purpose_id: str
    description: str
    method: str
    categories: tuple[str, ...]
    sensitive: bool
    training: bool


@dataclass(frozen=True)
class Purpose:
    """One version of a purpose, counted from 1; in force from `defined_at` until the next one is."""

    purpose_id: str
    version: int
    description: str
    method: str
    categories: tuple[str, ...]
    sensitive: bool
    training: bool
    defined_at: datetime

    @property
    def terms(self) -> tuple[str, str, tuple[str, ...], bool, bool]:
        """What a person agrees to: a consent covers these and nothing else."""
        return self.description, self.method, self.categories, self.sensitive, self.training


@dataclass(frozen=True)
class Defined:
    """What a definition led to. When nothing changed, `purpose` is the version that stands."""

    purpose: Purpose
    changed: bool
    fresh_consent_needed: bool


def define(versions: Sequence[Purpose], definition: Definition, now: datetime) -> Defined:
    """Define a purpose, or change it: another purpose, method or category is a new version that needs fresh consent.

    Whether the data are sensitive or train a model is part of what is agreed to, so turning either is a change too;
    otherwise an officer could turn consents to a service into consents to training. Defining the same again changes
    nothing.

    Args:
        versions: the purpose's versions, oldest first; empty when it is new.
        definition: what the officer asks for.
        now: the instant it takes effect, never earlier than the version before.

    Source: PIPL 14
    """
    present = versions[-1] if versions else None
    wanted = Purpose(
        purpose_id=definition.purpose_id,
        version=present.version + 1 if present else 1,
        description=definition.description,
        method=definition.method,
        categories=tuple(sorted(set(definition.categories))),
        sensitive=definition.sensitive,
        training=definition.training,
        defined_at=max(now, present.defined_at) if present else now,
    )
    if present is None:
        return Defined(wanted, changed=True, fresh_consent_needed=False)
    if present.terms == wanted.terms:
        return Defined(present, changed=False, fresh_consent_needed=False)
    return Defined(wanted, changed=True, fresh_consent_needed=True)


def in_force(versions: Sequence[Purpose], at: datetime) -> Purpose | None:
    """Return the version in force at an instant, or None when the purpose was not defined yet."""
    begun = [version for version in versions if version.defined_at <= at]
    return max(begun, key=lambda version: version.version, default=None)


def version_of(versions: Sequence[Purpose], number: int) -> Purpose | None:
    """Return the version of that number, or None."""
    return next((version for version in versions if version.version == number), None)
