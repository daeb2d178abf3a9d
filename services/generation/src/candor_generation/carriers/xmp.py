"""The label in an XMP packet, which pictures, documents and films carry alike.

Source: TC260-PG-20259A
Spec: XMP Specification Part 1 (ISO 16684-1) 7
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping

from candor_generation.carriers import xml
from candor_generation.carriers.base import KEY, malformed
from candor_generation.carriers.xml import Document, Element
from candor_generation.domain.label import Label

NAMESPACE = "http://www.tc260.org.cn/ns/AIGC/1.0/"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_WHAT = "the XMP packet"
_ID = "W5M0MpCehiHzreSzNTczkc9d"


def values(packet: bytes) -> list[str]:
    """Every label in a packet, as element or attribute, in whatever namespace it was written.

    Raises:
        CarrierError: FILE_MALFORMED, FILE_TOO_LARGE.
    """
    found: list[str] = []
    for element in _parse(packet).elements:
        found += [value.strip() for key, value in element.attributes.items() if key[1] == KEY]
        if element.name == KEY:
            found.append(element.text.strip())
    return found


def packet(existing: bytes | None, label: Label) -> bytes:
    """A packet with this label and no other; all else that the existing one holds is kept.

    Raises:
        CarrierError: FILE_MALFORMED, FILE_TOO_LARGE.
    """
    if existing is None or not existing.strip(b"\0 \t\r\n"):
        return _new(label)
    document = _parse(existing)
    root = next((element for element in document.elements if _is_rdf(element)), None)
    if root is None:
        raise malformed(f"{_WHAT} holds no rdf:RDF")
    changes = _removals(document)
    bare = xml.changed(document.data, changes)
    # The places have moved, so the cleaned text is read again.
    cleaned = _parse(bare)
    root = next(element for element in cleaned.elements if _is_rdf(element))
    prefix = _prefix(bare[root.start : root.inner])
    return xml.changed(bare, [xml.inside(bare, root, _description(label, prefix))])


def without(existing: bytes) -> bytes:
    """A packet without any label.

    Raises:
        CarrierError: FILE_MALFORMED, FILE_TOO_LARGE.
    """
    document = _parse(existing)
    changes = _removals(document)
    return xml.changed(document.data, changes) if changes else existing


def _parse(packet_bytes: bytes) -> Document:
    # Some writers pad a packet with zeros, which in UTF-16 are halves of letters.
    padded = not packet_bytes.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return xml.parse(packet_bytes.rstrip(b"\0") if padded else packet_bytes, _WHAT, _wanted)


def _wanted(space: str, name: str, attributes: Mapping[tuple[str, str], str]) -> bool:
    return name == KEY or (space, name) == (_RDF, "RDF") or any(key[1] == KEY for key in attributes)


def _is_rdf(element: Element) -> bool:
    return (element.space, element.name) == (_RDF, "RDF")


def _removals(document: Document) -> list[tuple[int, int, bytes]]:
    changes = []
    for element in document.elements:
        if element.name == KEY:
            changes.append((element.start, element.end, b""))
            continue
        labels = [key for key in element.attributes if key[1] == KEY]
        changes += [xml.without_attribute(document.data, element, key) for key in labels[:1]]
    return changes


def _prefix(tag: bytes) -> str:
    """The prefix that the start tag of rdf:RDF is written with."""
    name = tag[1:].split(None, 1)[0].rstrip(b"/>").decode("utf-8")
    return name.rpartition(":")[0]


def _description(label: Label, prefix: str) -> bytes:
    about = f'{prefix}:about=""' if prefix else f'xmlns:rdf="{_RDF}" rdf:about=""'
    name = f"{prefix}:Description" if prefix else "rdf:Description"
    return (
        f'<{name} {about} xmlns:TC260="{NAMESPACE}"><TC260:{KEY}>'.encode()
        + xml.escaped(label.bare)
        + f"</TC260:{KEY}></{name}>\n".encode()
    )


def _new(label: Label) -> bytes:
    head = f'<?xpacket begin="\ufeff" id="{_ID}"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{_RDF}">\n'
    return head.encode() + _description(label, "rdf") + b'</rdf:RDF></x:xmpmeta>\n<?xpacket end="w"?>'
