"""Protobuf to domain and back, for notices."""

from datetime import datetime

from candor.escalation.v1 import notice_pb2

from candor_escalation import codec
from candor_escalation.domain.content_notice import UNCHECKED, Form, Notice, Words

_FORM, _OUTCOME, _BASIS = "NOTICE_FORM_", "NOTICE_OUTCOME_", "NOTICE_BASIS_"
_CONTENT, _TEXT = "NOTICE_CONTENT_", "NOTICE_TEXT_"


def notice(request: notice_pb2.SubmitNoticeRequest, notice_id: str, received_at: datetime) -> Notice:
    """A notice as it came in."""
    return Notice(
        notice_id=notice_id,
        product=request.product,
        forms=tuple(forms(request)),
        category=request.category,
        generation_id=request.generation_id,
        content=UNCHECKED if request.generation_id else "",
        reference=request.reference,
        trusted_flagger=request.trusted_flagger,
        contact_held=request.contact_held,
        signed=request.signed,
        good_faith=request.good_faith,
        received_at=received_at,
    )


def forms(request: notice_pb2.SubmitNoticeRequest) -> list[Form]:
    """What a notice was given as."""
    return [Form(notice_pb2.NoticeForm.Name(form).removeprefix(_FORM).lower()) for form in request.forms]


def words(request: notice_pb2.SubmitNoticeRequest) -> Words:
    """What of a notice is sealed. A location is one line, whatever was sent."""
    locations = (" ".join(location.split()) for location in request.locations)
    return Words(request.notifier, request.explanation, "\n".join(locations))


def outcome(value: notice_pb2.NoticeOutcome.ValueType) -> str:
    """What is decided on a notice."""
    return notice_pb2.NoticeOutcome.Name(value).removeprefix(_OUTCOME).lower()


def basis(value: notice_pb2.NoticeBasis.ValueType) -> str:
    """On what it was acted; empty where it was not."""
    name = notice_pb2.NoticeBasis.Name(value).removeprefix(_BASIS).lower()
    return "" if name == "unspecified" else name


def text(value: notice_pb2.NoticeText.ValueType) -> str:
    """What was sent."""
    return notice_pb2.NoticeText.Name(value).removeprefix(_TEXT).lower()


def notice_message(notice: Notice) -> notice_pb2.Notice:
    """A notice on the wire, without its words and without who gave it."""
    return notice_pb2.Notice(
        notice_id=notice.notice_id,
        product=notice.product,
        forms=[notice_pb2.NoticeForm.Value(f"{_FORM}{form.value.upper()}") for form in notice.forms],
        category=notice.category,
        generation_id=notice.generation_id,
        content=notice_pb2.NoticeContent.Value(f"{_CONTENT}{notice.content.upper() or 'UNSPECIFIED'}"),
        reference=notice.reference,
        trusted_flagger=notice.trusted_flagger,
        contact_held=notice.contact_held,
        received_at=codec.timestamp(notice.received_at),
        incident_ids=notice.incident_ids,
        outcome=notice_pb2.NoticeOutcome.Value(f"{_OUTCOME}{notice.outcome.upper() or 'UNSPECIFIED'}"),
        basis=notice_pb2.NoticeBasis.Value(f"{_BASIS}{notice.basis.upper() or 'UNSPECIFIED'}"),
        automated_means=notice.automated_means,
        manifestly_unfounded=notice.manifestly_unfounded,
        decided_by=notice.decided_by,
        decided_at=codec.timestamp(notice.decided_at),
        confirmed_at=codec.timestamp(notice.confirmed_at),
        answered_at=codec.timestamp(notice.answered_at),
        restricted_until=codec.timestamp(notice.restricted_until),
    )
