from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from candor_escalation import catalogue
from candor_escalation.domain import register, transfer
from candor_escalation.domain.refusal import Refused
from candor_escalation.domain.register import Entry
from hypothesis import given
from hypothesis import strategies as st

from .builders import NOON

CATALOGUE = catalogue.load(None)
FILED = dict.fromkeys(register.BY_HAND[register.ALGORITHM_FILING].states["filed"], "给定")
APPROVED = Entry(
    entry_id="e",
    register=register.ALGORITHM_FILING,
    version=1,
    title="生成算法",
    product="chat",
    state=register.APPROVED,
    fields={**FILED, "number": "网信算备000000000000000000001号", "link": "https://beian.example"},
    recorded_at=NOON,
    recorded_by="wang",
)
ASSESSED = replace(
    APPROVED, register=register.SECURITY_ASSESSMENT, state=register.PASSED, fields={"scope": "s", "assessor": "a"}
)
REVIEWED = replace(
    APPROVED,
    register=register.ALGORITHM_REVIEW,
    state=register.PASSED,
    fields={"scope": "s", "reviewer": "r"},
    valid_until=NOON + timedelta(days=1),
)


@pytest.mark.clause("Algorithm Provisions 24")
@pytest.mark.parametrize("missing", sorted(FILED))
def test_a_filing_names_everything_that_the_provisions_ask_for(missing: str) -> None:
    entry = replace(APPROVED, fields={**APPROVED.fields, missing: ""})

    with pytest.raises(Refused, match=missing) as refused:
        register.check(entry)
    assert (refused.value.reason, refused.value.field) == ("ENTRY_INCOMPLETE", "fields")
    assert register.check(APPROVED) is APPROVED


def test_a_register_admits_only_its_own_states() -> None:
    with pytest.raises(Refused) as refused:
        register.check(replace(APPROVED, state="passed"))
    assert (refused.value.reason, refused.value.field) == ("ENTRY_INCOMPLETE", "state")
    with pytest.raises(Refused) as refused:
        register.check(replace(APPROVED, register=register.MODEL_RELEASE, state="released"))
    assert refused.value.field == "register"


def test_a_version_keeps_what_is_not_told_again_and_stays_in_its_register() -> None:
    told = replace(APPROVED, entry_id="new", state="cancelled", fields={"reason": "ended"})

    after = register.following(APPROVED, told)
    assert (after.entry_id, after.version, after.state) == ("e", 2, "cancelled")
    assert after.fields == {**APPROVED.fields, "reason": "ended"}
    with pytest.raises(Refused) as refused:
        register.following(ASSESSED, told)
    assert refused.value.reason == "ENTRY_UNKNOWN"


@pytest.mark.clause("Generative AI Measures 17")
def test_a_model_is_released_once_it_is_filed_assessed_and_reviewed() -> None:
    everything = [APPROVED, ASSESSED, REVIEWED]
    assert all(gate.passed for gate in register.gates("chat", everything, None, NOON))
    for left_out in everything:
        rest = [entry for entry in everything if entry is not left_out]
        shut = [gate.name for gate in register.gates("chat", rest, None, NOON) if not gate.passed]
        assert shut == [left_out.register]
        with pytest.raises(Refused, match=left_out.register) as refused:
            register.refuse_shut(register.gates("chat", rest, None, NOON))
        assert refused.value.reason == "GATE_SHUT"
    assert not any(gate.passed for gate in register.gates("another", everything, None, NOON))


@pytest.mark.clause("Deep Synthesis 15")
def test_a_review_that_has_run_out_opens_no_gate() -> None:
    found = register.gates("chat", [APPROVED, ASSESSED, REVIEWED], None, NOON + timedelta(days=1))

    assert [gate.name for gate in found if not gate.passed] == [register.ALGORITHM_REVIEW]


@pytest.mark.clause("Generative AI Measures 17")
def test_filing_and_assessment_are_for_services_with_public_opinion_attributes() -> None:
    assert [gate.passed for gate in register.gates("chat", [REVIEWED], public_opinion=False, now=NOON)] == [True] * 3
    assert [gate.passed for gate in register.gates("chat", [REVIEWED], public_opinion=True, now=NOON)] == [
        False,
        False,
        True,
    ]


@pytest.mark.clause("Algorithm Provisions 24")
@pytest.mark.parametrize("event", ["start", "change", "end"])
def test_a_service_event_is_a_signal_whose_anchor_is_its_instant(event: str) -> None:
    signal = register.service_event("chat", event, NOON, "新模型", {"public_opinion": True})

    assert signal.kind == f"service_{event}"
    assert [(anchor.name, anchor.at) for anchor in signal.anchors] == [(signal.kind, NOON)]
    assert signal.facts == {"product": "chat", "public_opinion": True}


@pytest.mark.clause("DSA 9(1)")
def test_an_order_counts_from_when_it_was_received() -> None:
    fields = {"kind": "remove_content", "authority": "BNetzA", "reference": "7", "jurisdiction": "DE", "text": "t"}
    entry = replace(APPROVED, register=register.AUTHORITY_ORDER, state=register.RECEIVED, fields=fields)

    signal = register.order_received(entry, NOON - timedelta(hours=1), NOON)
    assert [(anchor.name, anchor.at) for anchor in signal.anchors] == [("order_received", NOON - timedelta(hours=1))]
    assert signal.facts["ordered_until"] == NOON.isoformat()
    assert signal.facts["order_type"] == "act"
    assert signal.facts["cn_suspension_ordered"] is False


@pytest.mark.clause("DSA 9(1)")
@pytest.mark.parametrize(
    ("kind", "jurisdiction", "wanted"),
    [
        ("remove_content", "FR", "act"),
        ("remove_content", "IN", "removal"),
        ("provide_information", "EU", "information"),
        ("provide_information", "US", "provide_information"),
        ("terrorist_content", "IE", "terrorist_content"),
        ("suspend_service", "CN", "suspend_service"),
    ],
)
def test_an_order_has_the_type_that_the_packs_of_its_authority_know(kind: str, jurisdiction: str, wanted: str) -> None:
    fields = {"kind": kind, "authority": "A", "reference": "7", "jurisdiction": jurisdiction, "text": "t"}
    entry = replace(APPROVED, register=register.AUTHORITY_ORDER, state=register.RECEIVED, fields=fields)

    told = register.order_received(entry, NOON, None).facts
    assert told["order_type"] == wanted
    assert told["cn_suspension_ordered"] is (jurisdiction == "CN")


@pytest.mark.clause("Deep Synthesis 15")
def test_each_version_that_runs_out_is_an_incident_of_its_own() -> None:
    first, second = (register.running_out(entry, NOON) for entry in (REVIEWED, replace(REVIEWED, version=2)))

    assert first.kind == "register_due"
    assert first.correlation_key != second.correlation_key


@pytest.mark.clause("Technology Import and Export Regulations 29")
def test_what_a_catalogue_names_waits_for_a_person() -> None:
    items = transfer.concerned("我们的语音合成模型权重", "CN", "SG", CATALOGUE)

    assert [item.number for item in items] == ["cn-speech-synthesis"]
    assert transfer.screened(items) == transfer.DECISION_NEEDED
    assert transfer.screened(transfer.concerned("a spreadsheet", "CN", "SG", CATALOGUE)) == transfer.CLEAR
    assert transfer.concerned("语音合成", "CN", "CN", CATALOGUE) == []
    assert transfer.concerned("语音合成", "DE", "SG", CATALOGUE) == []


@pytest.mark.clause("Technology Import and Export Regulations 30")
def test_another_person_allows_a_transfer_and_names_the_licence() -> None:
    state = transfer.DECISION_NEEDED
    assert transfer.decide(state, "li", "wang", allow=True, licence="2026-17") == transfer.ALLOWED
    assert transfer.decide(state, "li", "wang", allow=False, licence="") == transfer.TURNED_DOWN
    for by, licence, reason in (("li", "2026-17", "SAME_PERSON"), ("wang", " ", "ENTRY_INCOMPLETE")):
        with pytest.raises(Refused) as refused:
            transfer.decide(state, "li", by, allow=True, licence=licence)
        assert refused.value.reason == reason


@given(st.sampled_from([transfer.CLEAR, transfer.ALLOWED, transfer.TURNED_DOWN, transfer.PROHIBITED]))
def test_nothing_but_an_open_question_can_be_allowed(state: str) -> None:
    with pytest.raises(Refused) as refused:
        transfer.decide(state, "li", "wang", allow=True, licence="2026-17")
    assert refused.value.reason == "ENTRY_DECIDED"


@given(st.text(max_size=200), st.sampled_from(["SG", "DE", "US"]))
def test_a_prohibited_technology_is_prohibited_wherever_the_words_stand(around: str, destination: str) -> None:
    items = transfer.concerned(f"{around}国家秘密{around}", "CN", destination, CATALOGUE)

    assert transfer.screened(items) == transfer.PROHIBITED
