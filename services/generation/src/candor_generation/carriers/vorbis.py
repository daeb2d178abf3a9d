"""FLAC, Ogg Vorbis, Opus and Ogg FLAC: the label is a Vorbis comment "AIGC=".

Spec: Vorbis I 5; RFC 9639 8.6; RFC 7845 5.2
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import BinaryIO, Final

from candor_generation.carriers import base, ogg
from candor_generation.domain.label import Label

_LENGTH: Final = struct.Struct("<I")
_COMMENTS_LIMIT: Final = 65_536
_MARKER: Final = b"fLaC"
_STREAMINFO, _VORBIS_COMMENT = 0, 4
_STREAMINFO_SIZE: Final = 34
_LAST: Final = 0x80
_BLOCK_HEADER: Final = 4
_BLOCK_LIMIT: Final = (1 << 24) - 1
_BLOCKS_LIMIT: Final = 4_096
_ID3_HEADER: Final = 10


@dataclass(frozen=True)
class Comments:
    """A comment header: who wrote the stream, the comments as they stand, and what follows them in the block."""

    vendor: bytes
    comments: tuple[bytes, ...]
    rest: bytes

    @classmethod
    def parse(cls, data: bytes) -> Comments:
        """The comments of a block.

        Raises:
            CarrierError: FILE_MALFORMED, a length lies beyond the block; FILE_TOO_LARGE, more than 65,536 comments.
        """
        vendor, position = _string(data, 0)
        count, position = _number(data, position)
        if count > _COMMENTS_LIMIT:
            raise base.too_large(f"it has more than {_COMMENTS_LIMIT} comments")
        comments = []
        for _ in range(count):
            comment, position = _string(data, position)
            comments.append(comment)
        return cls(vendor, tuple(comments), data[position:])

    @property
    def encoded(self) -> bytes:
        """The block again."""
        listed = b"".join(_LENGTH.pack(len(comment)) + comment for comment in self.comments)
        return _LENGTH.pack(len(self.vendor)) + self.vendor + _LENGTH.pack(len(self.comments)) + listed + self.rest

    @property
    def labels(self) -> list[str]:
        """Every AIGC value.

        Raises:
            CarrierError: FILE_MALFORMED, one is not UTF-8.
        """
        return [base.text_of(_value(comment), "the label") for comment in self.comments if _is_label(comment)]

    def labelled(self, label: Label | None) -> Comments:
        """The comments with this label and no other, or with none."""
        kept = tuple(comment for comment in self.comments if not _is_label(comment))
        own = () if label is None else (f"{base.KEY}={label.bare}".encode(),)
        return replace(self, comments=kept + own)


def _number(data: bytes, position: int) -> tuple[int, int]:
    if position + _LENGTH.size > len(data):
        raise base.malformed("its comments end within a length")
    return _LENGTH.unpack_from(data, position)[0], position + _LENGTH.size


def _string(data: bytes, position: int) -> tuple[bytes, int]:
    size, position = _number(data, position)
    if position + size > len(data):
        raise base.malformed("a comment ends beyond its block")
    return data[position : position + size], position + size


def _is_label(comment: bytes) -> bool:
    """Whether a comment's name is AIGC, in whatever case: names are case-insensitive (Vorbis I 5.2.2)."""
    return comment.partition(b"=")[0].upper() == base.KEY.encode()


def _value(comment: bytes) -> bytes:
    return comment.partition(b"=")[2]


def _within_limit(values: list[str]) -> list[str]:
    if len(values) > base.VALUES_LIMIT:
        raise base.too_large(f"it carries more than {base.VALUES_LIMIT} labels")
    return values


@dataclass(frozen=True)
class _Block:
    """A metadata block: its type, its payload's first byte and size."""

    type: int
    payload: int
    size: int


class Flac:
    """FLAC, with or without an ID3v2 tag before it."""

    media_types = ("audio/flac", "audio/x-flac")

    def read(self, source: BinaryIO) -> list[str]:
        """Every AIGC value; see `base.Carrier`."""
        blocks, _ = _blocks(source)
        return _within_limit([text for block in blocks if _holds(block) for text in _comments(source, block).labels])

    def write(self, source: BinaryIO, destination: BinaryIO, label: Label) -> None:
        """Write with this label and no other; see `base.Carrier`."""
        blocks, start = _blocks(source)
        size = base.size_of(source)
        base.copy(source, destination, start, "what comes before")
        destination.write(_MARKER)
        holder = next((index for index, block in enumerate(blocks) if _holds(block)), None)
        for index, block in enumerate(blocks):
            last = _LAST if block is blocks[-1] and not (holder is None and index == 0) else 0
            if _holds(block):
                _write_comments(
                    destination, _comments(source, block).labelled(label if index == holder else None), last
                )
                continue
            destination.write(bytes((last | block.type,)) + block.size.to_bytes(3))
            source.seek(block.payload)
            base.copy(source, destination, block.size, "a block")
            if holder is None and index == 0:
                last = _LAST if block is blocks[-1] else 0
                _write_comments(destination, Comments(b"", (), b"").labelled(label), last)
        source.seek(blocks[-1].payload + blocks[-1].size)
        base.copy(source, destination, size - source.tell(), "the audio")


def _holds(block: _Block) -> bool:
    return block.type == _VORBIS_COMMENT


def _comments(source: BinaryIO, block: _Block) -> Comments:
    source.seek(block.payload)
    return Comments.parse(base.take(source, block.size, "the comments"))


def _write_comments(destination: BinaryIO, comments: Comments, last: int) -> None:
    content = comments.encoded
    if len(content) > _BLOCK_LIMIT:
        raise base.too_large("its comments have no room for a label")
    destination.write(bytes((last | _VORBIS_COMMENT,)) + len(content).to_bytes(3) + content)


def _blocks(source: BinaryIO) -> tuple[list[_Block], int]:
    """The metadata blocks, and where the FLAC marker stands."""
    size = base.size_of(source)
    start = _past_id3(source)
    if base.take(source, len(_MARKER), "the marker") != _MARKER:
        raise base.malformed("it is no FLAC file")
    blocks: list[_Block] = []
    last = False
    while not last:
        if len(blocks) == _BLOCKS_LIMIT:
            raise base.too_large(f"it has more than {_BLOCKS_LIMIT} blocks")
        head = base.take(source, _BLOCK_HEADER, "a block")
        last = bool(head[0] & _LAST)
        blocks.append(_Block(head[0] & ~_LAST, source.tell(), int.from_bytes(head[1:])))
        base.skip(source, blocks[-1].size, "a block", end=size)
    if (blocks[0].type, blocks[0].size) != (_STREAMINFO, _STREAMINFO_SIZE):
        raise base.malformed("its first block does not describe the stream")
    return blocks, start


def _past_id3(source: BinaryIO) -> int:
    """Move past a tag that FLAC does not define but some writers put first."""
    head = source.read(_ID3_HEADER)
    start = 0
    if head[:3] == b"ID3" and len(head) == _ID3_HEADER:
        start = _ID3_HEADER + sum(
            (digit & 0x7F) << shift for digit, shift in zip(head[6:], (21, 14, 7, 0), strict=True)
        )
    source.seek(start)
    return start


class Ogg:
    """Ogg with Vorbis, Opus or FLAC in it, chained or with a film beside it."""

    media_types = ("audio/ogg", "audio/opus", "audio/vorbis", "application/ogg", "video/ogg", "audio/x-opus+ogg")

    def read(self, source: BinaryIO) -> list[str]:
        """Every AIGC value; see `base.Carrier`."""
        values: list[str] = []

        def note(packet: ogg.CommentPacket) -> bytes:
            values.extend(Comments.parse(packet.body).labels)
            _within_limit(values)
            return packet.body

        ogg.rewrite(source, None, note)
        return values

    def write(self, source: BinaryIO, destination: BinaryIO, label: Label) -> None:
        """Write with this label, in the first stream that can carry it, and no other; see `base.Carrier`."""
        ogg.rewrite(
            source,
            destination,
            lambda packet: Comments.parse(packet.body).labelled(label if packet.first else None).encoded,
        )
