"""An order of an authority to delete a model: its holder is asked until it proves that the model is gone."""

from dataclasses import dataclass, replace
from datetime import datetime

from candor_rights.domain.refusal import Refused
from candor_rights.domain.task import CLOCK_TOLERANCE, BackOff, Proof


@dataclass(frozen=True)
class ModelDeletion:
    """A model that is to be deleted. `ask_again_at` is absent once its holder has answered; `attempts` from 1."""

    order_id: str
    incident_id: str
    holder_id: str
    ordered_at: datetime
    attempts: int
    asked_at: datetime
    ask_again_at: datetime | None
    proof: Proof | None = None


def ordered(
    order_id: str, incident_id: str, holder_id: str, ordered_at: datetime, back_off: BackOff, now: datetime
) -> ModelDeletion:
    """Return the order as its holder is asked for the first time.

    Source: Generative AI Measures 7
    """
    return ModelDeletion(order_id, incident_id, holder_id, ordered_at, 1, now, now + back_off.after(1))


def ask_again(deletion: ModelDeletion, back_off: BackOff, now: datetime) -> ModelDeletion:
    """Return the unanswered order as asked once more."""
    attempts = deletion.attempts + 1
    return replace(deletion, attempts=attempts, asked_at=now, ask_again_at=now + back_off.after(attempts))


def answer(deletion: ModelDeletion, holder_id: str, proof: Proof, now: datetime) -> ModelDeletion:
    """Return the order with its answer; the very same when it had this answer already.

    Raises:
        Refused: WRONG_HOLDER, TASK_ANSWERED, TIME_IN_FUTURE.

    Source: Generative AI Measures 7
    """
    if deletion.holder_id != holder_id:
        raise Refused("WRONG_HOLDER", f"the order was put to {deletion.holder_id}", field="holder_id")
    if deletion.proof == proof:
        return deletion
    if deletion.proof is not None:
        raise Refused("TASK_ANSWERED", "the order has another answer on record", field="proof")
    if proof.completed_at > now + CLOCK_TOLERANCE:
        raise Refused("TIME_IN_FUTURE", "the work cannot be done in the future", field="proof.completed_at")
    return replace(deletion, proof=proof, ask_again_at=None)
