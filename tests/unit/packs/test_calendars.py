from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import chinese_calendar
import holidays
import pytest
from candor_packs import calendars
from candor_packs.document import PackError

FOLDER = Path(__file__).resolve().parents[3] / "packs" / "calendars"
CN = calendars.load(FOLDER)["cn"]
YEAR_2026 = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]
ENTRY = """calendar: xx
valid_from: 2026-01-01
valid_through: 2026-12-31
source: the gazette
evidence: {mark: U, checked: 2026-01-01}
holidays:
  - {name: {zh: 一, en: one}, from: 2026-05-01, to: 2026-05-02}
make_up: [2026-05-09]
"""


def test_the_calendar_of_2026_agrees_with_chinesecalendar_on_every_day() -> None:
    assert [day for day in YEAR_2026 if CN.working(day) != chinese_calendar.is_workday(day)] == []


def test_the_calendar_of_2026_agrees_with_holidays_on_every_day() -> None:
    other = holidays.country_holidays("CN", years=2026)

    assert [day for day in YEAR_2026 if CN.working(day) != other.is_working_day(day)] == []


def test_a_calendar_knows_only_the_days_it_was_published_for() -> None:
    assert CN.knows(date(2026, 12, 31))
    assert not CN.knows(date(2027, 1, 1))


@pytest.mark.parametrize(
    ("wrong", "right", "line", "field"),
    [
        ("make_up: [2026-05-09]", "make_up: [2026-05-01]", 8, "make_up[0]"),
        ("make_up: [2026-05-09]", "make_up: [2027-05-01]", 8, "make_up[0]"),
        ("to: 2026-05-02", "to: 2026-04-02", 7, "holidays[0]"),
        ("source: the gazette", "sauce: the gazette", 4, "sauce"),
        ("valid_from: 2026-01-01", "valid_from: 20260101", 2, "valid_from"),
    ],
)
def test_a_wrong_calendar_is_refused_with_line_and_field(
    tmp_path: Path, wrong: str, right: str, line: int, field: str
) -> None:
    (tmp_path / "xx-2026.yaml").write_text(ENTRY.replace(wrong, right), "utf-8")

    with pytest.raises(PackError) as refused:
        calendars.load(tmp_path)

    assert (refused.value.line, refused.value.field) == (line, field)


def test_two_files_may_not_speak_of_the_same_day(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(ENTRY, "utf-8")
    (tmp_path / "b.yaml").write_text(ENTRY, "utf-8")

    with pytest.raises(PackError, match="same days"):
        calendars.load(tmp_path)
