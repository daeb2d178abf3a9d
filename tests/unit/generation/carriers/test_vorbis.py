"""The label of FLAC, Ogg Vorbis, Opus and Ogg FLAC: the comment AIGC."""

from __future__ import annotations

import io
import struct
from functools import cache

import pytest
from candor_generation.carriers import ogg
from candor_generation.carriers.vorbis import Comments, Flac, Ogg
from hypothesis import given, settings
from hypothesis import strategies as st
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

FLAC, OGG = Flac(), Ogg()


@cache
def made(container: str, codec: str) -> bytes:
    return sound(container, codec, 0.5)


def comments(*texts: str) -> bytes:
    encoded = [text.encode() for text in texts]
    listed = b"".join(struct.pack("<I", len(text)) + text for text in encoded)
    return struct.pack("<I", 5) + b"probe" + struct.pack("<I", len(encoded)) + listed


def block(kind: int, content: bytes, *, last: bool = False) -> bytes:
    return bytes((kind | (0x80 if last else 0),)) + len(content).to_bytes(3) + content


def flac(*blocks: bytes) -> bytes:
    return b"fLaC" + b"".join(blocks) + b"\xff\xf8frames"


INFO = bytes(34)


def page(body: bytes, flags: int = 0, serial: int = 7, sequence: int = 0, granule: int = 0) -> bytes:
    lacing = b"\xff" * (len(body) // 255) + bytes((len(body) % 255,))
    return raw_page(body, lacing, flags, serial, sequence, granule)


def raw_page(body: bytes, lacing: bytes, flags: int, serial: int, sequence: int, granule: int) -> bytes:
    return ogg._Page(flags, granule, serial, sequence, lacing, body).encoded


def opus(*texts: str, serial: int = 7, audio: int = 2) -> bytes:
    head = page(b"OpusHead" + bytes(11), 2, serial)
    tags = page(b"OpusTags" + comments(*texts), 0, serial, 1)
    rest = [page(bytes(100), 0, serial, 2 + number, 960 * (1 + number)) for number in range(audio)]
    return head + tags + b"".join(rest) + page(b"end", 4, serial, 2 + audio, 960 * (1 + audio))


@pytest.mark.clause("GB 45438-2025 6.1")
@pytest.mark.parametrize(
    ("container", "codec"), [("flac", "flac"), ("ogg", "vorbis"), ("ogg", "libopus"), ("ogg", "flac")]
)
def test_gb_45438_6_1_ffmpeg_reads_the_label_and_hears_the_same(container: str, codec: str) -> None:
    carrier = FLAC if container == "flac" else OGG
    old = made(container, codec)
    out = labelled(carrier, old)
    assert metadata(out) == metadata(old) | {"AIGC": LABEL.bare}
    assert decoded(out) == decoded(old)
    assert values(carrier, out) == [LABEL.bare]
    assert labelled(carrier, out) == out


@pytest.mark.clause("GB 45438-2025 6.1")
def test_gb_45438_6_1_labels_of_flac_in_any_case_are_replaced_and_all_else_stays() -> None:
    old = flac(
        block(0, INFO), block(1, bytes(9)), block(4, comments("aigc=a", "TITLE=x", "AIGC=b")), block(1, b"", last=True)
    )
    assert values(FLAC, old) == ["a", "b"]
    own = comments("TITLE=x", f"AIGC={LABEL.bare}")
    assert labelled(FLAC, old) == flac(block(0, INFO), block(1, bytes(9)), block(4, own), block(1, b"", last=True))


@pytest.mark.parametrize("more", [(), (b"padding",)])
def test_flac_without_comments_gets_them_after_its_first_block(more: tuple[bytes, ...]) -> None:
    old = flac(block(0, INFO, last=not more), *(block(1, content, last=True) for content in more))
    out = labelled(FLAC, old)
    assert values(FLAC, out) == [LABEL.bare]
    own = struct.pack("<II", 0, 1) + struct.pack("<I", 5 + len(LABEL.bare)) + f"AIGC={LABEL.bare}".encode()
    assert out == flac(block(0, INFO), block(4, own, last=not more), *(block(1, text, last=True) for text in more))


def test_flac_behind_an_id3_tag_keeps_it() -> None:
    before = b"ID3\3\0\0\0\0\0\x05hello"
    out = labelled(FLAC, before + flac(block(0, INFO, last=True)))
    assert out.startswith(before + b"fLaC")
    assert values(FLAC, out) == [LABEL.bare]


def test_a_comment_header_that_outgrows_its_page_moves_every_later_page() -> None:
    small = 255 * 255 - 8 - len(comments("A=")) - 1
    old = opus("A=" + "x" * small)
    out = labelled(OGG, old)
    numbers = [found.sequence for found in ogg._pages(io.BytesIO(out))]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) == len(list(ogg._pages(io.BytesIO(old)))) + 1
    assert values(OGG, out) == [LABEL.bare]


def test_pages_shrink_when_a_label_of_many_pages_goes() -> None:
    out = labelled(OGG, labelled(OGG, opus("T=t")).replace(b"T=t", b"T=t"))
    assert out == labelled(OGG, opus("T=t"))
    long = page(b"OpusHead" + bytes(11), 2)
    body = b"OpusTags" + comments("AIGC=" + "y" * 70_000, "T=t")
    segments = b"\xff" * (len(body) // 255) + bytes((len(body) % 255,))
    long += raw_page(body[: 255 * 255], segments[:255], 0, 7, 1, -1)
    long += raw_page(body[255 * 255 :], segments[255:], 1, 7, 2, 0)
    long += page(bytes(100), 0, 7, 3, 960) + page(bytes(100), 0, 7, 4, 1920) + page(b"end", 4, 7, 5, 2880)
    assert values(OGG, long) == ["y" * 70_000]
    assert labelled(OGG, long) == labelled(OGG, opus("T=t"))


@pytest.mark.clause("GB 45438-2025 6.1")
def test_gb_45438_6_1_of_chained_streams_the_first_carries_the_only_label() -> None:
    old = opus("AIGC=1") + opus("AIGC=2", serial=8)
    assert values(OGG, old) == ["1", "2"]
    out = labelled(OGG, old)
    assert values(OGG, out) == [LABEL.bare]
    assert out.endswith(opus(serial=8))


def test_streams_of_another_codec_are_left_alone() -> None:
    skeleton = page(b"fishead\0" + bytes(56), 2, serial=9)
    more = page(b"anything", 0, serial=9, sequence=1)
    out = labelled(OGG, skeleton + opus() + more)
    assert out.startswith(skeleton)
    assert out.endswith(more)
    assert refused(OGG, skeleton + more) == "FILE_MALFORMED"


def test_a_large_flac_takes_no_memory() -> None:
    with sparse(flac(block(0, INFO, last=True))) as file:
        sink = Null()
        assert peak(lambda: FLAC.write(file, sink, LABEL)) < CEILING
        assert sink.size > LARGE


def test_a_large_ogg_takes_no_memory() -> None:
    audio = b"".join(
        raw_page(bytes(254 * 255), b"\xff" * 254 + b"\0", 0, 7, number, number) for number in range(2, 802)
    )
    content = opus(audio=0)[: -len(page(b"end", 4, 7, 2, 960))] + audio
    source = io.BytesIO(content)
    sink = Null()
    assert peak(lambda: OGG.write(source, sink, LABEL)) < CEILING
    assert sink.size > len(content)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"fLaC",
        b"OggS" + bytes(30),
        flac(block(4, comments())),
        flac(block(0, INFO)),
        b"fLaC" + block(0, INFO) + b"\x84\xff\xff\xff",
        flac(block(0, INFO), block(4, b"", last=True)),
        flac(block(0, INFO), block(4, struct.pack("<I", 0xFFFFFFFF), last=True)),
        flac(block(0, INFO), block(4, struct.pack("<III", 0, 2, 0), last=True)),
        b"ID3\3\0\0\x7f\x7f\x7f\x7f" + flac(block(0, INFO, last=True)),
    ],
)
def test_a_broken_flac_is_refused(content: bytes) -> None:
    assert refused(FLAC, content) == "FILE_MALFORMED"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"OggS",
        opus()[:-1],
        opus() + b"something else",
        bytearray(opus()[:30]) + b"\1" + opus()[31:],
        page(b"OpusHead" + bytes(11), 2),
        page(b"OpusHead" + bytes(11), 2) + page(b"other", 0, 7, 1),
        page(b"OpusHead" + bytes(11), 2) + page(b"OpusTags" + comments(), 0, 7, 1, 960),
        page(b"OpusHead" + bytes(11), 2) + page(b"OpusTags\xff\xff\xff\xff", 0, 7, 1),
        page(b"", 2, 7) * 1000,
    ],
)
def test_a_broken_ogg_is_refused(content: bytes) -> None:
    assert refused(OGG, bytes(content)) == "FILE_MALFORMED"


def test_comments_without_end_are_refused() -> None:
    endless = b"".join(raw_page(bytes(255 * 255), b"\xff" * 255, 1, 7, number, -1) for number in range(2, 80))
    head = page(b"OpusHead" + bytes(11), 2) + raw_page(bytes(255 * 255), b"\xff" * 255, 0, 7, 1, -1)
    assert refused(OGG, head + endless) == "FILE_TOO_LARGE"
    assert refused(FLAC, b"fLaC" + block(0, INFO) + block(1, b"") * 5000) == "FILE_TOO_LARGE"
    many = struct.pack("<II", 0, 70_000) + bytes(4) * 70_000
    assert refused(FLAC, flac(block(0, INFO), block(4, many, last=True))) == "FILE_TOO_LARGE"


@given(st.binary(max_size=9), st.lists(st.binary(max_size=20), max_size=5), st.binary(max_size=3))
def test_comments_are_read_and_written_alike(vendor: bytes, texts: list[bytes], rest: bytes) -> None:
    whole = Comments(vendor, tuple(texts), rest)
    assert Comments.parse(whole.encoded) == whole


@settings(max_examples=100, deadline=None)
@given(mutations(flac(block(0, INFO), block(4, comments("AIGC=a", "T=t")), block(1, bytes(9), last=True))))
def test_whatever_the_bytes_flac_is_refused_or_labelled(content: bytes) -> None:
    survives(FLAC, content)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_whatever_the_packets_ogg_is_refused_or_labelled(data: st.DataObject) -> None:
    tags = data.draw(mutations(b"OpusTags" + comments("AIGC=a", "T=t")))
    flags, sequence, granule = data.draw(
        st.tuples(st.integers(0, 7), st.integers(0, 2**32 - 1), st.sampled_from([0, -1, 9]))
    )
    content = (
        page(b"OpusHead" + bytes(11), 2) + page(tags, flags, 7, sequence, granule) + page(bytes(100), 4, 7, 2, 960)
    )
    survives(OGG, content)
    survives(OGG, data.draw(mutations(content)))
