from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from candor_escalation import oncall
from candor_escalation.domain.incident import Anchor, Incident, Json
from candor_escalation.policy import Policy
from candor_packs.pack import PackError, load

from .builders import HOUR, INCIDENT, NOON, clock

POLICY = Policy(
    load(Path(__file__).resolve().parents[3] / "packs"), {"jurisdictions": ("CN",), "operator_class": "other"}
)
LEAK = Incident(INCIDENT, "pi_leak", "A leak", "", "open", NOON, signals=1)


def test_the_duties_of_what_is_known_carry_their_clause_and_both_dates() -> None:
    facts: dict[str, Json] = {"persons": 2_000_000.0, "harm_avoided": True}
    duties = POLICY.duties(LEAK, facts, {"aware": Anchor("aware", NOON, "a call")})
    found = {f"{duty.pack_id}/{duty.obligation_id}": duty for duty in duties}

    assert set(found) == {"cn.pipl.57/authority", "cn.incident-reporting/other", "cn.incident-reporting/summary"}
    report = found["cn.incident-reporting/other"]
    assert (report.strict_due, report.legal_number, report.missing) == (NOON + 4 * HOUR, True, ())
    assert report.citation == "国家网络安全事件报告管理办法 第四条第四款"
    assert found["cn.incident-reporting/summary"].anchor is None


def test_a_fact_that_no_trigger_can_read_is_unknown_and_starts_the_clock() -> None:
    facts: dict[str, Json] = {"persons": {"about": 5.0}}
    duties = POLICY.duties(LEAK, facts, {"aware": Anchor("aware", NOON, "")})

    assert ("grade",) in {duty.missing for duty in duties}


def test_a_fact_cannot_change_what_kind_of_incident_it_is() -> None:
    assert POLICY.duties(replace(LEAK, kind="party"), {"kind": "pi_leak"}, {"aware": Anchor("aware", NOON, "")}) == []


def test_a_form_speaks_the_language_of_the_law() -> None:
    form = POLICY.form(clock(pack_id="cn.incident-reporting", obligation_id="other"))

    assert form is not None
    assert form.recipient("zh") == "属地省级网信部门"
    assert form.facts({"persons": 10_000_000.0}, {}, "zh")["grade"] == "重大"
    assert form.facts({"persons": 10_000_000.0}, {}, "en")["grade"] == "major"
    assert form.labels("en")["persons"].startswith("Number of persons")


def test_a_clock_of_a_pack_that_is_gone_has_no_form() -> None:
    assert POLICY.form(clock(pack_id="xx.gone")) is None


def test_the_chain_is_read_in_its_order(tmp_path: Path) -> None:
    file = tmp_path / "oncall.yaml"
    file.write_text(
        "contacts:\n"
        "  - {name: anna, webhook: 'https://channel/1', ack_timeout_seconds: 300}\n"
        "  - {name: bo, webhook: 'https://channel/2', ack_timeout_seconds: 600}\n"
    )

    assert [contact.name for contact in oncall.load(file).roster.contacts] == ["anna", "bo"]


@pytest.mark.parametrize("text", ["contacts: []", "contacts: [{name: a}]", "[]", "contacts: [{name: a, phone: 1}]", ""])
def test_a_chain_that_would_page_nobody_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "oncall.yaml"
    file.write_text(text)

    with pytest.raises(PackError):
        oncall.load(file)
