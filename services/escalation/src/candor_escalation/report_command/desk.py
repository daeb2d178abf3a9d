"""The services that know of reports, as a person at the command line asks them."""

from __future__ import annotations

import asyncio
import hashlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NoReturn, TypeAlias, TypeVar

import grpc
import typer
from candor.escalation.v1 import report_pb2, report_pb2_grpc, service_pb2_grpc
from candor_kit.client import channel_with
from candor_kit.errors import Refusal
from candor_kit.ids import uuid7

_USAGE = 2
T = TypeVar("T")


@dataclass(frozen=True)
class Desk:
    """Both services that know of reports."""

    reports: report_pb2_grpc.ReportServiceAsyncStub
    incidents: service_pb2_grpc.EscalationServiceAsyncStub


Ask: TypeAlias = Callable[[Desk], Awaitable[T]]


def call(address: str, token: str, ask: Ask[T]) -> T:
    """Ask the service; a refusal is printed."""

    async def run() -> T:
        async with _desk(address or _local_address(), token) as desk:
            return await ask(desk)

    try:
        return asyncio.run(run())
    except grpc.aio.AioRpcError as error:
        refusal = Refusal.from_rpc(error)
        fail(f"{refusal.reason}: {refusal}" if refusal else f"{error.code().name}: {error.details()}")


@asynccontextmanager
async def _desk(address: str, token: str) -> AsyncIterator[Desk]:
    async with channel_with(address, lambda: token) as channel:
        yield Desk(report_pb2_grpc.ReportServiceStub(channel), service_pb2_grpc.EscalationServiceStub(channel))


def _local_address() -> str:
    """Where the local stack's service is; a deployment's image has no local stack."""
    try:
        from candor_stack import StackError, find
    except ImportError:
        fail("say where the service is: --address HOST:PORT or CANDOR_ESCALATION_ADDRESS")
    try:
        return find().services["escalation"].grpc
    except StackError as error:
        fail(f"{error} Or say where the service is: --address HOST:PORT.")


async def report_of(desk: Desk, clock_id: str) -> report_pb2.GetReportResponse:
    """Everything on record about the report of a clock."""
    return await desk.reports.GetReport(report_pb2.GetReportRequest(clock_id=clock_id))


def comparing(clock_id: str, revisions: str, locale: str) -> Ask[report_pb2.CompareDraftsResponse]:
    """The question what differs between two revisions, written FROM:TO."""
    before, _, after = revisions.partition(":")
    if not (before.isdecimal() and after.isdecimal()):
        fail("--compare is FROM:TO, two revisions")
    request = report_pb2.CompareDraftsRequest(
        clock_id=clock_id, from_revision=int(before), to_revision=int(after), locale=locale
    )

    async def ask(desk: Desk) -> report_pb2.CompareDraftsResponse:
        return await desk.reports.CompareDrafts(request)

    return ask


async def fetch(desk: Desk, request: report_pb2.GetReportFileRequest) -> bytes:
    """A file, whole, as its SHA-256 proves."""
    pieces = [piece async for piece in desk.reports.GetReportFile(request)]
    content = b"".join(piece.content for piece in pieces)
    if hashlib.sha256(content).digest() != pieces[0].sha256:
        fail("the file arrived damaged; fetch it again")
    return content


def open_submission(found: report_pb2.GetReportResponse) -> str:
    """The last submission without a receipt."""
    waiting = [sent.submission_id for sent in found.submissions if not sent.HasField("receipt")]
    if not waiting:
        fail("no submission of that clock waits for a receipt")
    return waiting[-1]


def command_id() -> str:
    """A new command id: a UUIDv7 of now."""
    return str(uuid7(datetime.now(UTC)))


def fail(words: str) -> NoReturn:
    """Say why nothing was done, and end."""
    typer.echo(f"candor report: {words}", err=True)
    sys.exit(_USAGE)
