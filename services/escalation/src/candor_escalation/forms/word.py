"""A report as DOCX, to go on working with in a word processor.

Spec: Office Open XML (ISO/IEC 29500)
"""

import io
import zipfile
from collections.abc import Iterable
from datetime import UTC, datetime

from docx import Document
from docx.document import Document as WordDocument
from docx.oxml.ns import qn
from docx.shared import Pt
from docx.styles.style import ParagraphStyle
from docx.text.paragraph import Paragraph as WordParagraph

from candor_escalation.domain.paper import Block, Heading, Paper, Part, Table
from candor_escalation.forms.words import WORDS, Words

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that an archive can hold; python-docx would write that of the packing."""
_LATIN, _CHINESE = "Arial", "SimSun"


def render(paper: Paper, at: datetime) -> bytes:
    """The file; ``at`` is the time that it states as its making."""
    words = WORDS[paper.locale]
    document = Document()
    _properties(document, paper, words, at)
    _fonts(document, words)
    document.add_heading(paper.title, 1)
    document.add_paragraph(words.revision.format(revision=paper.revision, kind=paper.kind))
    for block in paper.blocks:
        _block(document, block, words)
    if paper.remark:
        document.add_heading(words.remark, 2)
        document.add_paragraph(paper.remark)
    if paper.missing:
        document.add_heading(words.missing, 2)
        for label in paper.missing:
            document.add_paragraph(label, style="List Bullet")
    _edges(document, paper)
    return _packed(document)


def _edges(document: WordDocument, paper: Paper) -> None:
    """Header and footer, which stand on every page."""
    section = document.sections[0]
    section.footer.paragraphs[0].text = paper.clock_id
    if paper.banner:
        section.header.paragraphs[0].add_run(paper.banner).bold = True
        section.footer.add_paragraph(paper.banner)


def _properties(document: WordDocument, paper: Paper, words: Words, at: datetime) -> None:
    made = at.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    properties = document.core_properties
    properties.title = paper.title[:255]
    properties.language = words.lang
    properties.author = properties.last_modified_by = properties.comments = ""
    properties.created = properties.modified = made
    properties.revision = paper.revision


def _fonts(document: WordDocument, words: Words) -> None:
    """Fonts for both scripts in every style used, and the language that a reader reads aloud in."""
    for name in ("Normal", "Heading 1", "Heading 2", "List Bullet", "Header", "Footer"):
        style = document.styles[name]
        if not isinstance(style, ParagraphStyle):
            raise TypeError("a style of paragraphs")
        style.font.name = _LATIN
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            fonts.attrib.pop(qn(f"w:{theme}"), None)
        fonts.set(qn("w:eastAsia"), _CHINESE)
    document.styles["Normal"].font.size = Pt(10.5)
    for language in document.styles.element.iter(qn("w:lang")):
        language.set(qn("w:val"), words.lang)
        language.set(qn("w:eastAsia"), "zh-CN")


def _block(document: WordDocument, block: Block, words: Words) -> None:
    if isinstance(block, Heading):
        document.add_heading(block.text, 2)
    elif isinstance(block, Table):
        _table(document, block, words)
    else:
        _parts(document.add_paragraph(), block.parts)


def _table(document: WordDocument, block: Table, words: Words) -> None:
    """A table whose first row is repeated on each page and read as its heading."""
    table = document.add_table(rows=1, cols=2, style="Table Grid")
    head = table.rows[0]
    head.cells[0].text, head.cells[1].text = words.item, words.content
    repeated = head._tr.get_or_add_trPr()  # noqa: SLF001 - python-docx has no other way to say this
    repeated.append(repeated.makeelement(qn("w:tblHeader"), {}))
    for row in block.rows:
        cells = table.add_row().cells
        cells[0].text = row.label
        _parts(cells[1].paragraphs[0], row.parts)


def _parts(paragraph: WordParagraph, parts: Iterable[Part]) -> None:
    for part in parts:
        paragraph.add_run(part.text).underline = part.missing or None


def _packed(document: WordDocument) -> bytes:
    """The document's archive, with one time for every file in it, in the order that python-docx gives."""
    written, packed = io.BytesIO(), io.BytesIO()
    document.save(written)
    with zipfile.ZipFile(written) as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            target.writestr(zipfile.ZipInfo(entry.filename, _EPOCH), source.read(entry), zipfile.ZIP_DEFLATED)
    return packed.getvalue()
