from __future__ import annotations

from dataclasses import replace

import pytest
from candor_escalation.domain import statement
from candor_escalation.domain.disposal import Measure

from .disposal_builders import DISPOSAL, MATTER, NOW, of


@pytest.mark.clause("DSA 17")
@pytest.mark.clause("Generative AI Measures 14")
@pytest.mark.clause("Deep Synthesis 10")
def test_dsa_17_a_statement_says_what_where_how_long_why_how_found_and_how_to_object() -> None:
    texts = statement.of_reasons(DISPOSAL, MATTER, ("DE", "FR"), 15)

    zh = ("暂停服务", "DE、FR", "2026-12-22 12:00 UTC", MATTER.facts, MATTER.reason, "服务协议第5条", "自动化手段")
    for said in (*zh, "自行发现", "6 个月", "15 日", "庭外争议解决"):
        assert said in texts.zh
    en = ("suspended", "DE, FR", "until 2026-12-22 12:00 UTC", MATTER.facts, MATTER.reason, "服务协议第5条")
    for said in (*en, "with automated means", "on our own initiative", "6 months", "15 days", "out-of-court", "courts"):
        assert said in texts.en
    assert MATTER.subject not in texts.zh + texts.en


def test_a_notice_and_functions_and_no_end_are_said_as_they_are() -> None:
    limited = replace(of(Measure.LIMIT_FUNCTIONS), functions=("publish", "image"), notice_source="article 16 notice")
    texts = statement.of_reasons(replace(limited, automated_detection=False), MATTER, (), 15)

    assert "publish, image" in texts.en
    assert "article 16 notice, without automated means" in texts.en
    assert "everywhere" in texts.en
    assert "until" not in texts.en.split("Complaint:")[0]


@pytest.mark.clause("DSA 20")
@pytest.mark.clause("DSA 21")
@pytest.mark.clause("Deep Synthesis 12")
def test_dsa_20_the_decision_on_a_complaint_is_reasoned_and_names_what_remains() -> None:
    stands = statement.of_complaint(DISPOSAL, "upheld", "证据充分", NOW)
    granted = statement.of_complaint(DISPOSAL, "reversed", "证据不足", NOW)

    assert "维持原处置" in stands.zh
    assert "the decision stands" in stands.en
    assert "撤销原处置" in granted.zh
    assert "证据不足" in granted.en
    assert "out-of-court" in granted.en
    assert "非完全自动化" in granted.zh


@pytest.mark.clause("Deep Synthesis 12")
@pytest.mark.clause("Generative AI Measures 15")
def test_the_procedure_and_its_time_limits_are_told() -> None:
    texts = statement.of_procedure(7)
    assert "7 日" in texts.zh
    assert "7 days" in texts.en
