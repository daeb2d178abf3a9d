"""Caps, receipts of earlier reports, duties that repeat, and a duty that counts otherwise than its pack."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from candor_packs.duties import Duty, arising
from candor_packs.model import receipt
from candor_packs.pack import PackError, load

from .builders import PACK, write

HOUR = timedelta(hours=1)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
FIRST, NEXT = receipt("xx.law.1", "report"), receipt("xx.law.1", "follow_up")
FOLLOW_UP = """  - id: follow_up
    title: {zh: 续报, en: Follow-up}
    citation: Law 1(2)
    recipient: {zh: 机关, en: Authority}
    anchor: receipt:report
    due: {n: 1, unit: months}
    template: form
"""


def pack_with(folder: Path, *changes: tuple[str, str], more: str = "") -> Path:
    text = PACK
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return write(folder, text.replace("vectors:\n", f"{more}vectors:\n"))


def duties(folder: Path, **anchors: datetime) -> dict[str, Duty]:
    named = {{"report": FIRST, "follow_up": NEXT}.get(name, name): at for name, at in anchors.items()}
    return {duty.obligation.id: duty for duty in arising(load(folder), {"kind": "leak", "persons": 9}, {}, named)}


def capped(folder: Path, *, lapses: bool, due: str = "{n: 4, unit: hours}") -> Path:
    cap = f"cap: {{n: 24, unit: hours, anchor: aware, lapses: {str(lapses).lower()}}}"
    return pack_with(folder, ("anchor: aware\n", "anchor: classified\n"), ("{n: 72, unit: hours}", f"{due}\n    {cap}"))


@pytest.mark.parametrize(
    ("lapses", "classified", "due", "anchor"),
    [
        (True, 1, 5, "classified"),
        (True, 20, 24, "classified"),
        (True, 22, 24, "aware"),
        (True, 24, 24, "aware"),
        (True, 30, 34, "classified"),
        (False, 30, 24, "aware"),
    ],
)
def test_a_cap_binds_from_another_anchor_until_it_lapses(
    tmp_path: Path, lapses: bool, classified: int, due: int, anchor: str
) -> None:
    found = duties(capped(tmp_path, lapses=lapses), aware=NOON, classified=NOON + classified * HOUR)["report"]

    assert found.due is not None
    assert (found.due.strict, found.due.latest, found.anchor) == (NOON + due * HOUR, NOON + due * HOUR, anchor)


def test_while_its_own_anchor_is_unknown_a_duty_runs_to_its_cap(tmp_path: Path) -> None:
    found = duties(capped(tmp_path, lapses=True), aware=NOON)["report"]

    assert found.due is not None
    assert (found.anchor, found.due.strict) == ("aware", NOON + 24 * HOUR)


def test_where_the_law_says_at_once_the_cap_is_its_number(tmp_path: Path) -> None:
    objective = "null\n    objective: {n: 4, unit: hours, source: internal}"
    folder = capped(tmp_path, lapses=False, due=objective)

    known = duties(folder, aware=NOON, classified=NOON + HOUR)["report"].due
    waiting = duties(folder, aware=NOON)["report"].due

    assert known is not None
    assert waiting is not None
    assert (known.strict, known.latest) == (NOON + 5 * HOUR, NOON + 24 * HOUR)
    assert (waiting.strict, waiting.latest) == (NOON + 24 * HOUR, NOON + 24 * HOUR)


def test_a_report_counts_from_the_receipt_of_an_earlier_one(tmp_path: Path) -> None:
    folder = pack_with(tmp_path, more=FOLLOW_UP)

    assert duties(folder, aware=NOON)["follow_up"].due is None
    found = duties(folder, aware=NOON, report=NOON + 48 * HOUR)["follow_up"]
    assert found.due is not None
    assert (found.anchor, found.due.strict) == ("receipt:xx.law.1/report", datetime(2026, 4, 4, 12, tzinfo=UTC))


def test_the_receipt_of_another_pack_s_report_is_not_taken_for_it(tmp_path: Path) -> None:
    folder = pack_with(tmp_path, more=FOLLOW_UP)
    anchors = {"aware": NOON, receipt("yy.law.2", "report"): NOON}
    found = {duty.obligation.id: duty for duty in arising(load(folder), {"kind": "leak", "persons": 9}, {}, anchors)}

    assert found["follow_up"].due is None


REPEATS = FOLLOW_UP + "    repeats: true\n    until: resolved\n"


def test_a_duty_that_repeats_counts_from_its_own_last_receipt(tmp_path: Path) -> None:
    folder = pack_with(tmp_path, more=REPEATS)
    later = datetime(2026, 3, 20, 8, tzinfo=UTC)
    found = duties(folder, aware=NOON, report=NOON, follow_up=later)["follow_up"]

    assert found.due is not None
    assert (found.anchor, found.due.strict) == (NEXT, datetime(2026, 4, 20, 8, tzinfo=UTC))


def test_a_duty_that_repeats_ends_with_until_but_owes_what_fell_due_before(tmp_path: Path) -> None:
    folder = pack_with(tmp_path, more=REPEATS)

    assert "follow_up" not in duties(folder, aware=NOON, resolved=NOON)
    assert "follow_up" not in duties(folder, aware=NOON, report=NOON, resolved=NOON + 24 * HOUR)
    owed = duties(folder, aware=NOON, report=NOON, resolved=datetime(2026, 5, 1, tzinfo=UTC))["follow_up"]
    assert owed.due is not None
    assert owed.due.strict == datetime(2026, 4, 2, 12, tzinfo=UTC)


def test_a_duty_may_count_otherwise_than_its_pack(tmp_path: Path) -> None:
    own = "{n: 72, unit: hours}\n    counting: {rule: eu-1182-71}"
    found = duties(pack_with(tmp_path, ("{n: 72, unit: hours}", own)), aware=NOON + timedelta(minutes=20))["report"]

    assert found.due is not None
    assert found.obligation.counting.zone == found.pack.counting.zone
    assert found.due.latest == NOON + 73 * HOUR


def test_the_calendar_follows_from_a_fact(tmp_path: Path) -> None:
    folder = pack_with(
        tmp_path,
        (
            "counting: {rule: none, zone: UTC}",
            "counting: {rule: eu-1182-71, zone: UTC, calendar: {by: state, of: {XX: xx}}}",
        ),
        ("facts:\n  persons", "facts:\n  state: {type: text, zh: 国, en: State}\n  persons"),
        ("{n: 72, unit: hours}", "{n: 2, unit: calendar_days}"),
    )
    (folder / "calendars").mkdir()
    (folder / "calendars" / "xx.yaml").write_text(
        "calendar: xx\nvalid_from: 2026-01-01\nvalid_through: 2026-12-31\nsource: gazette\n"
        "evidence: {mark: U, checked: 2026-01-01}\n"
        "holidays: [{name: {zh: 节, en: Day}, from: 2026-03-04, to: 2026-03-04}]\nmake_up: []\n",
        "utf-8",
    )
    packs = load(folder)
    for state, day, provisional in (("XX", 5, False), ("YY", 4, True)):
        (duty,) = arising(packs, {"kind": "leak", "persons": 9, "state": state}, {}, {"aware": NOON})
        assert duty.due is not None
        assert duty.due.latest is not None
        assert (duty.due.latest.day, duty.due.provisional) == (day, provisional)


@pytest.mark.parametrize(
    ("old", "new", "field", "message"),
    [
        ("anchor: aware", "anchor: receipt:nothing", "obligations[0].anchor", "nothing is no other obligation"),
        ("anchor: aware", "anchor: receipt:report", "obligations[0].anchor", "report is no other obligation"),
        ("hours}", "hours}\n    until: ended", "obligations[0]", "until belongs to"),
        ("hours}", "hours}\n    repeats: true\n    until: receipt:x", "obligations[0].until", "x is no other"),
        ("hours}", "hours}\n    cap: {n: 1, unit: hours, anchor: aware}", "obligations[0].cap.lapses", "missing"),
        (
            "hours}",
            "hours}\n    cap: {n: 1, unit: hours, anchor: receipt:y, lapses: true}",
            "obligations[0].cap.anchor",
            "y",
        ),
        (
            "hours}",
            "hours}\n    cap: {n: 1, unit: working_days, anchor: a, lapses: true}",
            "obligations[0].cap",
            "lapses",
        ),
        ("hours}", "hours}\n    counting: {zone: Mars}", "obligations[0].counting.zone", "no time zone"),
        ("hours}", "hours}\n    counting: {calendar: moon}", "obligations[0].counting.calendar", "moon"),
        ("hours}", "hours}\n    counting: {rule: roman}", "obligations[0].counting.rule", "Input should be"),
        ("72, unit: hours}", "3, unit: working_days}\n    counting: {rule: cn}", "obligations[0]", "needs a calendar"),
        (
            "zone: UTC",
            "zone: UTC, calendar: {by: kind, of: {A: a}}",
            "counting.calendar.by",
            "not declared under facts",
        ),
        ("zone: UTC", "zone: UTC, calendar: {by: persons, of: {A: a}}", "counting.calendar.by", "as a text"),
        ("zone: UTC", "zone: UTC, day_ends: noon", "counting.day_ends", "time"),
        ("zone: UTC", "zone: UTC, day_ends: 17", "counting.day_ends", "time of day"),
        (
            "{aware:",
            '{"receipt:moon": "2026-02-01T00:00:00Z", aware:',
            "vectors[0].anchors.receipt:moon",
            "moon is no other",
        ),
    ],
)
def test_a_wrong_reference_is_refused_where_it_stands(
    tmp_path: Path, old: str, new: str, field: str, message: str
) -> None:
    assert old in PACK
    with pytest.raises(PackError) as refused:
        load(write(tmp_path, PACK.replace(old, new, 1)))

    assert refused.value.field == field
    assert message in refused.value.message
