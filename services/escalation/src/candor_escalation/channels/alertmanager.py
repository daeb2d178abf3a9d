"""Alertmanager.

Spec: Prometheus Alertmanager API v2. It answers 200 without a body and gives no id; an alert is its set of labels, and
ends at ``endsAt`` unless it is posted again before. So it is posted every few minutes for as long as nobody
acknowledges, and then once more as ended.
"""

from datetime import datetime, timedelta
from typing import ClassVar

from candor_escalation.channels.base import Channel, refused_by_status
from candor_escalation.channels.wire import Wire
from candor_escalation.domain.delivery import failed
from candor_escalation.domain.notice import Notice
from candor_escalation.domain.paging import Delivery

ENDS_AFTER = timedelta(minutes=15)
RENEW_AFTER = timedelta(minutes=5)
_MOMENT = timedelta(seconds=1)


class Alertmanager(Channel):
    """Posts alerts to the Alertmanager at ``url``, with ``token`` as a bearer token."""

    kind: ClassVar[str] = "alertmanager"

    def __init__(self, url: str, token: str = "") -> None:
        self._url = url.rstrip("/")
        self._token = token

    @property
    def secrets(self) -> tuple[str, ...]:
        """The token, and the address, which may hold a password."""
        return tuple(filter(None, (self._url, self._token)))

    async def _send(self, notice: Notice, wire: Wire) -> Delivery:
        return await self._posted(_alert(notice, notice.sent_at, ENDS_AFTER), notice, wire)

    async def _end(self, notice: Notice, wire: Wire) -> Delivery:
        return await self._posted(_alert(notice, notice.sent_at - _MOMENT, _MOMENT), notice, wire)

    async def _posted(self, alert: dict[str, object], notice: Notice, wire: Wire) -> Delivery:
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        answer = await wire.post(f"{self._url}/api/v2/alerts", [alert], headers=headers)
        bad = refused_by_status(answer)
        if bad is not None:
            return bad
        if answer.body.strip():
            return failed(f"HTTP {answer.status}, and no answer of Alertmanager: {answer.body}")
        renew = None if notice.test else RENEW_AFTER
        return Delivery(delivered=True, answer=f"clock_id={notice.clock_id}", renew_after=renew, ends=True)


def _alert(notice: Notice, starts_at: datetime, lasts: timedelta) -> dict[str, object]:
    return {
        "labels": {
            "alertname": "CandorTestPage" if notice.test else "CandorLegalClock",
            "service": "candor",
            "clock_id": notice.clock_id,
            "contact": notice.contact,
            "severity": "info" if notice.test else "critical",
        },
        "annotations": {
            "summary": notice.headline,
            "description": "\n".join(notice.lines),
            "ack_url": notice.ack_url,
            "due": notice.due.isoformat(),
        },
        "startsAt": starts_at.isoformat(),
        "endsAt": (starts_at + lasts).isoformat(),
        "generatorURL": notice.ack_url,
    }
