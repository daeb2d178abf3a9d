"""Golden events: one filled example of every fact, its bytes and its JSON, as they were when the fact was introduced.

`python tests/contract/golden.py --write` adds those that are missing. It never rewrites one: bytes that were published
once must be readable for ever, so a golden event that no longer decodes is a broken promise, not an old file.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.struct_pb2 import Value
from google.protobuf.timestamp_pb2 import Timestamp

SERVICES = ("consent", "rights", "generation", "refutation", "escalation")
FOLDER = Path(__file__).parent / "golden"
_SECONDS = 1_795_000_000
_WHOLE = {
    FieldDescriptor.CPPTYPE_INT32,
    FieldDescriptor.CPPTYPE_INT64,
    FieldDescriptor.CPPTYPE_UINT32,
    FieldDescriptor.CPPTYPE_UINT64,
}


def facts() -> Iterator[type[Message]]:
    """Every fact of every service, in the order of the protos."""
    for service in SERVICES:
        module = import_module(f"candor.{service}.v1.facts_pb2")
        for descriptor in module.DESCRIPTOR.message_types_by_name.values():
            yield GetMessageClass(descriptor)


def path_of(kind: type[Message]) -> Path:
    """Where the golden event of a fact lies."""
    return FOLDER / f"{kind.DESCRIPTOR.full_name}.json"


def read(kind: type[Message]) -> tuple[bytes, dict[str, Any]]:
    """The golden bytes of a fact, and what they say."""
    golden = json.loads(path_of(kind).read_text(encoding="utf-8"))
    return bytes.fromhex(golden["bytes"]), golden["message"]


def filled(kind: type[Message]) -> Message:
    """An example with every field set, so that a changed number or type of any field shows."""
    message = kind()
    _fill(message)
    return message


def _fill(message: Message) -> None:
    for field in message.DESCRIPTOR.fields:
        if field.message_type is None:
            value = _scalar(field)
            if field.is_repeated:
                getattr(message, field.name).append(value)
            else:
                setattr(message, field.name, value)
            continue
        part = getattr(message, field.name)
        if field.message_type.GetOptions().map_entry:
            part = part["key"]
        elif field.is_repeated:
            part = part.add()
        if isinstance(part, Timestamp):
            part.seconds = _SECONDS + field.number
        elif isinstance(part, Value):
            part.string_value = field.name
        else:
            part.SetInParent()
            _fill(part)


def _scalar(field: Any) -> Any:
    if field.enum_type is not None:
        return field.enum_type.values[-1].number
    if field.cpp_type in _WHOLE:
        return field.number + 100
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return True
    if field.cpp_type in (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT):
        return field.number + 0.5
    if field.type == FieldDescriptor.TYPE_BYTES:
        return bytes([field.number]) * 4
    return field.name


def write_missing() -> list[str]:
    """Write the golden events that are missing; return their names."""
    FOLDER.mkdir(exist_ok=True)
    added = []
    for kind in facts():
        if path_of(kind).exists():
            continue
        message = filled(kind)
        golden = {
            "bytes": message.SerializeToString(deterministic=True).hex(),
            "message": json_format.MessageToDict(message),
        }
        path_of(kind).write_text(json.dumps(golden, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        added.append(kind.DESCRIPTOR.full_name)
    return added


if __name__ == "__main__":
    if "--write" not in sys.argv:
        sys.exit(__doc__)
    print("\n".join(write_missing()) or "none is missing")  # noqa: T201 - for a person
