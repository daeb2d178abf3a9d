"""Signals over HTTP: POST /intake/alertmanager takes Alertmanager's webhook, POST /intake/signals plain JSON.

Callers send a bearer token with the role backend. Errors are problems of RFC 9457 with the reasons of the RPCs.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import grpc
from candor_kit import log, metrics, validation
from candor_kit.errors import EDGE, Refusal, Unavailable
from candor_kit.service import Service
from google.protobuf import json_format
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from candor_escalation import alerts, codec
from candor_escalation.alerts import Reported
from candor_escalation.domain.refusal import Refused
from candor_escalation.gathering import Gatherer
from candor_escalation.handlers.intake import Taken

ROLE = "backend"
_MOST_SIGNALS = 1_000
_RETRY_SECONDS = "5"
_STATUSES = {
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 413,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.INTERNAL: 500,
}
_LOG = log.get(__name__)
_SIGNALS = metrics.counter("intake_signals", "Signals over HTTP, by way and result.", ("way", "result"))


class IntakeHttp:
    """The two endpoints. ``limit``: most bytes of a body."""

    def __init__(self, service: Service, gatherer: Gatherer, limit: int) -> None:
        self._service = service
        self._gatherer = gatherer
        self._limit = limit

    def routes(self) -> tuple[BaseRoute, ...]:
        """The routes, to be served beside the others."""
        return (
            Route("/intake/alertmanager", self._answering(self._alertmanager), methods=["POST"]),
            Route("/intake/signals", self._answering(self._signals), methods=["POST"]),
        )

    def _answering(self, take: Callable[[str, Any], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                caller = self._service.caller_of(request.headers.get("authorization"), ROLE)
                return await take(caller.name, await self._body(request))
            except ClientDisconnect:
                return Response(status_code=400)
            except Refusal as refusal:
                return _problem(refusal)
            except Unavailable as error:
                return _problem(EDGE.refusal("UNAVAILABLE", f"{error}; send the same again"))
            except Exception as error:  # noqa: BLE001 - logged, and told as a fault of ours
                _LOG.error("an intake call failed", method=request.url.path, exc_info=error)
                return _problem(EDGE.refusal("INTERNAL", "a fault of ours; the log has it"))

        return answer

    async def _body(self, request: Request) -> Any:  # noqa: ANN401 - any JSON
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > self._limit:
                raise EDGE.refusal("TOO_LARGE", f"a body may have {self._limit} bytes; send fewer signals at a time")
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as error:
            raise EDGE.refusal("MALFORMED", "the body is no JSON") from error

    async def _alertmanager(self, caller: str, body: Any) -> Response:  # noqa: ANN401 - any JSON
        if not alerts.is_webhook(body):
            raise EDGE.refusal("MALFORMED", "send Alertmanager's webhook, version 4: an object with a list of alerts")
        taken = await self._gatherer.put(caller, alerts.of_webhook(body, self._service.clock.now()))
        _counted("alertmanager", taken)
        return JSONResponse({"incidents": sorted({one.incident_id for one in taken if one.incident_id})})

    async def _signals(self, caller: str, body: Any) -> Response:  # noqa: ANN401 - any JSON
        entries = body.get("signals") if isinstance(body, dict) and "signals" in body else [body]
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise EDGE.refusal("MALFORMED", 'send a signal, or {"signals": [...]} with several')
        if len(entries) > _MOST_SIGNALS:
            raise EDGE.refusal("TOO_LARGE", f"send {_MOST_SIGNALS} signals at a time at most")
        read = [self._read(entry) for entry in entries]
        taken = iter(await self._gatherer.put(caller, [one for one in read if isinstance(one, Reported)]))
        outcomes = [one if isinstance(one, Refusal) else _outcome(next(taken)) for one in read]
        _counted("signals", [one if isinstance(one, Taken) else Taken(refused=Refused("", "")) for one in outcomes])
        refused = [one for one in outcomes if isinstance(one, Refusal)]
        if len(outcomes) == 1 and refused:
            return _problem(refused[0])
        return JSONResponse({"signals": [_told(one) for one in outcomes]}, 207 if refused else 200)

    def _read(self, entry: Mapping[str, Any]) -> Reported | Refusal:
        now = self._service.clock.now()
        try:
            request = alerts.request_of(entry, now)
            validation.check(request)
        except json_format.ParseError as error:
            return EDGE.refusal("MALFORMED", f"is no signal: {str(error)[:200]}")
        except Refusal as refusal:
            return refusal
        identifier = entry.get("id")
        return alerts.of_request(request, codec.signal(request), identifier if isinstance(identifier, str) else "", now)


def _outcome(taken: Taken) -> Taken | Refusal:
    if taken.refused is None:
        return taken
    refused = taken.refused
    return Refusal(
        refused.reason, refused.message, domain="candor.escalation.v1", status=grpc.StatusCode.INVALID_ARGUMENT
    )


def _told(outcome: Taken | Refusal) -> dict[str, Any]:
    if isinstance(outcome, Refusal):
        return {"refused": _described(outcome)}
    return {"incident_id": outcome.incident_id, "repeated": outcome.repeated}


def _counted(way: str, taken: list[Taken]) -> None:
    for one in taken:
        result = "refused" if one.refused else "repeated" if one.repeated else "taken"
        _SIGNALS.labels(way, result).inc()


def _described(refusal: Refusal) -> dict[str, Any]:
    return {
        "type": f"urn:candor:reason:{refusal.reason}",
        "title": refusal.reason,
        "status": _STATUSES.get(refusal.status, 400),
        "detail": refusal.message,
        "violations": [
            {"field": violation.field, "description": violation.description} for violation in refusal.violations
        ],
    }


def _problem(refusal: Refusal) -> Response:
    problem = _described(refusal)
    headers = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": _RETRY_SECONDS}}.get(problem["status"], {})
    return JSONResponse(problem, problem["status"], headers, "application/problem+json")
