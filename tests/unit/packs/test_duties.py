from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from candor_packs.duties import Duty, arising
from candor_packs.pack import load
from candor_packs.trigger import Answer, Value

PACKS = load(Path(__file__).resolve().parents[3] / "packs")
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
PROFILE: dict[str, Value] = {"jurisdictions": ("CN", "EU"), "operator_class": "other"}


def found(facts: dict[str, Value], profile: dict[str, Value] | None = None, **anchors: datetime) -> dict[str, Duty]:
    packs = tuple(pack for pack in PACKS if pack.kind == "incident")
    duties = arising(packs, facts, PROFILE if profile is None else profile, anchors)
    return {f"{duty.pack.id}/{duty.obligation.id}": duty for duty in duties}


@pytest.mark.clause("国家网络安全事件报告管理办法 第四条")
@pytest.mark.parametrize(
    ("persons", "arises"), [(999_999, False), (1_000_000, True), (10_000_000, True), (100_000_000, True)]
)
def test_grading_includes_the_number_itself(persons: int, arises: bool) -> None:
    duties = found({"kind": "pi_leak", "persons": persons}, aware=NOON)

    assert ("cn.incident-reporting/other" in duties) is arises


@pytest.mark.clause("国家网络安全事件报告管理办法 第四条第二款", "国家网络安全事件报告管理办法 第四条第三款")
@pytest.mark.parametrize(("operator", "hours"), [("cii", 1), ("central_organ", 2), ("other", 4)])
def test_each_class_of_operator_has_its_own_hours(operator: str, hours: int) -> None:
    profile: dict[str, Value] = {"jurisdictions": ("CN",), "operator_class": operator}
    duties = found({"kind": "security", "grade": "larger"}, profile, aware=NOON)
    reports = {name: duty for name, duty in duties.items() if duty.obligation.anchor == "aware" and "incident" in name}

    assert set(reports) == {f"cn.incident-reporting/{operator}"}
    assert reports[f"cn.incident-reporting/{operator}"].obligation.period.amount == hours


def test_a_company_that_told_nothing_of_itself_gets_every_clock_that_may_apply() -> None:
    duties = found({"kind": "pi_leak", "persons": 1_000_000}, {}, aware=NOON)

    assert {duty.answer for duty in duties.values()} == {Answer.UNKNOWN}
    assert {"cn.incident-reporting/cii", "cn.pipl.57/authority", "eu.gdpr.33/authority"} <= duties.keys()
    assert "operator_class" in duties["cn.incident-reporting/cii"].missing


def test_a_grade_that_a_person_recorded_wins_over_the_number() -> None:
    duties = found({"kind": "pi_leak", "persons": 50_000_000, "grade": "lesser"}, aware=NOON)

    assert "cn.incident-reporting/other" not in duties


def test_a_duty_whose_anchor_is_still_to_come_has_no_date() -> None:
    summary = found({"kind": "security", "grade": "major"}, aware=NOON)["cn.incident-reporting/summary"]

    assert (summary.anchor, summary.due) == (None, None)


def test_the_earliest_of_the_anchors_that_a_duty_takes_counts() -> None:
    duties = found({"kind": "pi_leak"}, aware=NOON, found=NOON.replace(hour=11), service_start=NOON.replace(hour=1))

    assert duties["eu.gdpr.33/authority"].anchor == "found"


def test_where_the_law_says_at_once_there_is_no_latest_instant() -> None:
    report = found({"kind": "illegal_content"}, aware=NOON)["cn.deep-synthesis.10/report"]

    assert report.due is not None
    assert report.due.latest is None


def test_a_fact_of_the_incident_cannot_speak_for_the_company() -> None:
    profile: dict[str, Value] = {"jurisdictions": ("EU",)}

    assert "cn.pipl.57/authority" not in found({"kind": "pi_leak", "jurisdictions": ("CN",)}, profile, aware=NOON)
