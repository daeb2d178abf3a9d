"""The label of MP3 files: the TXXX frame AIGC."""

from __future__ import annotations

import struct
import zlib

import pytest
from candor_generation.carriers.mp3 import Mp3
from hypothesis import given, settings
from media_samples import (
    CEILING,
    LABEL,
    LARGE,
    Null,
    decoded,
    labelled,
    metadata,
    mutations,
    peak,
    refused,
    sound,
    sparse,
    survives,
    values,
)

CARRIER = Mp3()
AUDIO = b"\xff\xfb\x90\x64" + bytes(413)
ID3V1 = b"TAG" + b"Title".ljust(125, b"\0")


def syncsafe(value: int) -> bytes:
    return bytes(value >> shift & 0x7F for shift in (21, 14, 7, 0))


def tag(version: int, body: bytes, flags: int = 0, footer: bytes = b"") -> bytes:
    return b"ID3" + bytes((version, 0, flags)) + syncsafe(len(body)) + body + footer


def frame(version: int, name: bytes, content: bytes, flags: int = 0) -> bytes:
    if version == 2:
        return name + len(content).to_bytes(3) + content
    size = syncsafe(len(content)) if version == 4 else struct.pack(">I", len(content))
    return name + size + struct.pack(">H", flags) + content


def txxx(version: int, value: str, encoding: int = 0, name: str = "AIGC") -> bytes:
    codec = ("latin-1", "utf-16", "utf-16-be", "utf-8")[encoding]
    content = bytes((encoding,)) + f"{name}\0".encode(codec) + value.encode(codec)
    return frame(version, b"TXX" if version == 2 else b"TXXX", content)


TITLE = {2: frame(2, b"TT2", b"\0Probe"), 3: frame(3, b"TIT2", b"\0Probe"), 4: frame(4, b"TIT2", b"\3Probe")}


@pytest.fixture(scope="module")
def mp3() -> bytes:
    return sound("mp3", "libmp3lame")


@pytest.mark.clause("GB 45438-2025 6.1")
def test_gb_45438_6_1_ffmpeg_reads_the_label_and_hears_the_same(mp3: bytes) -> None:
    out = labelled(CARRIER, mp3)
    assert metadata(out) == metadata(mp3) | {"AIGC": LABEL.bare}
    assert decoded(out) == decoded(mp3)
    assert values(CARRIER, out) == [LABEL.bare]


def test_a_file_without_a_tag_gets_one_and_keeps_its_id3v1() -> None:
    out = labelled(CARRIER, AUDIO + ID3V1)
    assert out.endswith(AUDIO + ID3V1)
    assert values(CARRIER, out) == [LABEL.bare]


@pytest.mark.clause("GB 45438-2025 6.1")
@pytest.mark.parametrize("version", [2, 3, 4])
@pytest.mark.parametrize("encoding", [0, 1, 2, 3])
def test_gb_45438_6_1_labels_in_any_version_and_encoding_are_found_and_replaced(version: int, encoding: int) -> None:
    own = txxx(version, "other", name="MOOD")
    body = txxx(version, '{"Label":"2"}', encoding) + TITLE[version] + txxx(version, "2nd", encoding, "aigc") + own
    old = tag(version, body + bytes(20)) + AUDIO
    assert values(CARRIER, old) == ['{"Label":"2"}', "2nd"]
    out = labelled(CARRIER, old)
    assert values(CARRIER, out) == [LABEL.bare]
    assert TITLE[version] + own in out
    assert out.endswith(bytes(20) + AUDIO)


def test_a_tag_that_is_unsynchronised_stays_so() -> None:
    picture = frame(3, b"APIC", b"\0image/png\0\3\0\xff\xe0\xff\x00\xff")
    raw = picture.replace(b"\xff\xe0\xff\x00", b"\xff\x00\xe0\xff\x00\x00") + TITLE[3]
    out = labelled(CARRIER, tag(3, raw, 0x80) + AUDIO)
    assert out[10:].startswith(raw)
    assert values(CARRIER, out) == [LABEL.bare]
    assert b"\xff\xe0" not in out[: out.index(AUDIO)]


def test_an_extended_header_goes_and_a_footer_is_made_anew() -> None:
    extended = syncsafe(6) + b"\1\0"
    body = extended + TITLE[4]
    footer = b"3DI" + tag(4, body, 0x50)[3:10]
    out = labelled(CARRIER, tag(4, body, 0x50, footer) + AUDIO)
    assert values(CARRIER, out) == [LABEL.bare]
    assert out[10 : 10 + len(TITLE[4])] == TITLE[4]
    end = out.index(AUDIO)
    assert out[end - 10 : end] == b"3DI" + out[3:10]


@pytest.mark.parametrize(
    ("version", "flags", "content"),
    [
        (3, 0x80, struct.pack(">I", 8) + zlib.compress(b"\0AIGC\0v1")),
        (4, 0x09, syncsafe(8) + zlib.compress(b"\0AIGC\0v1")),
        (4, 0x41, b"\7" + syncsafe(8) + b"\0AIGC\0v1"),
        (3, 0x20, b"\7" + b"\0AIGC\0v1"),
    ],
)
def test_labels_in_compressed_or_grouped_frames_are_found(version: int, flags: int, content: bytes) -> None:
    old = tag(version, frame(version, b"TXXX", content, flags)) + AUDIO
    assert values(CARRIER, old) == ["v1"]
    assert values(CARRIER, labelled(CARRIER, old)) == [LABEL.bare]


def test_sizes_that_old_software_wrote_with_eight_bits_are_read() -> None:
    body = b"TXXX" + struct.pack(">I", 200) + b"\0\0" + b"\0AIGC\0".ljust(200, b"x") + TITLE[4]
    assert values(CARRIER, tag(4, body) + AUDIO) == ["x" * 194]


def test_every_tag_at_the_beginning_is_cleaned() -> None:
    out = labelled(CARRIER, tag(3, TITLE[3]) + tag(3, txxx(3, "old") + TITLE[3]) + AUDIO)
    assert values(CARRIER, out) == [LABEL.bare]
    assert out.count(TITLE[3]) == 2


def test_a_large_file_and_a_large_picture_take_no_memory() -> None:
    picture = b"APIC" + syncsafe(LARGE) + b"\0\0"
    head = b"ID3\4\0\0" + syncsafe(len(picture) + LARGE) + picture
    with sparse(head, tail=AUDIO) as file:
        sink = Null()
        assert peak(lambda: CARRIER.write(file, sink, LABEL)) < CEILING
        assert sink.size > LARGE
        assert sink.largest <= 64 * 1024


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"ID3",
        b"ID3\3\0\0" + syncsafe(100) + AUDIO[:50],
        b"ID3\3\0\0\xff\xff\xff\xff" + AUDIO,
        b"ID3\5\0\0" + syncsafe(0) + AUDIO,
        tag(2, b"", 0x40) + AUDIO,
        tag(3, frame(3, b"TXXX", b"")[:4] + b"\xff\xff\xff\xff\0\0" + bytes(20)) + AUDIO,
        tag(3, b"no frame stands here") + AUDIO,
        tag(3, b"\xff\xff\xff\xff" + bytes(6), 0x40) + AUDIO,
        tag(3, TITLE[3]),
        tag(3, TITLE[3]) + bytes(100_000),
    ],
)
def test_a_broken_file_is_refused(content: bytes) -> None:
    assert refused(CARRIER, content) == "FILE_MALFORMED"


@pytest.mark.parametrize("content", [tag(3, b"") * 9 + AUDIO, tag(3, frame(3, b"TXXX", b"") * 70_000) + AUDIO])
def test_too_much_is_refused(content: bytes) -> None:
    assert refused(CARRIER, content) == "FILE_TOO_LARGE"


def test_a_compressed_frame_that_would_fill_the_memory_is_cut_off() -> None:
    bomb = zlib.compress(bytes(1 << 28))
    content = tag(3, frame(3, b"TXXX", struct.pack(">I", 1 << 28) + bomb, 0x80)) + AUDIO
    assert peak(lambda: values(CARRIER, content)) < 32 * 1024 * 1024


@settings(max_examples=120, deadline=None)
@given(
    mutations(tag(3, txxx(3, "old", 1) + TITLE[3] + bytes(9)) + AUDIO)
    | mutations(tag(4, txxx(4, "old") + TITLE[4]) + AUDIO)
    | mutations(tag(3, (txxx(3, "old", 1) + TITLE[3]).replace(b"\xff", b"\xff\0"), 0x80) + AUDIO)
)
def test_whatever_the_bytes_it_is_refused_or_labelled(content: bytes) -> None:
    survives(CARRIER, content)
