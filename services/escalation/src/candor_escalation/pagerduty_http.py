"""PagerDuty's webhooks: POST /intake/pagerduty.

PagerDuty sends again what is answered with 5xx, drops what is answered with 4xx, and switches a webhook off after three
that were dropped. So whatever it signed is answered with 2xx, and only what it did not sign, or what we cannot take
now, otherwise. ``outcome`` of the answer says what became of it.
"""

import json
from collections.abc import Callable, Sequence

from candor_kit import log, metrics
from candor_kit.database import TRY_AGAIN, is_away
from candor_kit.errors import Unavailable
from candor_kit.service import Service
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from candor_escalation.handlers.page_events import PageEvents
from candor_escalation.pagerduty import PROVIDER, event_of, signed

_SIGNATURE = "X-PagerDuty-Signature"
_LARGEST = 262_144
"""PagerDuty itself drops what is larger."""
_RETRY_SECONDS = "5"
_LOG = log.get(__name__)
_EVENTS = metrics.counter(
    "page_events", "Webhooks of paging providers, by provider and outcome.", ("provider", "outcome")
)


class PagerDutyHooks:
    """The endpoint. ``secrets`` gives the signing secrets of the webhook subscriptions, read at every call."""

    def __init__(self, service: Service, events: PageEvents, secrets: Callable[[], Sequence[str]]) -> None:
        self._service = service
        self._events = events
        self._secrets = secrets

    def routes(self) -> tuple[BaseRoute, ...]:
        """POST takes one webhook."""
        return (Route("/intake/pagerduty", self._answer, methods=["POST"]),)

    async def _answer(self, request: Request) -> Response:
        try:
            body = await _body(request)
        except ClientDisconnect:
            return Response(status_code=400)
        if body is None:
            return _problem("TOO_LARGE", 413, f"a webhook has {_LARGEST} bytes at most")
        header = request.headers.get(_SIGNATURE, "")
        if not header:
            return _problem("UNSIGNED", 401, f"there is no {_SIGNATURE}")
        try:
            if not signed(body, header, self._secrets()):
                return _problem("SIGNATURE_INVALID", 403, "no signature is by a secret that is set here")
            return await self._taken(body)
        except (OSError, UnicodeDecodeError) as error:
            _LOG.error("the signing secrets cannot be read", type=type(error).__name__)
            return _problem("UNAVAILABLE", 503, "the signing secrets cannot be read; send the same again")

    async def _taken(self, body: bytes) -> Response:
        event = event_of(_json(body))
        if event is None:
            return _outcome("ignored")
        try:
            taken = await self._service.in_transaction(PROVIDER, lambda tx: self._events.take(tx, PROVIDER, event))
        except (*TRY_AGAIN, Unavailable) as error:
            _LOG.info("a webhook is to be sent again", provider=PROVIDER, type=type(error).__name__)
            return _problem("UNAVAILABLE", 503, "not now; send the same again")
        except Exception as error:  # noqa: BLE001 - logged, and told as a fault of ours
            if not is_away(error):
                _LOG.error("a webhook failed", provider=PROVIDER, exc_info=error)
                return _problem("INTERNAL", 500, "a fault of ours; send the same again")
            return _problem("UNAVAILABLE", 503, "the database does not answer; send the same again")
        return _outcome(taken)


def _outcome(outcome: str) -> Response:
    _EVENTS.labels(PROVIDER, outcome).inc()
    return JSONResponse({"outcome": outcome}, 202)


def _problem(reason: str, status: int, detail: str) -> Response:
    _EVENTS.labels(PROVIDER, reason.lower()).inc()
    if status in {401, 403}:
        _LOG.warning("a webhook was refused", provider=PROVIDER, reason=reason)
    problem = {"type": f"urn:candor:reason:{reason}", "title": reason, "status": status, "detail": detail}
    headers = {"Retry-After": _RETRY_SECONDS} if reason == "UNAVAILABLE" else {}
    return JSONResponse(problem, status, headers, "application/problem+json")


async def _body(request: Request) -> bytes | None:
    """The raw body, which is what is signed; None where there is too much of it."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST:
            return None
    return bytes(body)


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
