"""A report as a paper: title, headings, rows of a form, remark. Every file format is made from it.

A template's first line is the title. A line "label: ${field}" is a row of a table, a line without a field a heading of
what follows, any other line a paragraph. What stands in a field is text in its place and nothing else: it can be no
heading, no row and no field.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from candor_escalation.domain.drill import MARK
from candor_escalation.domain.report import FINAL, FIRST, SUPPLEMENT, Draft

FIELD = re.compile(r"\$\{([a-z][a-z0-9_]*)\}")
_LABEL = re.compile(r"^([^$]*?[^$:：\s])[:：]\s*(.*)$", re.DOTALL)
_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029]")
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""What changes the direction of writing: it can make a text read other than it is."""

KINDS: Mapping[str, Mapping[str, str]] = {
    "zh": {FIRST: "首次报告", SUPPLEMENT: "补充报告", FINAL: "最终报告"},
    "en": {FIRST: "First report", SUPPLEMENT: "Supplement", FINAL: "Final report"},
}
REMARKS = {"zh": "补充说明", "en": "Remark"}
_BANNERS = {
    "zh": f"{MARK}：并非报告，没有发生任何事件，不得报送。",
    "en": f"{MARK}: this is no report, nothing has happened, send it to nobody.",
}


@dataclass(frozen=True)
class Part:
    """A piece of a line. ``missing``: it stands for a field that nothing fills yet."""

    text: str
    missing: bool = False


@dataclass(frozen=True)
class Heading:
    """A heading of what follows."""

    text: str


@dataclass(frozen=True)
class Paragraph:
    """A line of text."""

    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Row:
    """A line of the form: what it is called, and what stands there."""

    label: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Table:
    """Rows that follow each other."""

    rows: tuple[Row, ...]


Block = Heading | Paragraph | Table


@dataclass(frozen=True)
class Paper:
    """A report in one language. ``missing`` holds the labels of the fields that nothing fills yet.

    ``banner`` is what every page of it says in front; empty unless it is of a drill.
    """

    locale: str
    title: str
    kind: str
    revision: int
    clock_id: str
    blocks: tuple[Block, ...]
    missing: tuple[str, ...]
    remark: str
    banner: str = ""


def banner(locale: str) -> str:
    """What a paper of a drill says, so that it cannot be taken for a report."""
    return _BANNERS[locale]


def clean(text: str) -> str:
    """A text as it can stand in any file: one kind of line end, no control, turning or non-characters."""
    joined = _BREAKS.sub("\n", text)
    return "".join("\ufffd" if _unwanted(letter) else letter for letter in joined)


def gap(label: str, locale: str) -> str:
    """What stands where a field is missing."""
    return f"【待补：{label}】" if locale == "zh" else f"[missing: {label}]"


def text(template: str, fields: Mapping[str, str], labels: Mapping[str, str], locale: str, tail: Sequence[str]) -> str:
    """The report as plain text. A line within a field is set in, so that it does not look like a line of the form."""

    def value(match: re.Match[str]) -> str:
        name = match[1]
        return fields.get(name, "").replace("\n", "\n    ") or gap(labels.get(name, name), locale)

    return FIELD.sub(value, template) + "".join(f"\n{line}\n" for line in tail)


def tail(kind: str, remark: str, locale: str) -> list[str]:
    """What stands below the form in the plain text: what kind of report it is unless the first, and the remark."""
    lines = [f"（{KINDS[locale][kind]}）" if locale == "zh" else f"({KINDS[locale][kind]})"] if kind != FIRST else []
    note = remark.replace("\n", "\n    ")
    mark = "：" if locale == "zh" else ": "
    return [*lines, f"{REMARKS[locale]}{mark}{note}"] if remark else lines


def paper(draft: Draft) -> Paper:
    """The paper of a draft."""
    source = draft.template or draft.text.replace("$", "\ufffe")
    title, _, rest = source.strip("\n").partition("\n")
    blocks = tuple(_blocks(rest.split("\n"), draft))
    return Paper(
        locale=draft.locale,
        title=f"【{MARK}】{_plain(_parts(title, draft))}" if draft.drill else _plain(_parts(title, draft)),
        kind=KINDS[draft.locale][draft.kind],
        revision=draft.revision,
        clock_id=draft.clock_id,
        blocks=blocks,
        missing=tuple(draft.labels.get(name, name) for name in draft.missing),
        remark=draft.remark,
        banner=banner(draft.locale) if draft.drill else "",
    )


def _blocks(lines: Sequence[str], draft: Draft) -> Iterator[Block]:
    read = [
        _line(line.strip(), following.strip(), draft) for line, following in zip(lines, [*lines[1:], ""], strict=True)
    ]
    for is_row, group in groupby((line for line in read if line is not None), lambda line: isinstance(line, Row)):
        if is_row:
            yield Table(tuple(line for line in group if isinstance(line, Row)))
        else:
            yield from (line for line in group if not isinstance(line, Row))


def _line(line: str, following: str, draft: Draft) -> Row | Heading | Paragraph | None:
    if not line:
        return None
    if not FIELD.search(line):
        parts = _parts(line, draft)
        return Heading(_plain(parts)) if following and draft.template else Paragraph(parts)
    labelled = _LABEL.match(line)
    if labelled and FIELD.search(labelled[2]):
        return Row(_plain(_parts(labelled[1], draft)), _parts(labelled[2], draft))
    return Paragraph(_parts(line, draft))


def _parts(line: str, draft: Draft) -> tuple[Part, ...]:
    """The pieces of a line: every second one of the split is the name of a field."""
    return tuple(
        _field(piece, draft) if number % 2 else Part(piece.replace("\ufffe", "$"))
        for number, piece in enumerate(FIELD.split(line))
        if number % 2 or piece
    )


def _field(name: str, draft: Draft) -> Part:
    value = draft.fields.get(name, "")
    return Part(value) if value else Part(gap(draft.labels.get(name, name), draft.locale), missing=True)


def _plain(parts: Sequence[Part]) -> str:
    return "".join(part.text for part in parts)


def _unwanted(letter: str) -> bool:
    if letter in "\n\t":
        return False
    number = ord(letter)
    none = number & 0xFFFE == 0xFFFE or 0xFDD0 <= number <= 0xFDEF  # noqa: PLR2004 - Unicode's noncharacters
    return none or letter in _TURNING or unicodedata.category(letter) in {"Cc", "Cs"}
