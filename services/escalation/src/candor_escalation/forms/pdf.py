"""A report as PDF: typeset by typst, with the letters embedded, tagged for readers and fit for archives.

Spec: PDF/A-2a (ISO 19005-2), PDF/UA-1 (ISO 14289-1)
"""

import json
import unicodedata
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import noto_cjk_sans_otc
import typst
from fontTools.ttLib import TTFont

from candor_escalation.domain.drill import MARK
from candor_escalation.domain.paper import Block, Heading, Paper, Part, Table
from candor_escalation.forms.words import WORDS

_FONT = Path(noto_cjk_sans_otc.__file__).parent / "NotoSansCJK-Regular.ttc"
_SIMPLIFIED = 2
"""The place of Noto Sans CJK SC in the collection."""


def render(paper: Paper, at: datetime) -> bytes:
    """The file; ``at`` is the time that it states as its making. Fonts of the machine are not looked at.

    It can read no file and no network: everything is in memory, and the template imports nothing.
    """
    compiler = typst.Compiler(_template(), font_paths=_fonts(), ignore_system_fonts=True)
    content = compiler.compile(
        format="pdf",
        sys_inputs={"paper": json.dumps(_said(paper), ensure_ascii=False)},
        pdf_standards=["a-2a", "ua-1"],
        timestamp=int(at.astimezone(UTC).timestamp()),
    )
    if not isinstance(content, bytes):
        raise TypeError("a PDF is one file")
    return content


def shown(text: str) -> str:
    """A text in letters that the font has. A letter that it lacks is named, [U+1F600], and not left out silently."""
    return "".join(_shown(letter) for letter in text)


def _shown(letter: str) -> str:
    if letter == "\n" or ord(letter) in _letters():
        return letter
    if letter == "\t":
        return "    "
    if unicodedata.category(letter) in {"Cf", "Mn"} and unicodedata.name(letter, "").startswith(("VARIATION", "ZERO")):
        return ""  # asks for a shape of the letter before, and is none itself
    return f"[U+{ord(letter):04X}]"


@cache
def _letters() -> frozenset[int]:
    with TTFont(_FONT, fontNumber=_SIMPLIFIED, lazy=True) as font:
        return frozenset(font.getBestCmap()) - {0}


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[_FONT.parent])


@cache
def _template() -> bytes:
    return (files(__package__) / "report.typ").read_bytes()


def _said(paper: Paper) -> dict[str, Any]:
    words = WORDS[paper.locale]
    lang, _, region = words.lang.partition("-")
    return {
        "lang": lang,
        "region": region or None,
        "title": shown(paper.title) or " ",
        "state": shown(words.revision.format(revision=paper.revision, kind=paper.kind)),
        "foot": paper.clock_id,
        "item": words.item,
        "content": words.content,
        "blocks": [_block(block) for block in paper.blocks],
        "remark_title": words.remark,
        "remark": shown(paper.remark),
        "missing_title": words.missing,
        "missing": [shown(label) for label in paper.missing],
        "banner": shown(paper.banner),
        "mark": MARK,
    }


def _block(block: Block) -> dict[str, Any]:
    if isinstance(block, Heading):
        return {"kind": "heading", "text": shown(block.text)}
    if isinstance(block, Table):
        rows = [{"label": shown(row.label), "parts": _parts(row.parts)} for row in block.rows]
        return {"kind": "table", "rows": rows}
    return {"kind": "paragraph", "parts": _parts(block.parts)}


def _parts(parts: tuple[Part, ...]) -> list[dict[str, Any]]:
    return [{"text": shown(part.text), "missing": part.missing} for part in parts]
