from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from candor.escalation.v1 import notice_pb2
from candor_escalation import notice_codec
from candor_escalation.domain import content_notice as rules
from candor_escalation.domain import notice_texts
from candor_escalation.domain.content_notice import Form, Notice
from candor_escalation.domain.disposal import Measure
from candor_escalation.domain.ladder import Earlier
from candor_escalation.domain.refusal import Refused
from candor_kit import validation
from candor_kit.errors import Refusal
from hypothesis import given
from hypothesis import strategies as st

from .disposal_builders import DAY, NOW

ILLEGAL, INTIMATE, COMPLAINT = Form.ILLEGAL_CONTENT, Form.INTIMATE_IMAGE, Form.PUBLIC_COMPLAINT
NOTICE = Notice(
    notice_id="01935000-0000-7000-8000-00000000000a",
    product="chat",
    forms=(ILLEGAL,),
    category="STATEMENT_CATEGORY_VIOLENCE",
    generation_id="",
    content="",
    reference="ticket-7",
    trusted_flagger=False,
    contact_held=True,
    signed=True,
    good_faith=True,
    received_at=NOW,
)
DECIDED = rules.decide(NOTICE, "acted", "law", "li", NOW + DAY, 1, automated=True, unfounded=False)


def request(**change: Any) -> notice_pb2.SubmitNoticeRequest:
    fields: dict[str, Any] = {
        "command_id": "01935000-0000-7000-8000-000000000001",
        "product": "chat",
        "forms": [notice_pb2.NOTICE_FORM_ILLEGAL_CONTENT],
        "category": "STATEMENT_CATEGORY_VIOLENCE",
        "explanation": "it shows what it must not",
        "locations": ["https://chat.example/p/1"],
        "notifier": "who-1",
        "contact_held": True,
        "good_faith": True,
    }
    return notice_pb2.SubmitNoticeRequest(**{**fields, **change})


@pytest.mark.clause("DSA 16")
@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({}, ""),
        ({"locations": []}, "exact electronic location"),
        ({"locations": [], "generation_id": "01935000-0000-7000-8000-000000000002"}, ""),
        ({"locations": [""]}, "locations"),
        ({"good_faith": False}, "good_faith"),
        ({"contact_held": False}, "contact_held"),
        ({"contact_held": False, "notifier": "", "child_abuse_offence": True}, ""),
        ({"notifier": ""}, "notifier"),
        ({"notifier": "mueller, 12 High Street"}, "notifier"),
        ({"forms": []}, "forms"),
        ({"explanation": "bad"}, "explanation"),
        ({"forms": [notice_pb2.NOTICE_FORM_INTIMATE_IMAGE], "good_faith": False}, "good_faith"),
        (
            {
                "forms": [notice_pb2.NOTICE_FORM_PUBLIC_COMPLAINT],
                "good_faith": False,
                "contact_held": False,
                "notifier": "",
            },
            "",
        ),
    ],
)
def test_dsa_16_2_what_a_notice_must_hold(change: dict[str, Any], wrong: str) -> None:
    if not wrong:
        validation.check(request(**change))
        return
    with pytest.raises(Refusal) as refused:
        validation.check(request(**change))
    assert wrong in str(refused.value)


@pytest.mark.clause("DSA 15")
def test_dsa_15_a_notice_of_illegal_content_has_a_type_that_the_report_knows() -> None:
    rules.refuse_category([ILLEGAL], "STATEMENT_CATEGORY_VIOLENCE")
    rules.refuse_category([COMPLAINT], "fraud")
    with pytest.raises(Refused) as refused:
        rules.refuse_category([COMPLAINT, ILLEGAL], "fraud")
    assert (refused.value.reason, refused.value.field) == ("CATEGORY_UNKNOWN", "category")


@pytest.mark.clause("DSA 16")
@pytest.mark.clause("Generative AI Measures 15")
def test_dsa_16_3_each_form_is_an_incident_whose_duties_count_from_the_receipt() -> None:
    notice = replace(NOTICE, forms=(ILLEGAL, INTIMATE, COMPLAINT), generation_id="g-1", content="unchecked")
    told = {signal.kind: signal for signal in rules.signals(notice)}

    assert {kind: [anchor.name for anchor in signal.anchors] for kind, signal in told.items()} == {
        "content_notice": ["notice_received", "aware"],
        "removal_request": ["request_received", "valid_request_received"],
        "complaint": ["complaint_received"],
    }
    assert {anchor.at for signal in told.values() for anchor in signal.anchors} == {NOW}
    assert {signal.correlation_key for signal in told.values()} == {NOTICE.notice_id}
    assert {signal.evidence for signal in told.values()} == {"g-1"}
    assert told["content_notice"].facts["notifier_contact_known"] is True
    assert told["complaint"].facts["against_decision"] is False


@given(st.booleans(), st.booleans(), st.booleans())
def test_take_it_down_a_request_is_valid_with_signature_good_faith_and_contact(
    signed: bool, good_faith: bool, contact: bool
) -> None:
    notice = replace(NOTICE, forms=(INTIMATE,), signed=signed, good_faith=good_faith, contact_held=contact)
    (signal,) = rules.signals(notice)

    valid = signed and good_faith and contact
    assert signal.facts["valid_request"] is valid
    assert ("valid_request_received" in [anchor.name for anchor in signal.anchors]) is valid


@pytest.mark.clause("DSA 16")
@given(st.text(min_size=5), st.text(min_size=1))
def test_no_incident_holds_words_or_location_of_a_notice(explanation: str, place: str) -> None:
    secret = f"secret-{place}"
    notice = notice_codec.notice(
        request(explanation=f"secret-{explanation}", locations=[secret], notifier="secret-1"), "n", NOW
    )

    assert "secret-" not in repr(list(rules.signals(notice))) + repr(notice)


def test_a_location_is_one_line_whatever_was_sent() -> None:
    words = notice_codec.words(request(locations=["https://a.example/\nhttps://b.example/", " c "]))
    assert words.locations.splitlines() == ["https://a.example/ https://b.example/", "c"]


@pytest.mark.clause("DSA 16")
def test_dsa_16_5_it_is_decided_once_and_acted_on_only_with_a_disposal() -> None:
    assert (DECIDED.outcome, DECIDED.basis, DECIDED.decided_by, DECIDED.automated_means) == ("acted", "law", "li", True)
    with pytest.raises(Refused, match="no disposal"):
        rules.decide(NOTICE, "acted", "law", "li", NOW, 0, automated=False, unfounded=False)
    with pytest.raises(Refused, match="decided before"):
        rules.decide(DECIDED, "not_acted", "", "wang", NOW, 0, automated=False, unfounded=False)


@pytest.mark.clause("DSA 16")
def test_dsa_16_4_and_5_it_is_settled_when_decided_and_told_to_whom_can_be_told() -> None:
    with pytest.raises(Refused) as refused:
        rules.acknowledge(NOTICE, "answer", NOW)
    confirmed = rules.acknowledge(rules.acknowledge(NOTICE, "confirmation", NOW), "confirmation", NOW + DAY)
    answered = rules.acknowledge(DECIDED, "answer", NOW + 2 * DAY)

    assert refused.value.reason == "NOTICE_UNDECIDED"
    assert confirmed.confirmed_at == NOW  # the first time counts
    assert (NOTICE.settled, DECIDED.settled, answered.settled) == (False, False, True)
    assert replace(DECIDED, contact_held=False).settled
    assert rules.known_of(confirmed) == {"confirmation_sent": True, "settled": False}
    assert rules.known_of(answered)["settled"] is True


@pytest.mark.clause("DSA 23")
def test_dsa_23_who_is_suspended_may_still_give_other_notices() -> None:
    limit = Earlier(Measure.LIMIT_FUNCTIONS, NOW - DAY, "in_force", ("notices",), NOW + DAY)
    for forms in ((INTIMATE,), (COMPLAINT,), (ILLEGAL, COMPLAINT)):
        rules.refuse_suspended(forms, [limit], NOW)
    rules.refuse_suspended((ILLEGAL,), [limit], NOW + 2 * DAY)
    with pytest.raises(Refused) as refused:
        rules.refuse_suspended((ILLEGAL,), [limit], NOW)
    assert refused.value.reason == "NOTICE_CLOSED"


@pytest.mark.clause("DSA 16")
@pytest.mark.clause("DSA 21")
@pytest.mark.clause("Generative AI Measures 15")
def test_dsa_16_5_and_6_the_answer_says_redress_and_automated_means_in_both_languages() -> None:
    answer = notice_texts.of_decision(DECIDED, "it is prohibited")
    plain = notice_texts.of_decision(replace(DECIDED, forms=(COMPLAINT,), automated_means=False, basis="terms"), "why")
    receipt = notice_texts.of_receipt(NOTICE)

    for words in ("on the basis of the law", "with automated means", "out-of-court", "court", "it is prohibited"):
        assert words in answer.en
    assert all(words in answer.zh for words in ("依据法律", "使用自动化手段", "庭外争议解决", "诉讼"))
    assert "未使用自动化手段" in plain.zh
    assert "out-of-court" not in plain.en
    assert "on our terms" in plain.en
    assert all(NOTICE.notice_id in text for text in (receipt.zh, receipt.en, answer.zh, answer.en))


@pytest.mark.clause("DSA 17")
def test_dsa_17_who_is_restricted_is_told_that_a_notice_led_to_it_and_not_whose() -> None:
    assert rules.found_by(NOTICE) == "article 16 notice"
    assert rules.found_by(replace(NOTICE, forms=(COMPLAINT,))) == "notice (投诉举报)"


@pytest.mark.clause("DSA 20")
def test_dsa_20_a_notice_is_kept_for_six_months_from_its_decision() -> None:
    assert rules.retained_until(NOTICE, 6) is None
    assert rules.retained_until(DECIDED, 6) == DECIDED.decided_at.replace(year=2027, month=5)  # type: ignore[union-attr]


@given(st.integers(min_value=0, max_value=10_000))
def test_a_generation_is_looked_for_ever_more_seldom_and_never_less_than_daily(looks: int) -> None:
    pause = rules.look_again_after(looks)
    assert timedelta(minutes=1) <= pause <= timedelta(days=1)
    assert pause <= rules.look_again_after(looks + 1)
