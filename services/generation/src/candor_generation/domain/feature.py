"""The feature library: what screening looks for, and who answers for it.

Source: Deep Synthesis 10
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from candor_generation.domain.generation import Decision
from candor_generation.domain.refusal import Refused

_DIGEST_VERSION = b"candor feature library 1\n"


class Kind(StrEnum):
    """How a feature's value is looked for."""

    TERM = "term"
    PATTERN = "pattern"


class State(StrEnum):
    """Where a feature stands; only an admitted one screens."""

    PROPOSED = "proposed"
    ADMITTED = "admitted"
    RETIRED = "retired"


@dataclass(frozen=True)
class Feature:
    """A term or pattern with its category, the decision it leads to, and the clause its category comes from.

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


def admit(feature: Feature, admitted_by: str, now: datetime) -> Feature:
    """Let a proposed feature screen.

    Raises:
        Refused: FEATURE_STATE, it is not proposed; SAME_PERSON, its proposer wants to admit it.

    Source: Deep Synthesis 10
    """
    if feature.state is not State.PROPOSED:
        raise Refused("FEATURE_STATE", f"the feature is {feature.state}; only a proposed one is admitted")
    if feature.proposed_by == admitted_by:
        raise Refused("SAME_PERSON", "who proposed the feature does not admit it; ask somebody else")
    return replace(feature, state=State.ADMITTED, admitted_by=admitted_by, changed_at=now)


def retire(feature: Feature, now: datetime) -> Feature:
    """Let an admitted feature screen no more; it stays on record.

    Raises:
        Refused: FEATURE_STATE, it is not admitted.

    Source: Deep Synthesis 10
    """
    if feature.state is not State.ADMITTED:
        raise Refused("FEATURE_STATE", f"the feature is {feature.state}; only an admitted one is retired")
    return replace(feature, state=State.RETIRED, changed_at=now)


def library_digest(features: Iterable[Feature]) -> bytes:
    """SHA-256 over the admitted features in the order of their ids: what a verdict was made against, 32 bytes.

    Source: Deep Synthesis 10
    """
    digest = hashlib.sha256(_DIGEST_VERSION)
    admitted = (feature for feature in features if feature.state is State.ADMITTED)
    for feature in sorted(admitted, key=lambda item: item.feature_id):
        row = (
            feature.feature_id,
            feature.kind.value,
            feature.value,
            feature.category,
            feature.decision.name,
            feature.citation,
        )
        digest.update(json.dumps(row, separators=(",", ":"), ensure_ascii=True).encode("ascii") + b"\n")
    return digest.digest()
