"""`candor drill`: start a drill, see its times, end it.

Who you are is your token's business. Exit codes: 0 done, 2 not done, and why.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from candor.escalation.v1 import drill_pb2, drill_pb2_grpc
from candor_kit.terminal import Terminal, Token, command_id, json_of
from candor_packs.document import PackError

from candor_escalation import drill_codec, scenarios
from candor_escalation.drill_command.showing import show_drill, show_drills

app = typer.Typer(
    no_args_is_help=True,
    help="Drills: the whole chain on the real code, marked everywhere and timed.\n\n"
    "People are really paged; nothing leaves the company.",
)

T = TypeVar("T")
_TERMINAL = Terminal("drill", "escalation")
_FILES = (".yaml", ".yml", ".json")

DrillId = Annotated[str, typer.Argument(metavar="ID", help="The drill, by the id of its incident.")]
Address = Annotated[str, _TERMINAL.address_option]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def start(
    scenario: Annotated[
        str, typer.Option(metavar="FILE|NAME", help="A YAML or JSON file, or one of `candor drill scenarios`.")
    ],
    address: Address = "",
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Start a drill. Whoever is on call is paged."""
    request = _request(scenario)

    async def ask(desk: drill_pb2_grpc.DrillServiceAsyncStub) -> drill_pb2.StartDrillResponse:
        return await desk.StartDrill(request)

    done = _call(address, token, ask)
    if as_json:
        typer.echo(json_of(done))
        return
    typer.echo(f"drill {done.incident_id}, clocks: {len(done.clock_ids)}")
    for clock_id in done.clock_ids:
        typer.echo(f"  {clock_id}")


@app.command()
def show(drill_id: DrillId, address: Address = "", token: Token = "", as_json: AsJson = False) -> None:
    """Show the times of a drill: as far as it is, or as it ended."""

    async def ask(desk: drill_pb2_grpc.DrillServiceAsyncStub) -> drill_pb2.GetDrillResponse:
        return await desk.GetDrill(drill_pb2.GetDrillRequest(incident_id=drill_id))

    found = _call(address, token, ask)
    if as_json:
        typer.echo(json_of(found))
        return
    show_drill(found.drill)


@app.command("list")
def list_(
    address: Address = "",
    token: Token = "",
    page_token: Annotated[str, typer.Option(help="Where to go on, as the last list said.")] = "",
    as_json: AsJson = False,
) -> None:
    """List the drills, the latest in front."""

    async def ask(desk: drill_pb2_grpc.DrillServiceAsyncStub) -> drill_pb2.ListDrillsResponse:
        return await desk.ListDrills(drill_pb2.ListDrillsRequest(page_token=page_token))

    found = _call(address, token, ask)
    if as_json:
        typer.echo(json_of(found))
        return
    show_drills(found)


@app.command()
def end(
    drill_id: DrillId,
    reason: Annotated[str, typer.Option(help="Why; it goes on record.")],
    address: Address = "",
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """End a drill before every clock of it is stopped. The clocks that run fall."""
    request = drill_pb2.EndDrillRequest(command_id=command_id(), incident_id=drill_id, reason=reason)

    async def ask(desk: drill_pb2_grpc.DrillServiceAsyncStub) -> drill_pb2.EndDrillResponse:
        return await desk.EndDrill(request)

    done = _call(address, token, ask)
    if as_json:
        typer.echo(json_of(done))
        return
    show_drill(done.drill)


@app.command("scenarios")
def scenarios_() -> None:
    """List the scenarios that come with Candor."""
    for name, scenario in scenarios.shipped().items():
        typer.echo(f"{name}  {scenario.title}")


def _request(scenario: str) -> drill_pb2.StartDrillRequest:
    """The command of a scenario: a file is read here, a name is known to the service."""
    path = Path(scenario)
    if not (scenario.endswith(_FILES) or path.name != scenario):
        return drill_pb2.StartDrillRequest(command_id=command_id(), scenario=scenario)
    try:
        told = scenarios.read(path)
    except PackError as error:
        _TERMINAL.fail(str(error))
    return drill_pb2.StartDrillRequest(
        command_id=command_id(), scenario=told.name, told=drill_codec.scenario_message(told)
    )


def _call(address: str, token: str, ask: Callable[[drill_pb2_grpc.DrillServiceAsyncStub], Awaitable[T]]) -> T:
    return _TERMINAL.call(address, token, lambda channel: ask(drill_pb2_grpc.DrillServiceStub(channel)))
