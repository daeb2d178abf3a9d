"""All targets by name."""

from __future__ import annotations

from . import exchanges, labels, notes, otlp
from .target import Target

TARGETS: dict[str, Target] = {
    target.name: target for target in (*otlp.TARGETS, *labels.TARGETS, *notes.TARGETS, *exchanges.TARGETS)
}
FAMILIES = tuple(dict.fromkeys(target.family for target in TARGETS.values()))
