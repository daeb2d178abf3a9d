from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from candor_rights.domain.order import answer, ask_again, ordered
from candor_rights.domain.refusal import Refused
from candor_rights.domain.task import BackOff, Outcome, Proof

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
BACK_OFF = BackOff(timedelta(minutes=1), timedelta(hours=1))
ORDERED = ordered("o", "i", "model-7", NOON, BACK_OFF, NOON)
DONE = Proof(Outcome.DONE, (), NOON)


@pytest.mark.clause("Generative AI Measures 7")
def test_the_holder_of_a_model_is_asked_until_it_answers() -> None:
    again = ask_again(ORDERED, BACK_OFF, NOON + timedelta(minutes=1))
    assert (ORDERED.attempts, again.attempts) == (1, 2)
    assert ORDERED.ask_again_at == NOON + timedelta(minutes=1)
    assert again.ask_again_at == NOON + timedelta(minutes=3)

    answered = answer(again, "model-7", DONE, NOON)
    assert (answered.proof, answered.ask_again_at) == (DONE, None)
    assert answer(answered, "model-7", DONE, NOON) is answered


@pytest.mark.clause("Generative AI Measures 7")
@pytest.mark.parametrize(
    ("holder", "proof", "reason"),
    [
        ("model-8", DONE, "WRONG_HOLDER"),
        ("model-7", Proof(Outcome.DONE, (), NOON + timedelta(minutes=6)), "TIME_IN_FUTURE"),
    ],
)
def test_another_holder_or_a_future_proof_is_refused(holder: str, proof: Proof, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        answer(ORDERED, holder, proof, NOON)
    assert refused.value.reason == reason


def test_an_answer_that_differs_from_the_one_on_record_is_refused() -> None:
    answered = answer(ORDERED, "model-7", DONE, NOON)
    with pytest.raises(Refused) as refused:
        answer(answered, "model-7", Proof(Outcome.NOTHING_HELD, (), NOON), NOON)
    assert refused.value.reason == "TASK_ANSWERED"
