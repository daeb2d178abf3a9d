from __future__ import annotations

import io
import os
import re
import unicodedata
import zipfile
from datetime import UTC, datetime
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import docx
import pypdf
import pytest
from candor_escalation import forms
from candor_escalation.domain.draft import fill, written
from candor_escalation.domain.report import FINAL, SUPPLEMENT, Draft
from candor_escalation.forms import pdf
from candor_packs import pack
from hypothesis import given, settings
from hypothesis import strategies as st

from .builders import CLOCK, NOON

ROOT = Path(__file__).resolve().parents[3]
GOLDEN = Path(__file__).parent / "golden"
HOSTILE = (
    '</td></table><script>alert("1")</script><img src=x onerror=alert(1)> &lt;b&gt; #import "@preview/x:1.0.0" '
    '#read("/etc/passwd") $x$ *bold* _it_ \\ `raw` <label> @ref // comment /* */ = Heading '
    '${cause} {{7*7}} {% for %} ]]> <!-- --> =1+1 \t DDEAUTO "x" w:fldSimple \x00\x08\x1b[31m\ufffe\u202edrow'
)
FIELDS = ["name", "grade", "cause", "effects"]
TEMPLATES = {
    "zh": "网络安全事件报告（草稿）\n\n一、事发单位\n${name}\n\n级别：${grade}\n原因：${cause}\n影响：${effects}\n",
    "en": "Report of it (draft)\n\n1. Operator\n${name}\n\nGrade: ${grade}\nCause: ${cause}\nEffects: ${effects}\n",
}
LABELS = {"zh": {"effects": "已造成的影响"}, "en": {"effects": "Effects so far"}}


def draft(locale: str = "zh", kind: str = SUPPLEMENT, remark: str = "", **known: str) -> Draft:
    told = {"name": "示例公司", "grade": "较大", "cause": "存储桶公开", **known}
    filled = fill(FIELDS, told, LABELS[locale], locale)
    return written(CLOCK, 2, locale, TEMPLATES[locale], filled, LABELS[locale], NOON, "li", kind, remark)


def page_text(content: bytes) -> str:
    """The text of a PDF without its line breaks, which are the typesetter's."""
    read = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages)
    return re.sub(r"\s", "", read)


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


class Page(HTMLParser):
    """The elements and the text of a page."""

    def __init__(self, content: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(content.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def names(self) -> list[str]:
        return [tag for tag, _ in self.tags]


@pytest.mark.parametrize("locale", ["zh", "en"])
@pytest.mark.parametrize("file_format", [forms.TEXT, forms.HTML])
def test_a_form_looks_as_it_did(locale: str, file_format: str) -> None:
    """Set CANDOR_WRITE_GOLDEN=1 to write the documents anew, and read what changed."""
    file = GOLDEN / f"report.{locale}.{'txt' if file_format == forms.TEXT else 'html'}"
    content = forms.render(draft(locale, FINAL, "An <end>\n二"), file_format).content
    if os.environ.get("CANDOR_WRITE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content)
    assert content == file.read_bytes()


def test_the_page_has_language_headings_and_a_table_that_can_be_read_aloud() -> None:
    page = Page(forms.render(draft(), forms.HTML).content)

    assert ("html", {"lang": "zh-CN"}) in page.tags
    assert [name for name in page.names() if re.fullmatch("h[1-6]", name)] == ["h1", "h2", "h2"]
    assert {"main", "title", "thead"} <= set(page.names())
    assert {attrs.get("scope") for tag, attrs in page.tags if tag == "th"} == {"row", "col"}
    assert "已造成的影响" in page.text


def test_the_page_takes_hostile_text_as_text() -> None:
    plain = Page(forms.render(draft(remark="x"), forms.HTML).content)
    page = Page(forms.render(draft(remark=HOSTILE, name=HOSTILE, cause=HOSTILE), forms.HTML).content)

    assert page.names() == plain.names()
    assert page.text.count('<script>alert("1")</script>') == 3
    assert "default-src 'none'" in str(page.tags)


@given(st.text(max_size=300), st.text(max_size=100))
def test_no_text_adds_an_element_to_the_page(value: str, remark: str) -> None:
    plain = Page(
        forms.render(
            draft(remark="x" if remark.strip() else "", cause="x" if value.strip() else ""), forms.HTML
        ).content
    )
    page = Page(forms.render(draft(remark=remark, cause=value), forms.HTML).content)

    assert page.names() == plain.names()


def test_the_pdf_holds_its_letters_and_says_what_it_is() -> None:
    read = pypdf.PdfReader(io.BytesIO(forms.render(draft(), forms.PDF).content))
    catalog: Any = read.trailer["/Root"]
    first: Any = read.pages[0]
    fonts = {str(font.get_object()["/BaseFont"]): font.get_object() for font in first["/Resources"]["/Font"].values()}

    assert catalog["/Lang"].lower() == "zh-cn"
    assert catalog["/MarkInfo"]["/Marked"]
    assert catalog["/ViewerPreferences"]["/DisplayDocTitle"]
    assert read.metadata is not None
    assert read.metadata.title == "网络安全事件报告（草稿）"
    assert read.metadata.creation_date == NOON
    assert all("NotoSansCJKsc" in name for name in fonts)
    for font in fonts.values():
        descriptor = font["/DescendantFonts"][0].get_object()["/FontDescriptor"]
        assert {"/FontFile3", "/FontFile2"} & set(descriptor)
    metadata = catalog["/Metadata"].get_data().decode()
    assert "<pdfaid:part>2<" in metadata
    assert "<pdfuaid:part>1<" in metadata


@pytest.mark.parametrize(("locale", "words"), [("zh", "尚缺的项目"), ("en", "Stillmissing")])
def test_the_pdf_can_be_read_back(locale: str, words: str) -> None:
    text = page_text(forms.render(draft(locale, remark="补充：第二个存储桶"), forms.PDF).content)

    for said in ("示例公司", "存储桶公开", "补充：第二个存储桶", words, LABELS[locale]["effects"]):
        assert squeezed(said) in text


def test_the_pdf_takes_hostile_text_as_text() -> None:
    content = forms.render(draft(name=HOSTILE, cause=HOSTILE, remark=HOSTILE), forms.PDF).content
    text = page_text(content)

    assert text.count(squeezed('#import "@preview/x:1.0.0" #read("/etc/passwd") $x$ *bold*')) == 3
    assert "root:" not in text
    for name in (b"/JavaScript", b"/JS", b"/Launch", b"/URI", b"/EmbeddedFile", b"/OpenAction"):
        assert name not in content


def test_a_letter_that_the_font_lacks_is_named() -> None:
    text = page_text(forms.render(draft(cause="😀 ا ㊙\ufe0f 𠮷 한"), forms.PDF).content)

    assert "[U+1F600]" in text
    assert "[U+0627]" in text
    assert "㊙𠮷한" in text
    assert pdf.shown("a\ufe0f\u200d\tb\n") == "a    b\n"


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=120), st.text(max_size=60))
def test_any_text_makes_a_pdf_for_archives(value: str, remark: str) -> None:
    content = forms.render(draft(cause=value, remark=remark), forms.PDF).content

    assert content.startswith(b"%PDF-1.7")
    assert "网络安全事件报告（草稿）" in page_text(content)


def test_the_letters_of_every_language_we_report_in_are_there() -> None:
    for words in (
        "个人信息保护法",
        "個人情報保護委員会",
        "개인정보보호위원회",
        "Behörde für Auskünfte, Übermittlung",
        "données à caractère",
    ):
        assert pdf.shown(words) == words


def test_the_docx_holds_title_headings_table_and_chinese() -> None:
    read = docx.Document(io.BytesIO(forms.render(draft(), forms.DOCX).content))
    styles = {paragraph.text: paragraph.style.name for paragraph in read.paragraphs if paragraph.style}

    assert styles["网络安全事件报告（草稿）"] == "Heading 1"
    assert styles["一、事发单位"] == "Heading 2"
    assert styles["已造成的影响"] == "List Bullet"
    assert [[cell.text for cell in row.cells] for row in read.tables[0].rows] == [
        ["项目", "内容"],
        ["级别", "较大"],
        ["原因", "存储桶公开"],
        ["影响", "【待补：已造成的影响】"],
    ]
    assert read.core_properties.title == "网络安全事件报告（草稿）"
    assert read.core_properties.language == "zh-CN"
    assert read.core_properties.created == NOON
    assert read.sections[0].footer.paragraphs[0].text == CLOCK


def test_the_docx_takes_hostile_text_as_text() -> None:
    plain = _elements(forms.render(draft(remark="x"), forms.DOCX).content)
    hostile = HOSTILE.replace("\t", " ")  # a tab is an element of its own in this format
    content = forms.render(draft(remark=hostile, name=hostile, cause=hostile), forms.DOCX).content

    assert _elements(content) == plain
    read = docx.Document(io.BytesIO(content))
    assert read.tables[0].rows[2].cells[1].text.startswith('</td></table><script>alert("1")</script>')


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=200))
def test_any_text_makes_a_docx(value: str) -> None:
    read = docx.Document(io.BytesIO(forms.render(draft(name=value), forms.DOCX).content))
    said = fill(["name"], {"name": value}, {}, "zh").values["name"]

    assert said in [paragraph.text for paragraph in read.paragraphs]


def _elements(content: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [element.tag for element in ET.fromstring(archive.read("word/document.xml")).iter()]  # noqa: S314 - ours


@pytest.mark.parametrize("file_format", [forms.TEXT, forms.HTML, forms.PDF, forms.DOCX])
def test_the_same_revision_gives_the_same_bytes_and_another_time_other_ones(file_format: str) -> None:
    first, again = forms.render(draft(), file_format), forms.render(draft(), file_format)

    assert first == again
    assert forms.render(draft(cause="其他"), file_format).sha256 != first.sha256
    assert first.name == f"report-{CLOCK}-2.zh.{first.name.rsplit('.', 1)[-1]}"


def test_a_docx_says_no_time_but_its_own() -> None:
    with zipfile.ZipFile(io.BytesIO(forms.render(draft(), forms.DOCX).content)) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@cache
def _forms() -> dict[str, str]:
    packs = pack.load(ROOT / "packs")
    return {
        f"{one.id}/{duty.id}.{locale}": template.text
        for one in packs
        for duty in one.obligations
        for locale, template in duty.templates.items()
    }


@pytest.mark.parametrize("name", sorted(_forms()))
def test_every_form_of_every_pack_becomes_every_file(name: str) -> None:
    template, locale = _forms()[name], name.rsplit(".", 1)[1]
    fields = list(dict.fromkeys(re.findall(r"\$\{([a-z0-9_]+)\}", template)))
    known = {field: f"{field}-内容" for field in fields[1:]}
    made = written(
        CLOCK, 1, locale, template, fill(fields, known, {}, locale), {}, datetime(2026, 6, 1, tzinfo=UTC), "li"
    )
    text, page = page_text(forms.render(made, forms.PDF).content), Page(forms.render(made, forms.HTML).content).text
    word = docx.Document(io.BytesIO(forms.render(made, forms.DOCX).content))

    cells = [cell.text for table in word.tables for row in table.rows for cell in row.cells]
    written_ = squeezed("".join([*cells, *(paragraph.text for paragraph in word.paragraphs)]))
    for said in (*known.values(), fields[0]):
        assert squeezed(said) in text
        assert said in page
        assert squeezed(said) in written_
    assert squeezed(unicodedata.normalize("NFC", template.split("\n")[0])) in text
