"""Texts, PDF and office documents: labels that others wrote, and files made to do harm."""

from __future__ import annotations

import io
import json
import struct
import time
import zipfile
import zlib

import pikepdf
import pytest
from candor_generation.carriers import archive, pdfsyntax
from candor_generation.carriers.base import CarrierError
from candor_generation.carriers.ooxml import Ooxml
from candor_generation.carriers.pdf import Pdf
from candor_generation.carriers.text import FRONT_MATTER_LIMIT, Text
from candor_generation.domain import label
from hypothesis import given
from hypothesis import strategies as st
from label_samples import a_label, docx_file, pdf_file

LABEL = a_label()
THEIRS = a_label("theirs-7")


def labelled(carrier: Text | Pdf | Ooxml, data: bytes) -> bytes:
    destination = io.BytesIO()
    carrier.write(io.BytesIO(data), destination, LABEL)
    (found,) = carrier.read(destination)
    assert label.parse(found).label == LABEL
    return destination.getvalue()


THEIR_LINES = "".join(f"  {key}: '{value}'\n" for key, value in THEIRS.keys.items())


@pytest.mark.clause("TC260-PG-20258A")
@pytest.mark.parametrize(
    "front",
    [
        f"AIGC:\n{THEIR_LINES}",
        f"title: x\nAIGC: {THEIRS.bare}\nother: y\n",
        f"AIGC: '{THEIRS.json}'\n",
        f'"AIGC": {json.dumps(THEIRS.json)}\n',
        "AIGC:\r\n" + THEIR_LINES.replace("\n", "\r\n"),
        "AIGC:\n" + THEIR_LINES.replace("'", '"').replace("\n", "   # a remark\n", 0),
    ],
)
def test_tc260_front_matter_as_others_write_it_is_read_and_replaced(front: str) -> None:
    data = f"---\n{front}---\nbody\n".encode()
    (found,) = Text().read(io.BytesIO(data))
    assert label.parse(found).label == THEIRS
    after = labelled(Text(), data).decode()
    assert after.endswith("body\n")
    assert ("other: y\n" in after) == ("other: y\n" in front)
    assert "theirs-7" not in after


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"one line",
        "正文\n".encode("gb18030"),
        b"---\n",
        b"---\nno end",
        b"--- a rule\n---\n",
        b"\xef\xbb\xbfwith a mark\n",
        b"\xef\xbb\xbf---\na: b\n---\nx",
    ],
)
def test_any_text_takes_a_label_and_keeps_its_own(data: bytes) -> None:
    after = labelled(Text(), data)
    assert after.endswith(data.removeprefix(b"\xef\xbb\xbf---\na: b\n").removeprefix(b"\xef\xbb\xbf"))
    assert after.startswith(b"\xef\xbb\xbf") == data.startswith(b"\xef\xbb\xbf")


@given(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_any_text_takes_a_label(text: str) -> None:
    assert labelled(Text(), text.encode())


@pytest.mark.parametrize("data", ["wide".encode("utf-16"), b"a\0b"])
def test_a_text_in_which_a_label_would_not_be_read_is_refused(data: bytes) -> None:
    with pytest.raises(CarrierError, match="FILE_MALFORMED"):
        Text().write(io.BytesIO(data), io.BytesIO(), LABEL)


def test_front_matter_beyond_the_limit_is_refused_not_missed() -> None:
    data = b"---\nAIGC: x\n" + b"a: b\n" * (FRONT_MATTER_LIMIT // 5) + b"---\n"
    with pytest.raises(CarrierError, match="FILE_TOO_LARGE"):
        Text().read(io.BytesIO(data))


def test_cwe_1333_front_matter_made_to_be_slow_is_not() -> None:
    data = b"---\nAIGC:\n" + b" " * 200_000 + b"\rx\n---\n" + (b"AIGC: " * 9000)
    started = time.process_time()
    Text().read(io.BytesIO(data))
    assert time.process_time() - started < 5


def test_an_encrypted_pdf_is_refused() -> None:
    data = pdf_file(encryption=pikepdf.Encryption(owner="o", user=""))
    with pytest.raises(CarrierError, match="UNSUPPORTED_MEDIA"):
        Pdf().read(io.BytesIO(data))


def pdf_with_xmp() -> bytes:
    file = io.BytesIO()
    with pikepdf.new() as document:
        document.add_blank_page()
        with document.open_metadata() as metadata:
            metadata["{http://www.tc260.org.cn/ns/AIGC/1.0/}AIGC"] = THEIRS.bare
            metadata["dc:title"] = "kept"
        document.save(file)
    return file.getvalue()


@pytest.mark.clause("GB 45438-2025 6.1")
def test_gb_45438_6_1_a_label_in_a_pdfs_xmp_is_read_and_gives_way() -> None:
    data = pdf_with_xmp()
    (found,) = Pdf().read(io.BytesIO(data))
    assert label.parse(found).label == THEIRS
    with pikepdf.open(io.BytesIO(labelled(Pdf(), data)), attempt_recovery=False) as document:
        assert b"theirs-7" not in document.Root.Metadata.read_bytes()
        assert b"kept" in document.Root.Metadata.read_bytes()


def test_sections_that_go_round_in_a_circle_are_refused() -> None:
    data = labelled(Pdf(), pdf_file())
    start = data.rindex(b"startxref\n") + 10
    offset = data[start : data.index(b"\n", start)]
    place = data.rindex(b"/Prev ") + 6
    end = data.index(b" ", place)
    with pytest.raises(CarrierError, match="FILE_MALFORMED"):
        Pdf().read(io.BytesIO(data[:place] + offset.ljust(end - place)[: end - place] + data[end:]))


@pytest.mark.parametrize(
    "data", [b"[" * 5000, b"<<" * 5000, b"(" * 5000, b"<", b"<<", b"[", b"(", b"", b"<</a", b"<</a 1 2"]
)
def test_objects_without_end_are_refused(data: bytes) -> None:
    with pytest.raises(CarrierError, match="FILE_MALFORMED"):
        pdfsyntax.value(data, 0)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (rb"(a\(b\)\\c)", b"a(b)\\c"),
        (rb"(a(b(c))d)", b"a(b(c))d"),
        (rb"(\101\12\0)", b"A\n\0"),
        (b"(a\\\r\nb)", b"ab"),
        (b"<48 65 6C6C 6>", b"Hell`"),
        (b"<>", b""),
    ],
)
def test_iso_32000_7_3_4_strings(written: bytes, read: bytes) -> None:
    assert pdfsyntax.value(written, 0) == (read, len(written))


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_what_is_written_as_a_string_is_read_back(text: str) -> None:
    read, _ = pdfsyntax.value(pdfsyntax.literal(text), 0)
    assert isinstance(read, bytes)
    assert read.decode() == text


def zip_of(**parts: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in parts.items():
            made.writestr(name, data)
    return file.getvalue()


def renamed(data: bytes, old: bytes, new: bytes) -> bytes:
    assert len(old) == len(new)
    return data.replace(old, new)


@pytest.mark.parametrize(
    "name",
    [
        b"../etc/passwd.xml",
        b"/etc/passwd_x.xml",
        b"a\\..\\passwd_x.xml",
        b"c:/etc/passwd.xml",
        b"x/../../../../e.x",
    ],
)
def test_cwe_22_a_name_that_leads_out_of_the_archive_is_refused(name: bytes) -> None:
    data = renamed(docx_file(), b"word/document.xml", name)
    with pytest.raises(CarrierError, match="FILE_MALFORMED"):
        Ooxml().write(io.BytesIO(data), io.BytesIO(), LABEL)


def test_cwe_409_a_part_that_unpacks_without_end_is_refused() -> None:
    bomb = zip_of(**{"[Content_Types].xml": bytes(64 << 20), "_rels/.rels": b"<a/>"})
    with pytest.raises(CarrierError, match="FILE_TOO_LARGE"):
        Ooxml().read(io.BytesIO(bomb))


def test_cwe_409_a_part_that_claims_more_than_it_can_hold_is_refused() -> None:
    data = bytearray(docx_file())
    place = data.index(b"PK\1\2") + 24
    data[place : place + 4] = struct.pack("<I", 3 << 30)
    with pytest.raises(CarrierError, match="FILE_TOO_LARGE"):
        Ooxml().read(io.BytesIO(data))


def test_cwe_409_entries_that_share_their_bytes_are_refused() -> None:
    data = bytearray(docx_file())
    first = data.index(b"PK\1\2")
    second = data.index(b"PK\1\2", first + 4)
    data[second + 42 : second + 46] = data[first + 42 : first + 46]
    with pytest.raises(CarrierError, match="FILE_MALFORMED"):
        Ooxml().read(io.BytesIO(data))


def test_two_entries_of_one_name_are_refused() -> None:
    file = io.BytesIO(docx_file())
    with zipfile.ZipFile(file, "a") as made, pytest.warns(UserWarning, match="Duplicate name"):
        made.writestr("word/document.xml", b"<other/>")
    with pytest.raises(CarrierError, match="FILE_MALFORMED"):
        Ooxml().read(file)


def test_cwe_776_entities_in_a_document_are_refused() -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><Relationships>&c;</Relationships>'
    with pytest.raises(CarrierError, match="FILE_MALFORMED"):
        Ooxml().read(io.BytesIO(zip_of(**{"[Content_Types].xml": b"<Types/>", "_rels/.rels": bomb})))


@pytest.mark.parametrize("data", [b"", b"PK", zip_of(a=b"b"), b"PK\5\6" + bytes(18)])
def test_an_archive_that_is_no_document_is_refused(data: bytes) -> None:
    with pytest.raises(CarrierError, match="FILE_MALFORMED"):
        Ooxml().read(io.BytesIO(data))


def test_an_archive_written_by_streaming_keeps_its_data_descriptors() -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.data = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:  # type: ignore[override]
            self.data += data
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(io.BytesIO(docx_file())) as before, zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as after:
        for name in before.namelist():
            after.writestr(name, before.read(name))
    with zipfile.ZipFile(io.BytesIO(labelled(Ooxml(), bytes(pipe.data)))) as read:
        assert read.testzip() is None


@given(st.binary(max_size=200), st.binary(max_size=60))
def test_fuzz_an_archive_of_any_bytes_is_refused_cleanly(data: bytes, directory: bytes) -> None:
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 1, 1, len(directory), len(data), 0)
    with pytest.raises(CarrierError):
        archive.Archive(io.BytesIO(data + directory + end))


def test_deflate_reaches_no_ratio_that_is_refused() -> None:
    packer = zlib.compressobj(9, wbits=-15)
    packed = packer.compress(bytes(8 << 20)) + packer.flush()
    assert (8 << 20) / len(packed) < archive.MAX_RATIO
