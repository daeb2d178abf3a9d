"""Content delivered without an explicit label: applied for, granted against duties, and every recipient on record.

Source: Generative AI Labelling Measures 9
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass, replace
from datetime import datetime

from candor_generation.domain.refusal import Refused

LEAST_MONTHS = 6
"""How long the log of recipients is kept at the least (Generative AI Labelling Measures 9)."""


@dataclass(frozen=True)
class Application:
    """A user's application, with the duties accepted and when, both absent until then."""

    application_id: str
    subject: str
    product: str
    applied_at: datetime
    duties_version: str = ""
    granted_at: datetime | None = None


@dataclass(frozen=True)
class Delivery:
    """Content that went to a user without an explicit label."""

    delivery_id: str
    application_id: str
    generation_id: str
    subject: str
    product: str
    duties_version: str
    delivered_at: datetime
    retained_until: datetime


def accept(application: Application, subject: str, duties_version: str, in_force: str, now: datetime) -> Application:
    """The application once its user has accepted the duties in force; newer duties are accepted anew.

    Raises:
        Refused: APPLICATION_UNKNOWN, it is somebody else's; DUTIES_OUTDATED; APPLICATION_STATE, they are accepted.

    Source: Generative AI Labelling Measures 9
    """
    _check_owner(application, subject)
    if duties_version != in_force:
        raise Refused("DUTIES_OUTDATED", f"the duties in force are {in_force}", field="duties_version")
    if application.granted_at is not None and application.duties_version == in_force:
        raise Refused("APPLICATION_STATE", "these duties are accepted already", field="application_id")
    return replace(application, duties_version=duties_version, granted_at=now)


def deliver(
    application: Application,
    delivery_id: str,
    generation_id: str,
    subject: str,
    in_force: str,
    months: int,
    now: datetime,
) -> Delivery:
    """Put a delivery on record.

    Args:
        application: what it rests on.
        delivery_id: a UUID.
        generation_id: what is delivered.
        subject: to whom.
        in_force: the version of the duties in force.
        months: how long the record is kept, six at least.
        now: when.

    Raises:
        Refused: APPLICATION_UNKNOWN, it is somebody else's; APPLICATION_STATE, no duties are accepted;
            DUTIES_OUTDATED, others are in force since.

    Source: Generative AI Labelling Measures 9
    """
    _check_owner(application, subject)
    if application.granted_at is None:
        raise Refused("APPLICATION_STATE", "the user has not accepted the duties", field="application_id")
    if application.duties_version != in_force:
        raise Refused("DUTIES_OUTDATED", f"the user has to accept the duties {in_force}", field="application_id")
    return Delivery(
        delivery_id,
        application.application_id,
        generation_id,
        subject,
        application.product,
        application.duties_version,
        now,
        retained_until(now, months),
    )


def retained_until(delivered_at: datetime, months: int) -> datetime:
    """So many calendar months later; where that month is shorter, the first day of the next, so that none is lost.

    Source: Generative AI Labelling Measures 9
    """
    years, month = divmod(delivered_at.month - 1 + max(months, LEAST_MONTHS), 12)
    year, month = delivered_at.year + years, month + 1
    if delivered_at.day <= calendar.monthrange(year, month)[1]:
        return delivered_at.replace(year=year, month=month)
    return delivered_at.replace(year=year + month // 12, month=month % 12 + 1, day=1)


def _check_owner(application: Application, subject: str) -> None:
    if application.subject != subject:
        raise Refused("APPLICATION_UNKNOWN", "the user has no such application", field="application_id")
