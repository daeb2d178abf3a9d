"""A task: asked until answered, answered once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from candor_rights.domain.holder import HolderKind
from candor_rights.domain.refusal import Refused
from candor_rights.domain.task import Answerer, BackOff, KindCount, Outcome, Proof, Task, answer, ask_again
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
PROOF = Proof(Outcome.DONE, (KindCount("generation", 3),), NOW, NOW + timedelta(days=8))
TASK = Task(
    "t-1",
    "r-1",
    holder_id="generation",
    holder_kind=HolderKind.SERVICE,
    attempts=1,
    asked_at=NOW,
    ask_again_at=NOW + HOUR,
)
BY_TOPIC = Answerer("", is_service=True, is_backend=True)
BACKEND = Answerer("shop", is_service=False, is_backend=True)
BACK_OFF = BackOff(HOUR, timedelta(days=1))


def service(name: str) -> Answerer:
    return Answerer(name, is_service=True, is_backend=False)


def test_an_answer_is_kept_and_ends_the_asking() -> None:
    done = answer(TASK, "generation", PROOF, BY_TOPIC, NOW)
    assert (done.proof, done.ask_again_at) == (PROOF, None)


def test_the_same_proof_again_changes_nothing() -> None:
    done = answer(TASK, "generation", PROOF, BY_TOPIC, NOW)
    assert answer(done, "generation", replace(PROOF), BY_TOPIC, NOW + HOUR) is done


@pytest.mark.parametrize(
    "other",
    [
        replace(PROOF, outcome=Outcome.NOTHING_HELD),
        replace(PROOF, kinds=(KindCount("generation", 2),)),
        replace(PROOF, completed_at=NOW - HOUR),
        replace(PROOF, last_copy_expires_at=None),
    ],
)
@pytest.mark.clause("GDPR 19")
def test_gdpr_19_another_proof_for_an_answered_task_is_refused(other: Proof) -> None:
    done = answer(TASK, "generation", PROOF, BY_TOPIC, NOW)
    with pytest.raises(Refused) as refused:
        answer(done, "generation", other, BY_TOPIC, NOW)
    assert refused.value.reason == "TASK_ANSWERED"


@pytest.mark.clause("GDPR 19")
def test_gdpr_19_the_answer_must_name_the_holder_that_was_asked() -> None:
    with pytest.raises(Refused) as refused:
        answer(TASK, "consent", PROOF, service("consent"), NOW)
    assert refused.value.reason == "WRONG_HOLDER"


@pytest.mark.parametrize("answerer", [service("consent"), service("escalation"), BACKEND])
def test_nobody_but_the_service_itself_answers_for_a_service(answerer: Answerer) -> None:
    with pytest.raises(Refused) as refused:
        answer(TASK, "generation", PROOF, answerer, NOW)
    assert refused.value.reason == "WRONG_HOLDER"


def test_a_service_answers_for_itself() -> None:
    assert answer(TASK, "generation", PROOF, service("generation"), NOW).proof == PROOF


@pytest.mark.parametrize("kind", [HolderKind.PRODUCT, HolderKind.DATA_SET, HolderKind.MODEL])
def test_a_backend_answers_for_its_products_data_sets_and_models(kind: HolderKind) -> None:
    task = replace(TASK, holder_id="corpus-2026", holder_kind=kind)
    assert answer(task, "corpus-2026", PROOF, BACKEND, NOW).proof == PROOF


def test_work_done_in_the_future_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        answer(TASK, "generation", replace(PROOF, completed_at=NOW + HOUR), BY_TOPIC, NOW)
    assert (refused.value.reason, refused.value.field) == ("TIME_IN_FUTURE", "proof.completed_at")


@pytest.mark.clause("PIPL 47")
def test_pipl_47_a_holder_that_does_not_answer_is_asked_again_under_the_same_task() -> None:
    again = ask_again(TASK, BACK_OFF, NOW + HOUR)
    assert (again.task_id, again.attempts, again.asked_at) == ("t-1", 2, NOW + HOUR)
    assert again.ask_again_at == NOW + 3 * HOUR


def test_the_wait_doubles_to_a_day() -> None:
    hours = [BACK_OFF.after(attempt) / HOUR for attempt in range(1, 9)]
    assert hours == [1, 2, 4, 8, 16, 24, 24, 24]


@given(st.integers(1, 10**9))
@pytest.mark.clause("PIPL 47")
def test_pipl_47_asking_never_ends_and_never_hurries(attempts: int) -> None:
    wait = BACK_OFF.after(attempts)
    assert HOUR <= wait <= timedelta(days=1)
    assert BACK_OFF.after(attempts + 1) >= wait
