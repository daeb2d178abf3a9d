"""A person's look at what screening would not simply allow.

    open ──uphold──────────────► decided ──appeal──► appealed ──► decided (on appeal: nothing follows)
      │ └─release (a review)───►
      └─release (a block)─► release proposed ──a second person agrees──► decided
                                            └─a second person does not─► decided (upheld)

What was blocked is released by two persons only. An appeal is decided by nobody who decided before.

Source: Deep Synthesis 10; GDPR 22(3)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from candor_generation.domain.generation import Decision
from candor_generation.domain.refusal import Refused


class State(StrEnum):
    """Where a review stands."""

    OPEN = "open"
    RELEASE_PROPOSED = "release_proposed"
    DECIDED = "decided"
    APPEALED = "appealed"
    ERASED = "erased"


WAITING = (State.OPEN, State.RELEASE_PROPOSED, State.APPEALED)
"""The states in which a person is waited for."""


class Outcome(StrEnum):
    """What a person decided: screening was right, or the content may be shown."""

    UPHELD = "upheld"
    RELEASED = "released"


class Reason(StrEnum):
    """Why, as a code: a leaf of the log and a fact hold no free text."""

    CONFIRMED = "confirmed"
    FALSE_HIT = "false_hit"
    LAWFUL_CONTEXT = "lawful_context"
    JUDGEMENT = "judgement"


@dataclass(frozen=True)
class Step:
    """What one person decided."""

    by: str
    outcome: Outcome
    reason: Reason
    on_appeal: bool
    at: datetime


@dataclass(frozen=True)
class Review:
    """One generation's review. `outcome` is the latest decision in effect; `assignee` is "" where anybody may."""

    generation_id: str
    machine_decision: Decision
    state: State
    opened_at: datetime
    changed_at: datetime
    outcome: Outcome | None = None
    assignee: str = ""
    appealed_at: datetime | None = None
    steps: tuple[Step, ...] = ()


def assign(review: Review, assignee: str, now: datetime) -> Review:
    """Give a review to one person, or back to everybody ("").

    Raises:
        Refused: REVIEW_STATE, nobody is waited for; SAME_PERSON, that person decided before.

    Source: Deep Synthesis 10
    """
    _check_waiting(review)
    if assignee:
        _check_another(review, assignee)
    return replace(review, assignee=assignee, changed_at=now)


def decide(review: Review, by: str, outcome: Outcome, reason: Reason, now: datetime) -> Review:
    """Take one person's decision; the state says whether it is enough.

    Raises:
        Refused: REVIEW_STATE, nobody is waited for; REVIEW_ASSIGNED, it is given to somebody else; SAME_PERSON, who
            decides has decided before; REASON_MISMATCH, the reason speaks against the outcome.

    Source: Deep Synthesis 10; GDPR 22(3)
    """
    _check_waiting(review)
    if review.assignee not in {"", by}:
        raise Refused("REVIEW_ASSIGNED", "the review is given to somebody else; assign it first")
    _check_another(review, by)
    _check_reason(outcome, reason)
    step = Step(by, outcome, reason, review.appealed_at is not None, now)
    taken = replace(review, steps=(*review.steps, step), assignee="", changed_at=now)
    if _needs_second(review, outcome):
        return replace(taken, state=State.RELEASE_PROPOSED)
    return replace(taken, state=State.DECIDED, outcome=outcome)


def appeal(review: Review, now: datetime) -> Review:
    """Take the user's appeal, once: of what screening decided or of what a person did. It goes to the queue's front.

    Raises:
        Refused: REVIEW_STATE, it was released, appealed before or erased.

    Source: GDPR 22(3); Deep Synthesis 12
    """
    if review.appealed_at is not None:
        raise Refused("REVIEW_STATE", "the generation was appealed before")
    if review.state is State.ERASED or review.outcome is Outcome.RELEASED:
        raise Refused("REVIEW_STATE", f"the review is {review.outcome or review.state}; there is nothing to appeal")
    # A release that one person has proposed stands: a second one now decides it as an appeal.
    state = review.state if review.state is State.RELEASE_PROPOSED else State.APPEALED
    return replace(review, state=state, appealed_at=now, changed_at=now, assignee="")


def final(review: Review) -> bool:
    """Whether nothing can follow."""
    return review.state is State.ERASED or (review.state is State.DECIDED and review.appealed_at is not None)


def _needs_second(review: Review, outcome: Outcome) -> bool:
    """Four eyes: one person alone does not release what was blocked."""
    blocked = review.machine_decision is Decision.BLOCK
    return blocked and outcome is Outcome.RELEASED and review.state is not State.RELEASE_PROPOSED


def _check_waiting(review: Review) -> None:
    if review.state not in WAITING:
        raise Refused("REVIEW_STATE", f"the review is {review.state}; nobody is waited for")


def _check_another(review: Review, person: str) -> None:
    if any(step.by == person for step in review.steps):
        raise Refused("SAME_PERSON", "who decided before does not decide again; another person does")


def _check_reason(outcome: Outcome, reason: Reason) -> None:
    against = {Outcome.UPHELD: {Reason.FALSE_HIT, Reason.LAWFUL_CONTEXT}, Outcome.RELEASED: {Reason.CONFIRMED}}
    if reason in against[outcome]:
        raise Refused("REASON_MISMATCH", f"{reason} is no reason for {outcome}", field="reason")
