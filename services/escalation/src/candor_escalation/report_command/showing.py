"""What the services answer, for a person or as JSON."""

from __future__ import annotations

from datetime import UTC

import typer
from candor.escalation.v1 import model_pb2, report_pb2
from candor_kit.terminal import json_of
from google.protobuf.timestamp_pb2 import Timestamp


def show_report(found: report_pb2.GetReportResponse, *, as_json: bool) -> None:
    """Print what is on record about a report."""
    if as_json:
        typer.echo(json_of(found))
        return
    times = found.timeliness
    typer.echo(f"{found.clock.citation}: {_name(report_pb2.Punctuality, times.punctuality, 'PUNCTUALITY_')}")
    typer.echo(f"counted from {_iso(times.anchor.at)}, due {_iso(times.strict_due)}, {times.seconds_left} s left")
    for draft_ in found.drafts:
        kind = _name(model_pb2.ReportKind, draft_.kind, "REPORT_KIND_")
        missing = ", ".join(draft_.missing) or "nothing"
        typer.echo(f"revision {draft_.revision} {draft_.locale} ({kind}) by {draft_.drafted_by}, missing: {missing}")
    for approval in found.approvals:
        typer.echo(f"revision {approval.revision} approved by {approval.approved_by} at {_iso(approval.approved_at)}")
    for sent in found.submissions:
        by = f"approved by {sent.approved_by}" if sent.approved_by else f"UNAPPROVED: {sent.unapproved_reason}"
        typer.echo(f"submission {sent.submission_id} by {sent.channel} at {_iso(sent.submitted_at)}, {by}")
        typer.echo(f"  {sent.media_type} sha256 {sent.sha256.hex()}, receipt {sent.receipt.reference or 'outstanding'}")
    if found.HasField("proposal"):
        stands = found.proposal.approved_by or "nobody yet"
        typer.echo(f"proposal {found.proposal.proposal_id} by {found.proposal.proposed_by}, approved by {stands}")
    show_changes(report_pb2.CompareDraftsResponse(changes=found.changes), as_json=False)


def show_changes(found: report_pb2.CompareDraftsResponse, *, as_json: bool) -> None:
    """Print what differs, a field a line."""
    if as_json:
        typer.echo(json_of(found))
        return
    for change in found.changes:
        typer.echo(f"{change.locale} {change.label or change.name}: {change.before!r} -> {change.after!r}")


def _name(enum: type, value: int, prefix: str) -> str:
    return str(enum.Name(value)).removeprefix(prefix).lower()  # type: ignore[attr-defined]  # an enum of the schema


def _iso(at: Timestamp) -> str:
    return at.ToDatetime(UTC).isoformat(timespec="minutes")
