"""What a rule raises when it says no."""

from __future__ import annotations


class Refused(Exception):
    """A well-formed command that a rule refuses. `reason` is a name of reasons.proto without its prefix."""

    def __init__(self, reason: str, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.field = field
