"""A webhook of one's own: the page as JSON, its id as Idempotency-Key."""

from typing import ClassVar

from candor_escalation.channels.base import Channel, refused_by_status
from candor_escalation.channels.wire import Wire
from candor_escalation.domain.delivery import judge
from candor_escalation.domain.notice import Notice
from candor_escalation.domain.paging import Delivery


class Webhook(Channel):
    """Posts to ``url``; ``token`` is sent as a bearer token."""

    kind: ClassVar[str] = "webhook"

    def __init__(self, url: str, token: str = "") -> None:
        self._url = url
        self._token = token

    @property
    def secrets(self) -> tuple[str, ...]:
        """The address and the token."""
        return tuple(filter(None, (self._url, self._token)))

    async def _send(self, notice: Notice, wire: Wire) -> Delivery:
        headers = {"Idempotency-Key": notice.page_id}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        answer = await wire.post(self._url, dict(notice.details), headers=headers)
        return refused_by_status(answer) or judge(answer.status, answer.body)
