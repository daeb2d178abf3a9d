"""How a page gets through: by a person's channels in order, the next one as soon as one does not take it.

What a channel does not take now is tried again by it later and never dropped, while others are asked at once.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from candor_escalation.domain.paging import Delivery

WAITING = "waiting"
TAKEN = "taken"
STANDING = "standing"
REFUSED = "refused"
WITHDRAWN = "withdrawn"
ENDING = "ending"
ENDED = "ended"

TRIES = 5
"""How often a page is tried by one channel that fails; a channel that only asks to wait is waited for."""

RENEW_AGAIN = timedelta(seconds=60)
"""When what must be sent again is tried anew after it failed."""


@dataclass(frozen=True)
class Dispatch:
    """A page on its way by one channel.

    ``place`` counts from 1: the channel's place among its contact's. ``tries`` counts the claims of those who send, so
    that an answer is recorded once. A standing one was taken and is sent again at ``not_before``; a withdrawn one is
    sent no more, because somebody acknowledged or the clock stopped. What its provider keeps open (``ends``) is ending
    until the provider has been told.
    """

    page_id: str
    place: int
    channel: str
    state: str
    tries: int
    not_before: datetime
    provider_id: str = ""
    error: str = ""
    answered_at: datetime | None = None
    ends: bool = False


def answered(dispatch: Dispatch, delivery: Delivery, now: datetime) -> Dispatch:
    """The dispatch after its channel answered."""
    taken = delivery.delivered and dispatch.state != ENDING
    told = replace(
        dispatch,
        answered_at=now,
        provider_id=delivery.answer if taken else dispatch.provider_id,
        error="" if delivery.delivered else delivery.answer,
        ends=dispatch.ends or delivery.ends,
    )
    if dispatch.state == WITHDRAWN:
        return replace(told, state=ENDING, not_before=now) if taken and delivery.ends else told
    state, wait = _next(dispatch, delivery)
    return replace(told, state=state, not_before=told.not_before if wait is None else now + wait)


def stale(sent: Dispatch, current: Dispatch) -> bool:
    """Whether what was sent is not what is waited for (any more); one that was withdrawn on its way still is."""
    return current.tries != sent.tries or current.state not in {sent.state, WITHDRAWN}


def _next(dispatch: Dispatch, delivery: Delivery) -> tuple[str, timedelta | None]:
    """The state after an answer, and when it is sent again, if so."""
    if dispatch.state == ENDING:
        return _next_end(dispatch, delivery)
    if delivery.delivered:
        return (TAKEN if delivery.renew_after is None else STANDING), delivery.renew_after
    if dispatch.state == STANDING:
        return STANDING, RENEW_AGAIN
    if delivery.retry_after is None or (dispatch.tries >= TRIES and not delivery.limited):
        return REFUSED, None
    return WAITING, delivery.retry_after


def _next_end(dispatch: Dispatch, delivery: Delivery) -> tuple[str, timedelta | None]:
    """What becomes of telling a provider that it is over: tried again a few times, then left to the provider."""
    over = delivery.delivered or delivery.retry_after is None or dispatch.tries >= TRIES
    return (ENDED, None) if over else (ENDING, delivery.retry_after)


def worth_waiting(delivery: Delivery, time_to_answer: timedelta) -> bool:
    """Whether a channel that only asks to wait takes the page before its person's time to answer would have passed."""
    return delivery.limited and delivery.retry_after is not None and delivery.retry_after <= time_to_answer
