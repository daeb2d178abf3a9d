"""PDF: the label stands in the information dictionary, under `AIGC`, added behind the file as an update.

Nothing of the file is rewritten, so that signatures in it stay valid and its size does not matter.

Source: TC260-PG-20258A
Spec: ISO 32000-2 7.5.6, 14.3.3
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO

from candor_generation.carriers import pdfsyntax, pdfxref, xmp
from candor_generation.carriers.base import KEY, CarrierError, copy_rest, malformed, too_large
from candor_generation.carriers.pdfsyntax import Dictionary, Reference
from candor_generation.carriers.pdfxref import Document
from candor_generation.domain.label import Label

_LARGEST = 9_999_999_999
_MAX_NUMBER = 8_388_607


@dataclass(frozen=True)
class _Object:
    """An object to be written: its number, its generation, its bytes."""

    number: int
    generation: int
    body: bytes


class Pdf:
    """The PDF carrier."""

    media_types = ("application/pdf",)

    def read(self, source: BinaryIO) -> list[str]:
        """See `Carrier.read`."""
        document = _open(source)
        info = document.resolve(document.trailer.get(b"Info"))
        found = document.resolve(info.get(KEY.encode())) if isinstance(info, Dictionary) else None
        values = [pdfsyntax.text(found)] if isinstance(found, bytes) else []
        packet = _packet(document)
        return values + (xmp.values(packet[1]) if packet else [])

    def write(self, source: BinaryIO, destination: BinaryIO, label: Label) -> None:
        """See `Carrier.write`."""
        document = _open(source)
        objects = [_info(document, label), *_cleaned_packet(document)]
        source.seek(0)
        copy_rest(source, destination)
        destination.write(b"\n")
        _update(destination, document, objects)


def _open(source: BinaryIO) -> Document:
    document = pdfxref.open_document(source)
    if b"Encrypt" in document.trailer:
        raise CarrierError(
            "UNSUPPORTED_MEDIA", "the PDF is encrypted, so its information can be neither read nor added to"
        )
    size = document.trailer.get(b"Size")
    if (
        not isinstance(size, int)
        or not 0 < size < _MAX_NUMBER
        or not isinstance(document.trailer.get(b"Root"), Reference)
    ):
        raise malformed("the trailer of the PDF names no catalogue or no size")
    return document


def _size(document: Document) -> int:
    size = document.trailer[b"Size"]
    return size if isinstance(size, int) else 0


def _info(document: Document, label: Label) -> _Object:
    """The information dictionary with this label and no other; its other entries stand as they were written."""
    place = document.trailer.get(b"Info")
    info = document.resolve(place)
    raw = dict(info.raw) if isinstance(info, Dictionary) else {}
    raw[KEY.encode()] = b"/" + KEY.encode() + b" " + pdfsyntax.literal(label.bare)
    body = b"<<\n" + b"".join(entry + b"\n" for entry in raw.values()) + b">>"
    if isinstance(place, Reference):
        return _Object(place.number, place.generation, body)
    return _Object(_size(document), 0, body)


def _packet(document: Document) -> tuple[Reference, bytes] | None:
    """The document's XMP packet and which object it is, if it has one that can be read."""
    root = document.resolve(document.trailer.get(b"Root"))
    place = root.get(b"Metadata") if isinstance(root, Dictionary) else None
    found = document.stream(place)
    return (place, found[1]) if found is not None and isinstance(place, Reference) else None


def _cleaned_packet(document: Document) -> list[_Object]:
    """The XMP packet without a label, where it has one: a file has one label only."""
    packet = _packet(document)
    if packet is None or not xmp.values(packet[1]):
        return []
    place, data = packet[0], xmp.without(packet[1])
    head = f"<< /Type /Metadata /Subtype /XML /Length {len(data)} >>\nstream\n".encode()
    return [_Object(place.number, place.generation, head + data + b"\nendstream")]


def _update(destination: BinaryIO, document: Document, objects: list[_Object]) -> None:
    """Write the objects, and a cross-reference section of the kind that the file has (7.5.6)."""
    offsets = {}
    for item in objects:
        offsets[item.number] = destination.tell()
        destination.write(f"{item.number} {item.generation} obj\n".encode() + item.body + b"\nendobj\n")
    start = destination.tell()
    if start > _LARGEST:
        raise too_large("the PDF has no room for a label")
    size = max(_size(document), *(item.number + 1 for item in objects))
    kept = [document.raw[key] for key in (b"Root", b"ID") if key in document.raw]
    info = f"/Info {objects[0].number} {objects[0].generation} R".encode()
    if document.is_stream:
        _put_stream(destination, objects, offsets, size, [*kept, info, f"/Prev {document.last}".encode()])
    else:
        keys = b" ".join([f"/Size {size}".encode(), *kept, info, f"/Prev {document.last}".encode()])
        destination.write(_table(objects, offsets) + b"trailer\n<< " + keys + b" >>\n")
    destination.write(f"startxref\n{start}\n%%EOF\n".encode())


def _table(objects: list[_Object], offsets: dict[int, int]) -> bytes:
    lines = [
        f"{item.number} 1\n{offsets[item.number]:010d} {item.generation:05d} n \n"
        for item in sorted(objects, key=lambda item: item.number)
    ]
    return "".join(["xref\n", *lines]).encode()


def _put_stream(
    destination: BinaryIO, objects: list[_Object], offsets: dict[int, int], size: int, keys: list[bytes]
) -> None:
    """A cross-reference stream that names the objects and itself (7.5.8)."""
    own = _Object(size, 0, b"")
    rows = sorted([*objects, own], key=lambda item: item.number)
    places = offsets | {own.number: destination.tell()}
    data = b"".join(struct.pack(">BQH", 1, places[item.number], item.generation) for item in rows)
    index = " ".join(f"{item.number} 1" for item in rows)
    head = f"{own.number} 0 obj\n<< /Type /XRef /Size {size + 1} /W [1 8 2] /Index [{index}] /Length {len(data)} "
    destination.write(head.encode() + b" ".join(keys) + b" >>\nstream\n" + data + b"\nendstream\nendobj\n")
