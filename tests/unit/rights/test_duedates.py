"""Due dates from the request packs of this repository."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from candor_packs import vectors
from candor_packs.pack import Pack, load
from candor_rights.domain.holder import Right
from candor_rights.domain.refusal import Refused
from candor_rights.domain.request import Regime
from candor_rights.duedates import DueDates
from hypothesis import given
from hypothesis import strategies as st

FILES = ("cn/gbt-35273-requests.yaml", "eu/gdpr-requests.yaml", "us/ccpa-requests.yaml")


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Pack, ...]:
    """Only the request packs, so that what the packs of incidents refer to need not be there."""
    folder = tmp_path_factory.mktemp("packs")
    for name in FILES:
        source = Path(__file__).parents[3] / "packs" / name
        (folder / source.name).write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    return load(folder)


@pytest.fixture(scope="module")
def due_dates(packs: tuple[Pack, ...]) -> DueDates:
    return DueDates(packs)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_the_vectors_of_the_packs_come_out_as_they_say(packs: tuple[Pack, ...]) -> None:
    assert [mistake.message for pack in packs for mistake in vectors.run(pack)] == []


@pytest.mark.clause("GB/T 35273 8.7")
def test_gbt_35273_8_7_thirty_days(due_dates: DueDates) -> None:
    due = due_dates.due(Regime.PIPL, Right.DELETION, at("2026-11-22T10:00:00+08:00"))
    assert (due.strict, due.citation) == (at("2026-12-22T10:00:00+08:00"), "GB/T 35273 8.7")


@pytest.mark.clause("GDPR 12(3)")
@pytest.mark.parametrize(
    ("received", "strict"),
    [
        ("2026-01-31T12:00:00+01:00", "2026-02-28T12:00:00+01:00"),
        ("2028-01-31T12:00:00+01:00", "2028-02-29T12:00:00+01:00"),
        ("2026-05-31T12:00:00+02:00", "2026-06-30T12:00:00+02:00"),
        ("2026-11-15T12:00:00+01:00", "2026-12-15T12:00:00+01:00"),
        ("2026-10-10T12:00:00+02:00", "2026-11-10T12:00:00+01:00"),
    ],
)
def test_gdpr_12_3_one_calendar_month_cut_to_the_end_of_a_shorter_one(
    due_dates: DueDates, received: str, strict: str
) -> None:
    assert due_dates.due(Regime.GDPR, Right.ACCESS, at(received)).strict == at(strict)


@pytest.mark.clause("CCPA 7021")
@pytest.mark.parametrize("right", [Right.ACCESS, Right.DELETION])
def test_ccpa_7021_45_calendar_days(due_dates: DueDates, right: Right) -> None:
    due = due_dates.due(Regime.CCPA, right, at("2026-10-26T09:00:00-07:00"))
    assert (due.strict, due.citation) == (at("2026-12-10T09:00:00-08:00"), "CCPA 7021")


@pytest.mark.clause("CCPA 7026")
@pytest.mark.parametrize("right", [Right.CONSENT_WITHDRAWAL, Right.TRAINING_REFUSAL])
def test_ccpa_7026_15_business_days(due_dates: DueDates, right: Right) -> None:
    due = due_dates.due(Regime.CCPA, right, at("2026-10-26T09:00:00-07:00"))
    assert (due.strict, due.citation) == (at("2026-11-16T09:00:00-08:00"), "CCPA 7026")


def test_where_several_packs_apply_the_earliest_date_is_worked_to(packs: tuple[Pack, ...], tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "packs" / FILES[0]).read_text(encoding="utf-8")
    sooner = text.split("vectors:")[0].replace("id: cn.gbt-35273-requests", "id: cn.sooner").replace("n: 30", "n: 15")
    (tmp_path / "sooner.yaml").write_text(f"{sooner}vectors:\n  - {{name: none, expect: []}}\n", encoding="utf-8")
    received_at = at("2026-11-22T10:00:00+08:00")
    for both in (packs + load(tmp_path), load(tmp_path) + packs):
        due = DueDates(both).due(Regime.PIPL, Right.ACCESS, received_at)
        assert due.strict == received_at + timedelta(days=15)


@given(st.sampled_from(Regime), st.sampled_from(Right), st.datetimes(datetime(2023, 4, 1), datetime(2090, 1, 1)))  # noqa: DTZ001
def test_every_right_has_a_due_date_after_receipt_under_every_regime(
    due_dates: DueDates, regime: Regime, right: Right, received: datetime
) -> None:
    received_at = received.replace(tzinfo=UTC)
    assert timedelta(days=15) <= due_dates.due(regime, right, received_at).strict - received_at <= timedelta(days=46)


@pytest.mark.parametrize("received", [datetime.min.replace(tzinfo=UTC), at("1999-12-31T00:00:00Z")])
@pytest.mark.parametrize("regime", list(Regime))
def test_no_due_date_is_made_up_where_no_law_was_in_force(
    due_dates: DueDates, regime: Regime, received: datetime
) -> None:
    with pytest.raises(Refused) as refused:
        due_dates.due(regime, Right.ACCESS, received)
    assert (refused.value.reason, refused.value.field) == ("NO_RULE_IN_FORCE", "received_at")
