"""A group robot of DingTalk.

Spec: DingTalk custom robot. It answers 200 whatever happened; only ``errcode`` 0 is success. Its signature is
HMAC-SHA256 of timestamp, line break and secret, keyed by the secret (the other way round than Feishu's), and stands in
the query. More than 20 messages a minute block the robot for ten minutes.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar
from urllib.parse import parse_qsl, urlsplit

from candor_escalation.channels.base import Channel, judged_by_code
from candor_escalation.channels.wire import Wire
from candor_escalation.domain.notice import Notice
from candor_escalation.domain.paging import Delivery
from candor_escalation.domain.throttle import Limit

TOO_MANY = (130101, 410100)
BLOCKED_FOR = timedelta(minutes=10)


class DingTalk(Channel):
    """Posts to the robot at ``url``, signed with ``secret`` if it has one; ``mention`` are mobile numbers."""

    kind: ClassVar[str] = "dingtalk"
    limits: ClassVar[tuple[Limit, ...]] = (Limit(20, timedelta(minutes=1)),)

    def __init__(self, url: str, secret: str = "", mention: Sequence[str] = ()) -> None:
        self._url = url
        self._secret = secret
        self._mention = tuple(mention)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The address, the token in it, the secret, and who is mentioned."""
        token = dict(parse_qsl(urlsplit(self._url).query)).get("access_token", "")
        return tuple(filter(None, (self._url, token, self._secret, *self._mention)))

    async def _send(self, notice: Notice, wire: Wire) -> Delivery:
        stamp = str(int(notice.sent_at.timestamp() * 1000))
        query = {"timestamp": stamp, "sign": signature(stamp, self._secret)} if self._secret else {}
        answer = await wire.post(self._url, _message(notice, self._mention), query=query)
        return judged_by_code(answer, "errcode", TOO_MANY, wait=BLOCKED_FOR)


def signature(stamp: str, secret: str) -> str:
    """The signature of a message sent at ``stamp`` (milliseconds), before it is put into a query."""
    return base64.b64encode(hmac.digest(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256)).decode()


def _message(notice: Notice, mention: Sequence[str]) -> dict[str, object]:
    text = [f"### {_plain(notice.headline)}", *(f"- {_plain(line)}" for line in notice.lines)]
    text.append(f"[确认 / Acknowledge]({notice.ack_url})")
    text.extend(f"@{mobile}" for mobile in mention)
    return {
        "msgtype": "markdown",
        "markdown": {"title": notice.headline, "text": "\n\n".join(text)},
        "at": {"atMobiles": list(mention), "isAtAll": False},
    }


def _plain(text: str) -> str:
    """The text without what would be a link or an image: a title comes from whoever reported."""
    return text.translate({ord(mark): full for mark, full in zip("[]!<>", "［］！＜＞", strict=True)})
