"""The logs as the tlog-tiles protocol serves them: checkpoint, tiles, entry bundles (C2SP tlog-tiles).

Beside them: which logs there are, their verifier keys, and for how long they are kept.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus

from candor_kit.database import Pool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from candor_generation.domain import tiles
from candor_generation.files import LogFiles, LogStore, StoreAwayError
from candor_generation.periods import Periods
from candor_generation.retention import Policy
from candor_generation.signing import LogKey
from candor_generation.store import logs
from candor_generation.store.logs import Log

_FOREVER = "public, max-age=31536000, immutable"
_NEVER = "no-cache"
# Of a period: 2026h2.
_LONGEST_NAME = 16


@dataclass(frozen=True)
class LogHttp:
    """Serves the logs' files; of the database it asks only which logs there are."""

    pool: Pool
    store: LogStore
    key: LogKey
    periods: Periods
    policy: Policy

    def routes(self) -> list[Route]:
        """The routes below /log."""
        return [
            Route("/log", self._index),
            Route("/log/retention", self._retention),
            Route("/log/vkey", self._own_vkey),
            Route("/log/{kind:str}/{period:str}/checkpoint", self._checkpoint),
            Route("/log/{kind:str}/{period:str}/vkey", self._vkey),
            Route("/log/{kind:str}/{period:str}/{path:path}", self._tile),
        ]

    async def _index(self, _request: Request) -> Response:
        async with self.pool.connection() as connection:
            found = await self.periods.look(connection)
            present = await self.periods.present(connection, logs.GENERATION)
            acting = await self.periods.present(connection, logs.ACTS)
        described = [self._described(log, is_present=log in (present, acting)) for log in found]
        listed = {"logs": described, "vkey": self.key.signer.vkey.text, "retention": "log/retention"}
        return JSONResponse(listed, headers={"Cache-Control": _NEVER})

    def _described(self, log: Log, *, is_present: bool) -> dict[str, object]:
        return {
            "origin": log.origin,
            "kind": log.kind,
            "period": log.period.name,
            "starts_at": log.period.starts_at.isoformat(),
            "ends_at": log.period.ends_at.isoformat(),
            "is_present": is_present,
            "path": f"log/{log.kind}/{log.period.name}",
            "vkey": self.key.signer_of(log.origin).vkey.text,
            "dropped_at": log.dropped_at.isoformat() if log.dropped_at else None,
        }

    async def _own_vkey(self, _request: Request) -> Response:
        """The key in the name of all the logs, which certifies the label keys."""
        return PlainTextResponse(f"{self.key.signer.vkey.text}\n", headers={"Cache-Control": _NEVER})

    async def _retention(self, _request: Request) -> Response:
        return PlainTextResponse(self.policy.text(self.key.origin), headers={"Cache-Control": _NEVER})

    async def _checkpoint(self, request: Request) -> Response:
        files = self._files(request)
        try:
            found = await asyncio.to_thread(files.published) if files else None
        except StoreAwayError:
            return _away()
        if found is None:
            return _not_found("there is no such log, or it has published no checkpoint yet; see /log")
        headers = {"Cache-Control": _NEVER, "Last-Modified": formatdate(found.at, usegmt=True)}
        return PlainTextResponse(found.checkpoint, headers=headers)

    async def _vkey(self, request: Request) -> Response:
        answer = await self._checkpoint(request)
        if answer.status_code != HTTPStatus.OK:
            return answer
        origin = f"{self.key.origin}/{request.path_params['kind']}/{request.path_params['period']}"
        vkey = self.key.signer_of(origin).vkey.text
        return PlainTextResponse(f"{vkey}\n", headers={"Cache-Control": _NEVER})

    async def _tile(self, request: Request) -> Response:
        tile = tiles.parse_path(request.path_params["path"])
        files = self._files(request)
        if tile is None or files is None:
            return _not_found("this is no path of a tile or an entry bundle")
        try:
            content = await asyncio.to_thread(files.read, tile)
        except (FileNotFoundError, ValueError):
            return _not_found("the log has no such tile, or not yet")
        except StoreAwayError:
            return _away()
        return Response(content, media_type="application/octet-stream", headers={"Cache-Control": _FOREVER})

    def _files(self, request: Request) -> LogFiles | None:
        """The files of the log that is asked for; a path is made of a known kind and a well-formed period only."""
        kind, name = request.path_params["kind"], request.path_params["period"]
        if kind not in ("generation", "acts") or not name.isascii() or not name.isalnum() or len(name) > _LONGEST_NAME:
            return None
        return self.store.of(kind, name)


def _not_found(detail: str) -> Response:
    return _problem(404, "Not Found", detail)


def _away() -> Response:
    return _problem(503, "Service Unavailable", "the logs' files do not answer; ask again in a few seconds")


def _problem(status: int, title: str, detail: str) -> Response:
    problem = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return JSONResponse(problem, status, {"Cache-Control": _NEVER}, "application/problem+json")
