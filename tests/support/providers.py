"""Stand-ins for the providers of channels. They check what the real ones check and answer in the same words.

Each counts what it took and remembers every request. `trouble` makes one misbehave as the real ones do on bad days.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

FEISHU_SECRET = "feishu-signing-secret"
DINGTALK_SECRET = "SECdingtalk-signing-secret"
ROUTING_KEY = "R0123456789abcdefR0123456789abcd"
WECOM_KEY = "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa"
AM_TOKEN = "alertmanager-token"
ROBOT_TOKEN = "robot-token-0123456789"


@dataclass
class Taken:
    """One request that reached a provider, and what it was answered with."""

    provider: str
    body: Any
    query: dict[str, str]
    headers: dict[str, str]
    status: int
    answer: str
    at: float


@dataclass
class Providers:
    """All providers at one address. `limits` are messages a minute, per provider; `trouble` is what befalls one."""

    address: str = ""
    taken: list[Taken] = field(default_factory=list)
    limits: dict[str, int] = field(default_factory=dict)
    trouble: dict[str, str] = field(default_factory=dict)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _sent: dict[str, list[float]] = field(default_factory=dict)

    def url(self, provider: str) -> str:
        return (
            self.address
            + {
                "feishu": f"/open-apis/bot/v2/hook/{ROBOT_TOKEN}",
                "dingtalk": f"/robot/send?access_token={ROBOT_TOKEN}",
                "wecom": f"/cgi-bin/webhook/send?key={WECOM_KEY}",
                "pagerduty": "/v2/enqueue",
                "alertmanager": "",
                "webhook": "/hooks/any",
            }[provider]
        )

    def of(self, provider: str) -> list[Taken]:
        return [taken for taken in self.taken if taken.provider == provider]

    async def wait(self, provider: str, text: str, count: int = 1, seconds: float = 20) -> list[Taken]:
        """What a provider was sent that holds a text, once there is so much of it."""

        def found() -> list[Taken]:
            return [taken for taken in self.of(provider) if text in json.dumps(taken.body, ensure_ascii=False)]

        async with asyncio.timeout(seconds), self.changed:
            await self.changed.wait_for(lambda: len(found()) >= count)
        return found()

    async def handle(self, request: Request) -> Response:
        provider = _provider(request.url.path)
        raw = await request.body()
        trouble = self.trouble.get(provider, "")
        answer = await self._troubled(trouble) if trouble else self._judged(provider, request, raw)
        async with self.changed:
            self.taken.append(
                Taken(
                    provider,
                    _json(raw),
                    dict(request.query_params),
                    dict(request.headers),
                    answer.status_code,
                    bytes(answer.body).decode(),
                    time.monotonic(),
                )
            )
            self.changed.notify_all()
        return answer

    async def _troubled(self, trouble: str) -> Response:
        if trouble == "silent":
            await asyncio.sleep(1)
        troubles: dict[str, Response] = {
            "silent": Response(status_code=504),
            "garbage": PlainTextResponse("<html>captive portal</html>"),
            "empty": PlainTextResponse(""),
            "broken": PlainTextResponse("upstream connect error", 503),
            "null": JSONResponse(None),
            "nested": PlainTextResponse("[" * 30_000),
            "redirect": Response(status_code=302, headers={"Location": "https://login.invalid/"}),
            "keyword": JSONResponse({"code": 19024, "data": {}, "msg": "Key Words Not Found"}),
            "limited": PlainTextResponse("Too Many Requests", 429, headers={"Retry-After": "7"}),
        }
        return troubles[trouble]

    def _judged(self, provider: str, request: Request, raw: bytes) -> Response:
        if self._too_many(provider):
            return _TOO_MANY[provider]()
        judge: Callable[[Request, Any], Response] = {
            "feishu": _feishu,
            "dingtalk": _dingtalk,
            "wecom": _wecom,
            "pagerduty": _pagerduty,
            "alertmanager": _alertmanager,
            "webhook": lambda _request, _body: JSONResponse({"id": "hook-1"}),
        }[provider]
        return judge(request, _json(raw))

    def _too_many(self, provider: str) -> bool:
        limit = self.limits.get(provider)
        if limit is None:
            return False
        now = time.monotonic()
        recent = [at for at in self._sent.get(provider, []) if now - at < 60]
        self._sent[provider] = [*recent, now]
        return len(recent) >= limit


def _provider(path: str) -> str:
    for start, name in (
        ("/open-apis/", "feishu"),
        ("/robot/", "dingtalk"),
        ("/cgi-bin/", "wecom"),
        ("/v2/", "pagerduty"),
        ("/api/v2/", "alertmanager"),
    ):
        if path.startswith(start):
            return name
    return "webhook"


_TOO_MANY: dict[str, Callable[[], Response]] = {
    "feishu": lambda: JSONResponse({"code": 11232, "data": {}, "msg": "frequency limited psm[lark.oapi]appID[1500]"}),
    "dingtalk": lambda: JSONResponse({"errcode": 130101, "errmsg": "send too fast, exceed 20 times per minute"}),
    "wecom": lambda: JSONResponse({"errcode": 45009, "errmsg": "api freq out of limit, hint: [1688]"}),
    "pagerduty": lambda: PlainTextResponse("", 429),
    "alertmanager": lambda: PlainTextResponse("", 429),
    "webhook": lambda: PlainTextResponse("", 429, headers={"Retry-After": "3"}),
}


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return None


def _feishu(request: Request, body: Any) -> Response:
    if not request.url.path.endswith(ROBOT_TOKEN):
        return JSONResponse({"code": 19001, "data": {}, "msg": "param invalid: incoming webhook access token invalid"})
    if not isinstance(body, dict) or body.get("msg_type") not in {"text", "post", "interactive"}:
        return JSONResponse({"code": 9499, "data": {}, "msg": "Bad Request"})
    stamp = str(body.get("timestamp", ""))
    key = (stamp + "\n" + FEISHU_SECRET).encode()
    signed = base64.b64encode(hmac.new(key, digestmod=hashlib.sha256).digest()).decode()
    fresh = stamp.isdecimal() and abs(time.time() - int(stamp)) < 3600
    if not fresh or body.get("sign") != signed:
        text = "sign match fail or timestamp is not within one hour from current time"
        return JSONResponse({"code": 19021, "data": {}, "msg": text})
    post = body.get("content", {}).get("post", {}).get("zh_cn", {})
    lines = post.get("content")
    if not isinstance(lines, list) or not all(tag.get("tag") in {"text", "a", "at"} for line in lines for tag in line):
        return JSONResponse({"code": 9499, "data": {}, "msg": "Bad Request"})
    if "Candor" not in post.get("title", ""):
        return JSONResponse({"code": 19024, "data": {}, "msg": "Key Words Not Found"})
    success = {"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"}
    return JSONResponse(success, headers={"X-Tt-Logid": "20261122233112A1B2C3"})


def _dingtalk(request: Request, body: Any) -> Response:
    query = request.query_params
    if query.get("access_token") != ROBOT_TOKEN:
        return JSONResponse({"errcode": 300005, "errmsg": "token is not exist"})
    stamp = query.get("timestamp", "")
    message = f"{stamp}\n{DINGTALK_SECRET}".encode()
    signed = base64.b64encode(hmac.new(DINGTALK_SECRET.encode(), message, hashlib.sha256).digest()).decode()
    fresh = stamp.isdecimal() and len(stamp) == 13 and abs(time.time() * 1000 - int(stamp)) < 3_600_000
    if not fresh or query.get("sign") != signed:
        return JSONResponse(
            {
                "errcode": 310000,
                "errmsg": f"sign not match for {ROBOT_TOKEN}, more: [https://ding-doc.dingtalk.com/]",
            }
        )
    markdown = body.get("markdown", {}) if isinstance(body, dict) else {}
    if body.get("msgtype") != "markdown" or not markdown.get("title") or not markdown.get("text"):
        return JSONResponse({"errcode": 40035, "errmsg": "缺少参数 text"})
    if not all(f"@{mobile}" in markdown["text"] for mobile in body["at"]["atMobiles"]):
        return JSONResponse({"errcode": 400, "errmsg": "at without text"})
    return JSONResponse({"errcode": 0, "errmsg": "ok"})


def _wecom(request: Request, body: Any) -> Response:
    if request.query_params.get("key") != WECOM_KEY:
        return JSONResponse({"errcode": 93000, "errmsg": "invalid webhook url, hint: [1653]"})
    text = body.get("text", {}).get("content", "") if isinstance(body, dict) else ""
    if not text:
        return JSONResponse({"errcode": 40008, "errmsg": "invalid message type"})
    if len(text.encode()) > 2048:
        return JSONResponse({"errcode": 40058, "errmsg": "text.content exceed max length 2048"})
    return JSONResponse({"errcode": 0, "errmsg": "ok"})


def _pagerduty(_request: Request, body: Any) -> Response:
    errors = []
    payload = body.get("payload", {}) if isinstance(body, dict) else {}
    if not isinstance(body, dict) or body.get("routing_key") != ROUTING_KEY:
        errors.append("'routing_key' is invalid")
    if isinstance(body, dict) and body.get("event_action") == "resolve" and not errors:
        return JSONResponse({"status": "success", "message": "Event processed", "dedup_key": body["dedup_key"]}, 202)
    if len(payload.get("summary", "")) not in range(1, 1025):
        errors.append("'payload.summary' is missing, blank or too long")
    if payload.get("severity") not in {"critical", "error", "warning", "info"}:
        errors.append("'payload.severity' is invalid (must be one of the following: critical, warning, error, info)")
    if errors:
        said = {"status": "invalid event", "message": "Event object is invalid", "errors": errors}
        return JSONResponse(said, 400)
    said = {"status": "success", "message": "Event processed", "dedup_key": body["dedup_key"]}
    return JSONResponse(said, 202)


def _alertmanager(request: Request, body: Any) -> Response:
    if request.headers.get("authorization") != f"Bearer {AM_TOKEN}":
        return PlainTextResponse("Unauthorized", 401)
    if request.url.path != "/api/v2/alerts" or not isinstance(body, list):
        return JSONResponse("bad_data", 400)
    for alert in body:
        if not alert.get("labels") or not all(isinstance(value, str) for value in alert["labels"].values()):
            return JSONResponse("no labels", 400)
        if datetime.fromisoformat(alert["endsAt"]) <= datetime.fromisoformat(alert["startsAt"]):
            return JSONResponse("start time must be before end time", 400)
    return Response(status_code=200)


@asynccontextmanager
async def started() -> AsyncIterator[Providers]:
    """All providers, on a free port of this machine."""
    providers = Providers()
    app = Starlette(routes=[Route("/{path:path}", providers.handle, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup()
    providers.address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    ticking = asyncio.create_task(server.main_loop())
    try:
        yield providers
    finally:
        server.should_exit = True
        await ticking
        await server.shutdown()
