"""The `candor` command: its subcommands come from whatever packages are installed.

A package adds one by an entry point of the group "candor.commands": a `typer.Typer` (a group of commands) or a function
(one command). One that cannot be loaded is named in the help and on standard error, and leaves the others working.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points, version
from typing import Annotated

import typer

GROUP = "candor.commands"

_HELP = "Candor: consent that can be proven, rights that are carried out, generations an auditor can verify."
_USES = (
    ("candor demo", "see all of it work, from a consent to a filed report, in about a minute"),
    ("candor up", "run Kafka, PostgreSQL, the five services and the console here, until Ctrl-C"),
    ("candor token --role backend", "print a token to call the running services with"),
    ("candor dlq list", "see the records that were set aside, and why"),
    ("candor COMMAND --help", "what a command does and takes"),
)


@dataclass(frozen=True, slots=True)
class Broken:
    """A subcommand that could not be loaded, and why."""

    name: str
    reason: str


def build(plugins: Sequence[EntryPoint]) -> tuple[typer.Typer, list[Broken]]:
    """The command with every plug-in that loads, and those that do not."""
    app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown", pretty_exceptions_enable=False)
    broken = []
    for plugin in sorted(plugins, key=lambda plugin: plugin.name):
        try:
            _add(app, plugin.name, plugin.load())
        except Exception as error:  # noqa: BLE001 - whatever a plug-in's import raises must not break the others
            broken.append(Broken(plugin.name, f"{type(error).__name__}: {error}"))
    app.callback(help=_HELP, epilog=_epilog(plugins, broken))(_root)
    return app, broken


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of this process (or `arguments`); exits with the command's status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    app, broken = build(_needed(tuple(entry_points(group=GROUP)), words))
    for plugin in broken:
        if words[:1] == [plugin.name]:
            sys.exit(f"candor {plugin.name} could not be loaded: {plugin.reason}")
        typer.echo(f"candor: the command '{plugin.name}' could not be loaded: {plugin.reason}", err=True)
    app(words, prog_name="candor")


def _needed(plugins: Sequence[EntryPoint], words: Sequence[str]) -> Sequence[EntryPoint]:
    """The named plug-in alone where the first word names one: loading all of them takes seconds."""
    if words[:1] == ["--version"]:
        return []
    return [plugin for plugin in plugins if words[:1] == [plugin.name]] or plugins


def _add(app: typer.Typer, name: str, command: typer.Typer | Callable[..., object]) -> None:
    if isinstance(command, typer.Typer):
        app.add_typer(command, name=name)
    elif callable(command):
        app.command(name)(command)
    else:
        raise TypeError(f"the entry point names neither a typer.Typer nor a function but {type(command).__name__}")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"candor {version('candor-cli')}")
        raise typer.Exit


def _root(
    *,
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Take the options that come before the subcommand."""


def _epilog(plugins: Sequence[EntryPoint], broken: Sequence[Broken]) -> str:
    """The main uses of what is installed, and what could not be loaded; one paragraph per line."""
    names = {plugin.name for plugin in plugins} - {plugin.name for plugin in broken}
    uses = [f"`{line}`  {purpose}" for line, purpose in _USES if line.split()[1] in names or "COMMAND" in line]
    failures = [f"Not loaded: `{plugin.name}` ({plugin.reason})" for plugin in broken]
    return "\n\n".join(["**Main uses**", *uses, *failures])


if __name__ == "__main__":
    main()
