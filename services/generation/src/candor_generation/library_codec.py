"""The feature library's messages to domain and back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from candor.generation.v1 import facts_pb2, model_pb2, service_pb2

from candor_generation.codec import time_of, timestamp
from candor_generation.domain.feature import Estimate, Feature, Kind, Mode, State
from candor_generation.domain.flood import Seen
from candor_generation.domain.generation import Decision

KINDS = {
    Kind.TERM: model_pb2.FEATURE_KIND_TERM,
    Kind.PATTERN: model_pb2.FEATURE_KIND_PATTERN,
    Kind.NEAR_TEXT: model_pb2.FEATURE_KIND_NEAR_TEXT,
    Kind.IMAGE_HASH: model_pb2.FEATURE_KIND_IMAGE_HASH,
}
DECISIONS = {
    Decision.ALLOW: model_pb2.DECISION_ALLOW,
    Decision.REVIEW: model_pb2.DECISION_REVIEW,
    Decision.BLOCK: model_pb2.DECISION_BLOCK,
}
_STATES = {
    State.PROPOSED: model_pb2.FEATURE_STATE_PROPOSED,
    State.REVIEWED: model_pb2.FEATURE_STATE_REVIEWED,
    State.REJECTED: model_pb2.FEATURE_STATE_REJECTED,
    State.ADMITTED: model_pb2.FEATURE_STATE_ADMITTED,
    State.RETIRED: model_pb2.FEATURE_STATE_RETIRED,
}
_MODES = {
    Mode.SHADOW: model_pb2.FEATURE_MODE_SHADOW,
    Mode.ACTIVE: model_pb2.FEATURE_MODE_ACTIVE,
    Mode.SUSPENDED: model_pb2.FEATURE_MODE_SUSPENDED,
}
_KIND_OF = {number: kind for kind, number in KINDS.items()}
_DECISION_OF = {number: decision for decision, number in DECISIONS.items()}
_STATE_OF = {number: state for state, number in _STATES.items()}
_MODE_OF = {number: mode for mode, number in _MODES.items()}


def feature_of(command: service_pb2.ProposeFeatureRequest, proposed_by: str, now: datetime) -> Feature:
    """The feature that is proposed."""
    return Feature(
        command.feature_id,
        _KIND_OF[command.kind],
        command.value,
        command.category,
        _DECISION_OF[command.decision],
        command.citation,
        State.PROPOSED,
        proposed_by,
        "",
        now,
        exceptions=tuple(command.exceptions),
        within_words=command.within_words,
        valid_from=time_of(command.valid_from) if command.HasField("valid_from") else None,
        valid_until=time_of(command.valid_until) if command.HasField("valid_until") else None,
        source=command.source,
        reason=command.reason,
    )


def feature_message(feature: Feature) -> model_pb2.Feature:
    """A feature of the library."""
    return model_pb2.Feature(
        feature_id=feature.feature_id,
        kind=KINDS[feature.kind],
        value=feature.value,
        category=feature.category,
        decision=DECISIONS[feature.decision],
        citation=feature.citation,
        state=_STATES[feature.state],
        proposed_by=feature.proposed_by,
        admitted_by=feature.admitted_by,
        changed_at=timestamp(feature.changed_at),
        mode=_MODES[feature.mode] if feature.state is State.ADMITTED else model_pb2.FEATURE_MODE_UNSPECIFIED,
        exceptions=feature.exceptions,
        within_words=feature.within_words,
        valid_from=timestamp(feature.valid_from) if feature.valid_from else None,
        valid_until=timestamp(feature.valid_until) if feature.valid_until else None,
        source=feature.source,
        standard=feature.standard,
        reason=feature.reason,
        reviewed_by=feature.reviewed_by,
        benign_run=_run_message(feature.estimate) if feature.estimate else None,
        mode_since=timestamp(feature.mode_since) if feature.mode_since else None,
    )


def mode_of(number: model_pb2.FeatureMode.ValueType) -> Mode:
    """The mode; unspecified is the one without consequence."""
    return _MODE_OF.get(number, Mode.SHADOW)


def mode_message(mode: Mode) -> model_pb2.FeatureMode.ValueType:
    """A mode."""
    return _MODES[mode]


def states_of(numbers: Iterable[model_pb2.FeatureState.ValueType]) -> tuple[State, ...]:
    """States that are asked for; unspecified ones ask for nothing."""
    return tuple(_STATE_OF[number] for number in numbers if number)


def modes_of(numbers: Iterable[model_pb2.FeatureMode.ValueType]) -> tuple[Mode, ...]:
    """Modes that are asked for; unspecified ones ask for nothing."""
    return tuple(_MODE_OF[number] for number in numbers if number)


def kinds_of(numbers: Iterable[model_pb2.FeatureKind.ValueType]) -> tuple[Kind, ...]:
    """Kinds that are asked for; unspecified ones ask for nothing."""
    return tuple(_KIND_OF[number] for number in numbers if number)


def mode_changed(
    feature: Feature, previous: Mode, library: tuple[int, bytes], changed_by: str
) -> facts_pb2.FeatureModeChanged:
    """The fact that a feature decides now, is counted only, or rests; `library` is version and digest."""
    version, digest = library
    return facts_pb2.FeatureModeChanged(
        feature=feature_message(feature),
        previous_mode=_MODES[previous],
        library_digest=digest,
        library_version=version,
        changed_by=changed_by,
    )


def flood_message(seen: Seen, until: datetime) -> model_pb2.Flood:
    """What the flood guard saw."""
    return model_pb2.Flood(hits=seen.hits, screened=seen.screened, since=timestamp(seen.since), until=timestamp(until))


def _run_message(estimate: Estimate) -> model_pb2.BenignRun:
    return model_pb2.BenignRun(hits=estimate.hits, texts=estimate.texts, corpus_digest=estimate.corpus)
