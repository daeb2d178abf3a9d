"""Whether a person's data may train a model at an instant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from candor_consent.domain.act import Act, Deed
from candor_consent.domain.consent import State, standing
from candor_consent.domain.purpose import Purpose, version_of

# Why not, the weightiest first.
_WHY_NOT = (
    (State.WITHDRAWN, "PIPL 15", "The person took consent to training back."),
    (
        State.OUTDATED,
        "PIPL 14",
        "The purpose of training has changed since the person agreed; fresh consent is needed.",
    ),
    (State.EXPIRED, "PIPL 13(1)", "The person's consent to training has run out."),
)


@dataclass(frozen=True)
class Eligibility:
    """The answer, the purposes that allow it, the clause, and why not in plain words (empty when eligible)."""

    eligible: bool
    purpose_ids: tuple[str, ...]
    citation: str
    explanation: str


def eligibility(acts: Sequence[Act], purposes: Mapping[str, Sequence[Purpose]], at: datetime) -> Eligibility:
    """Say whether a person's data may be used for training: some purpose of training has consent at the instant.

    A refusal of training ends every consent to it that was given before; a grant after the refusal lifts it.

    Args:
        acts: of one person, in the order they were recorded.
        purposes: purpose_id -> versions, oldest first.
        at: any instant.

    Source: Generative AI Measures 7; PIPL 44
    """
    # 1. Where consent to each purpose of training stands.
    stand = {
        purpose_id: standing(acts, versions, at)
        for purpose_id, versions in sorted(purposes.items())
        if any(version.training for version in versions)
    }
    # 2. One that is given is enough.
    allowing = tuple(
        name for name, one in stand.items() if one.allowed and one.grant and for_training(one.grant, purposes)
    )
    if allowing:
        return Eligibility(eligible=True, purpose_ids=allowing, citation="Generative AI Measures 7", explanation="")
    # 3. Otherwise say why not: what the person said goes before what merely ran out.
    if refusal_stands(acts, purposes, at):
        return _no("PIPL 44", "The person refused the training of models and has not agreed since.")
    states = {one.state for one in stand.values()}
    return next(
        (_no(citation, why) for state, citation, why in _WHY_NOT if state in states),
        _no("Generative AI Measures 7", "No consent to training is on record."),
    )


def refusal_stands(acts: Sequence[Act], purposes: Mapping[str, Sequence[Purpose]], at: datetime) -> bool:
    """Tell whether the person's last word on training up to an instant is a refusal.

    Source: PIPL 44
    """
    words = [act for act in acts if act.at <= at and (act.deed is Deed.TRAINING_REFUSED or for_training(act, purposes))]
    last = max(enumerate(words), key=lambda place: (place[1].at, place[0]), default=None)
    return last is not None and last[1].deed is Deed.TRAINING_REFUSED


def for_training(act: Act, purposes: Mapping[str, Sequence[Purpose]]) -> bool:
    """Tell whether an act is a grant to train models."""
    version = version_of(purposes.get(act.purpose_id, ()), act.purpose_version)
    return act.deed is Deed.GRANTED and version is not None and version.training


def _no(citation: str, explanation: str) -> Eligibility:
    return Eligibility(eligible=False, purpose_ids=(), citation=citation, explanation=explanation)
