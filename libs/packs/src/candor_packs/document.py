"""A YAML file as plain data that still knows on which line every field stands."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from yaml import MappingNode, MarkedYAMLError, Node, ScalarNode, SequenceNode, YAMLError
from yaml.cyaml import CParser
from yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent
from yaml.resolver import BaseResolver

FieldPath = tuple[str | int, ...]
"""Where a field stands: ("obligations", 1, "due", "n")."""

_LARGEST = 1_000_000
"""Bytes; a pack is a page or two, more is a mistake."""


_TAGS = "tag:yaml.org,2002:"
_DEEPEST = 50
"""Brackets and indents; libyaml composes by recursion, in C."""


class _Parser(CParser, BaseResolver):  # type: ignore[misc]  # PyYAML publishes no types
    """libyaml, thirty times as fast as a parser in Python, with the plain values of YAML 1.2.

    A country is NO, not false, and a date stays text: whoever needs one reads it with its zone.
    """

    def __init__(self, text: str) -> None:
        CParser.__init__(self, text)
        BaseResolver.__init__(self)


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+0123456789.")),
):
    _Parser.add_implicit_resolver(f"{_TAGS}{_tag}", re.compile(rf"^(?:{_pattern})$"), _first)


class PackError(ValueError):
    """A pack that must not be loaded, and where in which file it is wrong.

    Attributes:
        file: The file.
        line: Its line, from 1.
        field: The field, as ``obligations[1].due.n``; empty when the file as a whole is meant.
        message: What is wrong with it.
    """

    def __init__(self, file: Path, line: int, field: str, message: str) -> None:
        super().__init__(f"{file}:{line}: {field}: {message}" if field else f"{file}:{line}: {message}")
        self.file = file
        self.line = line
        self.field = field
        self.message = message


@dataclass(frozen=True)
class Document:
    """What a file says, and where."""

    file: Path
    data: Any
    lines: dict[FieldPath, int] = field(repr=False)

    def error(self, path: FieldPath, message: str) -> PackError:
        """The error of a field; a field that is missing is shown at the line of what should hold it."""
        known = path
        while known and known not in self.lines:
            known = known[:-1]
        return PackError(self.file, self.lines.get(known, 1), dotted(path), message)


def dotted(path: FieldPath) -> str:
    """``("obligations", 1, "due")`` as ``obligations[1].due``."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


def read(file: Path) -> Document:
    """Read one YAML document.

    Raises:
        PackError: It cannot be read, is no YAML, has a key twice or a tag of its own.
    """
    try:
        raw = file.read_bytes()
        text = raw.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise PackError(file, 1, "", f"cannot be read: {error}") from error
    if len(raw) > _LARGEST:
        raise PackError(file, 1, "", f"larger than {_LARGEST} bytes")
    try:
        node = _composed(file, text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise PackError(file, line, "", f"no valid YAML: {error.problem or error.context}") from error
    except YAMLError as error:
        raise PackError(file, 1, "", f"no valid YAML: {' '.join(str(error).split())}") from error
    lines: dict[FieldPath, int] = {}
    return Document(file, _plain(file, node, (), lines), lines)


def _composed(file: Path, text: str) -> Node | None:
    """The nodes of the one document. An alias is refused: it may stand for itself, or for more than memory holds."""
    _refuse_deep(file, text)
    return _Parser(text).get_single_node()


def _refuse_deep(file: Path, text: str) -> None:
    parser = _Parser(text)
    depth = 0
    while parser.check_event():
        event = parser.get_event()
        line = event.start_mark.line + 1
        if isinstance(event, AliasEvent):
            raise PackError(file, line, "", f"an alias (*{event.anchor}) may not be used: write it out")
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > _DEEPEST:
            raise PackError(file, line, "", "nested too deeply")


def _plain(file: Path, node: Node | None, path: FieldPath, lines: dict[FieldPath, int]) -> Any:  # noqa: ANN401 - YAML holds anything
    if node is None:
        return None
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, MappingNode) and node.tag == f"{_TAGS}map":
        return _mapping(file, node, path, lines)
    if isinstance(node, SequenceNode) and node.tag == f"{_TAGS}seq":
        return [_plain(file, item, (*path, index), lines) for index, item in enumerate(node.value)]
    if isinstance(node, ScalarNode):
        return _scalar(file, node, path)
    raise PackError(file, node.start_mark.line + 1, dotted(path), "is no plain mapping, list or value")


def _mapping(file: Path, node: MappingNode, path: FieldPath, lines: dict[FieldPath, int]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = str(key_node.value)
        inner = (*path, key)
        line = key_node.start_mark.line + 1
        if key in data:
            raise PackError(file, line, dotted(inner), "stands here twice")
        lines[inner] = line
        data[key] = _plain(file, value_node, inner, lines)
    return data


def _scalar(file: Path, node: ScalarNode, path: FieldPath) -> str | int | float | bool | None:
    tag = str(node.tag).removeprefix(_TAGS)
    text = str(node.value)
    if tag in {"str", "timestamp"}:
        return text  # a date stays text: whoever needs one reads it with its zone
    if tag == "null":
        return None
    if tag == "bool":
        return text.lower() == "true"
    try:
        if tag == "int":
            return int(text.replace("_", ""), 0)
        if tag == "float":
            return float(text.replace("_", ""))
    except ValueError:
        pass
    raise PackError(file, node.start_mark.line + 1, dotted(path), f"{text!r} is no text, number, date or true/false")
