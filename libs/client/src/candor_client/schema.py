"""The schema's own constraints, checked before a record leaves: a topic and a spool give no answer to learn from.

The constraints are read from the `buf.validate` options in the descriptors, so they are those that Candor enforces.
Only the rules that RecordRequest uses are known here; Candor's edge enforces every one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any
from uuid import UUID

import grpc
from buf.validate import validate_pb2
from google.protobuf.message import Message

from candor_client.errors import Refused, Violation

_UUID_VERSION = 7


def check(message: Message, generation_id: str) -> None:
    """Let a message pass that keeps the constraints of its schema.

    Raises:
        Refused: INVALID_FIELD with every field that breaks one, as Candor answers it.
    """
    violations = [
        Violation(field.name, text) for field in message.DESCRIPTOR.fields for text in _broken(message, field)
    ]
    if violations:
        raise Refused(
            "INVALID_FIELD",
            f"{message.DESCRIPTOR.name} breaks its schema",
            status=grpc.StatusCode.INVALID_ARGUMENT,
            domain="candor.edge.v1",
            violations=violations,
            generation_id=generation_id,
        )


def check_id(identifier: str) -> None:
    """Let a command id pass that is a UUIDv7; the schema says only that it is a UUID.

    Raises:
        Refused: COMMAND_ID_INVALID, as Candor answers it.
    """
    if UUID(identifier).version != _UUID_VERSION:
        raise Refused(
            "COMMAND_ID_INVALID",
            "the id must be a UUIDv7: candor_client.new_id()",
            status=grpc.StatusCode.INVALID_ARGUMENT,
            domain="candor.edge.v1",
            generation_id=identifier,
        )


def _broken(message: Message, field: Any) -> Iterator[str]:  # noqa: ANN401 - two classes of protobuf's
    rules = _rules(field)
    value = getattr(message, field.name)
    if rules.required and not message.HasField(field.name):
        yield "is required"
    if rules.HasField("string"):
        yield from _broken_string(value, rules.string)
    if rules.HasField("enum") and value in rules.enum.not_in:
        yield "must be given"


def _broken_string(value: str, rules: validate_pb2.StringRules) -> Iterator[str]:
    if rules.HasField("pattern") and not re.fullmatch(rules.pattern, value):
        yield f"must match {rules.pattern}"
    if rules.HasField("min_len") and len(value) < rules.min_len:
        yield f"must have at least {rules.min_len} characters"
    if rules.HasField("max_bytes") and len(value.encode()) > rules.max_bytes:
        yield f"must have at most {rules.max_bytes} bytes"
    if rules.uuid and not _is_uuid(value):
        yield "must be a UUID"


def _is_uuid(value: str) -> bool:
    try:
        return str(UUID(value)) == value.lower()
    except ValueError:
        return False


@cache
def _rules(field: Any) -> validate_pb2.FieldRules:  # noqa: ANN401 - as above
    rules: validate_pb2.FieldRules = field.GetOptions().Extensions[validate_pb2.field]
    return rules


def longest(message: type[Message], field: str) -> int:
    """Return how many bytes a text field may have."""
    return int(_rules(message.DESCRIPTOR.fields_by_name[field]).string.max_bytes)
