"""The label read by programs that are not ours, and what else the file held still there."""

from __future__ import annotations

import io
import json
import re
import zipfile

import docx
import openpyxl  # type: ignore[import-untyped]  # publishes no hints
import pikepdf
import pptx
import pypdf
import pytest
from candor_generation import carriers
from label_samples import FILES, OFFICE, a_label, docx_file, image_file, pdf_file, pptx_file, xlsx_file
from PIL import Image
from ruamel.yaml import YAML

LABEL = a_label()
PDFS = ["pdf-table", "pdf-streams", "pdf-linear"]


def written(media_type: str, data: bytes) -> io.BytesIO:
    destination = io.BytesIO()
    carriers.carrier_of(media_type).write(io.BytesIO(data), destination, LABEL)
    destination.seek(0)
    return destination


def in_xmp(packet: bytes | str) -> str:
    text = packet.decode() if isinstance(packet, bytes) else packet
    (found,) = re.findall(r"<TC260:AIGC>(.*?)</TC260:AIGC>", text)
    return str(found).replace("&quot;", '"').replace("&amp;", "&")


@pytest.mark.clause("GB 45438-2025 6.1")
@pytest.mark.parametrize("name", ["png", "jpeg", "webp-lossy", "webp-lossless"])
def test_gb_45438_6_1_pillow_finds_the_xmp_packet_and_the_same_pixels(name: str) -> None:
    media_type, make = FILES[name]
    before = Image.open(io.BytesIO(make()))
    after = Image.open(written(media_type, make()))
    assert json.loads(in_xmp(after.info["xmp"])) == LABEL.keys
    assert after.tobytes() == before.tobytes()
    assert (after.size, after.mode) == (before.size, before.mode)


@pytest.mark.clause("GB 45438-2025 6.1")
@pytest.mark.parametrize("name", PDFS)
def test_gb_45438_6_1_pikepdf_finds_it_in_the_information(name: str) -> None:
    media_type, make = FILES[name]
    with pikepdf.open(written(media_type, make()), attempt_recovery=False) as document:
        assert json.loads(str(document.docinfo["/AIGC"])) == LABEL.keys
        assert str(document.docinfo["/Title"]) == "Über (a) \\ title"
        assert len(document.pages) == 1
        assert document.check_pdf_syntax() == []


@pytest.mark.parametrize("name", PDFS)
def test_gb_45438_6_1_pypdf_finds_it_in_the_information(name: str) -> None:
    media_type, make = FILES[name]
    reader = pypdf.PdfReader(written(media_type, make()), strict=True)
    assert reader.metadata is not None
    assert json.loads(str(reader.metadata["/AIGC"])) == LABEL.keys
    assert len(reader.pages) == 1


@pytest.mark.parametrize("name", PDFS)
def test_a_pdf_is_only_added_to(name: str) -> None:
    media_type, make = FILES[name]
    data = make()
    twice = written(media_type, written(media_type, data).getvalue()).getvalue()
    assert twice.startswith(data)
    with pikepdf.open(io.BytesIO(twice), attempt_recovery=False) as document:
        assert json.loads(str(document.docinfo["/AIGC"])) == LABEL.keys


def test_a_pdf_without_information_gets_one() -> None:
    with pikepdf.new() as document:
        document.add_blank_page()
        bare = io.BytesIO()
        document.save(bare)
    with pikepdf.open(written("application/pdf", bare.getvalue()), attempt_recovery=False) as document:
        assert json.loads(str(document.docinfo["/AIGC"])) == LABEL.keys


@pytest.mark.clause("GB 45438-2025 6.1")
def test_gb_45438_6_1_openpyxl_finds_the_custom_property() -> None:
    book = openpyxl.load_workbook(written(f"{OFFICE}.spreadsheetml.sheet", xlsx_file()))
    assert json.loads(book.custom_doc_props["AIGC"].value) == LABEL.keys
    assert book.active["A1"].value == "生成的文字"


def test_the_properties_that_there_were_are_kept() -> None:
    book = openpyxl.Workbook()
    book.custom_doc_props.append(openpyxl.packaging.custom.StringProperty(name="Owner", value="某人"))
    before = io.BytesIO()
    book.save(before)
    after = openpyxl.load_workbook(written(f"{OFFICE}.spreadsheetml.sheet", before.getvalue()))
    assert after.custom_doc_props["Owner"].value == "某人"
    assert json.loads(after.custom_doc_props["AIGC"].value) == LABEL.keys


def test_word_and_powerpoint_files_open_as_before() -> None:
    document = docx.Document(written(f"{OFFICE}.wordprocessingml.document", docx_file()))
    assert [paragraph.text for paragraph in document.paragraphs] == ["生成的文字"]
    assert pptx.Presentation(written(f"{OFFICE}.presentationml.presentation", pptx_file())).slides is not None


@pytest.mark.parametrize("name", ["docx", "xlsx", "pptx"])
def test_every_other_part_of_a_document_stays_byte_for_byte(name: str) -> None:
    media_type, make = FILES[name]
    data = make()
    with zipfile.ZipFile(io.BytesIO(data)) as before, zipfile.ZipFile(written(media_type, data)) as after:
        assert after.testzip() is None
        changed = {item.filename for item in after.infolist()} - {item.filename for item in before.infolist()}
        assert changed == {"docProps/custom.xml"}
        for entry in before.namelist():
            if entry not in ("[Content_Types].xml", "_rels/.rels"):
                assert after.read(entry) == before.read(entry)


def test_jpeg_without_the_packet_is_the_file_as_it_was() -> None:
    data = image_file("JPEG")
    after = written("image/jpeg", data).getvalue()
    start = after.index(b"\xff\xe1")
    size = int.from_bytes(after[start + 2 : start + 4], "big")
    assert after[:start] + after[start + 2 + size :] == data


def test_an_office_program_of_pdf_keeps_its_signature_range() -> None:
    data = pdf_file()
    assert written("application/pdf", data).getvalue()[: len(data)] == data


@pytest.mark.clause("GB 45438-2025 6.1")
def test_gb_45438_6_1_a_yaml_reader_finds_the_front_matter() -> None:
    text = written("text/markdown", b"---\ntitle: 'a'\ntags: [x]\n---\n# Title\n").getvalue().decode()
    _, front, body = text.split("---\n", 2)
    assert YAML(typ="safe").load(front) == {"AIGC": LABEL.keys, "title": "a", "tags": ["x"]}
    assert body == "# Title\n"
