"""What is told of a generation, in bytes: facts of one kind differ in id, time and place only.

What they have in common is a template with a placeholder for the id, kept once for a batch. Time and place are
appended: serialized messages of one type that follow each other are one message.

Spec: Protocol Buffers encoding, "Last One Wins"
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

NOBODY = "00000000-0000-0000-0000-000000000000"
"""The placeholder."""

_MORE = 0x80  # set in every byte of a varint but the last
_OCCURRED, _INDEX, _ORIGIN = b"\x22", b"\x10", b"\x1a"  # the tags of GenerationRecorded's fields 4, 2 and 3
_SECONDS, _NANOS = b"\x08", b"\x10"  # the tags of Timestamp's fields 1 and 2
_LENGTH = 4

Template = tuple[bytes, ...]
"""What stands between the places of the id."""


def bundle(templates: Sequence[bytes]) -> bytes:
    """Templates as they are kept: each after its length of four bytes."""
    return b"".join([len(item).to_bytes(_LENGTH, "big") + item for item in templates])


@lru_cache(maxsize=64)
def unbundle(kept: bytes) -> Sequence[Template]:
    """The templates of a batch, by number."""
    found, at = [], 0
    while at < len(kept):
        start = at + _LENGTH
        at = start + int.from_bytes(kept[at:start], "big")
        found.append(tuple(kept[start:at].split(NOBODY.encode())))
    return found


def fill(template: Template, generation_id: bytes, micros: int) -> bytes:
    """The fact but for its place: the template with the id, and the time in microseconds since 1970."""
    return generation_id.join(template) + occurred(micros)


def occurred(micros: int) -> bytes:
    """The time of a fact, in microseconds since 1970, to be appended to it."""
    seconds, rest = divmod(micros, 1_000_000)
    value = _seconds(seconds) + _NANOS + varint(rest * 1000) if rest else _seconds(seconds)
    return b"%b%c%b" % (_OCCURRED, len(value), value)


def placed(fact: bytes, origin: bytes, index: int) -> bytes:
    """A fact with its place."""
    return b"%b%b%b%b" % (fact, _INDEX, varint(index), _origin(origin))


@lru_cache(maxsize=64)
def _origin(origin: bytes) -> bytes:
    return _ORIGIN + varint(len(origin)) + origin


@lru_cache(maxsize=4096)
def _seconds(seconds: int) -> bytes:
    return _SECONDS + varint(seconds) if seconds else b""


def varint(number: int) -> bytes:
    """A whole number as the wire has it; a negative one as its two's complement of 64 bits."""
    number &= (1 << 64) - 1
    out = bytearray()
    while number >= _MORE:
        out.append(number & 0x7F | _MORE)
        number >>= 7
    out.append(number)
    return bytes(out)
