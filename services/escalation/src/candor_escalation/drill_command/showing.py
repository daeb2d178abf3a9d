"""Drills for a person to read."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC

import typer
from candor.escalation.v1 import drill_pb2, model_pb2, report_pb2
from google.protobuf.timestamp_pb2 import Timestamp

_HEAD = ("step", "done at (UTC)", "after the signal", "left to strict due", "against the law")


def show_drill(drill: drill_pb2.Drill) -> None:
    """Print the times of a drill as tables, one for each clock and one for all."""
    typer.echo(f"{drill.title}")
    typer.echo(f"drill {drill.incident_id}, scenario {drill.scenario}, {_state(drill)}, {_length(drill.seconds)}")
    typer.echo(f"started {_at(drill.started_at)} by {drill.started_by}")
    if drill.HasField("ended_at"):
        by = f" by {drill.ended_by}: {drill.reason}" if drill.ended_by else ", every clock is stopped"
        typer.echo(f"ended {_at(drill.ended_at)}{by}")
    for clock in drill.clocks:
        _show_clock(clock)
    if drill.clocks:
        typer.echo("\nin all")
        _table(drill.steps)
    typer.echo(f"\nnot done: {_names(drill.not_done) or 'nothing'}")
    if drill.entry_id:
        typer.echo(f"on record in the register of drills: {drill.entry_id}")


def show_drills(found: drill_pb2.ListDrillsResponse) -> None:
    """Print drills, a line each."""
    for drill in found.drills:
        typer.echo(f"{_at(drill.started_at)}  {drill.incident_id}  {_state(drill):9}  {drill.scenario}  {drill.title}")
    if found.next_page_token:
        typer.echo(f"there are more: --page-token {found.next_page_token}")


def _show_clock(clock: drill_pb2.DrillClock) -> None:
    state = model_pb2.ClockState.Name(clock.state).removeprefix("CLOCK_STATE_").lower()
    latest = f", latest by law {_at(clock.legal_latest)}" if clock.HasField("legal_latest") else ""
    typer.echo(f"\n{clock.citation} ({clock.pack_id}/{clock.obligation_id}): {state}")
    typer.echo(f"strict due {_at(clock.strict_due)}{latest}, not done: {_names(clock.not_done) or 'nothing'}")
    _table(clock.steps)


def _table(steps: Iterable[drill_pb2.DrillStep]) -> None:
    rows = [_HEAD, *(_row(step) for step in steps)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_HEAD))]
    for row in rows:
        typer.echo("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _row(step: drill_pb2.DrillStep) -> tuple[str, ...]:
    done = step.HasField("at")
    return (
        _name(step.kind),
        _at(step.at) if done else "not done",
        _length(step.seconds) if done else "-",
        _length(step.seconds_left),
        report_pb2.Punctuality.Name(step.punctuality).removeprefix("PUNCTUALITY_").lower().replace("_", " "),
    )


def _names(kinds: Iterable[drill_pb2.DrillStepKind.ValueType]) -> str:
    return ", ".join(map(_name, kinds))


def _name(kind: drill_pb2.DrillStepKind.ValueType) -> str:
    return drill_pb2.DrillStepKind.Name(kind).removeprefix("DRILL_STEP_KIND_").lower()


def _state(drill: drill_pb2.Drill) -> str:
    return drill_pb2.DrillState.Name(drill.state).removeprefix("DRILL_STATE_").lower()


def _at(at: Timestamp) -> str:
    return f"{at.ToDatetime(UTC):%Y-%m-%d %H:%M:%S}"


def _length(seconds: int) -> str:
    """A length of time: ``-1:02:03``, hours without end."""
    minutes, left = divmod(abs(seconds), 60)
    return f"{'-' if seconds < 0 else ''}{minutes // 60}:{minutes % 60:02}:{left:02}"
