"""`candor features`: the feature library from the command line.

A file is sent in parts, and every row that is refused is named with its number in the file. Exit codes: 0 all was done,
1 some of it was refused, 2 nothing could be done.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, TypeAlias, TypeVar

import typer
from candor.generation.v1 import model_pb2, service_pb2, service_pb2_grpc
from candor_kit.terminal import Terminal, Token, command_id, json_of

from candor_generation import exchange
from candor_generation.domain.refusal import Refused

_TERMINAL = Terminal("features", "generation")
_FAILED = 1
_MOST_AT_ONCE = 1_000
_FORMATS = {
    "json": service_pb2.FEATURE_FORMAT_JSON,
    "csv": service_pb2.FEATURE_FORMAT_CSV,
    "stix": service_pb2.FEATURE_FORMAT_STIX,
}
T = TypeVar("T")
Stub: TypeAlias = "service_pb2_grpc.GenerationServiceAsyncStub"

app = typer.Typer(
    no_args_is_help=True,
    help="The feature library: what screening looks for.\n\n"
    "A feature is proposed, reviewed and admitted, by at least two persons; then it is counted in shadow until somebody"
    " lets it decide. Who you are is your token's business.",
)

Address = Annotated[str, _TERMINAL.address_option]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Ids = Annotated[list[str], typer.Argument(metavar="FEATURE_ID...", help="Features, or - to read ids from the input.")]
Reason = Annotated[str, typer.Option(help="Why; it goes on record.")]
Format = Annotated[str, typer.Option("--format", help="json, csv or stix; without it, by the file's name and content.")]


@app.command("list")
def list_features(
    state: Annotated[
        list[str] | None, typer.Option(help="proposed, reviewed, admitted, …; may be given again.")
    ] = None,
    category: Annotated[str, typer.Option(help="Only this category.")] = "",
    address: Address = "",
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """List features, one a line."""
    states = [_enum(model_pb2.FeatureState, "FEATURE_STATE_", name) for name in state or []]

    async def ask(stub: Stub) -> list[model_pb2.Feature]:
        request = service_pb2.ListFeaturesRequest(states=states, category=category, page_size=1000)
        found: list[model_pb2.Feature] = []
        while True:
            answer = await stub.ListFeatures(request)
            found.extend(answer.features)
            if not answer.next_page_token:
                return found
            request.page_token = answer.next_page_token

    for feature in _call(address, token, ask):
        typer.echo(_line(feature) if not as_json else json_of(feature))


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="JSON, CSV or a STIX bundle.")],
    file_format: Format = "",
    source: Annotated[str, typer.Option(help="Where the values come from, for rows that do not say.")] = "",
    reason: Annotated[str, typer.Option(help="Why they are proposed, for rows that do not say.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be refused; propose nothing.")] = False,
    address: Address = "",
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Propose what a file holds. A bad row is named and the others are taken."""
    content = _read(file)
    number = _format(file_format, file, content)

    async def send(stub: Stub) -> service_pb2.ImportFeaturesResponse:
        total = service_pb2.ImportFeaturesResponse()
        for part in exchange.parts(number, content):
            request = service_pb2.ImportFeaturesRequest(
                command_id=command_id(),
                format=number,
                content=part.content,
                source=source,
                reason=reason,
                dry_run=dry_run,
            )
            answer = await stub.ImportFeatures(request)
            for row in answer.refused:
                row.row += part.offset
            total.MergeFrom(service_pb2.ImportFeaturesResponse(refused=answer.refused, tombstones=answer.tombstones))
            total.proposed += answer.proposed
        return total

    done = _call(address, token, send)
    _show_import(done, dry_run=dry_run, as_json=as_json)
    raise typer.Exit(_FAILED if done.refused else 0)


@app.command("export")
def export_file(
    file: Annotated[Path, typer.Argument(help="Where to write; - for the output.")],
    file_format: Format = "",
    state: Annotated[list[str] | None, typer.Option(help="Only these states; may be given again.")] = None,
    address: Address = "",
    token: Token = "",
) -> None:
    """Write features into a file."""
    number = _format(file_format, file, b"")
    states = [_enum(model_pb2.FeatureState, "FEATURE_STATE_", name) for name in state or []]

    async def fetch(stub: Stub) -> bytes:
        request = service_pb2.ExportFeaturesRequest(format=number, states=states)
        return b"".join([piece.content async for piece in stub.ExportFeatures(request)])

    _TERMINAL.write(_call(address, token, fetch), file)


@app.command()
def review(
    ids: Ids,
    standard: Annotated[str, typer.Option(help="The admission standard they were held against.")],
    reason: Reason,
    reject: Annotated[bool, typer.Option("--reject", help="Find against them, for good.")] = False,
    address: Address = "",
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Hold proposed features against the admission standard; another person than the proposer does."""

    async def act(stub: Stub, first: str, also: list[str]) -> Any:  # noqa: ANN401 - four answers of one shape
        return await stub.ReviewFeature(
            service_pb2.ReviewFeatureRequest(
                command_id=command_id(),
                feature_id=first,
                also=also,
                approved=not reject,
                standard=standard,
                reason=reason,
            )
        )

    _act(address, token, ids, act, as_json=as_json)


@app.command()
def admit(
    ids: Ids,
    reason: Reason,
    active: Annotated[bool, typer.Option("--active", help="Let them decide at once; else they are in shadow.")] = False,
    address: Address = "",
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Admit reviewed features, after a run over benign texts."""
    mode = model_pb2.FEATURE_MODE_ACTIVE if active else model_pb2.FEATURE_MODE_SHADOW

    async def act(stub: Stub, first: str, also: list[str]) -> Any:  # noqa: ANN401 - as above
        return await stub.AdmitFeature(
            service_pb2.AdmitFeatureRequest(
                command_id=command_id(), feature_id=first, also=also, mode=mode, reason=reason
            )
        )

    _act(address, token, ids, act, as_json=as_json)


@app.command()
def mode(
    name: Annotated[str, typer.Argument(metavar="MODE", help="shadow, active or suspended.")],
    ids: Ids,
    reason: Reason,
    address: Address = "",
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Let admitted features decide, be counted only, or rest."""
    number = _enum(model_pb2.FeatureMode, "FEATURE_MODE_", name)

    async def act(stub: Stub, first: str, also: list[str]) -> Any:  # noqa: ANN401 - as above
        return await stub.SetFeatureMode(
            service_pb2.SetFeatureModeRequest(
                command_id=command_id(), feature_id=first, also=also, mode=number, reason=reason
            )
        )

    _act(address, token, ids, act, as_json=as_json)


@app.command()
def retire(ids: Ids, reason: Reason, address: Address = "", token: Token = "", as_json: AsJson = False) -> None:
    """Let admitted features screen no more; they stay on record."""

    async def act(stub: Stub, first: str, also: list[str]) -> Any:  # noqa: ANN401 - as above
        return await stub.RetireFeature(
            service_pb2.RetireFeatureRequest(command_id=command_id(), feature_id=first, also=also, reason=reason)
        )

    _act(address, token, ids, act, as_json=as_json)


def _act(
    address: str,
    token: str,
    ids: list[str],
    act: Callable[[Stub, str, list[str]], Awaitable[Any]],
    *,
    as_json: bool,
) -> None:
    """Do one act to features, a thousand at a time, and say what was refused."""
    wanted = list(dict.fromkeys(sys.stdin.read().split() if ids == ["-"] else ids))
    if not wanted:
        _TERMINAL.fail("no feature is named")

    async def every(stub: Stub) -> list[Any]:
        starts = range(0, len(wanted), _MOST_AT_ONCE)
        return [await act(stub, wanted[at], wanted[at + 1 : at + _MOST_AT_ONCE]) for at in starts]

    answers = _call(address, token, every)
    refused = [item for answer in answers for item in answer.refused]
    if as_json:
        typer.echo("\n".join(json_of(answer) for answer in answers))
    else:
        typer.echo(f"{len(wanted) - len(refused)} done, {len(refused)} refused")
        for item in refused:
            typer.echo(f"{item.feature_id}: {item.reason}: {item.message}", err=True)
    raise typer.Exit(_FAILED if refused else 0)


def _call(address: str, token: str, ask: Callable[[Stub], Awaitable[T]]) -> T:
    """Ask the service; a refusal is printed with its fields."""
    try:
        return _TERMINAL.call(address, token, lambda channel: ask(service_pb2_grpc.GenerationServiceStub(channel)))
    except Refused as refused:
        _TERMINAL.fail(f"{refused.reason}: {refused.message}")


def _format(name: str, file: Path, content: bytes) -> service_pb2.FeatureFormat.ValueType:
    if name and name not in _FORMATS:
        _TERMINAL.fail(f"--format is one of {', '.join(_FORMATS)}")
    if name:
        return _FORMATS[name]
    if file.suffix.lower() == ".csv":
        return _FORMATS["csv"]
    bundle = file.name.lower().endswith((".stix", ".stix.json")) or b'"bundle"' in content[:200]
    return _FORMATS["stix"] if bundle else _FORMATS["json"]


def _enum(enum: Any, prefix: str, name: str) -> Any:  # noqa: ANN401 - any enum of the schema
    try:
        return enum.Value(prefix + name.upper())
    except ValueError:
        names = [item.removeprefix(prefix).lower() for item in enum.keys()[1:]]
        _TERMINAL.fail(f"{name} is none of {', '.join(names)}")


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        _TERMINAL.fail(f"{file}: {error.strerror}")


def _show_import(done: service_pb2.ImportFeaturesResponse, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        typer.echo(json_of(done))
        return
    typer.echo(f"{done.proposed} {'would be ' if dry_run else ''}proposed, {len(done.refused)} refused")
    for row in done.refused:
        typer.echo(f"row {row.row}: {row.field or 'row'}: {row.reason}: {row.message}", err=True)
    _echo_tombstones(done.tombstones)


def _echo_tombstones(feature_ids: Iterable[str]) -> None:
    for feature_id in feature_ids:
        typer.echo(f"the file no longer holds {feature_id}: retire it if you agree")


def _line(feature: model_pb2.Feature) -> str:
    state = model_pb2.FeatureState.Name(feature.state).removeprefix("FEATURE_STATE_").lower()
    mode_name = model_pb2.FeatureMode.Name(feature.mode).removeprefix("FEATURE_MODE_").lower()
    stands = f"{state} ({mode_name})" if feature.mode else state
    return f"{feature.feature_id}\t{stands}\t{feature.category}\t{feature.value}"
