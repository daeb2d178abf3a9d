"""Why a span or an event that tells of a generation cannot become a record."""

from __future__ import annotations

from enum import StrEnum


class Why(StrEnum):
    """The reasons. They stand in the answer's `error_message`, in metrics, and beside what is set aside."""

    INVALID_ID = "INVALID_ID"
    NO_TIME = "NO_TIME"
    NO_SUBJECT = "NO_SUBJECT"
    NO_MODEL = "NO_MODEL"
    NO_PRODUCT = "NO_PRODUCT"
    INVALID_FIELD = "INVALID_FIELD"
    MALFORMED_CONTENT = "MALFORMED_CONTENT"
    NO_CONTENT = "NO_CONTENT"
    NO_OUTPUT = "NO_OUTPUT"
    NO_SPAN = "NO_SPAN"
    LATE = "LATE"
    UNREADABLE = "UNREADABLE"


class Unusable(Exception):
    """A generation was told of, but no record can be made of what was told.

    Attributes:
        why: the reason.
        message: what is missing or wrong and what to do, without any personal data.
    """

    def __init__(self, why: Why, message: str) -> None:
        super().__init__(f"{why}: {message}")
        self.why = why
        self.message = message
