"""Deep Synthesis 10 and GDPR 22(3): people decide on what screening would not allow, and users may appeal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from candor_generation.domain import review as rules
from candor_generation.domain.generation import Decision
from candor_generation.domain.refusal import Refused
from candor_generation.domain.review import Outcome, Reason, Review, State
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 11, 22, tzinfo=UTC)
RELEASED, UPHELD = Outcome.RELEASED, Outcome.UPHELD


def opened(decision: Decision = Decision.BLOCK) -> Review:
    return Review("019aa000-0000-7000-8000-000000000000", decision, State.OPEN, NOW, NOW)


def decide(review: Review, by: str, outcome: Outcome) -> Review:
    reason = Reason.FALSE_HIT if outcome is RELEASED else Reason.CONFIRMED
    return rules.decide(review, by, outcome, reason, NOW)


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.reason


@pytest.mark.clause("Deep Synthesis 10")
def test_what_was_only_to_be_looked_at_is_released_by_one_person() -> None:
    done = decide(opened(Decision.REVIEW), "alice", RELEASED)
    assert (done.state, done.outcome) == (State.DECIDED, RELEASED)


@pytest.mark.clause("Deep Synthesis 10")
def test_what_was_blocked_is_released_by_two_persons() -> None:
    first = decide(opened(), "alice", RELEASED)
    assert (first.state, first.outcome) == (State.RELEASE_PROPOSED, None)
    assert refusal(lambda: decide(first, "alice", RELEASED)) == "SAME_PERSON"
    second = decide(first, "bob", RELEASED)
    assert (second.state, second.outcome, len(second.steps)) == (State.DECIDED, RELEASED, 2)


def test_the_second_person_may_disagree() -> None:
    done = decide(decide(opened(), "alice", RELEASED), "bob", UPHELD)
    assert (done.state, done.outcome) == (State.DECIDED, UPHELD)


def test_one_person_upholds() -> None:
    assert decide(opened(), "alice", UPHELD).state is State.DECIDED


@pytest.mark.clause("GDPR 22(3)")
def test_an_appeal_is_decided_by_another_person_than_the_first() -> None:
    appealed = rules.appeal(decide(opened(), "alice", UPHELD), NOW)
    assert appealed.state is State.APPEALED
    assert refusal(lambda: decide(appealed, "alice", UPHELD)) == "SAME_PERSON"
    assert refusal(lambda: rules.assign(appealed, "alice", NOW)) == "SAME_PERSON"
    done = decide(appealed, "bob", UPHELD)
    assert (done.state, done.outcome, done.steps[-1].on_appeal) == (State.DECIDED, UPHELD, True)
    assert rules.final(done)
    assert refusal(lambda: rules.appeal(done, NOW)) == "REVIEW_STATE"


def test_releasing_a_block_on_appeal_takes_two_persons_who_did_not_decide_before() -> None:
    appealed = rules.appeal(decide(opened(), "alice", UPHELD), NOW)
    first = decide(appealed, "bob", RELEASED)
    assert first.state is State.RELEASE_PROPOSED
    assert refusal(lambda: decide(first, "alice", RELEASED)) == "SAME_PERSON"
    assert decide(first, "carol", RELEASED).outcome is RELEASED


@pytest.mark.clause("Deep Synthesis 12")
def test_a_machine_alone_can_be_appealed_too_and_what_was_released_cannot() -> None:
    assert rules.appeal(opened(), NOW).state is State.APPEALED
    released = decide(opened(Decision.REVIEW), "alice", RELEASED)
    assert refusal(lambda: rules.appeal(released, NOW)) == "REVIEW_STATE"


def test_an_appeal_does_not_lose_a_proposed_release() -> None:
    appealed = rules.appeal(decide(opened(), "alice", RELEASED), NOW)
    assert appealed.state is State.RELEASE_PROPOSED
    assert decide(appealed, "bob", RELEASED).steps[-1].on_appeal


def test_a_review_that_is_given_to_somebody_is_decided_by_nobody_else() -> None:
    given_away = rules.assign(opened(), "bob", NOW + timedelta(minutes=1))
    assert refusal(lambda: decide(given_away, "alice", UPHELD)) == "REVIEW_ASSIGNED"
    assert decide(given_away, "bob", UPHELD).outcome is UPHELD
    assert decide(rules.assign(given_away, "", NOW), "alice", UPHELD).outcome is UPHELD


def test_after_a_step_anybody_else_may_go_on() -> None:
    first = decide(rules.assign(opened(), "bob", NOW), "bob", RELEASED)
    assert first.assignee == ""


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [(UPHELD, Reason.FALSE_HIT), (UPHELD, Reason.LAWFUL_CONTEXT), (RELEASED, Reason.CONFIRMED)],
)
def test_a_reason_that_speaks_against_the_outcome_is_refused(outcome: Outcome, reason: Reason) -> None:
    assert refusal(lambda: rules.decide(opened(), "alice", outcome, reason, NOW)) == "REASON_MISMATCH"


@pytest.mark.parametrize("state", [State.DECIDED, State.ERASED])
def test_nobody_decides_what_is_decided_or_erased(state: State) -> None:
    review = Review("id", Decision.BLOCK, state, NOW, NOW)
    assert refusal(lambda: decide(review, "alice", UPHELD)) == "REVIEW_STATE"
    assert refusal(lambda: rules.assign(review, "alice", NOW)) == "REVIEW_STATE"


_ACTS = st.one_of(
    st.tuples(st.sampled_from(["alice", "bob", "carol", "dave"]), st.sampled_from(list(Outcome))),
    st.just(("appeal", None)),
)


@given(st.sampled_from([Decision.REVIEW, Decision.BLOCK]), st.lists(_ACTS, max_size=12))
def test_whatever_people_do_two_of_them_agree_on_every_released_block(
    machine: Decision, acts: list[tuple[str, Outcome | None]]
) -> None:
    review, appeals = opened(machine), 0
    for who, outcome in acts:
        try:
            review = decide(review, who, outcome) if outcome else rules.appeal(review, NOW)
            appeals += outcome is None
        except Refused:
            continue
    persons = [step.by for step in review.steps]
    assert len(set(persons)) == len(persons)
    assert appeals <= 1
    if machine is Decision.BLOCK and review.outcome is RELEASED:
        assert len({step.by for step in review.steps if step.outcome is RELEASED}) >= 2
