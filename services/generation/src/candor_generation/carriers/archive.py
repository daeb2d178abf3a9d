"""ZIP files that others made: parts are read within bounds, and what is not changed is copied as it lies there.

Nothing is unpacked to a folder, and no entry is unpacked but the few that are asked for, so a bomb stays packed.

Spec: APPNOTE.TXT 6.3.10
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

from candor_generation.carriers.base import METADATA_LIMIT, copy, malformed, size_of, take, too_large

MAX_RATIO = 1100
"""How many times larger than packed an entry may claim to be; deflate reaches 1032."""

MAX_TOTAL = 16 << 30
"""The most that all entries together may claim to be, in bytes."""

_DIRECTORY_LIMIT = 16 << 20
_END = struct.Struct("<4s4H2IH")
_ENTRY = struct.Struct("<4s6H3I5H2I")
_LOCAL = struct.Struct("<4s5H3I2H")
_END_SIGNATURE, _ENTRY_SIGNATURE, _LOCAL_SIGNATURE = b"PK\5\6", b"PK\1\2", b"PK\3\4"
_LONGEST_COMMENT = 0xFFFF
_ZIP64 = 0xFFFF_FFFF
_STORED, _DEFLATED = 0, 8
_ENCRYPTED = 0x1
_UTF8 = 0x800
_VERSION = 20
_EARLIEST = 0x21
_OFFSET_AT = 42


@dataclass(frozen=True)
class Entry:
    """An entry as the directory tells of it."""

    name: str
    record: bytes
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    end: int


class Archive:
    """The directory of a ZIP file.

    Raises:
        CarrierError: FILE_MALFORMED, FILE_TOO_LARGE.
    """

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._end, start, count, size = _end_record(source)
        self.entries = _directory(source, start, count, size)

    def read(self, name: str) -> bytes | None:
        """An entry's content, at most `METADATA_LIMIT` bytes; None where there is none of the name.

        Raises:
            CarrierError: FILE_MALFORMED, FILE_TOO_LARGE.
        """
        entry = next((entry for entry in self.entries if entry.name == name), None)
        if entry is None:
            return None
        self._source.seek(entry.offset)
        local = _LOCAL.unpack(take(self._source, _LOCAL.size, "an entry of the archive"))
        self._source.seek(entry.offset + _LOCAL.size + local[9] + local[10])
        data = _unpacked(take(self._source, entry.packed, "an entry of the archive"), entry)
        if zlib.crc32(data) != entry.crc:
            raise malformed("the CRC of an entry of the archive is wrong")
        return data

    def write(self, destination: BinaryIO, parts: Mapping[str, bytes]) -> None:
        """Write the archive with these entries in the place of theirs, or at its end; all others stay packed as is.

        Raises:
            CarrierError: FILE_MALFORMED, FILE_TOO_LARGE.
        """
        records = []
        for entry in self.entries:
            offset = destination.tell()
            if entry.name in parts:
                records.append(_put(destination, entry.name, parts[entry.name]))
            else:
                self._source.seek(entry.offset)
                copy(self._source, destination, entry.end - entry.offset, "an entry of the archive")
                records.append(_moved(entry.record, offset))
        known = {entry.name for entry in self.entries}
        records += [_put(destination, name, data) for name, data in parts.items() if name not in known]
        _finish(destination, records, self._end)


def _end_record(source: BinaryIO) -> tuple[bytes, int, int, int]:
    """The comment of the archive, and where its directory is: `(comment, start, entries, size)`."""
    size = size_of(source)
    source.seek(max(0, size - _END.size - _LONGEST_COMMENT))
    tail = source.read(_END.size + _LONGEST_COMMENT)
    place = tail.rfind(_END_SIGNATURE)
    if place < 0 or len(tail) - place < _END.size:
        raise malformed("the file is no ZIP archive")
    _, disk, first_disk, here, count, length, start, comment = _END.unpack_from(tail, place)
    if _ZIP64 in (length, start) or count == 0xFFFF:  # noqa: PLR2004 - the mark of ZIP64
        raise too_large("the archive is a ZIP64 one, which no document needs to be")
    if disk or first_disk or here != count or len(tail) - place - _END.size != comment:
        raise malformed("the end of the archive is not as it should be")
    if start + length != size - (len(tail) - place):
        raise malformed("the directory of the archive is not where it is said to be")
    return tail[place + _END.size :], start, count, length


def _directory(source: BinaryIO, start: int, count: int, size: int) -> tuple[Entry, ...]:
    source.seek(start)
    data = take(source, size, "the directory of the archive", limit=_DIRECTORY_LIMIT)
    entries, place = [], 0
    for _ in range(count):
        entry = _entry(data, place)
        place += len(entry.record)
        entries.append(entry)
    if place != size:
        raise malformed("the directory of the archive has another size than it says")
    return _spans(source, entries, start)


def _entry(data: bytes, place: int) -> Entry:
    if len(data) - place < _ENTRY.size or data[place : place + 4] != _ENTRY_SIGNATURE:
        raise malformed("the directory of the archive is broken off")
    fields = _ENTRY.unpack_from(data, place)
    flags, method, crc, packed, size = fields[3], fields[4], fields[7], fields[8], fields[9]
    length = _ENTRY.size + fields[10] + fields[11] + fields[12]
    record = data[place : place + length]
    if len(record) != length:
        raise malformed("the directory of the archive is broken off")
    if _ZIP64 in (packed, size, fields[16]):
        raise too_large("an entry of the archive is a ZIP64 one")
    if flags & _ENCRYPTED:
        raise malformed("an entry of the archive is encrypted")
    if size > packed * MAX_RATIO:
        raise too_large("an entry of the archive claims to unpack to more than it can")
    raw = record[_ENTRY.size : _ENTRY.size + fields[10]]
    name = _checked(raw.decode("utf-8" if flags & _UTF8 else "cp437", "replace"))
    return Entry(name, record, method, crc, packed, size, fields[16], 0)


def _checked(name: str) -> str:
    """The name of an entry, which never leaves the folder that someone may unpack the archive to (CWE-22)."""
    if not name or name.startswith("/") or "\\" in name or "\0" in name or ":" in name or ".." in name.split("/"):
        raise malformed("an entry of the archive has a name that leads out of it")
    return name


def _spans(source: BinaryIO, entries: list[Entry], directory: int) -> tuple[Entry, ...]:
    """The entries with their ends, checked not to overlap and not to share a name (as a quoted bomb's do)."""
    if not entries:
        raise malformed("the archive is empty")
    if len({entry.name.lower() for entry in entries}) != len(entries):
        raise malformed("two entries of the archive have one name")
    if sum(entry.size for entry in entries) > MAX_TOTAL:
        raise too_large(f"the archive claims to unpack to more than {MAX_TOTAL} bytes")
    ordered = sorted(entries, key=lambda entry: entry.offset)
    ends = [entry.offset for entry in ordered[1:]] + [directory]
    spans = []
    for entry, end in zip(ordered, ends, strict=True):
        source.seek(entry.offset)
        local = _LOCAL.unpack(take(source, _LOCAL.size, "an entry of the archive"))
        if local[0] != _LOCAL_SIGNATURE or entry.offset + _LOCAL.size + local[9] + local[10] + entry.packed > end:
            raise malformed("an entry of the archive is not where it is said to be, or overlaps another")
        spans.append(
            Entry(entry.name, entry.record, entry.method, entry.crc, entry.packed, entry.size, entry.offset, end)
        )
    return tuple(spans)


def _unpacked(data: bytes, entry: Entry) -> bytes:
    if entry.method == _STORED:
        return data
    if entry.method != _DEFLATED:
        raise malformed("an entry of the archive is packed in a way that documents are not")
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        unpacked = unpacker.decompress(data, METADATA_LIMIT)
    except zlib.error as error:
        raise malformed("an entry of the archive does not unpack") from error
    if unpacker.unconsumed_tail:
        raise too_large(f"an entry of the archive unpacks to more than {METADATA_LIMIT} bytes")
    return unpacked


def _put(destination: BinaryIO, name: str, data: bytes) -> bytes:
    """Write an entry; its record for the directory."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = packer.compress(data) + packer.flush()
    raw, offset = name.encode(), destination.tell()
    flags = 0 if name.isascii() else _UTF8
    common = (_VERSION, flags, _DEFLATED, 0, _EARLIEST, zlib.crc32(data), len(packed), len(data), len(raw))
    destination.write(_LOCAL.pack(_LOCAL_SIGNATURE, *common, 0) + raw + packed)
    return _ENTRY.pack(_ENTRY_SIGNATURE, _VERSION, *common, 0, 0, 0, 0, 0, offset) + raw


def _moved(record: bytes, offset: int) -> bytes:
    return record[:_OFFSET_AT] + struct.pack("<I", offset) + record[_ENTRY.size :]


def _finish(destination: BinaryIO, records: list[bytes], comment: bytes) -> None:
    start = destination.seek(0, os.SEEK_END)
    size = sum(map(len, records))
    if start + size >= _ZIP64 or len(records) >= 0xFFFF:  # noqa: PLR2004 - the mark of ZIP64
        raise too_large("the archive has no room for a label")
    destination.writelines(records)
    end = _END.pack(_END_SIGNATURE, 0, 0, len(records), len(records), size, start, len(comment))
    destination.write(end + comment)
