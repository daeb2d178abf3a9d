"""The feature library: what screening looks for, and who answers for it.

A feature's life: proposed → reviewed by a second person (or rejected) → admitted, after a run over benign texts has
shown how often it is found in what nobody should be stopped for → retired. An admitted feature is in shadow (found and
counted, without consequence), active (its decision counts) or suspended (not looked for).

Source: Deep Synthesis 10
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from candor_generation.domain.generation import Decision
from candor_generation.domain.refusal import Refused

DIGEST_HEADER = b"candor feature library 2\n"
_MAX_WORD = 500


class Kind(StrEnum):
    """How a feature's value is looked for."""

    TERM = "term"
    PATTERN = "pattern"
    NEAR_TEXT = "near_text"
    IMAGE_HASH = "image_hash"


class State(StrEnum):
    """Where a feature stands in its life; only an admitted one can screen."""

    PROPOSED = "proposed"
    REVIEWED = "reviewed"
    REJECTED = "rejected"
    ADMITTED = "admitted"
    RETIRED = "retired"


class Mode(StrEnum):
    """What an admitted feature does: be counted only, decide, or rest."""

    SHADOW = "shadow"
    ACTIVE = "active"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class Estimate:
    """How often a feature was found in benign texts when it was admitted.

    Attributes:
        hits: texts that it was found in.
        texts: how many were looked at; 0 for a kind that no text can measure.
        corpus: SHA-256 of the texts, 32 bytes; empty where there were none.
    """

    hits: int
    texts: int
    corpus: bytes = b""

    @property
    def rate(self) -> float:
        """Share of benign texts it was found in, 0 to 1; 0 where none was looked at."""
        return self.hits / self.texts if self.texts else 0.0


@dataclass(frozen=True)
class Ceilings:
    """The largest share of benign texts that a feature may be found in, 0 to 1: to be admitted, and to decide.

    Public word lists are found in up to 85 % of ordinary posts, which is why there is a ceiling at all.
    """

    admission: float
    activation: float


@dataclass(frozen=True, slots=True)
class Feature:
    """What is looked for, the decision it leads to, the clause its category comes from, and who answers for it.

    Attributes:
        value: the term, the RE2 expression, the text whose near copies are looked for, or 64 hex digits of a PDQ hash.
        changed_at: when the latest step was taken.
        mode: what it does once it is admitted.
        exceptions: longer words that hold a term and are not meant (大麻烦 for 大麻).
        within_words: the term counts inside a longer word too; otherwise only between word boundaries, so that SM is
            not found in Smoking.
        valid_from, valid_until: when it screens, from the first up to but not with the second; None has no end.
        source: where the value comes from.
        standard: the admission standard that the reviewer held it against.
        reason: why the latest step was taken.
        estimate: what the run over benign texts found; None before admission.
        mode_since: when the mode was set.

    Source: Deep Synthesis 10
    """

    feature_id: str
    kind: Kind
    value: str
    category: str
    decision: Decision
    citation: str
    state: State
    proposed_by: str
    admitted_by: str
    changed_at: datetime
    mode: Mode = Mode.SHADOW
    exceptions: tuple[str, ...] = ()
    within_words: bool = False
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    source: str = ""
    standard: str = ""
    reason: str = ""
    reviewed_by: str = ""
    estimate: Estimate | None = None
    mode_since: datetime | None = None

    @property
    def screens(self) -> bool:
        """Whether it is looked for at all, as long as it is valid."""
        return self.state is State.ADMITTED and self.mode is not Mode.SUSPENDED

    @property
    def decides(self) -> bool:
        """Whether finding it has consequences; in shadow it is counted only."""
        return self.state is State.ADMITTED and self.mode is Mode.ACTIVE

    def valid(self, at: datetime) -> bool:
        """Whether an instant lies within its validity."""
        return (self.valid_from is None or self.valid_from <= at) and (
            self.valid_until is None or at < self.valid_until
        )


def check_proposal(feature: Feature, now: datetime) -> None:
    """A proposal makes sense by itself; whether its value can be searched for is the matching engine's to say.

    Raises:
        Refused: VALIDITY_INVALID, it would never be valid; VALUE_TOO_LONG, only a text is that long.

    Source: Deep Synthesis 10
    """
    if feature.valid_until is not None and feature.valid_until <= max(feature.valid_from or now, now):
        raise Refused("VALIDITY_INVALID", "valid_until must lie after valid_from and after now", field="valid_until")
    if feature.kind is not Kind.NEAR_TEXT and len(feature.value) > _MAX_WORD:
        raise Refused("VALUE_TOO_LONG", f"a {feature.kind} has {_MAX_WORD} characters at most", field="value")


def review(feature: Feature, reviewed_by: str, now: datetime, *, approved: bool, standard: str, reason: str) -> Feature:
    """Hold a proposed feature against the admission standard: it may be admitted now, or is rejected for good.

    Raises:
        Refused: FEATURE_STATE, it is not proposed; SAME_PERSON, its proposer wants to review it.

    Source: Deep Synthesis 10
    """
    if feature.state is not State.PROPOSED:
        raise _wrong_state(feature, "a proposed one is reviewed")
    if feature.proposed_by == reviewed_by:
        raise Refused("SAME_PERSON", "who proposed the feature does not review it; ask somebody else")
    state = State.REVIEWED if approved else State.REJECTED
    return replace(feature, state=state, reviewed_by=reviewed_by, standard=standard, reason=reason, changed_at=now)


def admit(
    feature: Feature,
    admitted_by: str,
    now: datetime,
    *,
    estimate: Estimate,
    ceilings: Ceilings,
    mode: Mode,
    reason: str,
) -> Feature:
    """Let a reviewed feature screen; in shadow unless the admitter says that it decides and the estimate allows it.

    Raises:
        Refused: FEATURE_STATE, it is not reviewed; SAME_PERSON, its proposer wants to admit it; VALIDITY_INVALID, its
            time is over; HIT_RATE_TOO_HIGH, it is found in more benign texts than the mode allows.

    Source: Deep Synthesis 10
    """
    if feature.state is not State.REVIEWED:
        raise _wrong_state(feature, "a reviewed one is admitted")
    if feature.proposed_by == admitted_by:
        raise Refused("SAME_PERSON", "who proposed the feature does not admit it; ask somebody else")
    if feature.valid_until is not None and feature.valid_until <= now:
        raise Refused("VALIDITY_INVALID", "the feature's validity is over; propose it anew")
    _check_rate(estimate, ceilings.admission, "be admitted")
    if mode is Mode.ACTIVE:
        if not estimate.texts:
            raise Refused("HIT_RATE_TOO_HIGH", "no benign text can measure this kind; admit it in shadow and watch it")
        _check_rate(estimate, ceilings.activation, "decide at once")
    return replace(
        feature,
        state=State.ADMITTED,
        admitted_by=admitted_by,
        estimate=estimate,
        mode=mode,
        mode_since=now,
        reason=reason,
        changed_at=now,
    )


def set_mode(feature: Feature, mode: Mode, by: str, now: datetime, *, ceilings: Ceilings, reason: str) -> Feature:
    """Let an admitted feature decide, be counted only, or rest. What rested is counted again before it decides again.

    Raises:
        Refused: FEATURE_STATE, it is not admitted, or has the mode already, or rests and should decide at once;
            SAME_PERSON, its proposer wants it to decide; HIT_RATE_TOO_HIGH, it may not decide.

    Source: Deep Synthesis 10
    """
    if feature.state is not State.ADMITTED:
        raise _wrong_state(feature, "an admitted one has a mode")
    if feature.mode is mode:
        raise Refused("FEATURE_STATE", f"the feature is in mode {mode} already", field="mode")
    if mode is Mode.ACTIVE:
        _check_activation(feature, by, ceilings)
    return replace(feature, mode=mode, mode_since=now, reason=reason, changed_at=now)


def retire(feature: Feature, now: datetime, *, reason: str) -> Feature:
    """Let an admitted feature screen no more; it stays on record.

    Raises:
        Refused: FEATURE_STATE, it is not admitted.

    Source: Deep Synthesis 10
    """
    if feature.state is not State.ADMITTED:
        raise _wrong_state(feature, "an admitted one is retired")
    return replace(feature, state=State.RETIRED, reason=reason, changed_at=now)


def feature_digest(feature: Feature) -> bytes:
    """SHA-256 over everything of one feature that a verdict depends on, validity included, 32 bytes.

    Source: Deep Synthesis 10
    """
    row = (
        feature.feature_id,
        feature.kind.value,
        feature.value,
        feature.category,
        feature.decision.name,
        feature.citation,
        feature.mode.value,
        sorted(feature.exceptions),
        feature.within_words,
        _instant(feature.valid_from),
        _instant(feature.valid_until),
    )
    return hashlib.sha256(json.dumps(row, separators=(",", ":"), ensure_ascii=True).encode("ascii")).digest()


def library_digest(features: Iterable[Feature]) -> bytes:
    """What a verdict was made against, 32 bytes: SHA-256 over a header and the digests of the features that screen.

    They stand in the order of their ids. As each feature has a digest of its own, a change of one of 50,000 costs the
    database one pass over digests and nobody a pass over features. It covers the validity, so with the time of the
    verdict it says which features were looked for. Who answers for a feature, and why, is on record elsewhere.

    Source: Deep Synthesis 10
    """
    return digest_of({item.feature_id: feature_digest(item) for item in features if item.screens})


def digest_of(digests: Mapping[str, bytes]) -> bytes:
    """The library's digest out of those of the features that screen, by id."""
    return hashlib.sha256(b"".join([DIGEST_HEADER, *(digests[name] for name in sorted(digests))])).digest()


def _check_activation(feature: Feature, by: str, ceilings: Ceilings) -> None:
    if feature.mode is Mode.SUSPENDED:
        raise Refused("FEATURE_STATE", "a suspended feature goes into shadow before it decides again", field="mode")
    if feature.proposed_by == by:
        raise Refused("SAME_PERSON", "who proposed the feature does not let it decide; ask somebody else")
    if feature.estimate is not None:
        _check_rate(feature.estimate, ceilings.activation, "decide")


def _check_rate(estimate: Estimate, ceiling: float, what: str) -> None:
    if estimate.rate > ceiling:
        found = f"found in {estimate.hits} of {estimate.texts} benign texts ({estimate.rate:.2%})"
        raise Refused("HIT_RATE_TOO_HIGH", f"{found}; to {what} it may be found in {ceiling:.2%} at most")


def _wrong_state(feature: Feature, expected: str) -> Refused:
    return Refused("FEATURE_STATE", f"the feature is {feature.state}; only {expected}")


def _instant(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat() if at else None
