"""The schema's constraints, enforced on both ways in by the same engine (protovalidate)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, cast

import protovalidate
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from candor_kit.errors import EDGE, Violation

_VALIDATOR = protovalidate.Validator()
_FIRST_SECOND, _LAST_SECOND, _NANOS = -62_135_596_800, 253_402_300_799, 1_000_000_000


def check(message: Message, encoded: bytes | None = None) -> None:
    """Check a message against the constraints of its schema.

    Args:
        message: what to check.
        encoded: the protobuf bytes it was read from, where they are at hand: without a NUL in them there is none in any
            text, so only its times are looked at.

    Raises:
        Refusal: INVALID_FIELD with every field and reason; the offending values are not quoted.
    """
    violations = _VALIDATOR.collect_violations(message)
    found = [_violation(item) for item in violations] if violations else []
    if encoded is None or b"\0" in encoded or not _times_hold(message):
        found.extend(Violation(path, why) for path, why in _unstorable(message, ""))
    if found:
        text = "; ".join(f"{violation.field}: {violation.description}" for violation in found)
        raise EDGE.refusal("INVALID_FIELD", text, violations=found)


def _times_hold(message: Message) -> bool:
    """Whether every time in a message can be stored; False where that takes a closer look."""
    times, is_flat = _times_of(message.DESCRIPTOR)
    for name in times:
        at = getattr(message, name)
        if not (_FIRST_SECOND <= at.seconds <= _LAST_SECOND and 0 <= at.nanos < _NANOS):
            return False
    return is_flat


@cache
def _times_of(kind: Descriptor) -> tuple[tuple[str, ...], bool]:
    """The times in messages of a kind, and whether they are all there is in it that is a message."""
    inner = [field for field in kind.fields if field.message_type is not None]
    times = tuple(field.name for field in inner if field.message_type is Timestamp.DESCRIPTOR and not field.is_repeated)
    return times, len(times) == len(inner)


def _unstorable(message: Message, path: str) -> Iterator[tuple[str, str]]:
    """What no constraint can say: an instant outside the years 1 to 9999, a NUL that no PostgreSQL text can hold."""
    if isinstance(message, Timestamp):
        if not (_FIRST_SECOND <= message.seconds <= _LAST_SECOND and 0 <= message.nanos < _NANOS):
            yield path, "must be an instant of the years 1 to 9999"
        return
    for field, value in message.ListFields():
        name = f"{path}.{field.name}" if path else field.name
        for part in parts(field, value):
            if isinstance(part, Message):
                yield from _unstorable(part, name)
            elif isinstance(part, str) and "\0" in part:
                yield name, "must not hold a NUL character"


def parts(field: FieldDescriptor, value: Any) -> Iterable[Any]:  # noqa: ANN401 - whatever a field may hold
    """The single values in what `ListFields` says of a field: of a list its items, of a map its keys and its values."""
    if not field.is_repeated:
        return (value,)
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return (*value.keys(), *value.values())
    return cast("Iterable[Any]", value)


def _violation(item: protovalidate.Violation) -> Violation:
    elements = item.proto.field.elements if item.proto.field else ()
    path = ".".join(element.field_name for element in elements)
    return Violation(path, item.proto.message or item.proto.rule_id or "is not allowed")
