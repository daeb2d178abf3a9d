"""PagerDuty's webhooks as events about our pages, and whether it is PagerDuty that sends them.

Spec: PagerDuty webhooks v3: payload, signatures (v1), delivery behaviour
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from candor_escalation.domain.page_event import KINDS, Event

PROVIDER = "pagerduty"
_VERSION = "v1="
_LONGEST_ID, _LONGEST_NAME = 200, 200
_PERSON = "user"


def signed(body: bytes, header: str, secrets: Iterable[str]) -> bool:
    """Whether one of the signatures of ``X-PagerDuty-Signature`` is over this very body by one of our secrets.

    There are several, separated by commas, while a secret is replaced by another.
    """
    given = [one.strip().removeprefix(_VERSION) for one in header.split(",") if one.strip().startswith(_VERSION)]
    expected = [hmac.new(secret.encode(), body, hashlib.sha256).hexdigest() for secret in secrets]
    return any(hmac.compare_digest(one.encode(), ours.encode()) for one in given for ours in expected)


def event_of(body: Any) -> Event | None:  # noqa: ANN401 - any JSON
    """The event of a webhook; None for one of another kind or shape, on which nothing follows here."""
    told = _object(body).get("event")
    event = _object(told)
    kind, identifier, data = event.get("event_type"), event.get("id"), _object(event.get("data"))
    key, occurred_at = data.get("incident_key"), _instant(event.get("occurred_at"))
    if kind not in KINDS or not isinstance(key, str) or occurred_at is None:
        return None
    if not isinstance(identifier, str) or not 0 < len(identifier) <= _LONGEST_ID:
        return None
    return Event(_storable(identifier), kind, key, _person(event.get("agent")), occurred_at)


def _person(agent: Any) -> str:  # noqa: ANN401 - any JSON
    """Who did it, name and id; empty for an integration, such as our own resolving of an incident there."""
    told = _object(agent)
    kind, name, identifier = told.get("type"), told.get("summary"), told.get("id")
    if not isinstance(kind, str) or not kind.startswith(_PERSON):
        return ""
    words = [part for part in (name, identifier) if isinstance(part, str) and part]
    return _storable(" ".join(words))[:_LONGEST_NAME] or _PERSON


def _instant(value: Any) -> datetime | None:  # noqa: ANN401 - any JSON
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return at.astimezone(UTC) if at.tzinfo is not None else None


def _object(value: Any) -> Mapping[str, Any]:  # noqa: ANN401 - any JSON
    return value if isinstance(value, dict) else {}


def _storable(text: str) -> str:
    """A text as PostgreSQL can hold it."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()
