from __future__ import annotations

import hashlib
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from candor_escalation.domain.draft import fill, instant, written
from candor_escalation.domain.incident import Json
from candor_escalation.domain.refusal import Refused
from candor_escalation.domain.report import Receipt, confirm, decide_not_to_report, submit

from .builders import CLOCK, HOUR, NOON

DRAFT = written(CLOCK, 2, "zh", "报告", ("cause",), NOON, "li")
RECEIPT = Receipt("12387", NOON, "li", NOON, b"")


def test_a_submission_is_of_a_draft_and_carries_its_digest() -> None:
    submission = submit(DRAFT, "s", "portal", "li", NOON, NOON)

    assert (submission.revision, submission.locale) == (2, "zh")
    assert submission.sha256 == hashlib.sha256("报告".encode()).digest()
    assert submission.receipt is None


@pytest.mark.parametrize(("draft", "later", "reason"), [(None, 0, "DRAFT_UNKNOWN"), (DRAFT, 2, "TIME_IN_FUTURE")])
def test_what_was_not_drafted_or_not_yet_sent_is_no_submission(draft: object, later: int, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        submit(draft, "s", "portal", "li", NOON + later * HOUR, NOON)  # type: ignore[arg-type]
    assert refused.value.reason == reason


def test_a_receipt_belongs_to_a_submission_and_to_the_past() -> None:
    submission = submit(DRAFT, "s", "portal", "li", NOON, NOON)

    assert confirm(submission, RECEIPT, NOON).receipt == RECEIPT
    with pytest.raises(Refused, match="receipt"):
        confirm(submission, RECEIPT, NOON - timedelta(minutes=2))


def test_two_persons_decide_not_to_report() -> None:
    assert decide_not_to_report(CLOCK, "no personal data", "li", "wang", NOON).approved_by == "wang"
    with pytest.raises(Refused) as refused:
        decide_not_to_report(CLOCK, "no personal data", "li", "li", NOON)
    assert (refused.value.reason, refused.value.field) == ("SAME_PERSON", "approved_by")


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


def test_an_instant_is_written_in_the_zone_of_the_law() -> None:
    assert instant(NOON, ZoneInfo("Asia/Shanghai")) == "2026-06-01 20:00 (Asia/Shanghai)"
    assert instant(None, ZoneInfo("Asia/Shanghai")) == ""
