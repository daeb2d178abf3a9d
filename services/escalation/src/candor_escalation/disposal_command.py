"""`candor disposal`: the reports on what was done about content and accounts, from the command line.

Exit codes: 0 done, 2 nothing could be done.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import grpc
import typer
from candor.escalation.v1 import disposal_pb2, disposal_pb2_grpc
from candor_kit.terminal import Terminal, Token

_TERMINAL = Terminal("disposal", "escalation")
_KINDS = {
    "dsa": disposal_pb2.DISPOSAL_REPORT_KIND_DSA,
    "cn-annual": disposal_pb2.DISPOSAL_REPORT_KIND_CN_ANNUAL,
}
_FORMATS = {
    "csv": disposal_pb2.DISPOSAL_REPORT_FORMAT_CSV,
    "html": disposal_pb2.DISPOSAL_REPORT_FORMAT_HTML,
}

app = typer.Typer(no_args_is_help=True, help="Disposals of content and sanctions on users: what is reported of them.")


@app.callback()
def _disposal() -> None:
    """Make `report` a subcommand even while it is the only one."""


@app.command()
def report(
    start: Annotated[str, typer.Option("--from", help="First day, such as 2026-01-01 (UTC).")],
    end: Annotated[str, typer.Option("--to", help="Last day, included (UTC).")],
    kind: Annotated[str, typer.Option(help="dsa, or cn-annual for the Chinese annual summary.")] = "dsa",
    form: Annotated[str, typer.Option("--format", help="csv or html.")] = "csv",
    output: Annotated[Path, typer.Option(help="Where to write; - for the output.")] = Path("-"),
    address: Annotated[str, _TERMINAL.address_option] = "",
    token: Token = "",
) -> None:
    """Write the transparency report (DSA) or the annual summary (年度汇总), computed from the record."""
    request = _request(start, end, kind, form)
    _TERMINAL.write(_TERMINAL.call(address, token, lambda channel: _fetch(channel, request)), output)


def _request(start: str, end: str, kind: str, form: str) -> disposal_pb2.ExportDisposalReportRequest:
    if kind not in _KINDS:
        _TERMINAL.fail(f"--kind is one of {', '.join(_KINDS)}")
    if form not in _FORMATS:
        _TERMINAL.fail(f"--format is one of {', '.join(_FORMATS)}")
    request = disposal_pb2.ExportDisposalReportRequest(kind=_KINDS[kind], format=_FORMATS[form])
    getattr(request, "from").FromDatetime(_day("--from", start))
    request.to.FromDatetime(_day("--to", end))
    request.to.seconds += 86_400  # the last day is included
    return request


async def _fetch(channel: grpc.aio.Channel, request: disposal_pb2.ExportDisposalReportRequest) -> bytes:
    stub = disposal_pb2_grpc.DisposalServiceStub(channel)
    return b"".join([piece.content async for piece in stub.ExportDisposalReport(request)])


def _day(option: str, text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        _TERMINAL.fail(f"{option} is a day such as 2026-01-01")
