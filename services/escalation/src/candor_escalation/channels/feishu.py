"""A group robot of Feishu (Lark).

Spec: Feishu custom bot. It answers 200 whatever happened; only ``code`` 0 is success. Its signature is HMAC-SHA256 of
the empty message, keyed by timestamp, line break and secret, and stands in the body.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import ClassVar

from candor_escalation.channels.base import Channel, judged_by_code
from candor_escalation.channels.wire import Wire
from candor_escalation.domain.notice import Notice
from candor_escalation.domain.paging import Delivery
from candor_escalation.domain.throttle import Limit

TOO_MANY = (11232,)


class Feishu(Channel):
    """Posts to the robot at ``url``, signed with ``secret`` if it has one; ``mention`` are user ids."""

    kind: ClassVar[str] = "feishu"
    limits: ClassVar[tuple[Limit, ...]] = (Limit(5, timedelta(seconds=1)), Limit(100, timedelta(minutes=1)))

    def __init__(self, url: str, secret: str = "", mention: Sequence[str] = ()) -> None:
        self._url = url
        self._secret = secret
        self._mention = tuple(mention)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The address, the token in it, the secret, and who is mentioned."""
        return tuple(filter(None, (self._url, self._url.rpartition("/")[2], self._secret, *self._mention)))

    async def _send(self, notice: Notice, wire: Wire) -> Delivery:
        answer = await wire.post(self._url, self._signed(notice) | _message(notice, self._mention))
        told = judged_by_code(answer, "code", TOO_MANY, wait=timedelta(minutes=1))
        trace = answer.headers.get("x-tt-logid", "")  # the robot gives a message no id; this one names the request
        return replace(told, answer=f"logid {trace}") if told.delivered and trace else told

    def _signed(self, notice: Notice) -> dict[str, object]:
        if not self._secret:
            return {}
        stamp = str(int(notice.sent_at.timestamp()))
        return {"timestamp": stamp, "sign": signature(stamp, self._secret)}


def signature(stamp: str, secret: str) -> str:
    """The signature of a message sent at ``stamp`` (seconds)."""
    return base64.b64encode(hmac.digest(f"{stamp}\n{secret}".encode(), b"", hashlib.sha256)).decode()


def _message(notice: Notice, mention: Sequence[str]) -> dict[str, object]:
    lines: list[list[dict[str, str]]] = [[{"tag": "text", "text": line}] for line in notice.lines]
    lines.append([{"tag": "a", "text": "确认 / Acknowledge", "href": notice.ack_url}])
    if mention:
        lines.append([{"tag": "at", "user_id": user} for user in mention])
    return {
        "msg_type": "post",
        "content": {"post": {"zh_cn": {"title": notice.headline, "content": lines}}},
    }
