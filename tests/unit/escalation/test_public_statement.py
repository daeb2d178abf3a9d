from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from candor_escalation.domain.disposal import Measure
from candor_escalation.domain.dsa_schema import Body, faults
from candor_escalation.domain.personal_data import personal_data
from candor_escalation.domain.public_statement import body
from candor_escalation.domain.refusal import Refused
from hypothesis import given
from hypothesis import strategies as st

from .disposal_builders import DAY, DISPOSAL, NOW, TOLD, of

RIGHT = body(TOLD, DISPOSAL, "user-1")


def wrong(told: Any, disposal: Any = DISPOSAL) -> str:
    with pytest.raises(Refused) as refused:
        body(told, disposal, "user-1")
    assert refused.value.field == "public_statement"
    return f"{refused.value.reason} {refused.value.message}"


@pytest.mark.clause("DSA 17")
@pytest.mark.clause("DSA 24")
def test_dsa_24_a_statement_is_complete_and_named_by_the_disposal() -> None:
    assert faults(RIGHT) == []
    assert RIGHT["puid"] == DISPOSAL.disposal_id
    assert RIGHT["application_date"] == "2026-11-22"
    assert RIGHT["end_date_service_restriction"] == "2026-12-22"
    assert RIGHT["automated_detection"] == "Yes"
    assert RIGHT["incompatible_content_illegal"] == "No"
    assert "illegal_content_explanation" not in RIGHT
    assert "source_identity" not in RIGHT


@pytest.mark.parametrize(
    ("measure", "field", "code"),
    [
        (Measure.STOP_GENERATION, "decision_visibility", ["DECISION_VISIBILITY_OTHER"]),
        (Measure.STOP_TRANSMISSION, "decision_visibility", ["DECISION_VISIBILITY_CONTENT_DISABLED"]),
        (Measure.REMOVE, "decision_visibility", ["DECISION_VISIBILITY_CONTENT_REMOVED"]),
        (Measure.LIMIT_FUNCTIONS, "decision_provision", "DECISION_PROVISION_PARTIAL_SUSPENSION"),
        (Measure.SUSPEND_SERVICE, "decision_provision", "DECISION_PROVISION_TOTAL_SUSPENSION"),
        (Measure.CLOSE_ACCOUNT, "decision_account", "DECISION_ACCOUNT_TERMINATED"),
    ],
)
def test_every_restriction_has_its_code(measure: Measure, field: str, code: object) -> None:
    assert body(TOLD, of(measure), "user-1")[field] == code


def test_a_warning_and_what_is_about_nobody_are_no_restriction() -> None:
    assert "warning" in wrong(TOLD, of(Measure.WARN))
    assert "no recipient" in wrong(TOLD, replace(DISPOSAL, of_person=False))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"decision_ground": "DECISION_GROUND_OTHER"}, "decision_ground"),
        ({"explanation": ""}, "incompatible_content_explanation"),
        ({"legal_ground": ""}, "incompatible_content_ground"),
        ({"decision_ground": "DECISION_GROUND_ILLEGAL_CONTENT", "explanation": ""}, "illegal_content_explanation"),
        ({"content_type": ()}, "content_type"),
        ({"content_type": ("CONTENT_TYPE_OTHER",)}, "content_type_other"),
        ({"content_type_other": "a thing"}, "content_type_other"),
        ({"category": "STATEMENT_CATEGORY_PIRACY"}, "category"),
        ({"category_addition": ("STATEMENT_CATEGORY_VIOLENCE", "VIOLENCE")}, "category_addition"),
        ({"category_specification": ("KEYWORD_OTHER",)}, "category_specification_other"),
        ({"category_specification": ("misinformation",)}, "category_specification"),
        ({"content_date": "20.11.2026"}, "content_date"),
        ({"content_date": "2026-02-30"}, "content_date"),
        ({"decision_facts": ""}, "decision_facts"),
        ({"source_type": "SOURCE_UNKNOWN"}, "source_type"),
        ({"source_identity": "a flagger"}, "source_identity"),
        ({"automated_decision": "Yes"}, "automated_decision"),
        ({"territorial_scope": ("DE", "GB")}, "territorial_scope"),
        ({"content_language": "en"}, "content_language"),
        ({"account_type": "BUSINESS"}, "account_type"),
        ({"reference_url": "terms of service"}, "decision_ground_reference_url"),
        ({"legal_ground": "x" * 501}, "incompatible_content_ground"),
        ({"explanation": "x" * 2001}, "incompatible_content_explanation"),
        ({"decision_facts": "x" * 5001}, "decision_facts"),
    ],
)
def test_what_the_database_would_refuse_is_refused_before(change: dict[str, Any], field: str) -> None:
    assert wrong(replace(TOLD, **change)).startswith(f"PUBLIC_STATEMENT_INVALID {field}: ")


@pytest.mark.clause("DSA 24")
@given(st.sampled_from(sorted(RIGHT)))
def test_dsa_24_a_statement_without_a_field_is_right_only_if_the_field_is_optional(field: str) -> None:
    optional = {
        "decision_ground_reference_url", "category_specification", "territorial_scope", "content_language",
        "account_type", "incompatible_content_illegal", "end_date_service_restriction",
    }  # fmt: skip
    made: Body = {name: value for name, value in RIGHT.items() if name != field}
    assert (faults(made) == []) == (field in optional)


@given(st.dictionaries(st.sampled_from(sorted(RIGHT)), st.one_of(st.text(max_size=30), st.lists(st.text(max_size=9)))))
def test_whatever_a_statement_holds_it_is_judged_and_never_crashes(change: dict[str, Any]) -> None:
    assert isinstance(faults({**RIGHT, **change}), list)


@pytest.mark.clause("DSA 24")
@pytest.mark.parametrize(
    "text",
    [
        "reported by zhang.san+spam@example.com",
        "联系邮箱zhang@example.cn举报",
        "write to wang ＠ example.com",
        "电话13812345678已核实",
        "call +49 (30) 1234-5678",
        "身份证11010519491231002X",
        "the account USER-1 posted",
    ],
)
def test_dsa_24_personal_data_in_a_published_text_is_refused(text: str) -> None:
    assert wrong(replace(TOLD, decision_facts=text)).startswith("PERSONAL_DATA decision_facts")
    assert wrong(replace(TOLD, explanation=text)).startswith("PERSONAL_DATA incompatible")


@pytest.mark.parametrize(
    "text",
    [
        "Regulation (EU) 2022/2065, Article 17",
        "on 2026-11-20 and 2026.11.21, three times",
        "2026年11月20日生成3次",
        "generation 01935000-0000-7000-8000-000000000001",
        "1,000 views within 24 hours",
    ],
)
def test_dates_laws_and_ids_of_records_are_no_personal_data(text: str) -> None:
    assert personal_data(text, "user-1") == ""


@given(st.from_regex(r"[a-z]{1,8}\.?[a-z]{1,8}@[a-z]{2,8}\.(com|cn|eu)", fullmatch=True), st.text(max_size=20))
def test_an_address_is_found_wherever_it_stands(address: str, around: str) -> None:
    assert personal_data(f"{around} {address} {around}")


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.sampled_from(["", "电话", " ", "：", "tel. "]))
def test_a_chinese_mobile_number_is_found_wherever_it_stands(number: str, before: str) -> None:
    assert personal_data(f"{before}{number}。")


def test_an_end_before_the_beginning_is_refused() -> None:
    assert ("end_date_service_restriction", "is before the application date") in faults(
        body(TOLD, DISPOSAL, "") | {"end_date_service_restriction": f"{NOW - DAY:%Y-%m-%d}"}
    )
