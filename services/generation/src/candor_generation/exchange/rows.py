"""What the rows of every format have in common."""

from __future__ import annotations

import hashlib
import uuid

from candor_generation.domain.feature import Kind

FORMAT = "candor-features/1"
COLUMNS = (
    "feature_id",
    "kind",
    "value",
    "category",
    "decision",
    "citation",
    "exceptions",
    "within_words",
    "valid_from",
    "valid_until",
    "source",
    "reason",
)
TOLD = ("state", "mode", "standard")
"""What an export says besides; an imported feature is a proposal, so reading passes over it."""
SEPARATOR = "|"
FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")
"""A cell that begins so would be a formula to a spreadsheet, or is marked as none."""
STIX_TYPE = "candor-"
STIX_PROPERTY = "x_candor_"
_NAMESPACE = uuid.UUID("6f0c3f7e-3f5b-5d5c-9a51-4f7d1a2f6c11")


def derived_id(kind: Kind, value: str) -> str:
    """The id of a feature that came without one: the same for the same kind and value."""
    digest = hashlib.sha256(f"{kind.value}:{value}".encode()).hexdigest()
    return f"{kind.value.replace('_', '-')}-{digest[:16]}"


def stix_uuid(name: str) -> uuid.UUID:
    """A UUIDv5 in a namespace of our own."""
    return uuid.uuid5(_NAMESPACE, name)
