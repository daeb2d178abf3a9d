"""What a person reads about a due date."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from candor_console import moments
from candor_console.moments import Urgency
from candor_console.texts import in_language
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 11, 22, 13, 30, tzinfo=UTC)
EN, ZH = in_language("en"), in_language("zh")


@pytest.mark.parametrize(
    ("left", "english", "chinese"),
    [
        (timedelta(days=2, hours=3, minutes=59), "2 d 3 h left", "剩 2 天 3 小时"),
        (timedelta(hours=1, minutes=12, seconds=59), "1 h 12 min left", "剩 1 小时 12 分"),
        (timedelta(minutes=12, seconds=30), "12 min left", "剩 12 分钟"),
        (timedelta(seconds=45), "45 s left", "剩 45 秒"),
        (timedelta(0), "0 s left", "剩 0 秒"),
        (-timedelta(hours=3, minutes=5), "overdue by 3 h 5 min", "逾期 3 小时 5 分"),
    ],
)
def test_time_left_reads_in_both_languages(left: timedelta, english: str, chinese: str) -> None:
    assert moments.left(NOW + left, NOW, EN) == english
    assert moments.left(NOW + left, NOW, ZH) == chinese


def test_times_are_utc_whatever_zone_they_came_in() -> None:
    shanghai = datetime(2026, 11, 22, 21, 30, tzinfo=timezone(timedelta(hours=8)))
    assert moments.utc(shanghai) == "2026-11-22 13:30 UTC"
    assert moments.iso(shanghai) == "2026-11-22T13:30:00Z"


@pytest.mark.parametrize(
    ("due", "begun", "expected"),
    [
        (timedelta(seconds=-1), None, Urgency.OVERDUE),
        (timedelta(minutes=59), None, Urgency.SOON),
        (timedelta(hours=2), None, Urgency.CALM),
        (timedelta(days=3), timedelta(days=-12), Urgency.SOON),
        (timedelta(days=4), timedelta(days=-11), Urgency.CALM),
    ],
)
def test_urgency(due: timedelta, begun: timedelta | None, expected: Urgency) -> None:
    assert moments.urgency(NOW + due, NOW, None if begun is None else NOW + begun) is expected


@given(
    st.timedeltas(min_value=timedelta(days=-400), max_value=timedelta(days=400)),
    st.timedeltas(timedelta(0), timedelta(days=400)),
)
def test_the_bar_never_leaves_its_frame(passed: timedelta, length: timedelta) -> None:
    assert 0 <= moments.used(NOW - passed, NOW - passed + length, NOW) <= 100


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=4000)))
def test_a_span_never_says_more_than_there_is(length: timedelta) -> None:
    words = moments.span(length, lambda key, **values: f"{key} {values}")
    values = {
        key: int(value) for key, value in (item.split(": ") for item in words.partition("{")[2].rstrip("}").split(", "))
    }
    units = {"'days'": 86_400, "'hours'": 3_600, "'minutes'": 60, "'seconds'": 1}
    told = sum(units[name] * value for name, value in values.items())
    assert 0 <= length.total_seconds() - told < {4: 3600}.get(len(values), 3600)
