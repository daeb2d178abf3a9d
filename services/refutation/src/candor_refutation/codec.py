"""Protobuf to domain and back."""

from datetime import UTC, datetime

from candor.refutation.v1 import facts_pb2, model_pb2, service_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from candor_refutation.domain.claim import Claim, Source, Spreading, Verdict
from candor_refutation.domain.matching import Band, Match
from candor_refutation.domain.spread import Spread
from candor_refutation.domain.step import Step

_VERDICTS = {
    Verdict.FALSE: model_pb2.VERDICT_FALSE,
    Verdict.MISLEADING: model_pb2.VERDICT_MISLEADING,
    Verdict.UNVERIFIED: model_pb2.VERDICT_UNVERIFIED,
    Verdict.TRUE: model_pb2.VERDICT_TRUE,
}
_BANDS = {Band.AUTOMATIC: model_pb2.BAND_AUTOMATIC, Band.REVIEW: model_pb2.BAND_REVIEW}
_VERDICT_OF = {value: key for key, value in _VERDICTS.items()}
_BAND_OF = {value: key for key, value in _BANDS.items()}


def claim_of(request: service_pb2.RegisterClaimRequest, claim_id: str, now: datetime) -> Claim:
    """Read a claim that is to be registered."""
    return Claim(
        claim_id=claim_id,
        text=request.text,
        locale=request.locale,
        registered_at=now,
        first_seen_at=time_of(request.first_seen_at) if request.HasField("first_seen_at") else None,
        first_seen_url=request.first_seen_url,
    )


def verdict_of(value: model_pb2.Verdict.ValueType) -> Verdict:
    """Read a verdict. Raises KeyError for an unspecified one, which the edge has refused."""
    return _VERDICT_OF[value]


def band_of(value: model_pb2.Band.ValueType) -> Band | None:
    """Read the band of a match; None for one this version does not know."""
    return _BAND_OF.get(value)


def sources_of(request: service_pb2.RecordVerdictRequest) -> tuple[Source, ...]:
    """Read what a verdict rests on."""
    return tuple(Source(source.title, source.url) for source in request.sources)


def claim_to(spreading: Spreading) -> model_pb2.Claim:
    """Write a claim with what its matches say."""
    claim = spreading.claim
    message = model_pb2.Claim(
        claim_id=claim.claim_id,
        text=claim.text,
        locale=claim.locale,
        verdict=_VERDICTS[claim.verdict] if claim.verdict else model_pb2.VERDICT_UNSPECIFIED,
        explanation=claim.explanation,
        sources=[model_pb2.Source(title=source.title, url=source.url) for source in claim.sources],
        registered_at=timestamp(claim.registered_at),
        matches=spreading.matches,
        spread_level=spreading.level,
        matches_last_hour=spreading.matches_last_hour,
    )
    if claim.decided_at is not None:
        message.decided_at.CopyFrom(timestamp(claim.decided_at))
    return message


def step_to(step: Step) -> model_pb2.Step:
    """Write a step."""
    kind = model_pb2.Step.Kind.Value(f"KIND_{step.kind.name}")
    return model_pb2.Step(kind=kind, at=timestamp(step.at), actor=step.actor, note=step.note)


def matched_to(match: Match, generation_id: str, log_index: int, occurred_at: Timestamp) -> facts_pb2.ClaimMatched:
    """Write the fact of a match."""
    return facts_pb2.ClaimMatched(
        claim_id=match.claim_id,
        generation_id=generation_id,
        log_index=log_index,
        occurred_at=occurred_at,
        containment=match.containment,
        band=_BANDS[match.band],
    )


def spread_to(claim_id: str, spread: Spread) -> facts_pb2.SpreadDetected:
    """Write the fact of a spread."""
    return facts_pb2.SpreadDetected(
        claim_id=claim_id,
        level=spread.level,
        matches=spread.matches,
        window_start=timestamp(spread.window_start),
        window_end=timestamp(spread.window_end),
    )


def timestamp(at: datetime) -> Timestamp:
    """Write an instant."""
    message = Timestamp()
    message.FromDatetime(at)
    return message


def time_of(message: Timestamp) -> datetime:
    """Read an instant, aware."""
    return message.ToDatetime(tzinfo=UTC)
