"""PagerDuty.

Spec: PagerDuty Events API v2. It answers 202 with ``status`` "success" and the ``dedup_key``, which is the clock's id:
pages about one clock are one incident there, however often they are sent. Once somebody has acknowledged here it is
resolved there: were it only acknowledged, a later page would not notify anybody.
"""

from collections.abc import Mapping
from typing import ClassVar

from candor_escalation.channels.base import Channel, refused_by_status
from candor_escalation.channels.wire import Wire
from candor_escalation.domain.delivery import failed, object_of
from candor_escalation.domain.notice import Notice
from candor_escalation.domain.paging import Delivery

ADDRESS = "https://events.pagerduty.com/v2/enqueue"
_LONGEST_SUMMARY = 1024
_ACCEPTED = 202


class PagerDuty(Channel):
    """Enqueues an event with ``routing_key``; ``url`` is PagerDuty's own or that of its European region."""

    kind: ClassVar[str] = "pagerduty"

    def __init__(self, routing_key: str, url: str = ADDRESS) -> None:
        self._routing_key = routing_key
        self._url = url

    @property
    def secrets(self) -> tuple[str, ...]:
        """The routing key."""
        return (self._routing_key,)

    async def _send(self, notice: Notice, wire: Wire) -> Delivery:
        return await self._posted(_trigger(notice, self._routing_key), wire)

    async def _end(self, notice: Notice, wire: Wire) -> Delivery:
        event = {"routing_key": self._routing_key, "event_action": "resolve", "dedup_key": _key(notice)}
        return await self._posted(event, wire)

    async def _posted(self, event: Mapping[str, object], wire: Wire) -> Delivery:
        answer = await wire.post(self._url, event)
        bad = refused_by_status(answer)
        if bad is not None:
            return bad
        told = object_of(answer.body)
        key = told.get("dedup_key")
        if answer.status != _ACCEPTED or told.get("status") != "success" or not isinstance(key, str):
            return failed(f"HTTP {answer.status}: {answer.body}")
        return Delivery(delivered=True, answer=key, ends=True)


def _key(notice: Notice) -> str:
    return f"candor-test-{notice.page_id}" if notice.test else notice.clock_id


def _trigger(notice: Notice, routing_key: str) -> dict[str, object]:
    return {
        "routing_key": routing_key,
        "event_action": "trigger",
        "dedup_key": _key(notice),
        "payload": {
            "summary": notice.headline[:_LONGEST_SUMMARY],
            "source": "candor",
            "severity": "info" if notice.test else "critical" if notice.overdue else "error",
            "timestamp": notice.sent_at.isoformat(),
            "component": "escalation",
            "class": "legal clock",
            "custom_details": dict(notice.details),
        },
        "client": "Candor",
        "client_url": notice.ack_url,
        "links": [{"href": notice.ack_url, "text": "确认 / Acknowledge"}],
    }
