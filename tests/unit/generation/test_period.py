"""The periods that logs are cut into: each moment is in one, and none ends before what the law keeps is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from candor_generation.domain import period
from candor_generation.retention import Policy
from candor_generation.settings import Settings
from hypothesis import given
from hypothesis import strategies as st

MOMENTS = st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("months", "name", "ends_at"),
    [
        (1, "2026m11", datetime(2026, 12, 1, tzinfo=UTC)),
        (3, "2026q4", datetime(2027, 1, 1, tzinfo=UTC)),
        (6, "2026h2", datetime(2027, 1, 1, tzinfo=UTC)),
        (12, "2026y1", datetime(2027, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_period_is_named_by_its_year_and_number(months: int, name: str, ends_at: datetime) -> None:
    found = period.period_of(datetime(2026, 11, 22, tzinfo=UTC), months)
    assert (found.name, found.ends_at) == (name, ends_at)


def test_a_length_that_does_not_divide_a_year_is_refused() -> None:
    with pytest.raises(ValueError, match="1, 3, 6, 12"):
        period.period_of(datetime(2026, 11, 22, tzinfo=UTC), 5)


def test_a_moment_counts_in_utc() -> None:
    shanghai = timezone(timedelta(hours=8))
    assert period.period_of(datetime(2027, 1, 1, 7, 59, tzinfo=shanghai), 6).name == "2026h2"
    assert period.period_of(datetime(2027, 1, 1, 8, tzinfo=shanghai), 6).name == "2027h1"


@given(MOMENTS, st.sampled_from(period.LENGTHS))
def test_periods_follow_each_other_without_gap_or_overlap(at: datetime, months: int) -> None:
    found = period.period_of(at, months)
    following = period.period_of(found.ends_at, months)
    assert found.starts_at <= at < found.ends_at == following.starts_at
    assert period.period_of(found.starts_at, months) == found != following


@pytest.mark.clause("RFC 9562 5.7")
@given(MOMENTS)
def test_rfc_9562_5_7_the_first_id_of_a_moment_carries_its_milliseconds_and_nothing_is_below(at: datetime) -> None:
    found = UUID(period.first_id(at))
    made_at = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=found.int >> 80)
    assert at <= made_at < at + timedelta(milliseconds=1)
    assert (found.version, found.variant) == (7, "specified in RFC 4122")
    assert found.int & ((1 << 76) - 1) & ~(0b11 << 62) == 0


@pytest.mark.clause("Generative AI Labelling Measures 9", "AI Act 19(1)")
@pytest.mark.parametrize("months", period.LENGTHS)
def test_ai_act_19_1_nothing_is_dropped_within_six_months_of_the_youngest_record_of_its_log(months: int) -> None:
    least = Settings.model_fields["log_retention_days"].metadata[0].ge
    youngest = period.period_of(datetime(2026, 11, 22, tzinfo=UTC), months).ends_at + period.LATEST_ID
    dropped_at = period.droppable_at(youngest - period.LATEST_ID, timedelta(days=least))
    # No six months have more days than those from March to August.
    assert dropped_at - youngest >= datetime(2027, 9, 1, tzinfo=UTC) - datetime(2027, 3, 1, tzinfo=UTC)


@pytest.mark.clause("C2SP tlog-tiles")
def test_the_policy_says_in_writing_when_a_log_is_dropped() -> None:
    text = Policy(timedelta(days=184)).text("log.example.com")
    assert text.startswith("Retention policy of the logs log.example.com/<kind>/<period>\n")
    assert "until 184 days after it has closed" in text
    assert f"closes {period.LATEST_ID.days} days after the period has ended" in text
