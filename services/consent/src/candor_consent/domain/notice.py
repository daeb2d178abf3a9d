"""Notices and their versions: what a person was shown before they agreed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from candor_consent.domain.purpose import Purpose, version_of
from candor_consent.domain.refusal import Refused


@dataclass(frozen=True)
class PurposeRef:
    """A purpose in the version that a notice explains."""

    purpose_id: str
    version: int


@dataclass(frozen=True)
class Publication:
    """A notice as an officer publishes it. Each language is a notice of its own."""

    notice_id: str
    locale: str
    url: str
    text_sha256: bytes
    purposes: tuple[PurposeRef, ...]
    effective_from: datetime


@dataclass(frozen=True)
class Notice:
    """One version of a notice, counted from 1 per notice_id."""

    notice_id: str
    version: int
    locale: str
    url: str
    text_sha256: bytes
    purposes: tuple[PurposeRef, ...]
    effective_from: datetime


def publish(notices: Sequence[Notice], publication: Publication, purposes: Mapping[str, Sequence[Purpose]]) -> Notice:
    """Publish a version of a notice that explains each purpose in its present version.

    Args:
        notices: the versions of this notice, oldest first.
        publication: what the officer asks for.
        purposes: purpose_id -> versions, oldest first, of the purposes that the notice names.

    Raises:
        Refused: PURPOSE_UNKNOWN, or VERSION_CONFLICT when a purpose has changed since the notice was written: nobody
            could consent under it.

    Source: PIPL 17
    """
    for place, ref in enumerate(publication.purposes):
        _explains_present_version(ref, purposes.get(ref.purpose_id, ()), f"purposes[{place}]")
    return Notice(
        notice_id=publication.notice_id,
        version=len(notices) + 1,
        locale=publication.locale,
        url=publication.url,
        text_sha256=publication.text_sha256,
        purposes=publication.purposes,
        effective_from=publication.effective_from,
    )


def _explains_present_version(ref: PurposeRef, versions: Sequence[Purpose], field: str) -> None:
    if version_of(versions, ref.version) is None:
        raise Refused("PURPOSE_UNKNOWN", f"there is no version {ref.version} of purpose {ref.purpose_id}", field=field)
    present = versions[-1].version
    if ref.version != present:
        raise Refused(
            "VERSION_CONFLICT",
            f"purpose {ref.purpose_id} is at version {present}; the notice explains {ref.version}",
            field=f"{field}.version",
        )


def newest(notices: Sequence[Notice], at: datetime) -> Notice | None:
    """Return the notice that is shown at an instant: the latest in force, or None when none is yet."""
    shown = [notice for notice in notices if notice.effective_from <= at]
    return max(shown, key=lambda notice: (notice.effective_from, notice.version), default=None)


def informed_by(notices: Sequence[Notice], notice_version: int, purpose: Purpose, at: datetime) -> Notice:
    """Return the notice that a consent given at an instant rests on; consent without being informed is none.

    Args:
        notices: the versions of the notice that is cited.
        notice_version: the version that the person was shown.
        purpose: the purpose in the version in force at `at`.
        at: when the person agreed.

    Raises:
        Refused: NOTICE_UNKNOWN, NOTICE_SUPERSEDED, or NOTICE_LACKS_PURPOSE.

    Source: PIPL 14; PIPL 17
    """
    cited = next((notice for notice in notices if notice.version == notice_version), None)
    if cited is None or cited.effective_from > at:
        raise Refused("NOTICE_UNKNOWN", f"no notice of version {notice_version} was shown then", field="notice_version")
    shown = newest(notices, at)
    if shown != cited:
        raise Refused(
            "NOTICE_SUPERSEDED",
            f"version {shown.version if shown else 0} of notice {cited.notice_id} was in force then",
            field="notice_version",
        )
    if PurposeRef(purpose.purpose_id, purpose.version) not in cited.purposes:
        raise Refused(
            "NOTICE_LACKS_PURPOSE",
            f"the notice does not explain version {purpose.version} of purpose {purpose.purpose_id}",
            field="notice_id",
        )
    return cited
