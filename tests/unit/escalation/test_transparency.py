from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import timedelta

import pytest
from candor_escalation.domain.disposal import Measure
from candor_escalation.domain.transparency import (
    Complaints,
    Group,
    Line,
    Notices,
    Record,
    cn_annual,
    csv_pieces,
    dsa,
    html_pieces,
)
from hypothesis import given
from hypothesis import strategies as st

from .disposal_builders import DAY, NOW

GROUPS = st.lists(
    st.builds(
        Group,
        measure=st.sampled_from(list(Measure)),
        of_person=st.booleans(),
        category=st.sampled_from(["", "STATEMENT_CATEGORY_VIOLENCE"]),
        ground=st.sampled_from(["", "DECISION_GROUND_ILLEGAL_CONTENT"]),
        automated_detection=st.booleans(),
        automated_decision=st.sampled_from(["", "AUTOMATED_DECISION_NOT_AUTOMATED"]),
        notice=st.booleans(),
        count=st.integers(min_value=1, max_value=1000),
    ),
    max_size=12,
)

NOTICES = st.lists(
    st.builds(
        Notices,
        category=st.sampled_from(["STATEMENT_CATEGORY_VIOLENCE", "fraud"]),
        illegal_content=st.booleans(),
        trusted_flagger=st.booleans(),
        outcome=st.just(""),
        basis=st.just(""),
        automated_means=st.booleans(),
        count=st.integers(min_value=1, max_value=1000),
    ).flatmap(
        lambda notice: st.sampled_from(
            [
                notice,
                replace(notice, outcome="acted", basis="law"),
                replace(notice, outcome="acted", basis="terms"),
                replace(notice, outcome="not_acted"),
            ]
        )
    ),
    max_size=12,
)


def record(groups: list[Group], notices: list[Notices] | None = None) -> Record:
    return Record(
        NOW - 365 * DAY, NOW, tuple(groups), timedelta(seconds=90), Complaints(5, 2, 1, 2, timedelta(days=3)), 1, 2, 3,
        4, 5, 6, tuple(notices or ()), timedelta(seconds=42),
    )  # fmt: skip


@pytest.mark.clause("DSA 15")
@pytest.mark.clause("DSA 24")
@given(GROUPS)
def test_dsa_24_every_breakdown_adds_up_to_the_restrictions(groups: list[Group]) -> None:
    lines = dsa(record(groups))
    total = sum(group.count for group in groups if group.of_person and group.measure is not Measure.WARN)

    assert Line("restrictions", "total", str(total)) in lines
    for section in {line.section for line in lines if line.section.startswith("restrictions by")}:
        assert sum(int(line.value) for line in lines if line.section == section) == total
    assert Line("complaints", "median seconds until decided", "259200") in lines


@pytest.mark.clause("Deep Synthesis 10")
@pytest.mark.clause("Generative AI Measures 15")
@given(GROUPS)
def test_the_annual_summary_counts_every_measure(groups: list[Group]) -> None:
    lines = cn_annual(record(groups))
    counted = sum(int(line.value) for line in lines if line.section in {"处置", "制裁"})

    assert counted == sum(group.count for group in groups)
    assert {line.section for line in lines} == {"期间", "处置", "制裁", "举报", "投诉", "辟谣", "报告"}


@pytest.mark.clause("DSA 15")
@pytest.mark.clause("DSA 16")
@pytest.mark.clause("DSA 22")
@given(NOTICES)
def test_dsa_15_1_b_notices_by_type_and_by_action_add_up_and_only_those_of_illegal_content_count(
    notices: list[Notices],
) -> None:
    lines = dsa(record([], notices))
    counted = [group for group in notices if group.illegal_content]
    total = sum(group.count for group in counted)
    trusted = sum(group.count for group in counted if group.trusted_flagger)

    assert Line("notices", "total", str(total)) in lines
    assert Line("notices", "by trusted flaggers", str(trusted)) in lines
    assert Line("notices", "median seconds until action", "42") in lines
    for section in ("notices by category", "notices by action"):
        assert sum(int(line.value) for line in lines if line.section == section) == total
    by_law = sum(group.count for group in counted if group.basis == "law")
    assert {line.item: line.value for line in lines if line.section == "notices by action"}.get(
        "on the basis of the law", "0"
    ) == str(by_law)


@pytest.mark.clause("Generative AI Measures 15")
@given(NOTICES)
def test_the_annual_summary_counts_every_notice_and_what_became_of_it(notices: list[Notices]) -> None:
    told = {line.item: int(line.value) for line in cn_annual(record([], notices)) if line.section == "举报"}

    assert told["受理"] == sum(group.count for group in notices)
    assert told["受理"] == told["已处置"] + told["未处置"] + told["办理中"]


def test_csv_can_be_read_back_and_html_escapes() -> None:
    lines = [Line("a,b", 'say "x"', "<1>"), Line("处置", "消除", "2")]
    text = b"".join(csv_pieces(lines)).decode("utf-8-sig")
    page = b"".join(html_pieces(lines, "汇总 & more", "zh")).decode()

    assert list(csv.reader(io.StringIO(text))) == [
        ["section", "item", "value"], ["a,b", 'say "x"', "<1>"], ["处置", "消除", "2"],
    ]  # fmt: skip
    assert "&lt;1&gt;" in page
    assert "汇总 &amp; more" in page
    assert "<script" not in page
