"""Purposes, notices and acts as the tests of consent need them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from candor_consent.domain.act import Act, AgeBand, Deed, Guardian, Kind
from candor_consent.domain.consent import Grant, grant
from candor_consent.domain.notice import Notice, PurposeRef
from candor_consent.domain.purpose import Definition, Purpose, define

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
GUARDIAN = Guardian(guardian_ref="parent-1", method="id-document")
CHAT = Definition(
    purpose_id="chat",
    description="Answer what the person asks",
    method="A language model reads the prompt",
    categories=("prompt", "voice"),
    sensitive=False,
    training=False,
)
TRAINING = replace(CHAT, purpose_id="training", description="Train the next model", training=True)
HEALTH = replace(CHAT, purpose_id="health", description="Answer questions on health", sensitive=True)


def versions_of(
    *definitions: Definition, since: datetime = NOON - 100 * HOUR, every: timedelta = HOUR
) -> list[Purpose]:
    """One version per definition, the first at `since`, the next `every` later."""
    versions: list[Purpose] = []
    for place, definition in enumerate(definitions):
        versions.append(define(versions, definition, since + place * every).purpose)
    return versions


def notice_of(*purposes: Purpose, version: int = 1, effective_from: datetime = NOON - 100 * HOUR) -> Notice:
    return Notice(
        notice_id="privacy",
        version=version,
        locale="zh",
        url="https://example.com/privacy",
        text_sha256=bytes(32),
        purposes=tuple(PurposeRef(purpose.purpose_id, purpose.version) for purpose in purposes),
        effective_from=effective_from,
    )


def yes_to(definition: Definition = CHAT, given_at: datetime = NOON, **overrides: Any) -> Grant:
    command = Grant(
        purpose_id=definition.purpose_id,
        notice_id="privacy",
        notice_version=1,
        kind=Kind.GENERAL,
        age_band=AgeBand.ADULT,
        guardian=None,
        given_at=given_at,
        expires_at=None,
        channel="signup",
    )
    return replace(command, **overrides)


def granted(
    versions: Sequence[Purpose], given_at: datetime = NOON, consent_id: str = "consent-1", **overrides: Any
) -> Act:
    """A grant to the version in force at `given_at`, under a notice that explains it."""
    present = [version for version in versions if version.defined_at <= given_at][-1]
    command = replace(yes_to(given_at=given_at, **overrides), purpose_id=present.purpose_id)
    return grant(command, [], versions, [notice_of(present)], given_at, (f"act-{consent_id}", consent_id))


def withdrawn(grant_act: Act, at: datetime) -> Act:
    return replace(
        grant_act, act_id=f"end-{grant_act.act_id}", deed=Deed.WITHDRAWN, at=at, recorded_at=at, expires_at=None
    )


def refused_training(at: datetime) -> Act:
    return Act(act_id=f"refusal-{at.isoformat()}", deed=Deed.TRAINING_REFUSED, at=at, recorded_at=at)
