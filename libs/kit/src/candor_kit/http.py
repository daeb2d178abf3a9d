"""The HTTP side of a service: alive, ready, metrics, and what an outside protocol needs."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from candor_kit import metrics
from candor_kit.stop import Stop

Readiness = Callable[[], Awaitable[dict[str, str]]]


def application(readiness: Readiness, routes: Sequence[BaseRoute]) -> Starlette:
    """Return the application: /livez, /readyz (503 and the reasons while a part is not ready), /metrics, `routes`."""

    async def livez(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_request: Request) -> Response:
        parts = await readiness()
        ready = all(state == "ok" for state in parts.values())
        return JSONResponse({"ready": ready, "parts": parts}, status_code=200 if ready else 503)

    async def show_metrics(_request: Request) -> Response:
        body, content_type = metrics.exposition()
        return Response(body, media_type=content_type)

    own = [Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", show_metrics)]
    return Starlette(routes=[*own, *routes])


class QuietServer(uvicorn.Server):
    """Leaves signals to the service."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take no signal."""
        yield


async def serve(app: Starlette, listen: str, stop: Stop) -> None:
    """Serve until the service stops.

    Raises:
        SystemExit: the address cannot be bound.
    """
    host, _, port = listen.rpartition(":")
    config = uvicorn.Config(
        app, host=host, port=int(port), log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=3
    )
    server = QuietServer(config)

    async def end() -> None:
        await stop.wait()
        server.should_exit = True

    import asyncio

    ender = asyncio.create_task(end())
    try:
        await server.serve()
    finally:
        ender.cancel()
