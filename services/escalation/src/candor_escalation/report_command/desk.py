"""The services that know of reports, as a person at the command line asks them."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import grpc
from candor.escalation.v1 import report_pb2, report_pb2_grpc, service_pb2_grpc
from candor_kit.terminal import Terminal

T = TypeVar("T")
TERMINAL = Terminal("report", "escalation")


@dataclass(frozen=True)
class Desk:
    """The services that know of reports."""

    reports: report_pb2_grpc.ReportServiceAsyncStub
    incidents: service_pb2_grpc.EscalationServiceAsyncStub


Ask: TypeAlias = Callable[[Desk], Awaitable[T]]


def call(address: str, token: str, ask: Ask[T]) -> T:
    """Ask the service; a refusal is printed."""
    return TERMINAL.call(address, token, lambda channel: ask(_desk(channel)))


def _desk(channel: grpc.aio.Channel) -> Desk:
    return Desk(report_pb2_grpc.ReportServiceStub(channel), service_pb2_grpc.EscalationServiceStub(channel))


async def report_of(desk: Desk, clock_id: str) -> report_pb2.GetReportResponse:
    """Everything on record about the report of a clock."""
    return await desk.reports.GetReport(report_pb2.GetReportRequest(clock_id=clock_id))


def comparing(clock_id: str, revisions: str, locale: str) -> Ask[report_pb2.CompareDraftsResponse]:
    """The question what differs between two revisions, written FROM:TO."""
    before, _, after = revisions.partition(":")
    if not (before.isdecimal() and after.isdecimal()):
        TERMINAL.fail("--compare is FROM:TO, two revisions")
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
        TERMINAL.fail("the file arrived damaged; fetch it again")
    return content


def open_submission(found: report_pb2.GetReportResponse) -> str:
    """The last submission without a receipt."""
    waiting = [sent.submission_id for sent in found.submissions if not sent.HasField("receipt")]
    if not waiting:
        TERMINAL.fail("no submission of that clock waits for a receipt")
    return waiting[-1]
