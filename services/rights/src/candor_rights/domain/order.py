"""An order of an authority to delete a model: its holder is asked until it proves that the model is gone."""

from dataclasses import dataclass
from datetime import datetime

from candor_rights.domain.holder import Holder, HolderKind
from candor_rights.domain.task import Ask, BackOff


@dataclass(frozen=True)
class ModelDeletion(Ask):
    """A holder is asked to delete a model that an authority ordered to be deleted."""

    order_id: str
    incident_id: str
    ordered_at: datetime


def ordered(
    order_id: str,
    incident_id: str,
    ordered_at: datetime,
    holder_id: str,
    registered: Holder | None,
    back_off: BackOff,
    now: datetime,
) -> ModelDeletion:
    """Return the order as its holder is asked for the first time; one that is not registered counts as a model.

    Source: Generative AI Measures 7
    """
    return ModelDeletion(
        order_id,
        incident_id,
        ordered_at,
        holder_id=holder_id,
        holder_kind=registered.kind if registered else HolderKind.MODEL,
        attempts=1,
        asked_at=now,
        ask_again_at=now + back_off.after(1),
    )
