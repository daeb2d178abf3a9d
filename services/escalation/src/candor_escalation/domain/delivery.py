"""Whether a channel took a page. An HTTP 200 alone says nothing: group robots answer errors with it."""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from candor_escalation.domain.paging import Delivery

LONGEST_ANSWER = 500
"""Characters of a channel's answer that are kept."""

RETRY_AFTER = timedelta(seconds=10)
"""When a channel that failed, or did not answer, is tried again."""

LIMITED_FOR = timedelta(seconds=60)
"""How long a channel is left alone that says "too many" without saying for how long."""

_ERROR_CODES = ("errcode", "code", "StatusCode")
_IDENTIFIERS = ("id", "message_id", "messageId", "msg_id", "dedup_key", "uuid")
_GOOD = range(200, 300)
_TOO_MANY = 429
_FAULTS = range(500, 600)
_LONGEST_WAIT = timedelta(hours=1)
_SHORTEST_SECRET = 6


def judge(status: int, body: str) -> Delivery:
    """What an answer says.

    Args:
        status: The HTTP status; a redirect is no delivery.
        body: The answer's text. DingTalk and WeCom put a number other than 0 into ``errcode``, Feishu into ``code``,
            others ``"ok": false``.
    """
    answer = object_of(body)
    error = _error(answer)
    if status not in _GOOD:
        return Delivery(delivered=False, answer=_short(f"HTTP {status}: {body}"))
    if error:
        return Delivery(delivered=False, answer=_short(f"{error}: {body}"))
    identifier = next((str(answer[key]) for key in _IDENTIFIERS if answer.get(key)), "")
    return Delivery(delivered=True, answer=_short(identifier or body))


def by_status(status: int, body: str, wait: str = "") -> Delivery | None:
    """What the status alone says: that it was not taken, and whether to try again; None for a good one.

    Args:
        status: The HTTP status.
        body: The answer's text.
        wait: Its header Retry-After, as seconds (RFC 9110, 10.2.3); a date is taken as not said.
    """
    if status in _GOOD:
        return None
    told = Delivery(delivered=False, answer=_short(f"HTTP {status}: {body}"))
    if status == _TOO_MANY:
        return limited(told.answer, timedelta(seconds=int(wait)) if wait.isdecimal() and len(wait) < 8 else LIMITED_FOR)  # noqa: PLR2004 - a number of seconds that means something
    return replace(told, retry_after=RETRY_AFTER) if status in _FAULTS else told


def by_code(body: str, key: str, codes_of_limits: Iterable[int], *, wait: timedelta) -> Delivery:
    """What a group robot answers: taken only where the body is an object in which ``key`` is the number 0.

    Args:
        body: The answer's text, whatever its status was.
        key: ``code`` or ``errcode``.
        codes_of_limits: The codes by which it says that too much is sent.
        wait: How long it is left alone then.
    """
    code = object_of(body).get(key)
    if isinstance(code, bool) or not isinstance(code, int):
        return Delivery(delivered=False, answer=_short(f"no {key} in the answer: {body}"), retry_after=RETRY_AFTER)
    if code == 0:
        return Delivery(delivered=True, answer=_short(body))
    told = _short(f"{key} {code}: {body}")
    return limited(told, wait) if code in set(codes_of_limits) else Delivery(delivered=False, answer=told)


def limited(error: str, wait: timedelta) -> Delivery:
    """Too much is sent by this channel: it is tried again after ``wait``."""
    return Delivery(delivered=False, answer=_short(error), retry_after=min(wait, _LONGEST_WAIT), limited=True)


def failed(error: str) -> Delivery:
    """No answer came."""
    return Delivery(delivered=False, answer=_short(error))


def unanswered(error: str) -> Delivery:
    """No answer came, and none was promised: it may have been taken, so what is sent again carries the same id."""
    return replace(failed(error), retry_after=RETRY_AFTER)


def without(delivery: Delivery, secrets: Iterable[str]) -> Delivery:
    """The delivery, with whatever secret the provider repeated in its answer struck out."""
    answer = delivery.answer
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            answer = answer.replace(secret, "***")
    return replace(delivery, answer=answer)


def object_of(body: str) -> dict[str, object]:
    """The JSON object that a body is; empty for anything else."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _error(answer: dict[str, object]) -> str:
    for key in _ERROR_CODES:
        code = answer.get(key)
        if isinstance(code, int) and code not in {0, 200}:
            return f"{key} {code}"
    if answer.get("ok") is False or answer.get("success") is False:
        return "refused"
    return ""


def _short(text: str) -> str:
    return " ".join(text.split())[:LONGEST_ANSWER]
