"""The transparency report of the DSA and the Chinese annual summary, as lines, and as CSV or HTML."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from typing import TypeVar

from candor_escalation.domain.disposal import SANCTIONS, Measure
from candor_escalation.domain.statement import ZH


@dataclass(frozen=True)
class Group:
    """Disposals of one kind within a period: how many, and the median time from decision to being carried out."""

    measure: Measure
    of_person: bool
    category: str
    ground: str
    automated_detection: bool
    automated_decision: str
    notice: bool
    count: int


@dataclass(frozen=True)
class Complaints:
    """Complaints of a period."""

    filed: int
    upheld: int
    reversed: int
    waiting: int
    median: timedelta | None


@dataclass(frozen=True)
class Notices:
    """Notices of a period by one category and what became of them: how many."""

    category: str
    illegal_content: bool
    trusted_flagger: bool
    outcome: str
    basis: str
    automated_means: bool
    count: int


@dataclass(frozen=True)
class Record:
    """All that the two reports are computed from; times are half-open, ``start`` included."""

    start: datetime
    end: datetime
    groups: tuple[Group, ...]
    applied_median: timedelta | None
    complaints: Complaints
    out_of_court: int
    abuse_suspensions: int
    public_receipts: int
    refutation_incidents: int
    reports_submitted: int
    reports_received: int
    notices: tuple[Notices, ...] = ()
    notice_action_median: timedelta | None = None


Counted = TypeVar("Counted", Group, Notices)


@dataclass(frozen=True)
class Line:
    """One figure."""

    section: str
    item: str
    value: str


def dsa(record: Record) -> list[Line]:
    """The figures of the transparency report: restrictions by what they are, how found, how decided; complaints; abuse.

    Source: DSA 15; DSA 24
    """
    restrictions = [group for group in record.groups if group.of_person and group.measure is not Measure.WARN]
    complaints = record.complaints
    return [
        Line("period", "from", _at(record.start)),
        Line("period", "to", _at(record.end)),
        Line("restrictions", "total", str(_sum(restrictions))),
        *_by("restrictions by measure", restrictions, lambda group: group.measure.value),
        *_by("restrictions by category", restrictions, lambda group: group.category or "not stated"),
        *_by("restrictions by ground", restrictions, lambda group: group.ground or "not stated"),
        *_by("restrictions by detection", restrictions, _detection),
        *_by("restrictions by decision", restrictions, lambda group: group.automated_decision or "by a person"),
        *_by("restrictions by source", restrictions, lambda group: "notice" if group.notice else "own initiative"),
        Line("restrictions", "median seconds until carried out", _seconds(record.applied_median)),
        Line("statements of reasons", "received by the DSA Transparency Database", str(record.public_receipts)),
        *_notices(record),
        Line("complaints", "filed", str(complaints.filed)),
        Line("complaints", "decision upheld", str(complaints.upheld)),
        Line("complaints", "decision reversed", str(complaints.reversed)),
        Line("complaints", "waiting", str(complaints.waiting)),
        Line("complaints", "median seconds until decided", _seconds(complaints.median)),
        Line("out-of-court disputes", "submitted", str(record.out_of_court)),
        Line("misuse", "suspensions for unfounded notices or complaints", str(record.abuse_suspensions)),
    ]


def cn_annual(record: Record) -> list[Line]:
    """The figures of the Chinese annual summary (年度汇总): 处置、制裁、举报、投诉、辟谣、报告.

    Source: Generative AI Measures 14; Generative AI Measures 15; Deep Synthesis 10; Deep Synthesis 12
    """
    counted = {measure: _sum([group for group in record.groups if group.measure is measure]) for measure in Measure}
    complaints = record.complaints
    return [
        Line("期间", "起", _at(record.start)),
        Line("期间", "止", _at(record.end)),
        *(Line("处置", ZH[measure], str(counted[measure])) for measure in Measure if measure not in SANCTIONS),
        *(Line("制裁", ZH[measure], str(counted[measure])) for measure in SANCTIONS),
        *_reports_of_the_public(record),
        Line("投诉", "受理", str(complaints.filed)),
        Line("投诉", "维持", str(complaints.upheld)),
        Line("投诉", "撤销", str(complaints.reversed)),
        Line("投诉", "办理中", str(complaints.waiting)),
        Line("投诉", "办理用时中位数（秒）", _seconds(complaints.median)),
        Line("辟谣", "谣言传播事件", str(record.refutation_incidents)),
        Line("报告", "已报送", str(record.reports_submitted)),
        Line("报告", "已收到回执", str(record.reports_received)),
    ]


def _notices(record: Record) -> list[Line]:
    """Notices of illegal content: by type, by trusted flaggers, what was done on which basis, by which means, how soon.

    Source: DSA 15; DSA 16; DSA 22
    """
    counted = [group for group in record.notices if group.illegal_content]
    return [
        Line("notices", "total", str(_sum(counted))),
        Line("notices", "by trusted flaggers", str(_sum([group for group in counted if group.trusted_flagger]))),
        *_by("notices by category", counted, lambda group: group.category),
        *_by("notices by action", counted, _action),
        Line("notices", "processed by automated means", str(_sum([one for one in counted if one.automated_means]))),
        Line("notices", "median seconds until action", _seconds(record.notice_action_median)),
    ]


def _action(group: Notices) -> str:
    return {"acted": f"on the basis of the {group.basis}", "not_acted": "none"}.get(group.outcome, "waiting")


def _reports_of_the_public(record: Record) -> list[Line]:
    """投诉举报: every notice, whatever it was given as."""
    acted = [group for group in record.notices if group.outcome == "acted"]
    decided = [group for group in record.notices if group.outcome]
    return [
        Line("举报", "受理", str(_sum(record.notices))),
        Line("举报", "已处置", str(_sum(acted))),
        Line("举报", "未处置", str(_sum(decided) - _sum(acted))),
        Line("举报", "办理中", str(_sum(record.notices) - _sum(decided))),
    ]


def csv_pieces(lines: Sequence[Line]) -> Iterator[bytes]:
    """The lines as CSV, UTF-8 with a byte order mark so that spreadsheets read Chinese."""
    yield "\ufeff".encode()
    for row in (("section", "item", "value"), *((line.section, line.item, line.value) for line in lines)):
        text = io.StringIO()
        csv.writer(text).writerow(row)
        yield text.getvalue().encode()


def html_pieces(lines: Sequence[Line], title: str, language: str) -> Iterator[bytes]:
    """The lines as one page without scripts and without anything from elsewhere."""
    yield (
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8"><title>{escape(title)}</title><style>'
        "body{font:1rem/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}"
        "table{border-collapse:collapse;width:100%}th,td{border:1px solid #999;padding:.3rem .6rem;text-align:left}"
        f"td:last-child{{text-align:right}}</style></head><body><h1>{escape(title)}</h1>\n<table><tbody>\n"
    ).encode()
    for line in lines:
        cells = "".join(f"<td>{escape(cell)}</td>" for cell in (line.section, line.item, line.value))
        yield f"<tr>{cells}</tr>\n".encode()
    yield b"</tbody></table></body></html>\n"


def _by(section: str, groups: Sequence[Counted], key: Callable[[Counted], str]) -> list[Line]:
    counted: dict[str, int] = {}
    for group in groups:
        counted[key(group)] = counted.get(key(group), 0) + group.count
    return [Line(section, name, str(count)) for name, count in sorted(counted.items())]


def _sum(groups: Sequence[Group | Notices]) -> int:
    return sum(group.count for group in groups)


def _detection(group: Group) -> str:
    return "automated" if group.automated_detection else "not automated"


def _seconds(median: timedelta | None) -> str:
    return "" if median is None else f"{median.total_seconds():.0f}"


def _at(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
