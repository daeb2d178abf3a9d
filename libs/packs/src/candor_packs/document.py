"""A YAML file as plain data that still knows on which line every field stands."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

FieldPath = tuple[str | int, ...]
"""Where a field stands: ("obligations", 1, "due", "n")."""

_LARGEST = 1_000_000
"""Bytes; a pack is a page or two, more is a mistake."""


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
        node = YAML(typ="rt").compose(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise PackError(file, line, "", f"no valid YAML: {error.problem or error.context}") from error
    except YAMLError as error:
        raise PackError(file, 1, "", f"no valid YAML: {' '.join(str(error).split())}") from error
    lines: dict[FieldPath, int] = {}
    return Document(file, _plain(file, node, (), lines), lines)


def _plain(file: Path, node: Node | None, path: FieldPath, lines: dict[FieldPath, int]) -> Any:  # noqa: ANN401 - YAML holds anything
    if node is None:
        return None
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, MappingNode):
        return _mapping(file, node, path, lines)
    if isinstance(node, SequenceNode):
        return [_plain(file, item, (*path, index), lines) for index, item in enumerate(node.value)]
    if isinstance(node, ScalarNode):
        return _scalar(file, node, path)
    raise PackError(file, node.start_mark.line + 1, dotted(path), "is no mapping, list or value")


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
    tag = str(node.tag).removeprefix("tag:yaml.org,2002:")
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
