"""The Record command and its answer."""

from __future__ import annotations

from datetime import UTC, datetime

from candor.generation.v1 import model_pb2
from candor.generation.v1.screening_pb2 import ScreenResponse
from candor.generation.v1.service_pb2 import RecordRequest, RecordResponse

from candor_client import schema
from candor_client.ids import new_id
from candor_client.result import Decision, Hit, Label, Modality, Recorded, Screened, State

_MODALITIES = {
    Modality.TEXT: model_pb2.MODALITY_TEXT,
    Modality.IMAGE: model_pb2.MODALITY_IMAGE,
    Modality.AUDIO: model_pb2.MODALITY_AUDIO,
    Modality.VIDEO: model_pb2.MODALITY_VIDEO,
}
_DECISIONS = {
    model_pb2.DECISION_ALLOW: Decision.ALLOW,
    model_pb2.DECISION_REVIEW: Decision.REVIEW,
    model_pb2.DECISION_BLOCK: Decision.BLOCK,
}


def record_request(
    *,
    subject: str,
    provider: str,
    model: str,
    product: str,
    prompt: str,
    output: str,
    locale: str,
    modality: Modality,
    occurred_at: datetime | None,
    generation_id: str | None,
) -> RecordRequest:
    """Make the command that records one generation; `occurred_at` is now where it is not given.

    Raises:
        Refused: INVALID_FIELD, by the schema's own constraints.
        ValueError: `occurred_at` has no time zone.
    """
    command = RecordRequest(
        command_id=generation_id or new_id(),
        subject=subject,
        provider=provider,
        model=model,
        product=product,
        locale=locale,
        modality=_MODALITIES[modality],
        prompt=prompt,
        output=output,
    )
    command.occurred_at.FromDatetime(_aware(occurred_at or datetime.now(UTC)))
    schema.check(command, command.command_id)
    schema.check_id(command.command_id)
    return command


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("occurred_at needs a time zone: datetime.now(timezone.utc)")
    return at


def recorded(answer: RecordResponse) -> Recorded:
    """Read Candor's answer."""
    return Recorded(
        answer.generation_id,
        State.RECORDED,
        label(answer.label),
        _decision(answer.verdict),
        _hits(answer.verdict),
    )


def screened(answer: ScreenResponse) -> Screened:
    """Read what screening decided."""
    return Screened(_decision(answer.verdict), _hits(answer.verdict), answer.library_version)


def label(message: model_pb2.Label) -> Label:
    """Read a label."""
    return Label(message.json, message.explicit_text)


def _decision(verdict: model_pb2.Verdict) -> Decision:
    # A decision that is newer than this package calls for a person.
    return _DECISIONS.get(verdict.decision, Decision.REVIEW)


def _hits(verdict: model_pb2.Verdict) -> tuple[Hit, ...]:
    return tuple(Hit(hit.feature_id, hit.category, hit.in_prompt, hit.start, hit.end) for hit in verdict.hits)
