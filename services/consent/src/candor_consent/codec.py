"""Protobuf ⇄ domain. Enumerations have the same names on both sides, but for the prefix that protobuf wants."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from candor.consent.v1 import facts_pb2, model_pb2, service_pb2
from candor.rights.v1 import holder_pb2
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from candor_consent.domain.act import Act, AgeBand, Deed, Guardian, Kind
from candor_consent.domain.consent import Grant, Standing
from candor_consent.domain.holding import kind_of
from candor_consent.domain.notice import Notice, Publication, PurposeRef
from candor_consent.domain.purpose import Definition, Purpose
from candor_consent.domain.training import Eligibility

_NANOS_PER_MICRO = 1000


def instant(stamp: Timestamp) -> datetime:
    """Return an instant off the wire, UTC, cut to the microsecond that PostgreSQL holds."""
    return datetime.fromtimestamp(stamp.seconds, UTC).replace(microsecond=stamp.nanos // _NANOS_PER_MICRO)


def stamp(at: datetime) -> Timestamp:
    """Return an instant for the wire."""
    wire = Timestamp()
    wire.FromDatetime(at)
    return wire


def definition_of(command: service_pb2.DefinePurposeRequest) -> Definition:
    """Return the definition that a command asks for."""
    return Definition(
        purpose_id=command.purpose_id,
        description=command.description,
        method=command.method,
        categories=tuple(command.categories),
        sensitive=command.sensitive,
        training=command.training,
    )


def publication_of(command: service_pb2.PublishNoticeRequest) -> Publication:
    """Return the notice that a command asks to publish."""
    return Publication(
        notice_id=command.notice_id,
        locale=command.locale,
        url=command.url,
        text_sha256=command.text_sha256,
        purposes=tuple(PurposeRef(ref.purpose_id, ref.version) for ref in command.purposes),
        effective_from=instant(command.effective_from),
    )


def grant_of(command: service_pb2.GrantConsentRequest) -> Grant:
    """Return the person's yes that a command reports."""
    guardian = Guardian(command.guardian.guardian_ref, command.guardian.method)
    return Grant(
        purpose_id=command.purpose_id,
        notice_id=command.notice_id,
        notice_version=command.notice_version,
        kind=Kind(model_pb2.ConsentKind.Name(command.kind).removeprefix("CONSENT_KIND_")),
        age_band=AgeBand(model_pb2.AgeBand.Name(command.age_band).removeprefix("AGE_BAND_")),
        guardian=guardian if command.HasField("guardian") else None,
        given_at=instant(command.given_at),
        expires_at=instant(command.expires_at) if command.HasField("expires_at") else None,
        channel=command.channel,
    )


def wire_purpose(purpose: Purpose) -> model_pb2.Purpose:
    """Return a version of a purpose for the wire."""
    return model_pb2.Purpose(
        purpose_id=purpose.purpose_id,
        version=purpose.version,
        description=purpose.description,
        method=purpose.method,
        categories=purpose.categories,
        sensitive=purpose.sensitive,
        training=purpose.training,
        defined_at=stamp(purpose.defined_at),
    )


def wire_notice(notice: Notice) -> model_pb2.Notice:
    """Return a version of a notice for the wire."""
    return model_pb2.Notice(
        notice_id=notice.notice_id,
        version=notice.version,
        locale=notice.locale,
        url=notice.url,
        text_sha256=notice.text_sha256,
        purposes=[model_pb2.PurposeRef(purpose_id=ref.purpose_id, version=ref.version) for ref in notice.purposes],
        effective_from=stamp(notice.effective_from),
    )


def wire_act(act: Act) -> model_pb2.ConsentAct:
    """Return an act for the wire."""
    wire = model_pb2.ConsentAct(
        consent_id=act.consent_id,
        act=model_pb2.ConsentAct.Act.Value(f"ACT_{act.deed.value}"),
        purpose_id=act.purpose_id,
        purpose_version=act.purpose_version,
        notice_id=act.notice_id,
        notice_version=act.notice_version,
        at=stamp(act.at),
        recorded_at=stamp(act.recorded_at),
    )
    if act.kind is not None:
        wire.kind = model_pb2.ConsentKind.Value(f"CONSENT_KIND_{act.kind.value}")
    if act.age_band is not None:
        wire.age_band = model_pb2.AgeBand.Value(f"AGE_BAND_{act.age_band.value}")
    if act.guardian is not None:
        wire.guardian.CopyFrom(_wire_guardian(act.guardian))
    if act.expires_at is not None:
        wire.expires_at.CopyFrom(stamp(act.expires_at))
    return wire


def _wire_guardian(guardian: Guardian) -> model_pb2.Guardian:
    return model_pb2.Guardian(guardian_ref=guardian.guardian_ref, method=guardian.method)


def wire_standing(stands: Standing) -> service_pb2.CheckConsentResponse:
    """Return where a consent stands, for the wire."""
    return service_pb2.CheckConsentResponse(
        allowed=stands.allowed,
        state=model_pb2.ConsentState.Value(f"CONSENT_STATE_{stands.state.value}"),
        consent_id=stands.grant.consent_id if stands.grant else "",
        citation=stands.citation,
    )


def wire_eligibility(answer: Eligibility) -> service_pb2.CheckTrainingResponse:
    """Return whether a person's data may be used for training, for the wire."""
    return service_pb2.CheckTrainingResponse(
        eligible=answer.eligible,
        purpose_ids=answer.purpose_ids,
        citation=answer.citation,
        explanation=answer.explanation,
    )


def fact_of(act: Act, subject: str) -> Message:
    """Return the fact that an act is published as."""
    return _FACTS[act.deed](act, subject)


def _granted(act: Act, subject: str) -> facts_pb2.ConsentGranted:
    return facts_pb2.ConsentGranted(
        consent_id=act.consent_id,
        subject=subject,
        purpose_id=act.purpose_id,
        purpose_version=act.purpose_version,
        notice_id=act.notice_id,
        notice_version=act.notice_version,
        kind=wire_act(act).kind,
        by_guardian=act.guardian is not None,
        given_at=stamp(act.at),
        expires_at=stamp(act.expires_at) if act.expires_at else None,
    )


def _withdrawn(act: Act, subject: str) -> facts_pb2.ConsentWithdrawn:
    return facts_pb2.ConsentWithdrawn(
        consent_id=act.consent_id, subject=subject, purpose_id=act.purpose_id, withdrawn_at=stamp(act.at)
    )


def _expired(act: Act, subject: str) -> facts_pb2.ConsentExpired:
    return facts_pb2.ConsentExpired(
        consent_id=act.consent_id, subject=subject, purpose_id=act.purpose_id, expired_at=stamp(act.at)
    )


def _training_refused(act: Act, subject: str) -> facts_pb2.TrainingRefused:
    return facts_pb2.TrainingRefused(subject=subject, refused_at=stamp(act.at))


_FACTS: Mapping[Deed, Callable[[Act, str], Message]] = {
    Deed.GRANTED: _granted,
    Deed.WITHDRAWN: _withdrawn,
    Deed.EXPIRED: _expired,
    Deed.TRAINING_REFUSED: _training_refused,
}


def export_of(act: Act) -> holder_pb2.ExportResponse:
    """Return an act as an item of an export: everything that is held about it, as JSON."""
    return holder_pb2.ExportResponse(
        kind=kind_of(act),
        item_id=act.act_id,
        occurred_at=stamp(act.at),
        json=json.dumps(_shown(act), ensure_ascii=False, separators=(",", ":")).encode(),
    )


def _shown(act: Act) -> dict[str, object]:
    """Every field that has a value; instants as RFC 3339."""
    guardian = {"guardian_ref": act.guardian.guardian_ref, "method": act.guardian.method} if act.guardian else None
    fields: dict[str, object | None] = {
        "act": act.deed.value,
        "consent_id": act.consent_id,
        "purpose_id": act.purpose_id,
        "purpose_version": act.purpose_version,
        "notice_id": act.notice_id,
        "notice_version": act.notice_version,
        "kind": act.kind.value if act.kind else None,
        "age_band": act.age_band.value if act.age_band else None,
        "guardian": guardian,
        "channel": act.channel,
        "at": act.at.isoformat(),
        "recorded_at": act.recorded_at.isoformat(),
        "expires_at": act.expires_at.isoformat() if act.expires_at else None,
    }
    return {name: value for name, value in fields.items() if value}
