"""PagerDuty's webhooks v3 as it sends and signs them, after the examples of its documentation."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import datetime
from typing import Any
from uuid import uuid4

PERSON = {
    "html_url": "https://acme.pagerduty.com/users/PLH1HKV",
    "id": "PLH1HKV",
    "self": "https://api.pagerduty.com/users/PLH1HKV",
    "summary": "Tenex Engineer",
    "type": "user_reference",
}
INTEGRATION = {
    "html_url": "https://acme.pagerduty.com/services/PF9KMXH/integrations/PYT7ZJ9",
    "id": "PYT7ZJ9",
    "self": "https://api.pagerduty.com/services/PF9KMXH/integrations/PYT7ZJ9",
    "summary": "Candor",
    "type": "events_api_v2_inbound_integration_reference",
}


def webhook(
    kind: str, key: str, at: datetime, agent: dict[str, str] | None = PERSON, event_id: str = ""
) -> dict[str, Any]:
    """One webhook about an incident, with every field that the documentation shows."""
    status = kind.removeprefix("incident.")
    return {
        "event": {
            "id": event_id or str(uuid4()),
            "event_type": kind,
            "resource_type": "incident",
            "occurred_at": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z",
            "agent": agent,
            "client": {"name": "PagerDuty"} if agent else None,
            "data": {
                "id": "PGR0VU2",
                "type": "incident",
                "self": "https://api.pagerduty.com/incidents/PGR0VU2",
                "html_url": "https://acme.pagerduty.com/incidents/PGR0VU2",
                "number": 2,
                "status": "triggered" if status == "unacknowledged" else status,
                "incident_key": key,
                "created_at": "2026-11-20T15:16:27Z",
                "title": "时钟到期 / A little bump in the road",
                "service": {
                    "html_url": "https://acme.pagerduty.com/services/PF9KMXH",
                    "id": "PF9KMXH",
                    "self": "https://api.pagerduty.com/services/PF9KMXH",
                    "summary": "API Service",
                    "type": "service_reference",
                },
                "assignees": [],
                "escalation_policy": {
                    "html_url": "https://acme.pagerduty.com/escalation_policies/PUS0KTE",
                    "id": "PUS0KTE",
                    "self": "https://api.pagerduty.com/escalation_policies/PUS0KTE",
                    "summary": "Default",
                    "type": "escalation_policy_reference",
                },
                "teams": [],
                "priority": None,
                "urgency": "high",
                "conference_bridge": None,
                "resolve_reason": None,
            },
        }
    }


def ping(at: datetime) -> dict[str, Any]:
    """What PagerDuty sends when somebody tries a subscription."""
    return {
        "event": {
            "id": str(uuid4()),
            "event_type": "pagey.ping",
            "resource_type": "pagey",
            "occurred_at": f"{at:%Y-%m-%dT%H:%M:%S}.000Z",
            "agent": None,
            "client": None,
            "data": {"message": "Hello from your friend Pagey!", "type": "ping"},
        }
    }


def encoded(body: dict[str, Any]) -> bytes:
    """The raw body, which is what is signed."""
    return json.dumps(body, ensure_ascii=False).encode()


def signatures(body: bytes, *secrets: str) -> str:
    """The value of X-PagerDuty-Signature: one signature for each secret."""
    return ",".join("v1=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest() for secret in secrets)
