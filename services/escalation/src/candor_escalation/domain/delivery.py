"""Whether a channel took a page. An HTTP 200 alone says nothing: group robots answer errors with it."""

import json

from candor_escalation.domain.paging import Delivery

LONGEST_ANSWER = 500
"""Characters of a channel's answer that are kept."""

_ERROR_CODES = ("errcode", "code", "StatusCode")
_IDENTIFIERS = ("id", "message_id", "messageId", "msg_id", "dedup_key", "uuid")
_GOOD = range(200, 300)


def judge(status: int, body: str) -> Delivery:
    """What an answer says.

    Args:
        status: The HTTP status; a redirect is no delivery.
        body: The answer's text. DingTalk and WeCom put a number other than 0 into ``errcode``, Feishu into ``code``,
            others ``"ok": false``.
    """
    answer = _object(body)
    error = _error(answer)
    if status not in _GOOD:
        return Delivery(delivered=False, answer=_short(f"HTTP {status}: {body}"))
    if error:
        return Delivery(delivered=False, answer=_short(f"{error}: {body}"))
    identifier = next((str(answer[key]) for key in _IDENTIFIERS if answer.get(key)), "")
    return Delivery(delivered=True, answer=_short(identifier or body))


def failed(error: str) -> Delivery:
    """No answer came."""
    return Delivery(delivered=False, answer=_short(error))


def _object(body: str) -> dict[str, object]:
    try:
        answer = json.loads(body)
    except ValueError:
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
