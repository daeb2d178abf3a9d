"""`candor policy`: check policy packs, and see what they ask for, before they are used."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from candor_packs import explanation, situation
from candor_packs.comparison import compare, situations_of
from candor_packs.pack import Pack, PackError, load
from candor_packs.telling import told, told_difference
from candor_packs.vectors import run

app = typer.Typer(
    no_args_is_help=True,
    help="Check policy packs, and see which duties arise from given facts.\n\n"
    "A pack is one law as data: when its duties arise, from when and how their periods are counted, and test vectors."
    " Name a folder of packs, one of its folders, or one file; calendars/ and templates/ are found above it.\n\n"
    "Exit codes: 0 all is well; 1 a vector is wrong, or (diff --exit-code) something differs; 2 a pack, a file or an"
    " option is wrong.",
)

_Target = Annotated[Path, typer.Argument(help="Folder of the packs, one of its folders, or one file.")]
_File = Annotated[
    Path | None,
    typer.Option("--file", "-f", help="YAML or JSON with facts:, profile: and anchors:, as in a test vector."),
]
_Facts = Annotated[
    list[str],
    typer.Option(
        "--fact",
        help="name=value of what happened; kind is one. Lists as JSON.",
        default_factory=list,
        show_default=False,
    ),
]
_Profile = Annotated[
    list[str],
    typer.Option(
        "--profile",
        help='name=value of the company, such as jurisdictions=["EU"].',
        default_factory=list,
        show_default=False,
    ),
]
_Anchors = Annotated[
    list[str],
    typer.Option(
        "--anchor",
        help="name=instant with its zone, such as aware=2026-03-06T16:20+01:00; a receipt is receipt:PACK/OBLIGATION.",
        default_factory=list,
        show_default=False,
    ),
]
_AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def lint(directory: _Target = Path("packs")) -> None:
    """Load every pack; name the file, line and field of the first mistake."""
    packs = _load(directory)
    drafts = sum(pack.status == "draft" for pack in packs)
    typer.echo(f"{len(packs)} packs, {drafts} of them drafts, 0 wrong")


@app.command("test")
def run_vectors(directory: _Target = Path("packs")) -> None:
    """Run the test vectors of every pack."""
    packs = _load(directory)
    mistakes = [mistake for pack in packs for mistake in run(pack)]
    for mistake in mistakes:
        typer.echo(f"{mistake.pack.file}: {mistake.vector.name}: {mistake.message}", err=True)
    typer.echo(f"{sum(len(pack.vectors) for pack in packs)} vectors, {len(mistakes)} wrong")
    if mistakes:
        raise typer.Exit(1)


@app.command()
def explain(
    facts: _Facts,
    profile: _Profile,
    anchors: _Anchors,
    directory: _Target = Path("packs"),
    file: _File = None,
    everything: Annotated[bool, typer.Option("--all", help="Say of every other duty why it does not arise.")] = False,
    as_json: _AsJson = False,
) -> None:
    """Show which duties arise, when each falls due and by which clause, what to ask, and how each date was counted.

    Example: candor policy explain packs --fact kind=pi_leak --profile 'jurisdictions=["EU"]'
    --anchor aware=2026-03-06T16:20+01:00
    """
    packs = _load(directory)
    case = _case(file, facts, profile, anchors)
    found = explanation.explain(packs, case)
    if as_json:
        typer.echo(json.dumps(explanation.as_data(found), ensure_ascii=False, indent=2))
        return
    for line in told(found, everything=everything):
        typer.echo(line)


@app.command()
def diff(
    old: Annotated[Path, typer.Argument(help="The packs as they are: a folder or a file.")],
    new: Annotated[Path, typer.Argument(help="The packs as they are to be.")],
    facts: _Facts,
    profile: _Profile,
    anchors: _Anchors,
    file: _File = None,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 1 if anything differs.")] = False,
    as_json: _AsJson = False,
) -> None:
    """Show which duties appear, vanish or move for the same facts; without facts, for the test vectors of both."""
    before, after = _load(old), _load(new)
    given = file or facts or profile or anchors
    cases = (_case(file, facts, profile, anchors),) if given else situations_of((*before, *after))
    differences = compare(before, after, cases)
    if as_json:
        typer.echo(json.dumps([asdict(difference) for difference in differences], ensure_ascii=False, indent=2))
    else:
        for line in (line for difference in differences for line in told_difference(difference)):
            typer.echo(line)
        typer.echo(f"{len(cases)} situations, {len(differences)} differences")
    if differences and exit_code:
        raise typer.Exit(1)


def _case(file: Path | None, facts: list[str], profile: list[str], anchors: list[str]) -> situation.Situation:
    try:
        case = situation.read(file, facts, profile, anchors)
    except PackError as error:
        _wrong(str(error))
    if not case.anchors:
        _wrong("no instant is known: say from when, such as --anchor aware=2026-03-06T16:20+01:00")
    return case


def _load(target: Path) -> tuple[Pack, ...]:
    """The packs of a folder, of one of its folders, or of one file in it."""
    above = [target, *target.absolute().parents]
    root = next((folder for folder in above if (folder / "calendars").is_dir()), target)
    try:
        return load(root, target)
    except PackError as error:
        _wrong(str(error))


def _wrong(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(2)
