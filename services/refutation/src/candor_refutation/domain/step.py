"""The record of what happened to a claim."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class StepKind(StrEnum):
    """What happened."""

    REGISTERED = "registered"
    VERDICT = "verdict"
    NOTICE_PUBLISHED = "notice_published"
    MATCHED = "matched"
    SPREAD_NOMINATED = "spread_nominated"
    SPREAD_DETECTED = "spread_detected"


@dataclass(frozen=True)
class Step:
    """One step. actor: the caller's name or the service's part; note: one line, never a text that was matched."""

    kind: StepKind
    at: datetime
    actor: str
    note: str = ""
    level: int = 0
