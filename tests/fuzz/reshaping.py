"""Making files whole again after bytes of them were changed: checksums that a careless change breaks."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from itertools import pairwise

_REVERSED = bytes(int(f"{octet:08b}"[::-1], 2) for octet in range(256))
_OGG_HEAD = 27


def png(data: bytes) -> bytes:
    """A PNG whose chunks have the checksum of what they hold."""
    out, place = bytearray(data), 8
    while place + 12 <= len(out):
        end = place + 8 + int(struct.unpack_from(">I", out, place)[0])
        if end + 4 > len(out):
            break
        struct.pack_into(">I", out, end, zlib.crc32(out[place + 4 : end]))
        place = end + 4
    return bytes(out)


def ogg(data: bytes) -> bytes:
    """An Ogg file whose pages have the checksum of what they hold, wherever `OggS` stands."""
    starts = [place for place in range(len(data)) if data[place : place + 4] == b"OggS"]
    out = bytearray(data)
    for start, end in pairwise([*starts, len(data)]):
        if end - start >= _OGG_HEAD:
            page = bytes(out[start : start + 22]) + bytes(4) + bytes(out[start + 26 : end])
            mirrored = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
            struct.pack_into("<I", out, start + 22, int(f"{mirrored:032b}"[::-1], 2))
    return bytes(out)


def archive(data: bytes) -> bytes:
    """A ZIP archive of the parts that `flat` laid out; anything else as it is."""
    if not data.startswith(b"FLAT"):
        return data
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as out:
        for part in data[4:].split(b"\0FILE\0")[1:]:
            name, _, content = part.partition(b"\0")
            out.writestr(zipfile.ZipInfo(name.decode("latin-1") or "x"), content)
    return file.getvalue()


def flat(data: bytes) -> bytes:
    """The parts of a ZIP archive one after the other, so that a change reaches what is packed."""
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        parts = [b"\0FILE\0" + name.encode() + b"\0" + packed.read(name) for name in packed.namelist()]
    return b"FLAT" + b"".join(parts)
