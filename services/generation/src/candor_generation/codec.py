"""Messages to domain and back."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from candor.generation.v1 import facts_pb2, model_pb2, service_pb2
from candor.rights.v1 import holder_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from candor_generation.domain.act import ActEvidence, ActOpening
from candor_generation.domain.evidence import Evidence, Opening
from candor_generation.domain.generation import Decision, Hit, Meta, Modality, Payload, Verdict
from candor_generation.domain.label import Label
from candor_generation.domain.record import Record
from candor_generation.store.logs import Log
from candor_generation.store.records import Stored

_MODALITIES = {
    Modality.TEXT: model_pb2.MODALITY_TEXT,
    Modality.IMAGE: model_pb2.MODALITY_IMAGE,
    Modality.AUDIO: model_pb2.MODALITY_AUDIO,
    Modality.VIDEO: model_pb2.MODALITY_VIDEO,
}
_DECISIONS = {
    Decision.ALLOW: model_pb2.DECISION_ALLOW,
    Decision.REVIEW: model_pb2.DECISION_REVIEW,
    Decision.BLOCK: model_pb2.DECISION_BLOCK,
}
MODALITY_OF = {number: modality for modality, number in _MODALITIES.items()}
DECISION_OF = {number: decision for decision, number in _DECISIONS.items()}


def timestamp(at: datetime) -> Timestamp:
    """A time as a message."""
    message = Timestamp()
    message.FromDatetime(at)
    return message


def time_of(message: Timestamp) -> datetime:
    """A time in UTC, cut to the microsecond."""
    return message.ToDatetime(tzinfo=UTC)


def meta_of(command: service_pb2.RecordRequest) -> Meta:
    """What is reported of a generation, without personal data."""
    return Meta(
        command.command_id.lower(),
        time_of(command.occurred_at),
        command.provider,
        command.model,
        command.product,
        command.locale,
        MODALITY_OF[command.modality],
    )


def payload_of(command: service_pb2.RecordRequest) -> Payload:
    """The personal data of what is reported."""
    return Payload(command.subject, command.prompt, command.output)


def record_response(generation_id: str, label: Label, verdict: Verdict) -> service_pb2.RecordResponse:
    """What the caller attaches, and what screening decided."""
    return service_pb2.RecordResponse(
        generation_id=generation_id, label=label_message(label), verdict=verdict_message(verdict)
    )


def label_message(label: Label) -> model_pb2.Label:
    """The label's seven keys, the same as JSON, and the explicit text."""
    return model_pb2.Label(
        label=label.label,
        content_producer=label.content_producer,
        produce_id=label.produce_id,
        reserved_code1=label.reserved_code1,
        content_propagator=label.content_propagator,
        propagate_id=label.propagate_id,
        reserved_code2=label.reserved_code2,
        json=label.json,
        explicit_text=label.explicit_text,
    )


def verdict_message(verdict: Verdict) -> model_pb2.Verdict:
    """What screening decided."""
    hits = [
        model_pb2.Hit(
            feature_id=hit.feature_id, category=hit.category, in_prompt=hit.in_prompt, start=hit.start, end=hit.end
        )
        for hit in verdict.hits
    ]
    return model_pb2.Verdict(decision=_DECISIONS[verdict.decision], hits=hits, library_digest=verdict.library_digest)


def flagged(command: service_pb2.RecordRequest, verdict: Verdict) -> facts_pb2.GenerationFlagged:
    """The fact that screening decided other than to allow."""
    return facts_pb2.GenerationFlagged(
        generation_id=command.command_id.lower(),
        subject=command.subject,
        product=command.product,
        occurred_at=command.occurred_at,
        verdict=verdict_message(verdict),
    )


def fact_of(command: service_pb2.RecordRequest, generation_id: str, label: Label, verdict: Verdict) -> bytes:
    """What is told of a generation once it has its place: GenerationRecorded but for time and place."""
    return facts_pb2.GenerationRecorded(
        generation_id=generation_id,
        provider=command.provider,
        model=command.model,
        product=command.product,
        locale=command.locale,
        modality=command.modality,
        label=label_message(label),
        verdict=verdict_message(verdict),
    ).SerializeToString(deterministic=True)


def without_hits(fact: bytes) -> bytes:
    """A fact that names nothing found in the text: that is derived from the text (PIPL 47, GDPR 17)."""
    message = facts_pb2.GenerationRecorded.FromString(fact)
    del message.verdict.hits[:]
    return message.SerializeToString(deterministic=True)


def record_of(stored: Stored) -> Record:
    """A row as a generation."""
    fact = facts_pb2.GenerationRecorded.FromString(stored.fact)
    meta = Meta(
        stored.generation_id,
        time_of(fact.occurred_at),
        fact.provider,
        fact.model,
        fact.product,
        fact.locale,
        MODALITY_OF[fact.modality],
    )
    hits = tuple(Hit(hit.feature_id, hit.category, hit.in_prompt, hit.start, hit.end) for hit in fact.verdict.hits)
    verdict = Verdict(DECISION_OF[fact.verdict.decision], hits, fact.verdict.library_digest)
    return Record(meta, _label_of(fact.label), verdict, stored.place, stored.personal, stored.restricted)


def _label_of(message: model_pb2.Label) -> Label:
    return Label(
        message.label,
        message.content_producer,
        message.produce_id,
        message.reserved_code1,
        message.content_propagator,
        message.propagate_id,
        message.reserved_code2,
        message.explicit_text,
    )


def generation_message(record: Record, tree_size: int) -> model_pb2.Generation:
    """A generation as far as no personal data is told; its index is told once a checkpoint covers it."""
    meta = record.meta
    index = record.place.index
    integrated = index is not None and index < tree_size
    return model_pb2.Generation(
        generation_id=meta.generation_id,
        state=_generation_state(record, integrated=integrated),
        log_index=index if integrated else None,
        occurred_at=timestamp(meta.occurred_at),
        provider=meta.provider,
        model=meta.model,
        product=meta.product,
        locale=meta.locale,
        modality=_MODALITIES[meta.modality],
        label=label_message(record.label),
        verdict=verdict_message(record.verdict),
        origin=record.place.origin,
    )


def _generation_state(record: Record, *, integrated: bool) -> model_pb2.GenerationState.ValueType:
    if record.restricted:
        return model_pb2.GENERATION_STATE_RESTRICTED
    if record.personal is None:
        return model_pb2.GENERATION_STATE_ERASED
    return model_pb2.GENERATION_STATE_INTEGRATED if integrated else model_pb2.GENERATION_STATE_ACCEPTED


LogMessage = model_pb2.Log


def log_message(log: Log, vkey: str, size: int, root: bytes) -> LogMessage:
    """A log with its latest tree."""
    message = model_pb2.Log(
        origin=log.origin,
        kind=log.kind,
        period=log.period.name,
        starts_at=timestamp(log.period.starts_at),
        ends_at=timestamp(log.period.ends_at),
        size=size,
        root=root,
        vkey=vkey,
    )
    if log.dropped_at is not None:
        message.dropped_at.FromDatetime(log.dropped_at)
    return message


def evidence_response(evidence: Evidence) -> service_pb2.GetEvidenceResponse:
    """One record's evidence."""
    return service_pb2.GetEvidenceResponse(
        origin=evidence.origin,
        log_index=evidence.log_index,
        entry=evidence.entry,
        inclusion_proof=evidence.inclusion_proof,
        checkpoint=evidence.checkpoint,
        opening=_opening_message(evidence.opening) if evidence.opening else None,
    )


def evidence_of(message: service_pb2.GetEvidenceResponse) -> Evidence:
    """The evidence in a message; whether it holds is still to be checked."""
    opening = None
    if message.HasField("opening"):
        found = message.opening
        opening = Opening(found.commitment_key, Payload(found.subject, found.prompt, found.output))
    return Evidence(
        message.origin,
        message.log_index,
        message.entry,
        tuple(message.inclusion_proof),
        message.checkpoint,
        opening,
    )


def act_evidence_of(message: service_pb2.GetActEvidenceResponse) -> ActEvidence:
    """The evidence of an act in a message; whether it holds is still to be checked."""
    opening = ActOpening(message.commitment_key, message.fact) if message.commitment_key else None
    return ActEvidence(
        message.origin,
        message.log_index,
        message.entry,
        tuple(message.inclusion_proof),
        message.checkpoint,
        opening,
    )


def _opening_message(opening: Opening) -> service_pb2.Opening:
    payload = opening.payload
    return service_pb2.Opening(
        commitment_key=opening.commitment_key, subject=payload.subject, prompt=payload.prompt, output=payload.output
    )


def output_message(record: Record, payload: Payload | None) -> service_pb2.ReadOutputsResponse:
    """One text to match; without payload it is erased."""
    return service_pb2.ReadOutputsResponse(
        log_index=record.place.index or 0,
        generation_id=record.meta.generation_id,
        erased=payload is None,
        occurred_at=timestamp(record.meta.occurred_at),
        locale=record.meta.locale,
        output=payload.output if payload else "",
    )


def export_message(record: Record, payload: Payload) -> holder_pb2.ExportResponse:
    """One record for the person it is about (PIPL 45, GDPR 15)."""
    meta = record.meta
    item = {
        "generation_id": meta.generation_id,
        "occurred_at": meta.occurred_at.isoformat(),
        "provider": meta.provider,
        "model": meta.model,
        "product": meta.product,
        "locale": meta.locale,
        "modality": meta.modality.value,
        "prompt": payload.prompt,
        "output": payload.output,
        "label": json.loads(record.label.json),
        "screening": record.verdict.decision.name.lower(),
    }
    return holder_pb2.ExportResponse(
        kind="generation",
        item_id=meta.generation_id,
        occurred_at=timestamp(meta.occurred_at),
        json=json.dumps(item, ensure_ascii=False).encode(),
    )
