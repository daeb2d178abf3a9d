"""A form for a command, read from its schema: which fields there are, and the command that what was written stands for.

The service decides what is right; here only that a time is a time. What it refuses is said at the field.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from buf.validate import validate_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from candor_console import incident_forms
from candor_console.calls import Rpc
from candor_console.incident_forms import Fields, WrongField

LONG = 300
"""Characters above which a text gets more than one line."""
_PAIR = re.compile(r"([a-z][a-z0-9_]{0,63})\s*[:：=]\s*(.*)")


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a command. `name` is its path in the command: "grounds.facts".

    `kind` is "text", "long", "choice", "flag", "moment", "digest", "list" or "pairs"; `least` and `most` count
    characters, 0 where the schema says nothing; `options` are names of enum values.
    """

    name: str
    kind: str
    required: bool = False
    least: int = 0
    most: int = 0
    options: Sequence[str] = ()
    suggestions: Sequence[str] = ()

    @property
    def key(self) -> str:
        """The last part of its name: what it is called in a text, in an id."""
        return self.name.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Spec:
    """A command that a form stands for: `name` in texts and ids, the RPC, and the fields a person fills in."""

    name: str
    rpc: Rpc[Any, Any]
    fields: Sequence[Field]

    def command(self, fields: Fields, fixed: Mapping[str, str]) -> Message:
        """The command; `fixed` are texts that the page knows. Raises WrongField."""
        command: Message = self.rpc.question(command_id=incident_forms.text(fields, "command_id"))
        for name, value in fixed.items():
            _put(command, name, value)
        for one in self.fields:
            if one.name not in fixed:
                value = _READ[one.kind](fields, one)
                if value is not None:
                    _put(command, one.name, value)
        return command


@dataclass(frozen=True, slots=True)
class Rejected:
    """A form that was not taken: which, what was written, what is wrong at which field, and what stands in front."""

    spec: str
    values: Mapping[str, str]
    errors: Mapping[str, str]
    text: str
    reason: str
    status: int
    fields: Sequence[object] = ()


def spec(name: str, rpc: Rpc[Any, Any], *names: str, suggestions: Mapping[str, Sequence[str]] | None = None) -> Spec:
    """The form of an RPC with these fields of its command, in this order."""
    offered = suggestions or {}
    return Spec(name, rpc, [_field(rpc.question.DESCRIPTOR, path, offered.get(path, ())) for path in names])


def _field(descriptor: Descriptor, path: str, suggestions: Sequence[str]) -> Field:
    *parents, last = path.split(".")
    for parent in parents:
        inner = descriptor.fields_by_name[parent].message_type
        if inner is None:
            raise AssertionError(f"{parent} of {path} has no fields")
        descriptor = inner
    found = descriptor.fields_by_name[last]
    rules = found.GetOptions().Extensions[validate_pb2.field]
    kind = _kind(found, rules)
    texts = rules.string
    must = rules.required or texts.min_len > 0 or texts.uuid or rules.bytes.len > 0 or kind == "choice"
    if texts.pattern and kind in {"text", "long"}:
        must = re.fullmatch(texts.pattern, "") is None
    optional = kind == "choice" and not (rules.enum.not_in or getattr(rules.enum, "in"))
    return Field(path, kind, must and not optional, texts.min_len, texts.max_len, _options(found, rules), suggestions)


def _kind(found: FieldDescriptor, rules: validate_pb2.FieldRules) -> str:
    if found.message_type is not None and found.message_type.GetOptions().map_entry:
        return "pairs"
    if found.is_repeated:
        return "list"
    if found.message_type is not None:
        return "moment"
    if found.type == FieldDescriptor.TYPE_STRING:
        return "long" if rules.string.max_len > LONG else "text"
    return {FieldDescriptor.TYPE_ENUM: "choice", FieldDescriptor.TYPE_BOOL: "flag"}.get(found.type, "digest")


def _options(found: FieldDescriptor, rules: validate_pb2.FieldRules) -> Sequence[str]:
    if found.enum_type is None:
        return ()
    allowed = set(getattr(rules.enum, "in"))
    return [value.name for value in found.enum_type.values if value.number and (not allowed or value.number in allowed)]


def _put(command: Message, path: str, value: Message | list[str] | dict[str, Message] | str | bool | bytes) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        command = getattr(command, parent)
    found = command.DESCRIPTOR.fields_by_name[last]
    if isinstance(value, Message):
        getattr(command, last).CopyFrom(value)
    elif isinstance(value, list):
        getattr(command, last).extend(value)
    elif isinstance(value, dict):
        for key, each in value.items():
            getattr(command, last)[key].CopyFrom(each)
    elif found.enum_type is not None and isinstance(value, str):
        setattr(command, last, found.enum_type.values_by_name[value].number)
    else:
        setattr(command, last, value)


def _written(fields: Fields, one: Field) -> str:
    return fields.get(one.name, "").strip()


def _choice(fields: Fields, one: Field) -> str | None:
    value = _written(fields, one)
    if value and value not in one.options:
        raise WrongField(one.name)
    return value or None


def _pairs(fields: Fields, one: Field) -> dict[str, Message]:
    found: dict[str, Message] = {}
    for line in _lines(fields, one):
        pair = _PAIR.fullmatch(line)
        if pair is None or pair.group(1) in found:
            raise WrongField(one.name)
        found[pair.group(1)] = incident_forms.value(pair.group(2).strip())
    return found


def _lines(fields: Fields, one: Field) -> list[str]:
    return [line.strip() for line in _written(fields, one).splitlines() if line.strip()]


_READ: Mapping[str, Any] = {
    "text": _written,
    "long": _written,
    "choice": _choice,
    "flag": lambda fields, one: bool(_written(fields, one)),
    "moment": lambda fields, one: incident_forms.time(fields, one.name) if _written(fields, one) else None,
    "digest": lambda fields, one: incident_forms.digest(fields, one.name),
    "list": _lines,
    "pairs": _pairs,
}
