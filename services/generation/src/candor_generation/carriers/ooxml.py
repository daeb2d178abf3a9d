"""DOCX, XLSX, PPTX: the label stands in the custom document property `AIGC`.

Source: TC260-PG-20258A
Spec: ECMA-376 Part 1 15.2.12.2, Part 2 6.5
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

from candor_generation.carriers import xml
from candor_generation.carriers.archive import Archive
from candor_generation.carriers.base import KEY, malformed
from candor_generation.carriers.xml import Element
from candor_generation.domain.label import Label

_TYPES = "[Content_Types].xml"
_RELATIONS = "_rels/.rels"
_PART = "docProps/custom.xml"
_OFFICE = "application/vnd.openxmlformats-officedocument"
_CONTENT_TYPE = f"{_OFFICE}.custom-properties+xml"
_PROPERTIES = "http://schemas.openxmlformats.org/officeDocument/2006/custom-properties"
_VALUES = "http://schemas.openxmlformats.org/officeDocument/2006/docPropsVTypes"
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/custom-properties"
_STRICT_RELATION = "http://purl.oclc.org/ooxml/officeDocument/relationships/customProperties"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_FORMAT_ID = "{D5CDD505-2E9C-101B-9397-08002B2CF9AE}"
_FIRST_ID = 2
_HEADER = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_Names = Mapping[tuple[str, str], str]


@dataclass(frozen=True)
class _Package:
    """What of a document the label has to do with."""

    archive: Archive
    types: bytes
    relations: bytes
    part: str
    properties: bytes | None
    related: bool


class Ooxml:
    """The carrier for the documents of office programs."""

    media_types = (
        f"{_OFFICE}.wordprocessingml.document",
        f"{_OFFICE}.spreadsheetml.sheet",
        f"{_OFFICE}.presentationml.presentation",
    )

    def read(self, source: BinaryIO) -> list[str]:
        """See `Carrier.read`."""
        package = _open(source)
        if package.properties is None:
            return []
        return [element.text.strip() for element in _labels(package.properties)]

    def write(self, source: BinaryIO, destination: BinaryIO, label: Label) -> None:
        """See `Carrier.write`."""
        package = _open(source)
        parts = {package.part: _with_label(package.properties, label)}
        if package.properties is None or not _overrides(package.types, package.part):
            parts[_TYPES] = _with_override(package.types, package.part)
        if not package.related:
            parts[_RELATIONS] = _with_relation(package.relations, package.part)
        package.archive.write(destination, parts)


def _open(source: BinaryIO) -> _Package:
    archive = Archive(source)
    types, relations = archive.read(_TYPES), archive.read(_RELATIONS)
    if types is None or relations is None:
        raise malformed("the file is no office document")
    target = _target(relations)
    part = target or _PART
    return _Package(archive, types, relations, part, archive.read(part), target is not None)


def _target(relations: bytes) -> str | None:
    """The name of the part with the custom properties."""
    document = xml.parse(relations, _RELATIONS, lambda _, name, __: name == "Relationship")
    for element in document.elements:
        if element.attributes.get(("", "Type")) in (_RELATION, _STRICT_RELATION):
            name = posixpath.normpath(element.attributes.get(("", "Target"), "").lstrip("/"))
            if name.startswith("..") or name == ".":
                raise malformed("a relation of the document leads out of it")
            return name
    return None


def _labels(properties: bytes) -> list[Element]:
    document = xml.parse(properties, _PART, lambda _, name, values: name == "property" and _is_label(values))
    return list(document.elements)


def _is_label(values: _Names) -> bool:
    return values.get(("", "name"), "").upper() == KEY


def _with_label(properties: bytes | None, label: Label) -> bytes:
    """The custom properties with this label and no other."""
    if properties is None:
        properties = _HEADER + f'<Properties xmlns="{_PROPERTIES}"></Properties>'.encode()
    document = xml.parse(properties, _PART, lambda _, name, __: name in ("Properties", "property"))
    root = document.elements[0] if document.elements else None
    if root is None or root.depth or root.name != "Properties":
        raise malformed("the custom properties of the document are none")
    entries = [element for element in document.elements if element.name == "property"]
    kept = [element for element in entries if not _is_label(element.attributes)]
    changes = [(element.start, element.end, b"") for element in entries if _is_label(element.attributes)]
    changes.append(xml.inside(document.data, root, _property(root.space, _next_id(kept), label)))
    return document.encoded(xml.changed(document.data, changes))


def _next_id(entries: list[Element]) -> int:
    used = [element.attributes.get(("", "pid"), "") for element in entries]
    numbers = [int(number) for number in used if number.isascii() and number.isdigit() and len(number) < len("1" * 10)]
    return max([_FIRST_ID - 1, *numbers]) + 1


def _property(space: str, number: int, label: Label) -> bytes:
    values = _VALUES if space in (_PROPERTIES, "") else "http://purl.oclc.org/ooxml/officeDocument/docPropsVTypes"
    return (
        f'<property xmlns="{space}" fmtid="{_FORMAT_ID}" pid="{number}" name="{KEY}">'
        f'<vt:lpwstr xmlns:vt="{values}">'.encode()
        + xml.escaped(label.bare)
        + b"</vt:lpwstr></property>"
    )


def _overrides(types: bytes, part: str) -> bool:
    document = xml.parse(types, _TYPES, lambda _, name, __: name == "Override")
    return any(element.attributes.get(("", "PartName")) == f"/{part}" for element in document.elements)


def _with_override(types: bytes, part: str) -> bytes:
    entry = f'<Override xmlns="{_PACKAGE}/content-types" PartName="/{part}" ContentType="{_CONTENT_TYPE}"/>'
    return _extended(types, _TYPES, "Types", entry)


def _with_relation(relations: bytes, part: str) -> bytes:
    document = xml.parse(relations, _RELATIONS, lambda _, name, __: name == "Relationship")
    used = {element.attributes.get(("", "Id"), "") for element in document.elements}
    identifier = next(name for number in range(len(used) + 1) if (name := f"rIdAigc{number}") not in used)
    entry = f'<Relationship xmlns="{_PACKAGE}/relationships" Id="{identifier}" Type="{_RELATION}" Target="{part}"/>'
    return _extended(relations, _RELATIONS, "Relationships", entry)


def _extended(data: bytes, what: str, root_name: str, entry: str) -> bytes:
    document = xml.parse(data, what, lambda _, name, __: name == root_name)
    if not document.elements or document.elements[0].depth:
        raise malformed(f"{what} is not what its name says")
    change = xml.inside(document.data, document.elements[0], entry.encode())
    return document.encoded(xml.changed(document.data, [change]))
