"""A request from its receipt to its end."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from candor_rights.domain.holder import SERVICE_HOLDERS, Holder, HolderKind, Right
from candor_rights.domain.refusal import Refused
from candor_rights.domain.request import (
    GROUND_NOT_VERIFIED,
    DueDate,
    Identity,
    Regime,
    Request,
    State,
    all_answered,
    ask_holders,
    close,
    decide_identity,
    last_copy_expires_at,
    open_request,
    settle,
)
from candor_rights.domain.task import BackOff, Outcome, Proof, Task
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DUE = DueDate(NOW + timedelta(days=30), "GB/T 35273 8.7")
BACK_OFF = BackOff(timedelta(hours=1), timedelta(days=1))
DAY = timedelta(days=1)
VERIFIED = Identity(verified=True, method="session", evidence_ref="s-1", decided_at=NOW)


def a_request(right: Right = Right.DELETION) -> Request:
    return open_request("r-1", right, Regime.PIPL, NOW - DAY, DUE, NOW)


def in_progress(right: Right = Right.DELETION) -> Request:
    return decide_identity(a_request(right), VERIFIED)


def asked(request: Request) -> tuple[Task, ...]:
    return ask_holders(request, SERVICE_HOLDERS, ["t-1", "t-2", "t-3", "t-4"], BACK_OFF, NOW)


def answered(tasks: tuple[Task, ...], *expiries: datetime | None) -> tuple[Task, ...]:
    padded = (*expiries, *[None] * (len(tasks) - len(expiries)))
    proofs = [Proof(Outcome.DONE, (), NOW, expiry) for expiry in padded]
    return tuple(replace(task, proof=proof) for task, proof in zip(tasks, proofs, strict=True))


@pytest.mark.clause("GDPR 12(3)")
@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(minutes=5)])
def test_gdpr_12_3_a_clock_that_runs_a_little_ahead_is_tolerated(ahead: timedelta) -> None:
    request = open_request("r-1", Right.ACCESS, Regime.GDPR, NOW + ahead, DUE, NOW)
    assert request.state is State.OPEN


@pytest.mark.clause("GDPR 12(3)")
def test_gdpr_12_3_a_request_received_in_the_future_is_refused() -> None:
    received_at = NOW + timedelta(minutes=5, microseconds=1)
    with pytest.raises(Refused) as refused:
        open_request("r-1", Right.ACCESS, Regime.GDPR, received_at, DUE, NOW)
    assert (refused.value.reason, refused.value.field) == ("TIME_IN_FUTURE", "received_at")


@pytest.mark.clause("CCPA 7021")
def test_ccpa_7021_the_due_date_does_not_move_however_long_verifying_takes() -> None:
    late = replace(VERIFIED, decided_at=NOW + 20 * DAY)
    assert decide_identity(a_request(), late).due == DUE


@pytest.mark.clause("PIPL 50")
def test_pipl_50_a_request_is_taken_whoever_asks_and_verified_afterwards() -> None:
    request = a_request()
    assert (request.state, request.identity) == (State.OPEN, None)


@pytest.mark.clause("GDPR 12(6)", "PIPL 50")
def test_gdpr_12_6_who_is_not_verified_is_refused_with_a_ground() -> None:
    request = decide_identity(a_request(), replace(VERIFIED, verified=False))
    assert (request.state, request.refusal_ground) == (State.REFUSED, GROUND_NOT_VERIFIED)
    assert request.finished


@pytest.mark.clause("GDPR 12(6)")
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("second", [True, False])
def test_gdpr_12_6_an_identity_is_decided_once(*, first: bool, second: bool) -> None:
    decided = decide_identity(a_request(), replace(VERIFIED, verified=first))
    with pytest.raises(Refused) as refused:
        decide_identity(decided, replace(VERIFIED, verified=second))
    assert refused.value.reason == "IDENTITY_ALREADY_DECIDED"


@pytest.mark.clause("GDPR 19")
def test_gdpr_19_every_holder_of_the_right_gets_one_task_and_no_other_does() -> None:
    model = Holder("model-7b", "A model", HolderKind.MODEL, frozenset({Right.TRAINING_REFUSAL}))
    product = Holder("chat", "Chat", HolderKind.PRODUCT, frozenset({Right.DELETION}), "chat:50051")
    register = (*SERVICE_HOLDERS, product, model)
    tasks = ask_holders(in_progress(), register, [f"t-{n}" for n in range(6)], BACK_OFF, NOW)
    assert [task.holder_id for task in tasks] == ["consent", "escalation", "generation", "refutation", "chat"]
    assert {task.request_id for task in tasks} == {"r-1"}
    assert len({task.task_id for task in tasks}) == 5
    assert {(task.attempts, task.ask_again_at) for task in tasks} == {(1, NOW + timedelta(hours=1))}
    assert tasks[-1].holder_kind is HolderKind.PRODUCT


@pytest.mark.clause("PIPL 47")
def test_pipl_47_a_deletion_that_nobody_would_carry_out_is_refused_not_closed() -> None:
    with pytest.raises(Refused) as refused:
        ask_holders(in_progress(), (), [], BACK_OFF, NOW)
    assert refused.value.reason == "HOLDER_UNKNOWN"


@pytest.mark.clause("PIPL 15", "Generative AI Measures 11")
@pytest.mark.parametrize("right", [Right.CONSENT_WITHDRAWAL, Right.TRAINING_REFUSAL])
def test_pipl_15_a_withdrawal_closes_with_the_last_answer(right: Right) -> None:
    request = in_progress(right)
    closed = settle(request, answered(asked(request)), None, NOW)
    assert (closed.state, closed.closed_at, closed.closes_at, closed.erased_at) == (State.CLOSED, NOW, None, None)


@pytest.mark.clause("PIPL 45")
def test_pipl_45_an_access_request_goes_on_until_its_package_is_there() -> None:
    request = in_progress(Right.ACCESS)
    assert settle(request, answered(asked(request)), None, NOW) == request


@pytest.mark.clause("PIPL 47")
@pytest.mark.parametrize("right", list(Right))
def test_pipl_47_nothing_closes_while_one_holder_has_not_answered(right: Right) -> None:
    request = in_progress(right)
    one_open = (*answered(asked(request))[:-1], asked(request)[-1])
    assert settle(request, one_open, None, NOW) == request


@pytest.mark.clause("PIPL 47")
def test_pipl_47_a_deletion_without_copies_closes_at_once() -> None:
    request = in_progress()
    closed = settle(request, answered(asked(request)), None, NOW)
    assert (closed.state, closed.closed_at, closed.erased_at) == (State.CLOSED, NOW, NOW)


@pytest.mark.clause("PIPL 47")
def test_pipl_47_a_deletion_stays_open_until_the_last_copy_is_gone() -> None:
    request = in_progress()
    waiting = settle(request, answered(asked(request), NOW + DAY, NOW + 8 * DAY), NOW + 2 * DAY, NOW)
    assert (waiting.state, waiting.closes_at, waiting.erased_at) == (State.IN_PROGRESS, NOW + 8 * DAY, NOW)
    assert close(waiting, NOW + 8 * DAY).state is State.CLOSED


@pytest.mark.clause("PIPL 47")
def test_pipl_47_a_deletion_whose_last_copy_is_gone_by_now_closes_at_once() -> None:
    request = in_progress()
    closed = settle(request, answered(asked(request), NOW - DAY, NOW), None, NOW)
    assert (closed.state, closed.closes_at, closed.closed_at) == (State.CLOSED, NOW, NOW)


@pytest.mark.clause("GDPR 12(3)")
def test_gdpr_12_3_a_request_says_when_it_was_closed() -> None:
    assert close(in_progress(Right.ACCESS), NOW + DAY).closed_at == NOW + DAY


@given(
    expiries=st.lists(st.none() | st.integers(-10, 10), min_size=4, max_size=4),
    own=st.none() | st.integers(-10, 10),
    later=st.integers(0, 20),
)
@pytest.mark.clause("PIPL 47")
def test_pipl_47_no_deletion_is_closed_before_any_expiry_that_a_proof_names(
    expiries: list[int | None], own: int | None, later: int
) -> None:
    request = in_progress()
    instants = [None if days is None else NOW + days * DAY for days in expiries]
    own_at = None if own is None else NOW + own * DAY
    settled = settle(request, answered(asked(request), *instants), own_at, NOW)
    named = [at for at in (*instants, own_at) if at is not None]
    closed_at = settled.closed_at
    if closed_at is None:
        moment = NOW + later * DAY
        if settled.closes_at is not None and moment < settled.closes_at:
            with pytest.raises(ValueError, match="closes at"):
                close(settled, moment)
            return
        closed_at = close(settled, moment).closed_at
    assert closed_at is not None
    assert all(closed_at >= at for at in named)


@given(st.lists(st.none() | st.integers(0, 1000), max_size=8), st.none() | st.integers(0, 1000))
@pytest.mark.clause("PIPL 47")
def test_pipl_47_the_last_copy_is_the_latest_that_anyone_names(days: list[int | None], own: int | None) -> None:
    proofs = [Proof(Outcome.DONE, (), NOW, None if day is None else NOW + day * DAY) for day in days]
    named = [day for day in (*days, own) if day is not None]
    found = last_copy_expires_at(proofs, None if own is None else NOW + own * DAY)
    assert found == (NOW + max(named) * DAY if named else None)


def test_all_answered_needs_a_proof_of_each() -> None:
    tasks = asked(in_progress())
    assert not all_answered(tasks)
    assert not all_answered((*answered(tasks)[:3], tasks[3]))
    assert all_answered(answered(tasks))
