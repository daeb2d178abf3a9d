from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from candor_escalation.domain.clock import NOT_REPORTED, RECEIPTED, stop
from candor_escalation.domain.draft import built_in, fill, instant, written
from candor_escalation.domain.incident import OPEN, Incident, Json
from candor_escalation.domain.refusal import Refused
from candor_escalation.domain.report import (
    FINAL,
    FIRST,
    SUPPLEMENT,
    Receipt,
    confirm,
    draft_of,
    kind_of,
    refuse_unwritable,
    submit,
)
from candor_packs.template import BUILT_IN

from .builders import CLOCK, HOUR, INCIDENT, NOON, clock

DRAFT = written(CLOCK, 2, "zh", "报告", fill([], {}, {}, "zh"), {}, NOON, "li")
RECEIPT = Receipt("12387", NOON, "li", NOON, b"")


def test_a_submission_is_of_a_draft_and_carries_its_digest() -> None:
    submission = submit(DRAFT, "s", "portal", "li", NOON, NOON)

    assert (submission.revision, submission.locale) == (2, "zh")
    assert submission.sha256 == hashlib.sha256("报告".encode()).digest()
    assert submission.receipt is None


@pytest.mark.parametrize(
    ("revision", "locale", "later", "reason"),
    [(1, "zh", 0, "DRAFT_UNKNOWN"), (2, "en", 0, "DRAFT_UNKNOWN"), (2, "zh", 2, "TIME_IN_FUTURE")],
)
def test_what_was_not_drafted_or_not_yet_sent_is_no_submission(
    revision: int, locale: str, later: int, reason: str
) -> None:
    with pytest.raises(Refused) as refused:
        submit(draft_of([DRAFT], revision, locale), "s", "portal", "li", NOON + later * HOUR, NOON)
    assert refused.value.reason == reason


def test_a_receipt_belongs_to_a_submission_and_to_the_past() -> None:
    submission = submit(DRAFT, "s", "portal", "li", NOON, NOON)

    assert confirm(submission, RECEIPT, NOON).receipt == RECEIPT
    with pytest.raises(Refused, match="receipt"):
        confirm(submission, RECEIPT, NOON - timedelta(minutes=2))
    with pytest.raises(Refused) as refused:
        confirm(confirm(submission, RECEIPT, NOON), RECEIPT, NOON)
    assert refused.value.reason == "RECEIPT_EXISTS"


SENT = [submit(DRAFT, "s", "portal", "li", NOON, NOON)]


@pytest.mark.clause("GDPR 33(4)")
@pytest.mark.parametrize(
    ("asked", "sent", "kind"),
    [
        ("", [], FIRST),
        (FIRST, [], FIRST),
        ("", SENT, SUPPLEMENT),
        (SUPPLEMENT, SENT, SUPPLEMENT),
        (FINAL, SENT, FINAL),
    ],
)
def test_the_first_report_says_what_is_known_and_the_rest_follows(asked: str, sent: list[Any], kind: str) -> None:
    assert kind_of(asked, sent) == kind


@pytest.mark.parametrize(("asked", "sent"), [(SUPPLEMENT, []), (FINAL, []), (FIRST, SENT)])
def test_a_report_out_of_order_is_refused(asked: str, sent: list[Any]) -> None:
    with pytest.raises(Refused) as refused:
        kind_of(asked, sent)
    assert (refused.value.reason, refused.value.field) == ("KIND_OUT_OF_ORDER", "kind")


def test_after_the_receipt_only_a_supplement_or_a_final_report_is_written() -> None:
    receipted, decided = stop(clock(), RECEIPTED, NOON), stop(clock(), NOT_REPORTED, NOON)

    for kind in ("", FIRST, SUPPLEMENT, FINAL):
        refuse_unwritable(clock(), kind)
    for kind in (SUPPLEMENT, FINAL):
        refuse_unwritable(receipted, kind)
    for stopped, kind in ((receipted, ""), (receipted, FIRST), (decided, FIRST), (decided, SUPPLEMENT)):
        with pytest.raises(Refused) as refused:
            refuse_unwritable(stopped, kind)
        assert refused.value.reason == "CLOCK_STOPPED"


@pytest.mark.parametrize(
    ("value", "zh", "en"),
    [
        (True, "是", "yes"),
        (False, "否", "no"),
        (1_000_000.0, "1000000", "1000000"),
        (0.5, "0.5", "0.5"),
        (3, "3", "3"),
        ("  bug ", "bug", "bug"),
        (["a", "b"], "a、b", "a, b"),
        ({"a": 1.0}, "a: 1", "a: 1"),
    ],
)
def test_a_fact_is_written_as_people_write_it(value: Json, zh: str, en: str) -> None:
    assert fill(["x"], {"x": value}, {}, "zh").values == {"x": zh}
    assert fill(["x"], {"x": value}, {}, "en").values == {"x": en}


@pytest.mark.parametrize("value", [None, "", "   ", []])
def test_what_nobody_filled_is_missing_and_says_so_in_the_text(value: Json) -> None:
    zh = fill(["cause", "title"], {"cause": value, "title": "t"}, {"cause": "原因"}, "zh")

    assert zh.missing == ("cause",)
    assert zh.values == {"cause": "【待补：原因】", "title": "t"}
    assert fill(["cause"], {}, {}, "en").values == {"cause": "[missing: cause]"}


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_what_the_service_fills_by_itself_is_never_missing(locale: str) -> None:
    incident = Incident(INCIDENT, "pi_leak", "  ", "", OPEN, NOON, 2)
    given = built_in(clock(legal_latest=None), incident, "", ZoneInfo("Asia/Shanghai"), NOON)
    filled = fill(sorted(BUILT_IN), given, {}, locale)

    assert given.keys() == BUILT_IN
    assert filled.missing == ()
    assert {filled.values[name] for name in ("legal_latest", "recipient", "incident_title")} == {"—"}
    assert (filled.values["signals"], filled.values["strict_due"]) == ("2", "2026-06-04 20:00 (Asia/Shanghai)")


def test_an_instant_is_written_in_the_zone_of_the_law() -> None:
    assert instant(NOON, ZoneInfo("Asia/Shanghai")) == "2026-06-01 20:00 (Asia/Shanghai)"
    assert instant(None, ZoneInfo("Asia/Shanghai")) == ""


@pytest.mark.parametrize(("text", "kept"), [("a" * 9_000, 8_000), ("a\n" * 300, 399), ("a\n" * 199 + "a", 399)])
def test_a_field_that_is_too_long_for_a_form_says_that_it_is_cut(text: str, kept: int) -> None:
    zh, en = (fill(["x"], {"x": text}, {}, locale).values["x"] for locale in ("zh", "en"))
    left = len(text.strip()) - kept

    assert zh == text[:kept] + (f"【此处截断：另有{left}字，见事件记录】" if left else "")
    assert en == text[:kept] + (f" [cut here: {left} more letters are on record]" if left else "")
