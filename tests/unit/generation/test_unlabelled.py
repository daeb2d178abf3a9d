"""Labelling Measures 9: content without an explicit label, and the log of who received it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from candor_generation.domain import unlabelled
from candor_generation.domain.refusal import Refused
from candor_generation.domain.unlabelled import Application
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
APPLIED = Application("a", "user-1", "chat", NOW)
GRANTED = unlabelled.accept(APPLIED, "user-1", "v2", "v2", NOW)


def delivered(application: Application, subject: str = "user-1", in_force: str = "v2") -> unlabelled.Delivery:
    return unlabelled.deliver(application, "d", "g", subject, in_force, 6, NOW)


@pytest.mark.clause("Generative AI Labelling Measures 9")
def test_labelling_measures_9_nothing_is_delivered_before_the_duties_are_accepted() -> None:
    with pytest.raises(Refused, match="APPLICATION_STATE"):
        delivered(APPLIED)
    assert delivered(GRANTED).duties_version == "v2"


@pytest.mark.clause("Generative AI Labelling Measures 9")
def test_labelling_measures_9_the_duties_shown_are_those_in_force() -> None:
    with pytest.raises(Refused, match="DUTIES_OUTDATED"):
        unlabelled.accept(APPLIED, "user-1", "v1", "v2", NOW)
    with pytest.raises(Refused, match="DUTIES_OUTDATED"):
        delivered(GRANTED, in_force="v3")
    renewed = unlabelled.accept(GRANTED, "user-1", "v3", "v3", NOW)
    assert delivered(renewed, in_force="v3").duties_version == "v3"


def test_duties_are_accepted_once() -> None:
    with pytest.raises(Refused, match="APPLICATION_STATE"):
        unlabelled.accept(GRANTED, "user-1", "v2", "v2", NOW)


def test_an_application_is_of_use_to_nobody_else() -> None:
    with pytest.raises(Refused, match="APPLICATION_UNKNOWN"):
        unlabelled.accept(APPLIED, "user-2", "v2", "v2", NOW)
    with pytest.raises(Refused, match="APPLICATION_UNKNOWN"):
        delivered(GRANTED, subject="user-2")


@pytest.mark.clause("Generative AI Labelling Measures 9")
@pytest.mark.parametrize(
    ("at", "until"),
    [
        ("2026-01-15", "2026-07-15"),
        ("2026-08-31", "2027-03-01"),
        ("2026-08-30", "2027-03-01"),
        ("2027-08-29", "2028-02-29"),
        ("2026-10-31", "2027-05-01"),
        ("2026-06-30", "2026-12-30"),
    ],
)
def test_labelling_measures_9_six_calendar_months_at_least(at: str, until: str) -> None:
    delivered_at = datetime.fromisoformat(f"{at}T10:30:00+00:00")
    assert unlabelled.retained_until(delivered_at, 6) == datetime.fromisoformat(f"{until}T10:30:00+00:00")


@pytest.mark.clause("Generative AI Labelling Measures 9")
@given(st.integers(0, 2_000_000_000), st.integers(0, 60))
def test_labelling_measures_9_never_less_than_six_months(seconds: int, months: int) -> None:
    at = NOW + timedelta(seconds=seconds)
    until = unlabelled.retained_until(at, months)
    whole = (until.year - at.year) * 12 + until.month - at.month
    assert whole >= max(6, months)
    assert until - at >= timedelta(days=181)
