"""What a rule raises when it refuses."""

from __future__ import annotations


class Refused(Exception):
    """A well-formed command that a rule refuses.

    Attributes:
        reason: a name of `candor.generation.v1.Reason` without its prefix, e.g. `FEATURE_STATE`.
        message: what the caller reads; it holds no personal data.
        field: the field of the command that the refusal is about, or "".
    """

    def __init__(self, reason: str, message: str, *, field: str = "") -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message
        self.field = field
