"""Alerts of outside systems as signals: Alertmanager's webhook, and plain JSON in the words of ReportSignal.

Spec: Prometheus Alertmanager webhook, version 4
"""

import hashlib
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from candor.escalation.v1 import service_pb2
from google.protobuf import json_format

from candor_escalation.domain.incident import Anchor, Json, Signal

_LONGEST_TITLE = 300
_LONGEST_TEXT = 1000
_FACT_PREFIX = "candor_"
_DEFAULT_KIND = "security"
_NAME = re.compile("[a-z][a-z0-9_]{0,63}")
_KEY = re.compile("[A-Za-z0-9_.:/-]{1,200}")
_NO_ID = "01900000-0000-7000-8000-000000000000"
"""Fills command_id while the constraints are checked: what comes here has an id of its own, or none."""


@dataclass(frozen=True)
class Reported:
    """A signal from outside. ``digest`` tells repeats apart; ``resolved_at``: its sender holds it to be over."""

    signal: Signal
    digest: bytes
    resolved_at: datetime | None = None


def digest_of(*parts: str) -> bytes:
    """What tells two reports apart, from the parts that name them."""
    return hashlib.sha256("\0".join(parts).encode()).digest()


def is_webhook(body: Any) -> bool:  # noqa: ANN401 - any JSON
    """Whether a body has the shape of the webhook: an object with a list of objects ``alerts``."""
    alerts = body.get("alerts") if isinstance(body, dict) else None
    return isinstance(alerts, list) and all(isinstance(alert, dict) for alert in alerts)


def of_webhook(body: Mapping[str, Any], now: datetime) -> list[Reported]:
    """The alerts of one webhook call. Nothing in it makes one be lost: what is missing or odd is done without.

    Alerts of one group are one incident. An alert is the same as long as its fingerprint and start are. Labels
    ``candor_kind`` and ``candor_key`` say which incident is meant, other labels ``candor_<name>`` are facts.
    Unknown fields are passed over; what Alertmanager has cut off (``truncatedAlerts``) it sends again.
    """
    group = _text(body.get("groupKey"))
    return [_alert(alert, group, now) for alert in body["alerts"]]


def _alert(alert: Mapping[str, Any], group: str, now: datetime) -> Reported:
    labels, annotations = _texts(alert.get("labels")), _texts(alert.get("annotations"))
    name = labels.get("alertname") or "alert"
    started = _instant(alert.get("startsAt"))
    fingerprint = _text(alert.get("fingerprint")) or digest_of(*_flat(labels)).hex()[:16]
    key = labels.get("candor_key") or f"alertmanager:{digest_of(group or fingerprint).hex()[:32]}"
    facts: dict[str, Json] = {label.removeprefix(_FACT_PREFIX): _value(text) for label, text in _facts(labels)}
    if "severity" in labels:
        facts["severity"] = labels["severity"][:_LONGEST_TEXT]
    signal = Signal(
        kind=labels.get("candor_kind", _DEFAULT_KIND),
        title=(annotations.get("summary") or name)[:_LONGEST_TITLE],
        correlation_key=key,
        facts=facts,
        anchors=(
            Anchor("found", min(started or now, now), f"alert {name}, fingerprint {fingerprint}"[:_LONGEST_TEXT]),
        ),
        source="alertmanager",
        reference=fingerprint,
    )
    resolved = alert.get("status") == "resolved"
    ended = _instant(alert.get("endsAt"))
    return Reported(
        _right(signal),
        digest_of("alertmanager", fingerprint, started.isoformat() if started else ""),
        (min(ended, now) if ended and ended.year > 1 else now) if resolved else None,
    )


def _right(signal: Signal) -> Signal:
    """The signal, with kind and key replaced where a label breaks what ReportSignal asks of them."""
    kind, key = signal.kind, signal.correlation_key
    if not _KEY.fullmatch(key):
        key = f"alertmanager:{digest_of(key).hex()[:32]}"
    return replace(signal, kind=kind if _NAME.fullmatch(kind) else _DEFAULT_KIND, correlation_key=key)


def _facts(labels: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for label, text in labels.items():
        name = label.removeprefix(_FACT_PREFIX)
        if label.startswith(_FACT_PREFIX) and label not in {"candor_kind", "candor_key"} and _NAME.fullmatch(name):
            yield label, text[:_LONGEST_TEXT]


def _value(text: str) -> Json:
    """A label's text as what it plainly is: true, false, a number, or text."""
    if text in {"true", "false"}:
        return text == "true"
    try:
        number = float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) else text


def _instant(value: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return at if at is None or at.tzinfo else None


def _text(value: object) -> str:
    """A text that can be stored: no NUL, no half of a surrogate pair."""
    return value.encode("utf-8", "replace").decode().replace("\0", "") if isinstance(value, str) else ""


def _texts(value: object) -> dict[str, str]:
    return {_text(name): _text(text) for name, text in value.items()} if isinstance(value, dict) else {}


def _flat(labels: Mapping[str, str]) -> list[str]:
    return [part for pair in sorted(labels.items()) for part in pair]


def request_of(entry: Mapping[str, Any], now: datetime) -> service_pb2.ReportSignalRequest:
    """A plain signal as the command that it is; without an anchor, we are aware of it now.

    Raises:
        json_format.ParseError: a field has another type than ReportSignalRequest says.
    """
    request = service_pb2.ReportSignalRequest()
    told = {name: value for name, value in entry.items() if name != "id"}
    json_format.ParseDict(told, request, ignore_unknown_fields=True)
    request.command_id = _NO_ID
    if not request.anchors:
        anchor = request.anchors.add(name="aware", evidence=f"reported by {request.source}")
        anchor.at.FromDatetime(now)
    return request


def of_request(request: service_pb2.ReportSignalRequest, signal: Signal, identifier: str, now: datetime) -> Reported:
    """A plain signal that is right. The same ``identifier`` of one source is a repeat; without one, the same words.

    An anchor that was filled in is left out of what tells repeats apart.
    """
    filled = request.anchors[0].at.ToDatetime(now.tzinfo) == now
    if identifier:
        return Reported(signal, digest_of("signal", request.source, identifier))
    plain = service_pb2.ReportSignalRequest()
    plain.CopyFrom(request)
    if filled:
        del plain.anchors[:]
    return Reported(signal, digest_of("words", plain.SerializeToString(deterministic=True).hex()))
