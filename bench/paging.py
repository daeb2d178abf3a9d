"""How long it takes from a signal to the page of whoever is on call, while incidents come in evenly."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from candor.escalation.v1 import service_pb2, service_pb2_grpc
from candor_cli.session import Session, command_id
from candor_stack import Runner, RunnerOptions
from google.protobuf.struct_pb2 import Value
from google.protobuf.timestamp_pb2 import Timestamp
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bench.delay import Delays
from bench.figure import BenchError, Figure
from bench.plan import ROOT, Plan
from bench.watch import processor_seconds

NAME = "escalation.page.delay"
_CEILING_SECONDS = 1.0
_A_SECOND = 100
_SETTLE_SECONDS = 0.2
_BURST_SECONDS = 1.0
_PATIENCE_SECONDS = 60.0
_PROFILE = {"jurisdictions": ["CN"], "operator_class": "other"}


@dataclass
class Channel:
    """A stand-in for the channel of whoever is on call: when the first page about each incident came."""

    address: str = ""
    first: dict[str, float] = field(default_factory=dict)
    pages: int = 0

    async def take(self, request: Request) -> JSONResponse:
        """Take a page as a webhook does."""
        page = await request.json()
        self.first.setdefault(page["incident_id"], time.perf_counter())
        self.pages += 1
        return JSONResponse({"id": page["page_id"]})


def measure(plan: Plan) -> Figure:
    """Start an escalation service of its own and report incidents to it, for a second.

    Raises:
        BenchError: an incident was not paged.
    """
    return asyncio.run(_measure(plan))


async def _measure(plan: Plan) -> Figure:
    async with _channel() as channel:
        options = RunnerOptions(services=("escalation",), packs=ROOT / "packs")
        runner = Runner(plan.folder / "paging", cache=plan.cache, options=options)
        await asyncio.to_thread(runner.start)
        try:
            chain = _chain(plan.folder / "paging" / "oncall.yaml", channel)
            settings = {"CANDOR_ONCALL_FILE": str(chain), "CANDOR_PROFILE": json.dumps(_PROFILE)}
            await asyncio.to_thread(runner.restart_service, "escalation", settings)
            async with Session(runner.description) as session:
                await _all_paged(channel, await _report(session, _SETTLE_SECONDS))
                paged_before, used_before = channel.pages, _used(runner)
                sent = await _report(session, _BURST_SECONDS)
                await _all_paged(channel, sent)
                used = {name: seconds - used_before[name] for name, seconds in _used(runner).items()}
        finally:
            await asyncio.to_thread(runner.stop)
    delays = Delays(sorted(channel.first[incident] - at for incident, at in sent.items()))
    pages = channel.pages - paged_before
    return Figure(
        NAME,
        delays.at(0.99),
        "s",
        f"{len(sent):,} leaks of personal information were reported over gRPC within a second, each an incident of its"
        " own; from the call until the stand-in for on-call's webhook had the first page about the incident.",
        "processors: an incident is thirteen clocks, sixty-five milestones and some twenty facts of record",
        ceiling=_CEILING_SECONDS,
        details={
            "p50": delays.at(0.5),
            "p99": delays.at(0.99),
            "most": delays.at(1.0),
            "incidents": len(sent),
            "pages": pages,
            "processor ms an incident": {name: round(used[name] / len(sent) * 1e3, 1) for name in used},
        },
    )


def _used(runner: Runner) -> dict[str, float]:
    pids = {"escalation": runner.pid("escalation"), "postgres": runner.stack.postgres.child.pid}
    return {name: processor_seconds(pid) for name, pid in pids.items() if pid is not None}


async def _report(session: Session, seconds: float) -> dict[str, float]:
    """Report evenly; incident -> when the call began."""
    stub = service_pb2_grpc.EscalationServiceStub(session.channel("escalation", "backend"))
    sent: dict[str, float] = {}
    began = time.perf_counter()
    async with asyncio.TaskGroup() as calls:
        for number in range(int(seconds * _A_SECOND)):
            await asyncio.sleep(max(0.0, began + number / _A_SECOND - time.perf_counter()))
            calls.create_task(_call(stub, sent))
    return sent


async def _call(stub: service_pb2_grpc.EscalationServiceAsyncStub, sent: dict[str, float]) -> None:
    aware = Timestamp()
    aware.FromDatetime(datetime.now(UTC))
    request = service_pb2.ReportSignalRequest(
        command_id=command_id(),
        kind="pi_leak",
        title="A leak",
        facts={"persons": Value(number_value=1200)},
        anchors=[service_pb2.ReportedAnchor(name="aware", at=aware, evidence="an alert")],
        source="bench",
    )
    at = time.perf_counter()
    answer = await stub.ReportSignal(request, timeout=_PATIENCE_SECONDS)
    sent[answer.incident_id] = at


async def _all_paged(channel: Channel, sent: dict[str, float]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while sent.keys() - channel.first.keys():
        if time.monotonic() > deadline:
            raise BenchError(f"{len(sent.keys() - channel.first.keys())} of {len(sent)} incidents were not paged")
        await asyncio.sleep(0.1)


def _chain(file: Path, channel: Channel) -> Path:
    contact = {"name": "duty-officer", "webhook": channel.address, "ack_timeout_seconds": 3600}
    file.write_text(json.dumps({"contacts": [contact]}), encoding="utf-8")  # JSON is YAML
    return file


@asynccontextmanager
async def _channel() -> AsyncIterator[Channel]:
    channel = Channel()
    app = Starlette(routes=[Route("/page", channel.take, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", access_log=False))
    listening = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(server.serve([listening]))
    # The socket is bound and listening before the server runs, so that there is nothing to wait for.
    channel.address = f"http://127.0.0.1:{listening.getsockname()[1]}/page"
    try:
        yield channel
    finally:
        server.should_exit = True
        await serving
