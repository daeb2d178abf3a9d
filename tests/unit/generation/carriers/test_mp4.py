"""The label of MP4, MOV and M4A: the metadata item AIGC."""

from __future__ import annotations

import io
import struct
from functools import cache

import pytest
from candor_generation.carriers import boxes
from candor_generation.carriers.mp4 import Mp4
from hypothesis import given, settings
from hypothesis import strategies as st
from media_samples import (
    CEILING,
    LABEL,
    LARGE,
    Null,
    decoded,
    film,
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

CARRIER = Mp4()
XMP_ID = bytes.fromhex("BE7ACFCB97A942E89C71999491E3AFAC")
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/">'
    b"<TC260:AIGC>{}</TC260:AIGC><TC260:Other>kept</TC260:Other></rdf:Description></rdf:RDF></x:xmpmeta>"
)
FTYP = boxes.make(b"ftyp", b"isom\0\0\2\0isom")
WIDTHS = {b"stco": ">I", b"co64": ">Q"}


def table(kind: bytes, *places: int) -> bytes:
    rows = b"".join(struct.pack(WIDTHS[kind], place) for place in places)
    return boxes.make(kind, bytes(4) + struct.pack(">I", len(places)) + rows)


def nested(path: list[bytes], content: bytes) -> bytes:
    for kind in reversed(path):
        content = boxes.make(kind, content)
    return content


def track(content: bytes) -> bytes:
    return nested([b"trak", b"mdia", b"minf", b"stbl"], content)


def moov(*children: bytes) -> bytes:
    return boxes.make(b"moov", b"".join(children))


def meta(handler: bytes, *children: bytes, full: bool = True) -> bytes:
    return boxes.make(
        b"meta", bytes(4 * full) + boxes.make(b"hdlr", bytes(8) + handler + bytes(13)) + b"".join(children)
    )


def keys(*names: str) -> bytes:
    return boxes.make(
        b"keys", struct.pack(">II", 0, len(names)) + b"".join(boxes.make(b"mdta", name.encode()) for name in names)
    )


def item(kind: bytes, value: str) -> bytes:
    return boxes.make(kind, boxes.make(b"data", struct.pack(">II", 1, 0) + value.encode()))


def ilst(*items: bytes) -> bytes:
    return boxes.make(b"ilst", b"".join(items))


def free_form(name: str, value: str) -> bytes:
    names = boxes.make(b"mean", bytes(4) + b"com.apple.iTunes") + boxes.make(b"name", bytes(4) + name.encode())
    return boxes.make(b"----", names + boxes.make(b"data", struct.pack(">II", 1, 0) + value.encode()))


@cache
def made(kind: str) -> bytes:
    flags = {
        "index last": "",
        "index first": "faststart",
        "fragments": "frag_keyframe+empty_moov",
        "based fragments": "frag_keyframe+empty_moov+default_base_moof",
        "late index": "frag_keyframe",
        "items by keys": "use_metadata_tags+faststart",
    }
    if kind == "m4a":
        return sound("ipod", "aac", 0.5)
    return film("mov" if kind == "mov" else "mp4", flags.get(kind, ""), 0.5)


KINDS = [
    "index last", "index first", "fragments", "based fragments", "late index", "items by keys", "mov", "m4a",
]  # fmt: skip


@pytest.mark.clause("GB 45438-2025 6.1")
@pytest.mark.parametrize("kind", KINDS)
def test_gb_45438_6_1_ffmpeg_reads_the_label_and_sees_the_same(kind: str) -> None:
    old = made(kind)
    out = labelled(CARRIER, old)
    assert metadata(out) == metadata(old) | {"AIGC": LABEL.bare}
    assert decoded(out) == decoded(old)
    assert values(CARRIER, out) == [LABEL.bare]
    assert labelled(CARRIER, out) == out


def test_what_ffmpeg_wrote_is_read_and_replaced() -> None:
    old = film("mp4", "use_metadata_tags", 0.2, metadata={"title": "Probe", "AIGC": '{"Label":"2"}'})
    assert values(CARRIER, old) == ['{"Label":"2"}']
    out = labelled(CARRIER, old)
    assert metadata(out)["AIGC"] == LABEL.bare
    assert values(CARRIER, out) == [LABEL.bare]


def test_a_film_before_its_index_stays_byte_for_byte() -> None:
    old = made("index last")
    assert labelled(CARRIER, old)[: old.index(b"moov") - 4] == old[: old.index(b"moov") - 4]


@pytest.mark.clause("GB 45438-2025 6.1")
def test_gb_45438_6_1_labels_wherever_they_stand_are_found_and_replaced_by_one() -> None:
    index = moov(
        meta(
            b"mdta", keys("AIGC", "other"), ilst(item(b"\0\0\0\1", "quicktime"), item(b"\0\0\0\2", "kept")), full=False
        ),
        boxes.make(
            b"udta",
            meta(b"mdir", ilst(item(b"\xa9nam", "title"), free_form("AIGC", "itunes"), free_form("MOOD", "calm")))
            + boxes.make(b"AIGC", b"bare box")
            + boxes.make(b"XMP_", XMP)
            + bytes(4),
        ),
        boxes.make(b"udta", meta(b"mdta", keys("x", "AIGC"), ilst(item(b"\0\0\0\2", "second")))),
    )
    old = FTYP + index + boxes.make(b"uuid", XMP_ID + XMP) + boxes.make(b"mdat", b"film")
    assert values(CARRIER, old) == ["quicktime", "itunes", "bare box", "{}", "second", "{}"]
    out = labelled(CARRIER, old)
    assert values(CARRIER, out) == [LABEL.bare]
    for kept in (
        item(b"\0\0\0\2", "kept"),
        item(b"\xa9nam", "title"),
        free_form("MOOD", "calm"),
        b"kept</TC260:Other>",
    ):
        assert kept in out
    assert len(out[out.rindex(b"uuid") - 4 :]) == len(old[old.rindex(b"uuid") - 4 :])


def test_a_list_by_keys_gets_a_key_more_and_keeps_its_own() -> None:
    old = FTYP + moov(boxes.make(b"udta", meta(b"mdta", keys("title"), ilst(item(b"\0\0\0\1", "Probe")))))
    out = labelled(CARRIER, old)
    assert keys("title", "AIGC") in out
    assert ilst(item(b"\0\0\0\1", "Probe"), item(b"\0\0\0\2", LABEL.bare)) in out


@pytest.mark.parametrize("kind", [b"stco", b"co64"])
def test_chunks_behind_the_index_move_with_it_and_those_before_do_not(kind: bytes) -> None:
    before = FTYP + boxes.make(b"mdat", b"early")
    size = len(moov(track(table(kind, 1, 2, 3))))
    late = len(before) + size + 8
    old = before + moov(track(table(kind, len(FTYP) + 8, late, late + 2))) + boxes.make(b"mdat", b"late film")
    out = labelled(CARRIER, old)
    grown = len(out) - len(old)
    assert table(kind, len(FTYP) + 8, late + grown, late + grown + 2) in out
    assert out[late + grown :].startswith(b"late film")


def test_fragments_and_their_table_move_with_the_index() -> None:
    header = struct.pack(">IIQ", 1, 1, 5000)
    unbased = struct.pack(">II", 0x020000, 1)
    moof = boxes.make(b"moof", nested([b"traf", b"tfhd"], header) + nested([b"traf", b"tfhd"], unbased))
    index = moov(track(table(b"stco")))
    for version, width in ((0, ">II"), (1, ">QQ")):
        rows = struct.pack(width, 7, len(FTYP + index)) + b"\1\2\3"
        fragments = boxes.make(
            b"mfra",
            boxes.make(b"tfra", struct.pack(">BxxxIII", version, 1, 0, 1) + rows) + boxes.make(b"mfro", bytes(8)),
        )
        old = FTYP + index + moof + fragments
        out = labelled(CARRIER, old)
        grown = len(out) - len(old)
        assert struct.pack(">IIQ", 1, 1, 5000 + grown) + boxes.make(b"traf", boxes.make(b"tfhd", unbased)) in out
        assert struct.pack(width, 7, len(FTYP + index) + grown) + b"\1\2\3" in out


@pytest.mark.parametrize(
    "content",
    [
        FTYP + boxes.make(b"sidx", bytes(24)) + moov() + boxes.make(b"moof", b""),
        FTYP + moov(track(boxes.make(b"saio", bytes(8)))) + boxes.make(b"mdat", b""),
        FTYP + moov(boxes.make(b"cmov", b"")) + boxes.make(b"mdat", b""),
        FTYP + moov() + boxes.make(b"meta", bytes(4) + boxes.make(b"iloc", bytes(8))),
    ],
)
def test_places_that_are_not_corrected_are_refused_not_broken(content: bytes) -> None:
    with pytest.raises(Exception, match="UNSUPPORTED_MEDIA"):
        labelled(CARRIER, content)


def test_a_place_that_no_longer_fits_is_refused() -> None:
    content = FTYP + moov(track(table(b"stco", 0xFFFFFFF0))) + boxes.make(b"mdat", b"")
    with pytest.raises(Exception, match="FILE_TOO_LARGE"):
        labelled(CARRIER, content)


def test_an_index_with_a_size_of_64_bits_or_none_is_read() -> None:
    body = track(table(b"stco", 8))
    wide = boxes.header(b"moov", 16 + len(body), large=True) + body
    assert values(CARRIER, labelled(CARRIER, FTYP + wide + boxes.make(b"mdat", b"x"))) == [LABEL.bare]
    open_ended = boxes.make(b"mdat", b"x") + bytes(4) + b"moov" + body
    assert values(CARRIER, labelled(CARRIER, open_ended)) == [LABEL.bare]
    film_last = FTYP + moov(body) + bytes(4) + b"mdat" + b"x" * 99
    assert labelled(CARRIER, film_last).endswith(bytes(4) + b"mdat" + b"x" * 99)


@pytest.mark.parametrize("first", [True, False])
def test_a_large_file_takes_no_memory(*, first: bool) -> None:
    mdat = boxes.header(b"mdat", 8 + LARGE, large=False)
    many = moov(track(table(b"co64", *range(200_000))))
    head, tail = (FTYP + many + mdat, b"") if first else (FTYP + mdat, many)
    with sparse(head, tail=tail) as file:
        sink = Null()
        del head, tail, many
        assert peak(lambda: CARRIER.write(file, sink, LABEL)) < CEILING
        assert sink.size > LARGE


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\0\0\x10ftyp",
        FTYP,
        boxes.make(b"RIFF", b""),
        FTYP + moov() + moov(),
        FTYP + moov()[:-1] + b"\xff",
        FTYP + b"\0\0\0\7moov",
        FTYP + b"\0\0\0\1moov" + b"\x7f" + b"\xff" * 7,
        FTYP + b"\0\0\0\1moov" + b"\xff" * 8,
        FTYP + b"\0\0\0\1moov" + bytes(8),
        FTYP + moov(b"\0\0\0\0trak" + bytes(8)),
        FTYP + moov(boxes.make(b"udta", b"\0\0\0\x7fmeta" + bytes(8))),
        FTYP
        + moov(
            boxes.make(
                b"udta",
                meta(b"mdta", boxes.make(b"keys", struct.pack(">II", 0, 2**32 - 1)), ilst(item(b"\0\0\0\1", ""))),
            )
        ),
    ],
)
def test_a_broken_file_is_refused(content: bytes) -> None:
    assert refused(CARRIER, content) == "FILE_MALFORMED"


@pytest.mark.parametrize(
    "rows",
    [
        boxes.make(b"stco", bytes(4) + b"\xff" * 4),
        boxes.make(b"co64", bytes(4) + b"\0\0\1\0"),
        boxes.make(b"stco", b""),
    ],
)
def test_a_table_longer_than_its_box_is_refused(rows: bytes) -> None:
    with pytest.raises(Exception, match="FILE_MALFORMED"):
        labelled(CARRIER, FTYP + moov(track(rows)) + boxes.make(b"mdat", b""))


def test_boxes_nested_a_thousand_deep_are_copied_not_followed() -> None:
    for kind in (b"trak", b"moov", b"udta", b"meta", b"stbl"):
        content = FTYP + moov(nested([kind] * 1000, b"")) + boxes.make(b"mdat", b"")
        survives(CARRIER, content)


def test_metadata_without_end_is_refused() -> None:
    with sparse(FTYP + moov(boxes.make(b"udta", b""))[:8] + b"\x0f\xff\xff\xffudta", 1 << 28) as file:
        file.seek(len(FTYP))
        file.write(struct.pack(">I", 8 + 0xFFFFFFF))
        file.truncate(len(FTYP) + 8 + 0xFFFFFFF)
        with pytest.raises(Exception, match="FILE_"):
            CARRIER.write(file, io.BytesIO(), LABEL)


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_whatever_the_bytes_it_is_refused_or_labelled(data: st.DataObject) -> None:
    index = moov(
        track(table(b"stco", 900)),
        boxes.make(b"udta", meta(b"mdta", keys("AIGC", "x"), ilst(item(b"\0\0\0\1", "a"))) + meta(b"mdir", ilst())),
    )
    small = FTYP + index + boxes.make(b"uuid", XMP_ID + XMP) + boxes.make(b"mdat", bytes(40))
    survives(CARRIER, data.draw(mutations(small)))
    real = made("fragments")
    at = real.index(b"moof")
    survives(CARRIER, real[: at - 4] + data.draw(mutations(real[at - 4 : at + 3000])))
