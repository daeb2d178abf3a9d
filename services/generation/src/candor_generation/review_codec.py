"""The review queue's messages to domain and back."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from candor.generation.v1 import facts_pb2, model_pb2, review_pb2
from candor_kit.errors import EDGE

from candor_generation.codec import timestamp, verdict_message
from candor_generation.domain.generation import Decision, Verdict
from candor_generation.domain.review import WAITING, Outcome, Reason, Review, State, Step
from candor_generation.library_codec import DECISIONS
from candor_generation.store.reviews import Place

_STATES = {
    State.OPEN: model_pb2.REVIEW_STATE_OPEN,
    State.RELEASE_PROPOSED: model_pb2.REVIEW_STATE_RELEASE_PROPOSED,
    State.DECIDED: model_pb2.REVIEW_STATE_DECIDED,
    State.APPEALED: model_pb2.REVIEW_STATE_APPEALED,
    State.ERASED: model_pb2.REVIEW_STATE_ERASED,
}
_OUTCOMES = {
    Outcome.UPHELD: model_pb2.REVIEW_OUTCOME_UPHELD,
    Outcome.RELEASED: model_pb2.REVIEW_OUTCOME_RELEASED,
}
_REASONS = {
    Reason.CONFIRMED: model_pb2.REVIEW_REASON_CONFIRMED,
    Reason.FALSE_HIT: model_pb2.REVIEW_REASON_FALSE_HIT,
    Reason.LAWFUL_CONTEXT: model_pb2.REVIEW_REASON_LAWFUL_CONTEXT,
    Reason.JUDGEMENT: model_pb2.REVIEW_REASON_JUDGEMENT,
}
_STATE_OF = {number: state for state, number in _STATES.items()}
_OUTCOME_OF = {number: outcome for outcome, number in _OUTCOMES.items()}
_REASON_OF = {number: reason for reason, number in _REASONS.items()}


def states_of(numbers: Iterable[model_pb2.ReviewState.ValueType]) -> tuple[State, ...]:
    """States that are asked for; none asks for those in which a person is waited for."""
    return tuple(_STATE_OF[number] for number in numbers if number) or WAITING


def decision_of(request: review_pb2.DecideReviewRequest) -> tuple[Outcome, Reason]:
    """What is decided, and why."""
    return _OUTCOME_OF[request.outcome], _REASON_OF[request.reason]


def review_message(review: Review) -> review_pb2.Review:
    """A review as colleagues see it."""
    message = outside_message(review)
    message.assignee = review.assignee
    message.steps.extend(_step_message(step) for step in review.steps)
    return message


def outside_message(review: Review) -> review_pb2.Review:
    """A review as a backend sees it: without who decides."""
    return review_pb2.Review(
        generation_id=review.generation_id,
        machine_decision=DECISIONS[review.machine_decision],
        state=_STATES[review.state],
        outcome=_OUTCOMES[review.outcome] if review.outcome else model_pb2.REVIEW_OUTCOME_UNSPECIFIED,
        opened_at=timestamp(review.opened_at),
        changed_at=timestamp(review.changed_at),
        appealed=review.appealed_at is not None,
    )


def text_message(
    subject: str, product: str, prompt: str, output: str, verdict: Verdict, statement: str, notes: Sequence[str]
) -> review_pb2.ReviewedText:
    """What a review is about."""
    return review_pb2.ReviewedText(
        subject=subject,
        product=product,
        prompt=prompt,
        output=output,
        verdict=verdict_message(verdict),
        statement=statement,
        notes=notes,
    )


def decided(review: Review, subject: str, product: str, verdict: Verdict) -> facts_pb2.ReviewDecided:
    """The fact that a review is decided; its last step says by which reason."""
    step = review.steps[-1]
    return facts_pb2.ReviewDecided(
        generation_id=review.generation_id,
        subject=subject,
        product=product,
        machine_decision=DECISIONS[review.machine_decision],
        outcome=_OUTCOMES[step.outcome],
        reason=_REASONS[step.reason],
        on_appeal=step.on_appeal,
        categories=sorted({hit.category for hit in verdict.hits}),
        feature_ids=sorted({hit.feature_id for hit in verdict.hits}),
        library_digest=verdict.library_digest,
        decided_at=timestamp(step.at),
    )


def appealed(review: Review, subject: str, product: str, at: datetime) -> facts_pb2.ReviewAppealed:
    """The fact that the user appeals."""
    return facts_pb2.ReviewAppealed(
        generation_id=review.generation_id,
        subject=subject,
        product=product,
        machine_decision=DECISIONS[review.machine_decision],
        outcome=_OUTCOMES[review.outcome] if review.outcome else model_pb2.REVIEW_OUTCOME_UNSPECIFIED,
        appealed_at=timestamp(at),
    )


def leaf(review: Review, library_digest: bytes) -> dict[str, Any]:
    """What the log says for ever of a decision: codes, times and the generation's id, and nothing of a person."""
    step = review.steps[-1]
    return {
        "generation": review.generation_id,
        "machine": review.machine_decision.name.lower(),
        "outcome": step.outcome.value,
        "reason": step.reason.value,
        "appeal": step.on_appeal,
        "state": review.state.value,
        "persons": len({item.by for item in review.steps}),
        "library": library_digest.hex(),
        "at": step.at.isoformat(timespec="microseconds"),
    }


def token(review: Review) -> str:
    """Where the next page begins."""
    unappealed, unblocked = review.appealed_at is None, review.machine_decision is not Decision.BLOCK
    place = [unappealed, unblocked, review.opened_at.isoformat(), review.generation_id]
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def place_of(page_token: str) -> Place | None:
    """Where a page begins; None is the queue's front.

    Raises:
        Refusal: INVALID_FIELD, no answer gave this token.
    """
    if not page_token:
        return None
    try:
        unappealed, unblocked, at, generation_id = json.loads(base64.urlsafe_b64decode(page_token.encode("ascii")))
        return Place(bool(unappealed), bool(unblocked), datetime.fromisoformat(at), str(UUID(generation_id)))
    except (ValueError, TypeError, AttributeError, binascii.Error) as error:
        raise EDGE.refusal("INVALID_FIELD", "page_token must be one that an answer gave", field="page_token") from error


def _step_message(step: Step) -> review_pb2.ReviewStep:
    return review_pb2.ReviewStep(
        by=step.by,
        outcome=_OUTCOMES[step.outcome],
        reason=_REASONS[step.reason],
        on_appeal=step.on_appeal,
        at=timestamp(step.at),
    )
