"""UUIDv7, the id of every command (RFC 9562, 5.7)."""

from __future__ import annotations

import secrets
import time
from uuid import UUID


def new_id() -> str:
    """Make a generation id at the present instant."""
    milliseconds, random = time.time_ns() // 1_000_000, secrets.randbits(74)
    value = milliseconds << 80 | 7 << 76 | (random >> 62) << 64 | 0b10 << 62 | random & (1 << 62) - 1
    return str(UUID(int=value))
