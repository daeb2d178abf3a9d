"""Properties of the record as a whole, whatever a person does."""

from __future__ import annotations

from datetime import datetime

import pytest
from candor_consent.domain.act import Act
from candor_consent.domain.consent import State, grant, standing
from candor_consent.domain.ending import refuse_training, withdraw
from candor_consent.domain.refusal import Refused
from candor_consent.domain.training import eligibility
from hypothesis import given
from hypothesis import strategies as st

from .builders import HOUR, NOON, TRAINING, notice_of, versions_of, yes_to

VERSIONS = versions_of(TRAINING)
PURPOSES = {"training": VERSIONS}
hours = st.integers(min_value=0, max_value=12)
steps = st.lists(st.tuples(st.sampled_from(["grant", "withdraw", "refuse"]), hours, st.none() | hours), max_size=8)


def act_on(acts: list[Act], what: str, at: datetime, term: int | None) -> list[Act]:
    """Return the acts that a step adds, none when it is refused."""
    number, now = len(acts), NOON + 24 * HOUR
    new_id = iter([f"{number}-{letter}" for letter in "abcdef"]).__next__
    try:
        if what == "grant":
            command = yes_to(TRAINING, given_at=at, expires_at=at + term * HOUR if term else None)
            return [grant(command, acts, VERSIONS, [notice_of(*VERSIONS)], now, (new_id(), new_id()))]
        if what == "withdraw":
            return [withdraw(acts, VERSIONS, at, now, new_id())]
        refusal = refuse_training(acts, PURPOSES, at, now, new_id)
    except Refused:
        return []
    return [refusal.act, *refusal.withdrawals]


def record(wanted: list[tuple[str, int, int | None]]) -> list[Act]:
    acts: list[Act] = []
    for what, hour, term in wanted:
        acts += act_on(acts, what, NOON + hour * HOUR, term)
    return acts


@pytest.mark.clause("PIPL 15")
@given(steps, hours)
def test_pipl_15_what_is_done_later_never_changes_the_answer_for_an_earlier_instant(
    wanted: list[tuple[str, int, int | None]], hour: int
) -> None:
    acts, instant = record(wanted), NOON + hour * HOUR
    known_then = [act for act in acts if act.at <= instant]

    assert standing(acts, VERSIONS, instant) == standing(known_then, VERSIONS, instant)


@pytest.mark.clause("Generative AI Measures 7", "PIPL 44")
@given(steps, hours)
def test_genai_7_training_is_eligible_exactly_when_its_consent_is_given(
    wanted: list[tuple[str, int, int | None]], hour: int
) -> None:
    acts, instant = record(wanted), NOON + hour * HOUR
    answer = eligibility(acts, PURPOSES, instant)

    assert answer.eligible == (standing(acts, VERSIONS, instant).state is State.GIVEN)
    assert bool(answer.explanation) == (not answer.eligible)


@pytest.mark.clause("PIPL 44")
@given(steps, hours)
def test_pipl_44_after_a_refusal_nothing_trains_until_a_later_yes(
    wanted: list[tuple[str, int, int | None]], hour: int
) -> None:
    acts, refused_at = record(wanted), NOON + hour * HOUR
    acts += act_on(acts, "refuse", refused_at, None)

    last_yes = max((act.at for act in acts if act.deed.name == "GRANTED"), default=NOON - HOUR)
    if last_yes <= refused_at:
        assert not eligibility(acts, PURPOSES, NOON + 20 * HOUR).eligible
