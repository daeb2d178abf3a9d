from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from candor_escalation.domain.difference import Change, compare
from candor_escalation.domain.draft import fill, written
from candor_escalation.domain.paper import Heading, Paragraph, Part, Row, Table, clean, paper
from candor_escalation.domain.report import FINAL, FIRST, SUPPLEMENT, Draft
from hypothesis import given
from hypothesis import strategies as st

from .builders import CLOCK, NOON

TEMPLATE = """报告（草稿）
依据：${citation}、第七条

一、事发单位
${name}

二、时间: ${at}，级别：${grade}
    影响：${effects}
无标题的说明

起草：${drafted_at}
"""
FIELDS = ["citation", "name", "at", "grade", "effects", "drafted_at"]
KNOWN = {"citation": "办法", "name": "公司", "at": "昨天", "grade": "较大", "drafted_at": "今天"}
LABELS = {"effects": "已造成的影响", "grade": "级别"}


def draft(kind: str = FIRST, remark: str = "", revision: str = "1", **known: str) -> Draft:
    filled = fill(FIELDS, {**KNOWN, **known}, LABELS, "zh")
    return written(CLOCK, int(revision), "zh", TEMPLATE, filled, LABELS, NOON, "li", kind, remark)


def test_a_form_is_a_title_headings_rows_and_lines() -> None:
    read = paper(draft())

    assert read.title == "报告（草稿）"
    assert read.blocks == (
        Table((Row("依据", (Part("办法"), Part("、第七条"))),)),
        Heading("一、事发单位"),
        Paragraph((Part("公司"),)),
        Table(
            (
                Row("二、时间", (Part("昨天"), Part("，级别："), Part("较大"))),
                Row("影响", (Part("【待补：已造成的影响】", missing=True),)),
            )
        ),
        Paragraph((Part("无标题的说明"),)),
        Table((Row("起草", (Part("今天"),)),)),
    )
    assert read.missing == ("已造成的影响",)


def test_the_text_says_what_kind_of_report_it_is_and_the_remark() -> None:
    assert draft().text == TEMPLATE.replace("${effects}", "【待补：已造成的影响】").replace(
        "${citation}", "办法"
    ).replace("${name}", "公司").replace("${at}", "昨天").replace("${grade}", "较大").replace("${drafted_at}", "今天")
    assert draft(SUPPLEMENT, "一\n二").text.endswith("\n（补充报告）\n\n补充说明：一\n    二\n")
    assert paper(draft(FINAL, "完")).kind == "最终报告"
    assert paper(draft(FINAL, "完")).remark == "完"


def test_a_line_within_a_field_looks_like_no_line_of_the_form() -> None:
    hostile = draft(name="公司\r\n三、假的：一\u2028级别：特别重大")

    assert "\n三、假的" not in hostile.text
    assert "    三、假的：一\n    级别：特别重大" in hostile.text
    assert len(paper(hostile).blocks) == len(paper(draft()).blocks)
    assert Paragraph((Part("公司\n三、假的：一\n级别：特别重大"),)) in paper(hostile).blocks


def test_a_field_within_a_field_is_text() -> None:
    hostile = draft(name="${grade} $grade ${citation}")

    assert "${grade} $grade ${citation}" in hostile.text
    assert Paragraph((Part("${grade} $grade ${citation}"),)) in paper(hostile).blocks


@given(st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=200), max_size=6), st.text(max_size=200))
def test_no_value_changes_the_form(known: dict[str, str], remark: str) -> None:
    hostile = draft(remark=remark, **known)
    read, plain = paper(hostile), paper(draft())

    assert [type(block) for block in read.blocks] == [type(block) for block in plain.blocks]
    labels = [[row.label for row in block.rows] for block in read.blocks if isinstance(block, Table)]
    assert labels == [[row.label for row in block.rows] for block in plain.blocks if isinstance(block, Table)]
    assert read.title == plain.title
    form = [line for line in hostile.text.split("\n") if line and not line.startswith("    ")]
    assert len(form) <= len([line for line in plain_text().split("\n") if line]) + 1


def plain_text() -> str:
    return draft().text


@given(st.text())
def test_a_clean_text_can_stand_in_any_file(text: str) -> None:
    cleaned = clean(text)

    assert clean(cleaned) == cleaned
    assert all(letter in "\n\t" or (ord(letter) >= 32 and not 0x7F <= ord(letter) <= 0x9F) for letter in cleaned)
    assert not set(cleaned) & set("\u202e\u2066\u200f\ufffe\uffff")


def test_what_turns_the_writing_round_is_shown_as_a_gap() -> None:
    assert clean("a\u202eb\x00c\r\nd\x0be") == "a\ufffdb\ufffdc\nd\ne"
    assert fill(["x"], {"x": "\u202e1"}, {}, "en").values == {"x": "\ufffd1"}


def test_a_draft_from_before_forms_were_kept_is_its_text() -> None:
    old = Draft(CLOCK, 1, "en", "Title\nLevel: $5 ${x}\n\nEnd", (), b"", NOON, "li")
    read = paper(old)

    assert read.title == "Title"
    assert read.blocks == (Paragraph((Part("Level: $5 ${x}"),)), Paragraph((Part("End"),)))


def test_two_revisions_are_compared_field_by_field() -> None:
    first = draft(drafted_at="昨天")
    second = draft(SUPPLEMENT, "更正", "2", effects="无", grade="重大", drafted_at="今天")

    assert compare(first, second) == (
        Change("grade", "级别", "较大", "重大", "zh"),
        Change("effects", "已造成的影响", "", "无", "zh"),
        Change("remark", "", "", "更正", "zh"),
    )
    assert compare(first, first) == ()


def test_a_draft_of_text_only_is_compared_as_a_whole() -> None:
    old = Draft(CLOCK, 1, "zh", "旧", (), b"", NOON, "li")

    assert compare(old, draft()) == (Change("text", "", "旧", draft().text, "zh"),)


@given(
    st.dictionaries(st.sampled_from(FIELDS), st.text("ab", max_size=3)),
    st.dictionaries(st.sampled_from(FIELDS), st.text("ab", max_size=3)),
)
def test_changes_lead_from_one_revision_to_the_other(before: dict[str, str], after: dict[str, str]) -> None:
    first, second = draft(**before), draft(revision="2", **after)
    fields = {**first.fields, **{change.name: change.after for change in compare(first, second)}}

    assert {name: text for name, text in fields.items() if name != "drafted_at"} == {
        name: text for name, text in second.fields.items() if name != "drafted_at"
    }


def test_the_domain_makes_the_same_text_in_another_process() -> None:
    """The digest on record can be computed again on another machine: neither hash seeds nor locales are in it."""
    words = f"import runpy; found = runpy.run_path({str(Path(__file__).with_name('report_digests.py'))!r})['digests']()"
    runs = [
        subprocess.run(
            [sys.executable, "-c", f"{words}; print(found)"],
            env={"PYTHONHASHSEED": seed, "TZ": zone, "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "Asia/Shanghai"))
    ]
    assert runs[0] == runs[1]
    assert runs[0].count("sha256") == 4


@pytest.mark.parametrize("kind", [FIRST, SUPPLEMENT, FINAL])
def test_every_kind_has_a_name_in_both_languages(kind: str) -> None:
    names = {
        paper(written(CLOCK, 1, locale, "t", fill([], {}, {}, locale), {}, NOON, "li", kind)).kind
        for locale in ("zh", "en")
    }
    assert len(names) == 2
