"""The loop that sends public statements to the DSA Transparency Database and keeps its receipts.

Sending is at least once; ``puid`` makes it once: a statement that the database has already is answered with 422 and
``existing``, which is the receipt. Only 201 accepts. There is no way to correct what was sent.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
from candor_kit import log, metrics
from candor_kit.database import AWAY
from candor_kit.service import Service
from candor_kit.stop import Stop

from candor_escalation.handlers import public_statements
from candor_escalation.handlers.public_statements import Declined, Later, Received, Result
from candor_escalation.store.public_statements import Public

_POLL_SECONDS = 1.0
_MOST = 100
"""What one batch may hold."""
_IN_BATCHES = 2
"""So many attempts are made in company; whoever spoils a batch is alone from then on."""
_LONGEST_PAUSE = 3600.0
_LONGEST_WAIT = 60.0
_LONGEST_ERROR = 2000
_UNSENT = (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError)
"""No connection or answer; a token file that cannot be read, or holds what no header may."""
_EVERYBODY = frozenset({401, 403, 503})
"""Answers that are about who asks, or about the database, whichever statement it is."""
_CREATED, _FOUND, _INVALID, _TOO_MANY = 201, 302, 422, 429
_LOG = log.get(__name__)
_SENT = metrics.counter("dsa_statements", "Statements handed to the DSA Transparency Database, by result.", ("result",))


class PublicSender:
    """Sends what is queued, one alone and several as a batch. ``token`` gives the bearer token."""

    def __init__(self, service: Service, *, url: str, token: Callable[[], str], timeout: float) -> None:
        self._service = service
        self._url = url.rstrip("/")
        self._token = token
        self._timeout = timeout

    async def run(self, stop: Stop) -> None:
        """Send until the service stops."""
        # Redirects are never followed: 302 is an answer here.
        async with httpx.AsyncClient(timeout=self._timeout, follow_redirects=False) as client:
            while not stop.is_set():
                try:
                    pause = await self._round(client)
                except AWAY as error:
                    _LOG.warning("waiting for the database", part="dsa", type=type(error).__name__)
                    pause = _POLL_SECONDS
                await stop.wait(pause)

    async def _round(self, client: httpx.AsyncClient) -> float:
        """Send what is due; for how long to pause."""
        async with self._service.transaction("dsa") as tx:
            # A batch that is refused is sent one by one, so the lease is as long as that may take.
            queued = await public_statements.lease(tx, _MOST, self._timeout * 4)
        if not queued:
            return _POLL_SECONDS
        results = await self._send(client, queued)
        async with self._service.transaction("dsa") as tx:
            for disposal_id, result in sorted(results.items()):
                await public_statements.record(tx, disposal_id, result)
        for result in results.values():
            _SENT.labels(type(result).__name__.lower()).inc()
        waits = [result.seconds for result in results.values() if isinstance(result, Later) and result.away]
        return min(max(waits), _LONGEST_WAIT) if waits else 0.01

    async def _send(self, client: httpx.AsyncClient, queued: Sequence[Public]) -> dict[str, Result]:
        if len(queued) == 1 or any(item.attempts > _IN_BATCHES for item in queued):
            return await self._each(client, queued)
        answer = await self._post(client, "statements", {"statements": [item.body for item in queued]}, queued[0])
        if isinstance(answer, Later):
            return {item.disposal_id: answer for item in queued}
        if answer.status_code == _CREATED:
            return _receipts(_json(answer).get("statements"), queued)
        if answer.status_code != _INVALID:
            return {item.disposal_id: _unexpected(answer, item) for item in queued}
        # One bad or known statement refuses the whole batch: alone each gets its own answer.
        return await self._each(client, queued)

    async def _each(self, client: httpx.AsyncClient, queued: Sequence[Public]) -> dict[str, Result]:
        """Send one by one; where the database is away, or asks to wait, the rest waits as well."""
        results: dict[str, Result] = {}
        for item in queued:
            result = await self._one(client, item)
            results[item.disposal_id] = result
            if isinstance(result, Later) and result.away:
                return {**{other.disposal_id: result for other in queued}, **results}
        return results

    async def _one(self, client: httpx.AsyncClient, item: Public) -> Result:
        answer = await self._post(client, "statement", item.body, item)
        if isinstance(answer, Later):
            return answer
        if answer.status_code == _CREATED:
            return _receipt(_json(answer)) or Later("201 without a uuid", _back_off(item.attempts))
        if answer.status_code != _INVALID:
            return _unexpected(answer, item)
        said = _json(answer)
        existing = _receipt(said.get("existing"))
        if existing is not None:
            return existing
        if "puid" in _mapping(said.get("errors")) and await self._exists(client, item):
            return Received("", f"{self._url}/api/v1/statement/existing-puid/{item.body['puid']}")
        return Declined(_said(answer))

    async def _exists(self, client: httpx.AsyncClient, item: Public) -> bool:
        """Ask whether the database has a statement with this puid: 302 says yes, and is not followed."""
        try:
            address = f"{self._url}/api/v1/statement/existing-puid/{item.body['puid']}"
            answer = await client.get(address, headers=self._headers())
        except _UNSENT:
            return False
        return answer.status_code == _FOUND

    async def _post(
        self, client: httpx.AsyncClient, path: str, body: Mapping[str, Any], item: Public
    ) -> httpx.Response | Later:
        try:
            return await client.post(f"{self._url}/api/v1/{path}", json=body, headers=self._headers())
        except _UNSENT as error:
            _LOG.warning("the DSA Transparency Database does not answer", type=type(error).__name__)
            return Later(type(error).__name__, _back_off(item.attempts), away=True)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token()}", "Accept": "application/json"}


def _receipts(created: object, queued: Sequence[Public]) -> dict[str, Result]:
    """The receipts of a batch, by puid; what is missing among them is asked for again."""
    found = {str(_mapping(one).get("puid")): _receipt(one) for one in created} if isinstance(created, list) else {}
    return {
        item.disposal_id: found.get(str(item.body["puid"])) or Later("no receipt in the answer", 1.0) for item in queued
    }


def _receipt(said: object) -> Received | None:
    told = _mapping(said)
    uuid, permalink = (str(told.get(name) or "").replace("\x00", "") for name in ("uuid", "permalink"))
    return Received(uuid, permalink) if uuid else None


def _unexpected(answer: httpx.Response, item: Public) -> Later:
    """Neither accepted nor refused: 429 says how long to wait; a wrong token or a fault is tried again, ever later.

    A fault may be the statement's own; the rest concerns whatever is sent.
    """
    if answer.status_code == _TOO_MANY:
        seconds = _retry_after(answer.headers.get("retry-after", "")) or _back_off(item.attempts)
        return Later("429", seconds, away=True)
    _LOG.error("the DSA Transparency Database answers unexpectedly", status=answer.status_code)
    return Later(_said(answer), _back_off(item.attempts), away=answer.status_code in _EVERYBODY)


def _retry_after(header: str) -> float | None:
    """Seconds from a Retry-After header, which is a number or a date (RFC 9110); None when it is neither."""
    if header.strip().isdecimal():
        return min(float(header), _LONGEST_PAUSE)
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return None
    seconds = (at - datetime.now(UTC if at.tzinfo else None)).total_seconds()
    return min(max(seconds, 1.0), _LONGEST_PAUSE)


def _back_off(attempts: int) -> float:
    return min(2.0 ** min(attempts, 20), _LONGEST_PAUSE)


def _said(answer: httpx.Response) -> str:
    return f"{answer.status_code} {answer.text}"[:_LONGEST_ERROR].replace("\x00", "")


def _json(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        return _mapping(answer.json())
    except (json.JSONDecodeError, UnicodeDecodeError):
        return {}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
