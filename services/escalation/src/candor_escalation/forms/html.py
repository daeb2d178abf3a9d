"""A report as one HTML file: readable aloud, printable, without scripts or anything from elsewhere."""

from collections.abc import Iterable
from html import escape

from candor_escalation.domain.drill import MARK
from candor_escalation.domain.paper import Block, Heading, Paper, Part, Row, Table
from candor_escalation.forms.words import WORDS, Words

_STYLE = """
body{font:1rem/1.6 "Noto Sans CJK SC","Source Han Sans SC","PingFang SC","Microsoft YaHei",sans-serif;color:#111;
background:#fff;max-width:48rem;margin:0 auto;padding:1.5rem}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin:1.5rem 0 .5rem}
table{width:100%;border-collapse:collapse;margin:.5rem 0 1rem}
th,td{border:1px solid #666;padding:.4rem .6rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}
th[scope=row]{width:32%;font-weight:600}td,p{white-space:pre-line}
mark{background:#fff3bf;color:#111}
@page{size:A4;margin:20mm}
@media print{body{max-width:none;padding:0}thead{display:table-header-group}tr{break-inside:avoid}
h2{break-after:avoid}mark{outline:1px solid #111}}
"""
_BANNER = """
.drill{border:3px solid #111;padding:.5rem;font-weight:700;text-align:center}
.across{position:fixed;inset:0;display:grid;place-items:center;pointer-events:none;white-space:nowrap}
.across span{transform:rotate(-45deg);font-size:4.5rem;font-weight:700;color:#111;opacity:.18}
"""
"""What is fixed is printed on every page."""


def render(paper: Paper) -> bytes:
    """The file, UTF-8."""
    words = WORDS[paper.locale]
    return (
        f'<!doctype html>\n<html lang="{words.lang}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(paper.title)}</title><style>{_STYLE}{_BANNER if paper.banner else ''}</style></head>\n"
        f"<body>{_across(paper)}<main>\n{_banner(paper)}"
        f"<h1>{escape(paper.title)}</h1>\n"
        f"<p>{escape(words.revision.format(revision=paper.revision, kind=paper.kind))}</p>\n"
        f"{''.join(_block(block, words) for block in paper.blocks)}"
        f"{_remark(paper, words)}{_missing(paper, words)}"
        f"{_banner(paper)}</main>\n<footer><p>{escape(paper.clock_id)}</p></footer></body></html>\n"
    ).encode()


def _banner(paper: Paper) -> str:
    return f'<p class="drill">{escape(paper.banner)}</p>\n' if paper.banner else ""


def _across(paper: Paper) -> str:
    return f'<div class="across" aria-hidden="true"><span>{MARK}</span></div>' if paper.banner else ""


def _block(block: Block, words: Words) -> str:
    if isinstance(block, Heading):
        return f"<h2>{escape(block.text)}</h2>\n"
    if isinstance(block, Table):
        head = f'<tr><th scope="col">{words.item}</th><th scope="col">{words.content}</th></tr>'
        return f"<table><thead>{head}</thead>\n<tbody>{''.join(map(_row, block.rows))}</tbody></table>\n"
    return f"<p>{_parts(block.parts)}</p>\n"


def _row(row: Row) -> str:
    return f'<tr><th scope="row">{escape(row.label)}</th><td>{_parts(row.parts)}</td></tr>\n'


def _parts(parts: Iterable[Part]) -> str:
    return "".join(f"<mark>{escape(part.text)}</mark>" if part.missing else escape(part.text) for part in parts)


def _remark(paper: Paper, words: Words) -> str:
    return f"<h2>{words.remark}</h2>\n<p>{escape(paper.remark)}</p>\n" if paper.remark else ""


def _missing(paper: Paper, words: Words) -> str:
    if not paper.missing:
        return ""
    items = "".join(f"<li>{escape(label)}</li>" for label in paper.missing)
    return f"<section><h2>{words.missing}</h2>\n<ul>{items}</ul></section>\n"
