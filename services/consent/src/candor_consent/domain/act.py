"""Acts: what a person did about consent, and when. The record of a person is the sequence of their acts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from candor_consent.domain.refusal import Refused

# How far a backend's clock may run ahead of ours.
CLOCK_TOLERANCE = timedelta(minutes=5)


class Kind(Enum):
    """How a person said yes."""

    GENERAL = "GENERAL"
    SEPARATE = "SEPARATE"


class AgeBand(Enum):
    """How old the person is, as far as the law asks."""

    UNDER_14 = "UNDER_14"
    FROM_14_TO_17 = "14_TO_17"
    ADULT = "ADULT"


class Deed(Enum):
    """What was done. Expiry is nobody's deed: it follows from the grant and is put on record for a reader."""

    GRANTED = "GRANTED"
    WITHDRAWN = "WITHDRAWN"
    EXPIRED = "EXPIRED"
    TRAINING_REFUSED = "TRAINING_REFUSED"


@dataclass(frozen=True)
class Guardian:
    """Who consents for a child: an opaque reference of the backend's, and how they were identified."""

    guardian_ref: str
    method: str


@dataclass(frozen=True)
class Act:
    """One act on record.

    Attributes:
        consent_id: the consent that the act made or ended; empty for a refusal of training.
        at: when the person acted.
        recorded_at: when it reached the registry.
        expires_at: of a grant; None means until withdrawn.
    """

    act_id: str
    deed: Deed
    at: datetime
    recorded_at: datetime
    consent_id: str = ""
    purpose_id: str = ""
    purpose_version: int = 0
    notice_id: str = ""
    notice_version: int = 0
    kind: Kind | None = None
    age_band: AgeBand | None = None
    guardian: Guardian | None = None
    expires_at: datetime | None = None
    channel: str = ""


def must_not_lie_ahead(at: datetime, now: datetime, field: str) -> None:
    """Refuse an act of the future; late records are welcome, for consent is older than its record.

    Raises:
        Refused: TIME_IN_FUTURE.
    """
    if at > now + CLOCK_TOLERANCE:
        raise Refused("TIME_IN_FUTURE", "an act may be recorded late but not ahead of time", field=field)


def must_outlast_erasure(at: datetime, erased_at: datetime | None) -> None:
    """Refuse an act made before its person was erased: what was deleted must not come back by a late record.

    Raises:
        Refused: SUBJECT_ERASED.

    Source: PIPL 47
    """
    if erased_at is not None and at <= erased_at:
        raise Refused("SUBJECT_ERASED", "the act was made before this person was erased")


def must_follow(acts: Sequence[Act], at: datetime, field: str) -> None:
    """Refuse an act that is older than one already on record; of two at the same instant the later recorded counts.

    Raises:
        Refused: OUT_OF_ORDER.
    """
    if any(act.at > at for act in acts):
        raise Refused("OUT_OF_ORDER", "a later act of this person is already on record", field=field)
