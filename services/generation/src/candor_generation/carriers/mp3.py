"""MP3 files: the label is a user-defined text frame (TXXX) "AIGC" of the ID3v2 tag.

Frames are walked without being held: a picture of any size stays in the file. Only a tag that is unsynchronised as a
whole (ID3v2.2 and 2.3) is taken into memory.
"""

from __future__ import annotations

import io
import itertools
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from candor_generation.carriers import base
from candor_generation.domain.label import Label

_V2, _V3, _V4 = 2, 3, 4
_TAG_HEADER: Final = 10
_EXTENDED_LEAST: Final = 6
_SEVEN_BITS: Final = 0x7F
_TAGS_LIMIT: Final = 8
_FRAMES_LIMIT: Final = 65_536
_SYNC_WITHIN: Final = 64 * 1024
_SYNC: Final = re.compile(rb"\xff[\xe2-\xff]")
_UNSYNCHRONISED, _EXTENDED, _FOOTER = 0x80, 0x40, 0x10
_COMPRESSED, _ENCRYPTED, _GROUPED = {_V3: 0x80, _V4: 0x08}, {_V3: 0x40, _V4: 0x04}, {_V3: 0x20, _V4: 0x40}
_FRAME_UNSYNCHRONISED, _LENGTH_STATED = 0x02, 0x01
_CODECS: Final = ("latin-1", "utf-16", "utf-16-be", "utf-8")
_NEW_TAG_VERSION: Final = _V3
_SYNCSAFE_LIMIT: Final = 1 << 28


@dataclass(frozen=True)
class _Tag:
    """A tag: its version (2, 3, 4) and revision, its flags, where its frames stand in `body`, and its end."""

    version: int
    revision: int
    flags: int
    body: BinaryIO
    start: int
    stop: int
    end: int

    @property
    def rewritten(self) -> bool:
        """Whether `body` is the tag's own bytes with their unsynchronisation undone."""
        return bool(self.flags & _UNSYNCHRONISED) and self.version < _V4


@dataclass(frozen=True)
class _Frame:
    """A frame: its name and flags, its first byte, its payload's, and one more than its last."""

    name: bytes
    flags: int
    start: int
    payload: int
    end: int


class Mp3:
    """MPEG audio, layer I to III, with ID3v2.2, 2.3 or 2.4, or none."""

    media_types = ("audio/mpeg", "audio/mp3", "audio/mpeg3", "audio/x-mpeg")

    def read(self, source: BinaryIO) -> list[str]:
        """Every AIGC value; see `base.Carrier`."""
        found = (_values(tag, frame) for tag in _tags(source) for frame in _frames(tag))
        values = list(itertools.islice(itertools.chain.from_iterable(found), base.VALUES_LIMIT + 1))
        if len(values) > base.VALUES_LIMIT:
            raise base.too_large(f"it carries more than {base.VALUES_LIMIT} labels")
        return values

    def write(self, source: BinaryIO, destination: BinaryIO, label: Label) -> None:
        """Write with this label and no other; see `base.Carrier`.

        An extended header is left out: it holds the checksum and padding size of what the tag was. ID3v1 stays.
        """
        tags = _tags(source)
        size = base.size_of(source)
        value = label.bare
        if not tags:
            own = _own_frame(_NEW_TAG_VERSION, value)
            destination.write(_tag_header(_NEW_TAG_VERSION, 0, 0, len(own)) + own)
        for tag in tags:
            _write_tag(destination, tag, _own_frame(tag.version, value) if tag is tags[0] else b"")
        source.seek(tags[-1].end if tags else 0)
        base.copy(source, destination, size - source.tell(), "the audio")


def _tags(source: BinaryIO) -> list[_Tag]:
    """The tags at the beginning.

    Raises:
        CarrierError: they are broken, or no MPEG audio follows them.
    """
    size = base.size_of(source)
    tags: list[_Tag] = []
    while source.read(3) == b"ID3":
        if len(tags) == _TAGS_LIMIT:
            raise base.too_large(f"it has more than {_TAGS_LIMIT} tags")
        tags.append(_tag(source, source.tell() - 3, size))
        source.seek(tags[-1].end)
    source.seek(tags[-1].end if tags else 0)
    if _SYNC.search(source.read(_SYNC_WITHIN)) is None:
        raise base.malformed("it holds no MPEG audio")
    return tags


def _tag(source: BinaryIO, start: int, file_size: int) -> _Tag:
    version, revision, flags, *digits = base.take(source, _TAG_HEADER - 3, "the tag")
    if version not in (_V2, _V3, _V4) or max(digits) > _SEVEN_BITS:
        raise base.malformed("its tag is of an unknown version, or its size is not one")
    if version == _V2 and flags & _EXTENDED:
        raise base.malformed("its tag is compressed, which no version defines")
    first = start + _TAG_HEADER
    stop = first + _syncsafe(bytes(digits))
    end = stop + (_TAG_HEADER if version == _V4 and flags & _FOOTER else 0)
    if end > file_size:
        raise base.malformed("its tag ends beyond the file")
    tag = _Tag(version, revision, flags, source, first, stop, end)
    if tag.rewritten:
        body = base.take(source, stop - first, "an unsynchronised tag").replace(b"\xff\x00", b"\xff")
        tag = _Tag(version, revision, flags, io.BytesIO(body), 0, len(body), end)
    if version > _V2 and flags & _EXTENDED:
        return _past_extended_header(tag)
    return tag


def _past_extended_header(tag: _Tag) -> _Tag:
    tag.body.seek(tag.start)
    stated = base.take(tag.body, 4, "the extended header")
    length = 4 + int.from_bytes(stated) if tag.version == _V3 else _syncsafe(stated)
    start = tag.start + length
    if length < _EXTENDED_LEAST or start > tag.stop:
        raise base.malformed("its extended header ends beyond its tag")
    return _Tag(tag.version, tag.revision, tag.flags, tag.body, start, tag.stop, tag.end)


def _frames(tag: _Tag) -> list[_Frame]:
    """The frames of a tag."""
    return _frames_as_stated(tag)[0]


def _frames_as_stated(tag: _Tag) -> tuple[list[_Frame], bool]:
    """The frames of a tag, and whether their sizes are stated as its version has it.

    ID3v2.4 states sizes by seven bits a byte; software once wrote eight, so a walk that fails is tried again so.

    Spec: ID3v2.4.0 4
    """
    if tag.version != _V4:
        return list(_walk(tag, syncsafe=False)), True
    try:
        return list(_walk(tag, syncsafe=True)), True
    except base.CarrierError:
        return list(_walk(tag, syncsafe=False)), False


def _walk(tag: _Tag, *, syncsafe: bool) -> Iterator[_Frame]:
    position = tag.start
    name_size, header = (3, 6) if tag.version == _V2 else (4, 10)
    for _ in range(_FRAMES_LIMIT):
        tag.body.seek(position)
        head = tag.body.read(min(header, tag.stop - position))
        if len(head) < header or head[0] == 0:
            return
        name, digits = head[:name_size], head[name_size : 2 * name_size]
        if not (name.isalnum() and name.upper() == name) or (syncsafe and max(digits) > _SEVEN_BITS):
            raise base.malformed("its tag holds no frame where one should be")
        end = position + header + (_syncsafe(digits) if syncsafe else int.from_bytes(digits))
        if end > tag.stop:
            raise base.malformed("a frame ends beyond its tag")
        yield _Frame(name, int.from_bytes(head[2 * name_size :]), position, position + header, end)
        position = end
    raise base.too_large(f"its tag has more than {_FRAMES_LIMIT} frames")


def _values(tag: _Tag, frame: _Frame) -> list[str]:
    """What a frame says under the key AIGC: ID3v2.4 lets it hold several values."""
    if frame.name not in (b"TXXX", b"TXX"):
        return []
    tag.body.seek(frame.payload)
    if frame.end - frame.payload > base.METADATA_LIMIT:
        return []  # no label is that long: it stays, unread, where it is
    content = _plain(tag, frame.flags & 0xFF, tag.body.read(frame.end - frame.payload))
    if not content or content[0] >= len(_CODECS):
        return []
    description, _, rest = content[1:].decode(_CODECS[content[0]], "replace").partition("\0")
    if description.lstrip("\ufeff").strip().upper() != base.KEY:
        return []
    values = rest.rstrip("\0").split("\0", base.VALUES_LIMIT)
    return [value.lstrip("\ufeff") for value in values]


def _plain(tag: _Tag, flags: int, data: bytes) -> bytes:
    """A frame's payload without what its flags put on it; nothing where that cannot be undone."""
    version = tag.version
    if version == _V2 or not flags & 0xFF:
        return data.replace(b"\xff\x00", b"\xff") if version == _V4 and tag.flags & _UNSYNCHRONISED else data
    if flags & _ENCRYPTED[version]:
        return b""
    data = data[1:] if flags & _GROUPED[version] else data
    stated = (flags & _LENGTH_STATED) if version == _V4 else (flags & _COMPRESSED[_V3])
    data = data[4:] if stated else data
    if version == _V4 and flags & _FRAME_UNSYNCHRONISED:
        data = data.replace(b"\xff\x00", b"\xff")
    return _inflated(data) if flags & _COMPRESSED[version] else data


def _inflated(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, base.METADATA_LIMIT)
    except zlib.error:
        return b""


def _write_tag(destination: BinaryIO, tag: _Tag, own: bytes) -> None:
    """Write a tag with its frames but for those that hold a label, then our own, then its padding.

    Sizes that were stated in another way than the version's are stated right, as a tag can be read in one way only.
    """
    frames, is_right = _frames_as_stated(tag)
    kept = [frame for frame in frames if not _values(tag, frame)]
    padding = frames[-1].end if frames else tag.start
    body = _Unsynchronised() if tag.rewritten else None
    size = sum(frame.end - frame.start for frame in kept) + tag.stop - padding + len(own)
    flags = tag.flags & ~_EXTENDED
    if body is None:
        destination.write(_tag_header(tag.version, tag.revision, flags, size))
    target = destination if body is None else body
    for frame in kept:
        tag.body.seek(frame.start)
        if not is_right:
            head = base.take(tag.body, frame.payload - frame.start, "a frame")
            target.write(head[:4] + _digits(frame.end - frame.payload) + head[8:])
        base.copy(tag.body, target, frame.end - tag.body.tell(), "a frame")
    target.write(own)
    tag.body.seek(padding)
    base.copy(tag.body, target, tag.stop - padding, "the padding")
    if body is not None:
        whole = body.unsynchronised()
        destination.write(_tag_header(tag.version, tag.revision, flags, len(whole)) + whole)
    elif tag.end != tag.stop:
        destination.write(b"3DI" + _tag_header(tag.version, tag.revision, flags, size)[3:])


class _Unsynchronised(io.BytesIO):
    """A tag's body in memory, to be written so that nothing in it looks like MPEG audio."""

    _FALSE_SYNC = re.compile(rb"\xff(?=[\xe0-\xff\x00]|\Z)")

    def unsynchronised(self) -> bytes:
        """The body, a zero after every byte that needs one.

        Spec: ID3v2.3.0 5
        """
        return self._FALSE_SYNC.sub(b"\xff\x00", self.getvalue())


def _own_frame(version: int, value: str) -> bytes:
    content = b"\0" + base.KEY.encode() + b"\0" + value.encode("ascii")
    if version == _V2:
        return b"TXX" + len(content).to_bytes(3) + content
    size = _digits(len(content)) if version == _V4 else len(content).to_bytes(4)
    return b"TXXX" + size + b"\0\0" + content


def _tag_header(version: int, revision: int, flags: int, size: int) -> bytes:
    if size >= _SYNCSAFE_LIMIT:
        raise base.too_large("its tag has no room for a label")
    return b"ID3" + bytes((version, revision, flags)) + _digits(size)


def _syncsafe(digits: bytes) -> int:
    """Four bytes of seven bits each."""
    return sum((digit & 0x7F) << shift for digit, shift in zip(digits, (21, 14, 7, 0), strict=True))


def _digits(value: int) -> bytes:
    return bytes(value >> shift & 0x7F for shift in (21, 14, 7, 0))
