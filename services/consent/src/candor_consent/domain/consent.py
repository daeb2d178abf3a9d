"""Consent to a purpose: where it stands at an instant, and how it is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from candor_consent.domain.act import Act, AgeBand, Deed, Guardian, Kind, must_follow, must_not_lie_ahead
from candor_consent.domain.notice import Notice, informed_by
from candor_consent.domain.purpose import Purpose, in_force, version_of
from candor_consent.domain.refusal import Refused


class State(Enum):
    """Where a consent stands at an instant."""

    NONE = "NONE"
    GIVEN = "GIVEN"
    WITHDRAWN = "WITHDRAWN"
    EXPIRED = "EXPIRED"
    OUTDATED = "OUTDATED"


@dataclass(frozen=True)
class Standing:
    """Where the consent to a purpose stands, the grant that it rests on, and the clause that says so."""

    state: State
    grant: Act | None
    citation: str

    @property
    def allowed(self) -> bool:
        """Whether the purpose may be served on the ground of this consent."""
        return self.state is State.GIVEN

    @property
    def to_withdraw(self) -> Act | None:
        """The grant that a withdrawal ends; an outdated one counts too, for withdrawing must be easy (PIPL 15)."""
        return self.grant if self.state in {State.GIVEN, State.OUTDATED} else None


@dataclass(frozen=True)
class Grant:
    """A person's yes, as it reaches the registry. `expires_at` is later than `given_at`, or None."""

    purpose_id: str
    notice_id: str
    notice_version: int
    kind: Kind
    age_band: AgeBand
    guardian: Guardian | None
    given_at: datetime
    expires_at: datetime | None
    channel: str


def words_on(acts: Sequence[Act], versions: Sequence[Purpose]) -> list[Act]:
    """Return the person's own acts that bear on a purpose, oldest first; a refusal of training bears on training only.

    Args:
        acts: of one person, in the order they were recorded.
        versions: of the purpose, oldest first.
    """
    if not versions:
        return []
    purpose_id, training = versions[0].purpose_id, any(version.training for version in versions)
    bearing = [
        act
        for act in acts
        if (act.purpose_id == purpose_id and act.deed in {Deed.GRANTED, Deed.WITHDRAWN})
        or (training and act.deed is Deed.TRAINING_REFUSED)
    ]
    return sorted(bearing, key=lambda act: act.at)


def standing(acts: Sequence[Act], versions: Sequence[Purpose], at: datetime) -> Standing:
    """Say where consent stands at an instant, as the law saw it then: acts count by when the person acted.

    What was done before a withdrawal stays lawful, so a question about an earlier instant is answered with the consent
    that stood there. Expiry follows from the grant, whether or not it is on record yet.

    Args:
        acts: of one person, in the order they were recorded.
        versions: of the purpose, oldest first.
        at: any instant.

    Source: PIPL 13(1); PIPL 14; PIPL 15
    """
    said = [act for act in words_on(acts, versions) if act.at <= at]
    grant = next((act for act in reversed(said) if act.deed is Deed.GRANTED), None)
    if grant is None:
        return Standing(State.NONE, None, "PIPL 13(1)")
    ended = next((act for act in said[said.index(grant) + 1 :] if _ends(act, grant, versions)), None)
    if ended is not None:
        return Standing(State.WITHDRAWN, grant, "PIPL 15" if ended.deed is Deed.WITHDRAWN else "PIPL 44")
    if grant.expires_at is not None and grant.expires_at <= at:
        return Standing(State.EXPIRED, grant, "PIPL 13(1)")
    present = in_force(versions, at)
    if present is None or present.version != grant.purpose_version:
        return Standing(State.OUTDATED, grant, "PIPL 14")
    return Standing(State.GIVEN, grant, "PIPL 13(1)")


def _ends(act: Act, grant: Act, versions: Sequence[Purpose]) -> bool:
    """Tell whether a later act ended a grant; a refusal of training ends only what was given for training."""
    if act.deed is Deed.WITHDRAWN:
        return True
    version = version_of(versions, grant.purpose_version)
    return version is not None and version.training


def must_be_separate(kind: Kind, age_band: AgeBand, purpose: Purpose) -> None:
    """Refuse a general yes to sensitive personal information; all of a child's under 14 is sensitive.

    Raises:
        Refused: SEPARATE_CONSENT_REQUIRED.

    Source: PIPL 28; PIPL 29
    """
    if kind is not Kind.SEPARATE and (purpose.sensitive or age_band is AgeBand.UNDER_14):
        raise Refused(
            "SEPARATE_CONSENT_REQUIRED", "sensitive personal information needs consent to it alone", field="kind"
        )


def must_be_the_guardians(age_band: AgeBand, guardian: Guardian | None) -> None:
    """Refuse a child's own yes under 14: a parent or other guardian consents.

    Raises:
        Refused: GUARDIAN_REQUIRED.

    Source: PIPL 31
    """
    if age_band is AgeBand.UNDER_14 and guardian is None:
        raise Refused("GUARDIAN_REQUIRED", "under 14 a guardian consents", field="guardian")


def grant(
    command: Grant,
    acts: Sequence[Act],
    versions: Sequence[Purpose],
    notices: Sequence[Notice],
    now: datetime,
    new_ids: tuple[str, str],
) -> Act:
    """Put a person's yes on record; a yes on top of one that stands renews it.

    Args:
        command: what the person agreed to.
        acts: of the person, in the order they were recorded.
        versions: of the purpose, oldest first.
        notices: the versions of the notice that was shown.
        now: the instant of recording.
        new_ids: for the act, for the consent.

    Raises:
        Refused: TIME_IN_FUTURE, PURPOSE_UNKNOWN, the refusals of `informed_by`, SEPARATE_CONSENT_REQUIRED,
            GUARDIAN_REQUIRED, OUT_OF_ORDER.

    Source: PIPL 14
    """
    must_not_lie_ahead(command.given_at, now, "given_at")
    purpose = in_force(versions, command.given_at)
    if purpose is None:
        raise Refused("PURPOSE_UNKNOWN", f"purpose {command.purpose_id} was not defined then", field="purpose_id")
    notice = informed_by(notices, command.notice_version, purpose, command.given_at)
    must_be_separate(command.kind, command.age_band, purpose)
    must_be_the_guardians(command.age_band, command.guardian)
    must_follow(words_on(acts, versions), command.given_at, "given_at")
    act_id, consent_id = new_ids
    return Act(
        act_id=act_id,
        deed=Deed.GRANTED,
        at=command.given_at,
        recorded_at=now,
        consent_id=consent_id,
        purpose_id=purpose.purpose_id,
        purpose_version=purpose.version,
        notice_id=notice.notice_id,
        notice_version=notice.version,
        kind=command.kind,
        age_band=command.age_band,
        guardian=command.guardian,
        expires_at=command.expires_at,
        channel=command.channel,
    )
