"""How consents end: taken back, refused for training, or run out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from candor_consent.domain.act import Act, Deed, must_follow, must_not_lie_ahead
from candor_consent.domain.consent import State, standing, words_on
from candor_consent.domain.purpose import Purpose
from candor_consent.domain.refusal import Refused
from candor_consent.domain.training import for_training

NewId = Callable[[], str]


@dataclass(frozen=True)
class Refusal:
    """A refusal of training, and the withdrawals that it brings."""

    act: Act
    withdrawals: tuple[Act, ...]


def withdraw(
    acts: Sequence[Act], versions: Sequence[Purpose], withdrawn_at: datetime, now: datetime, act_id: str
) -> Act:
    """Take a consent back. It asks for nothing but a consent to take back: no reason, no notice, no age.

    Args:
        acts: of the person, in the order they were recorded.
        versions: of the purpose, oldest first.
        withdrawn_at: when the person took it back.
        now: the instant of recording.
        act_id: for the act.

    Raises:
        Refused: TIME_IN_FUTURE, OUT_OF_ORDER, NOTHING_TO_WITHDRAW.

    Source: PIPL 15
    """
    must_not_lie_ahead(withdrawn_at, now, "withdrawn_at")
    must_follow(words_on(acts, versions), withdrawn_at, "withdrawn_at")
    ended = standing(acts, versions, withdrawn_at).to_withdraw
    if ended is None:
        raise Refused("NOTHING_TO_WITHDRAW", "no consent to this purpose was in force then")
    return _ending(ended, Deed.WITHDRAWN, withdrawn_at, now, act_id)


def withdraw_all(
    acts: Sequence[Act], purposes: Mapping[str, Sequence[Purpose]], at: datetime, now: datetime, new_id: NewId
) -> tuple[Act, ...]:
    """Take back every consent in force at an instant, except where the person has spoken again since.

    Args:
        acts: of the person, in the order they were recorded.
        purposes: purpose_id -> versions, oldest first.
        at: when the person took them back.
        now: the instant of recording.
        new_id: makes an identifier for an act.

    Source: PIPL 15
    """
    return tuple(_ending(grant, Deed.WITHDRAWN, at, now, new_id()) for grant in _last_said(acts, purposes, at))


def refuse_training(
    acts: Sequence[Act], purposes: Mapping[str, Sequence[Purpose]], refused_at: datetime, now: datetime, new_id: NewId
) -> Refusal:
    """Refuse the training of models: it stands for every purpose of training, present or to come, until a later grant.

    A refusal needs no consent to refuse and is never too late; the consents to training that stood then end with it.

    Args:
        acts: of the person, in the order they were recorded.
        purposes: purpose_id -> versions, oldest first.
        refused_at: when the person refused.
        now: the instant of recording.
        new_id: makes an identifier for an act.

    Raises:
        Refused: TIME_IN_FUTURE.

    Source: PIPL 44
    """
    must_not_lie_ahead(refused_at, now, "refused_at")
    refusal = Act(act_id=new_id(), deed=Deed.TRAINING_REFUSED, at=refused_at, recorded_at=now)
    ended = [grant for grant in _last_said(acts, purposes, refused_at) if for_training(grant, purposes)]
    return Refusal(refusal, tuple(_ending(grant, Deed.WITHDRAWN, refused_at, now, new_id()) for grant in ended))


def expire(acts: Sequence[Act], versions: Sequence[Purpose], consent_id: str, now: datetime, act_id: str) -> Act | None:
    """Put on record that a consent has run out, or nothing when it was taken back or renewed before.

    Args:
        acts: of the person, in the order they were recorded.
        versions: of the purpose, oldest first.
        consent_id: the consent whose term has passed.
        now: the instant of recording.
        act_id: for the act.

    Source: PIPL 13(1)
    """
    grant = next(act for act in acts if act.consent_id == consent_id and act.deed is Deed.GRANTED)
    if grant.expires_at is None or grant.expires_at > now:
        return None
    stood = standing(acts, versions, grant.expires_at)
    if stood.state is not State.EXPIRED or stood.grant != grant:
        return None
    return _ending(grant, Deed.EXPIRED, grant.expires_at, now, act_id)


def _last_said(acts: Sequence[Act], purposes: Mapping[str, Sequence[Purpose]], at: datetime) -> list[Act]:
    """Return the grants that stood at an instant and were the person's last word on their purpose."""
    silent_since = [versions for versions in purposes.values() if all(act.at <= at for act in words_on(acts, versions))]
    stood = [standing(acts, versions, at).to_withdraw for versions in silent_since]
    return [grant for grant in stood if grant is not None]


def _ending(grant: Act, deed: Deed, at: datetime, now: datetime, act_id: str) -> Act:
    return Act(
        act_id=act_id,
        deed=deed,
        at=at,
        recorded_at=now,
        consent_id=grant.consent_id,
        purpose_id=grant.purpose_id,
        purpose_version=grant.purpose_version,
        notice_id=grant.notice_id,
        notice_version=grant.notice_version,
        kind=grant.kind,
        age_band=grant.age_band,
    )
