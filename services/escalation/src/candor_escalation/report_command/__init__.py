"""`candor report`: the report of a clock from the command line, from the first draft to the receipt.

Who you are is your token's business. Exit codes: 0 done, 2 not done, and why.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from candor.escalation.v1 import model_pb2, report_pb2, service_pb2
from candor_kit.terminal import Token, command_id, json_of

from candor_escalation.report_command.desk import (
    TERMINAL,
    Desk,
    call,
    comparing,
    fetch,
    open_submission,
    report_of,
)
from candor_escalation.report_command.reading import FORMATS, KINDS, fields_of, instant, one_of, prove
from candor_escalation.report_command.showing import show_changes, show_report

app = typer.Typer(
    no_args_is_help=True,
    help="The report of a legal clock: draft, show, approve, submit, receipt.\n\n"
    "Nothing but the receipt, or the decision of two persons not to report, stops the clock.",
)

ClockId = Annotated[str, typer.Argument(metavar="CLOCK_ID")]
Address = Annotated[str, TERMINAL.address_option]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Kind = Annotated[str, typer.Option(help="first, supplement or final; without it, what fits.")]
Revision = Annotated[int, typer.Option(help="Which revision; without it, the latest.")]
Locale = Annotated[str, typer.Option(help="zh or en.")]
Format = Annotated[str, typer.Option("--format", help="text, html, pdf or docx.")]
At = Annotated[str, typer.Option(help="When, as 2026-11-22T09:30+08:00; without it, now.")]


@app.command()
def draft(
    clock_id: ClockId,
    field: Annotated[
        list[str] | None, typer.Option("--set", help="NAME=VALUE, a field to fill; may be given again.")
    ] = None,
    remark_zh: Annotated[str, typer.Option(help="Free text below the form, in Chinese.")] = "",
    remark_en: Annotated[str, typer.Option(help="Free text below the form, in English.")] = "",
    kind: Kind = "",
    address: Address = "",
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Write the next revision from what is known, and what is told here."""
    request = report_pb2.EditDraftRequest(
        command_id=command_id(), clock_id=clock_id, kind=one_of(KINDS, kind, "--kind"), fields=fields_of(field or [])
    )
    if remark_zh or remark_en:
        request.remark.CopyFrom(report_pb2.Remark(zh=remark_zh, en=remark_en))

    async def ask(desk: Desk) -> report_pb2.EditDraftResponse:
        return await desk.reports.EditDraft(request)

    done = call(address, token, ask)
    if as_json:
        typer.echo(json_of(done))
        return
    for written in done.drafts:
        typer.echo(
            f"revision {written.revision} ({written.locale}), missing: {', '.join(written.missing) or 'nothing'}"
        )
    for started in done.clock_ids:
        typer.echo(f"a clock started: {started}")


@app.command()
def show(
    clock_id: ClockId,
    file_format: Format = "",
    revision: Revision = 0,
    locale: Locale = "zh",
    output: Annotated[Path | None, typer.Option(help="Where to write the file; without it, to the output.")] = None,
    compare: Annotated[str, typer.Option(help="FROM:TO, what differs between two revisions.")] = "",
    address: Address = "",
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Show what is on record, or with --format a revision as a file, or with --compare what was changed."""
    if compare:
        show_changes(call(address, token, comparing(clock_id, compare, locale)), as_json=as_json)
    elif file_format or output:
        request = report_pb2.GetReportFileRequest(
            clock_id=clock_id,
            revision=revision,
            locale=locale,
            format=one_of(FORMATS, file_format or "pdf", "--format"),
        )
        TERMINAL.write(call(address, token, lambda desk: fetch(desk, request)), output)
    else:
        show_report(call(address, token, lambda desk: report_of(desk, clock_id)), as_json=as_json)


@app.command()
def channels(clock_id: ClockId, address: Address = "", token: Token = "", as_json: AsJson = False) -> None:
    """Say how the report can be sent, step by step."""

    async def ask(desk: Desk) -> report_pb2.ListChannelsResponse:
        return await desk.reports.ListChannels(report_pb2.ListChannelsRequest(clock_id=clock_id))

    found = call(address, token, ask)
    if as_json:
        typer.echo(json_of(found))
        return
    typer.echo(f"{found.recipient.zh} / {found.recipient.en}")
    for channel in found.channels:
        typer.echo(f"\n{channel.name}: {channel.title.zh} / {channel.title.en}")
        for number, step in enumerate(channel.steps, start=1):
            typer.echo(f"  {number}. {step.zh}\n     {step.en}")


@app.command()
def approve(
    clock_id: ClockId,
    revision: Annotated[int, typer.Option(help="The revision that you have read.")],
    address: Address = "",
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Approve the latest revision, which somebody else wrote."""
    request = report_pb2.ApproveReportRequest(command_id=command_id(), clock_id=clock_id, revision=revision)

    async def ask(desk: Desk) -> report_pb2.ApproveReportResponse:
        return await desk.reports.ApproveReport(request)

    done = call(address, token, ask)
    words = f"revision {done.approval.revision} approved by {done.approval.approved_by}"
    typer.echo(json_of(done) if as_json else words)


@app.command()
def submit(
    clock_id: ClockId,
    channel: Annotated[str, typer.Option(help="phone, portal, email, fax, …: see `candor report channels`.")],
    revision: Revision = 0,
    locale: Locale = "zh",
    file_format: Format = "text",
    at: At = "",
    unapproved_reason: Annotated[
        str, typer.Option(help="Why it could not wait for an approval; it stays on the record.")
    ] = "",
    address: Address = "",
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Record that a revision was sent. The clock runs on."""
    request = service_pb2.RecordSubmissionRequest(
        command_id=command_id(),
        clock_id=clock_id,
        revision=revision,
        locale=locale,
        channel=channel,
        submitted_at=instant(at),
        format=one_of(FORMATS, file_format, "--format"),
        unapproved_reason=unapproved_reason,
    )

    async def ask(desk: Desk) -> service_pb2.RecordSubmissionResponse:
        if not request.revision:
            drafts = (await report_of(desk, clock_id)).drafts
            request.revision = max((written.revision for written in drafts), default=1)
        return await desk.incidents.RecordSubmission(request)

    done = call(address, token, ask)
    typer.echo(json_of(done) if as_json else f"submission {done.submission_id}; the clock runs until its receipt")


@app.command()
def receipt(
    clock_id: ClockId,
    reference: Annotated[str, typer.Option(help="The authority's reference.")],
    proof: Annotated[
        Path | None, typer.Option(help="A letter or screenshot; only its hash, size and type are kept.")
    ] = None,
    submission_id: Annotated[str, typer.Option(help="Without it, the last submission without receipt.")] = "",
    at: At = "",
    address: Address = "",
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Record the authority's receipt, which stops the clock."""
    request = service_pb2.RecordReceiptRequest(
        command_id=command_id(), submission_id=submission_id, reference=reference, received_at=instant(at)
    )
    if proof is not None:
        prove(request, proof)

    async def ask(desk: Desk) -> service_pb2.RecordReceiptResponse:
        if not request.submission_id:
            request.submission_id = open_submission(await report_of(desk, clock_id))
        return await desk.incidents.RecordReceipt(request)

    done = call(address, token, ask)
    words = model_pb2.ClockState.Name(done.state).removeprefix("CLOCK_STATE_").lower()
    typer.echo(json_of(done) if as_json else f"the clock is {words}")


@app.command("not-report")
def not_report(
    clock_id: ClockId,
    reason: Annotated[str, typer.Option(help="Why; it goes on record.")],
    address: Address = "",
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Propose not to report. The clock runs on until another person approves."""
    request = report_pb2.ProposeNotToReportRequest(command_id=command_id(), clock_id=clock_id, reason=reason)

    async def ask(desk: Desk) -> report_pb2.ProposeNotToReportResponse:
        return await desk.reports.ProposeNotToReport(request)

    done = call(address, token, ask)
    typer.echo(
        json_of(done) if as_json else f"proposal {done.proposal.proposal_id}; the clock runs until it is approved"
    )


@app.command("approve-not-report")
def approve_not_report(
    proposal_id: Annotated[str, typer.Argument(metavar="PROPOSAL_ID")],
    address: Address = "",
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Approve somebody else's proposal not to report, which stops the clock."""
    request = report_pb2.ApproveNotToReportRequest(command_id=command_id(), proposal_id=proposal_id)

    async def ask(desk: Desk) -> report_pb2.ApproveNotToReportResponse:
        return await desk.reports.ApproveNotToReport(request)

    done = call(address, token, ask)
    typer.echo(json_of(done) if as_json else f"approved by {done.proposal.approved_by}; the clock is stopped")
