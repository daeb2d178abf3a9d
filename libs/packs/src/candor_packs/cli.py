"""`candor policy`: check policy packs before they are used."""

from pathlib import Path
from typing import Annotated

import typer

from candor_packs.pack import Pack, PackError, load
from candor_packs.vectors import run

app = typer.Typer(no_args_is_help=True, help="Check policy packs.")

_Directory = Annotated[Path, typer.Argument(help="Folder of the packs.")]


@app.command()
def lint(directory: _Directory = Path("packs")) -> None:
    """Load every pack; name the file, line and field of the first mistake."""
    packs = _load(directory)
    drafts = sum(pack.status == "draft" for pack in packs)
    typer.echo(f"{len(packs)} packs, {drafts} of them drafts, 0 wrong")


@app.command("test")
def run_vectors(directory: _Directory = Path("packs")) -> None:
    """Run the test vectors of every pack."""
    packs = _load(directory)
    mistakes = [mistake for pack in packs for mistake in run(pack)]
    for mistake in mistakes:
        typer.echo(f"{mistake.pack.file}: {mistake.vector.name}: {mistake.message}", err=True)
    typer.echo(f"{sum(len(pack.vectors) for pack in packs)} vectors, {len(mistakes)} wrong")
    if mistakes:
        raise typer.Exit(1)


def _load(directory: Path) -> tuple[Pack, ...]:
    try:
        return load(directory)
    except PackError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
