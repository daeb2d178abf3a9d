"""UUIDv7: identifiers that carry the instant they were made at (RFC 9562, 5.7)."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_VERSION = 7


def uuid7(at: datetime) -> UUID:
    """Make an identifier at the instant `at` (aware).

    Two made at the same millisecond differ by 74 random bits; they are not ordered among each other.
    """
    milliseconds = (at - _EPOCH) // timedelta(milliseconds=1)
    random = secrets.randbits(74)
    value = (milliseconds & (1 << 48) - 1) << 80 | _VERSION << 76 | (random >> 62) << 64
    value |= 0b10 << 62 | random & (1 << 62) - 1
    return UUID(int=value)


def time_of(identifier: UUID) -> datetime:
    """Return the instant a UUIDv7 was made at, UTC, to the millisecond.

    Raises:
        ValueError: the identifier is of another version.
    """
    if identifier.version != _VERSION:
        msg = f"a UUIDv7 was expected, this is version {identifier.version}"
        raise ValueError(msg)
    return _EPOCH + timedelta(milliseconds=identifier.int >> 80)


def milliseconds_of(identifier: str) -> int:
    """Return the milliseconds since 1970 that a UUIDv7 in its usual form was made at.

    Raises:
        ValueError: it is of another version, or none.
    """
    if identifier[14:15] != str(_VERSION):
        msg = "a UUIDv7 was expected"
        raise ValueError(msg)
    return int(identifier[:8] + identifier[9:13], 16)


def is_uuid(text: str) -> bool:
    """Return whether a text is a UUID of any version."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True
