"""An order to delete a model: asked and answered as tasks are (test_tasks.py), by whom its holder's kind admits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from candor_rights.domain.holder import SERVICE_HOLDERS, Holder, HolderKind
from candor_rights.domain.order import ModelDeletion, ordered
from candor_rights.domain.refusal import Refused
from candor_rights.domain.task import Answerer, BackOff, Outcome, Proof, answer, ask_again

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
BACK_OFF = BackOff(timedelta(minutes=1), timedelta(hours=1))
DONE = Proof(Outcome.DONE, (), NOON)
BACKEND = Answerer("shop", is_service=False, is_backend=True)
MODEL = Holder("model-7", "A model", HolderKind.MODEL, frozenset())


def order(registered: Holder | None = None, holder_id: str = "model-7") -> ModelDeletion:
    return ordered("o", "i", NOON, holder_id, registered, BACK_OFF, NOON)


@pytest.mark.clause("Generative AI Measures 7")
@pytest.mark.parametrize("registered", [MODEL, None])
def test_the_holder_of_a_model_is_asked_until_it_answers(registered: Holder | None) -> None:
    first = order(registered)
    again = ask_again(first, BACK_OFF, NOON + timedelta(minutes=1))
    assert (first.attempts, again.attempts) == (1, 2)
    assert first.ask_again_at == NOON + timedelta(minutes=1)
    assert again.ask_again_at == NOON + timedelta(minutes=3)

    answered = answer(again, "model-7", DONE, BACKEND, NOON)
    assert (answered.proof, answered.ask_again_at) == (DONE, None)
    assert (answered.order_id, answered.incident_id, answered.ordered_at) == ("o", "i", NOON)
    assert answer(answered, "model-7", DONE, BACKEND, NOON) is answered


@pytest.mark.clause("Generative AI Measures 7")
def test_another_holder_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        answer(order(), "model-8", DONE, BACKEND, NOON)
    assert refused.value.reason == "WRONG_HOLDER"


@pytest.mark.clause("Generative AI Measures 7")
def test_a_backend_does_not_answer_for_a_service_nor_a_service_for_a_model() -> None:
    generation = next(holder for holder in SERVICE_HOLDERS if holder.holder_id == "generation")
    service = Answerer("generation", is_service=True, is_backend=False)
    for deletion, answerer in ((order(generation, "generation"), BACKEND), (order(), service)):
        with pytest.raises(Refused) as refused:
            answer(deletion, deletion.holder_id, DONE, answerer, NOON)
        assert refused.value.reason == "WRONG_HOLDER"
