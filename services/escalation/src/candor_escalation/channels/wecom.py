"""A group robot of WeCom.

Spec: WeCom group robot. It answers 200 whatever happened; only ``errcode`` 0 is success. A text has at most 2,048
bytes; 20 messages a minute are allowed.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar
from urllib.parse import parse_qsl, urlsplit

from candor_escalation.channels.base import Channel, judged_by_code
from candor_escalation.channels.wire import Wire
from candor_escalation.domain.notice import Notice
from candor_escalation.domain.paging import Delivery
from candor_escalation.domain.throttle import Limit

TOO_MANY = (45009,)
LONGEST_TEXT = 2048
"""Bytes."""


class WeCom(Channel):
    """Posts to the robot at ``url``; ``mention`` are mobile numbers."""

    kind: ClassVar[str] = "wecom"
    limits: ClassVar[tuple[Limit, ...]] = (Limit(20, timedelta(minutes=1)),)

    def __init__(self, url: str, mention: Sequence[str] = ()) -> None:
        self._url = url
        self._mention = tuple(mention)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The address, the key in it, and who is mentioned."""
        key = dict(parse_qsl(urlsplit(self._url).query)).get("key", "")
        return tuple(filter(None, (self._url, key, *self._mention)))

    async def _send(self, notice: Notice, wire: Wire) -> Delivery:
        text: dict[str, object] = {"content": _text(notice), "mentioned_mobile_list": list(self._mention)}
        answer = await wire.post(self._url, {"msgtype": "text", "text": text})
        return judged_by_code(answer, "errcode", TOO_MANY, wait=timedelta(minutes=1))


def _text(notice: Notice) -> str:
    """The page with its link whole: what does not fit is cut at the end, after it."""
    text = "\n".join([_cut(notice.headline, 600), f"确认 / Acknowledge: {notice.ack_url}", *notice.lines])
    return _cut(text, LONGEST_TEXT)


def _cut(text: str, size: int) -> str:
    return text.encode()[:size].decode(errors="ignore")
