"""`docs/performance.md`: the figures of one run, the machine they are of, how each was got and what limits it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from bench.figure import Figure

_HEAD = """# Performance

Written by `make bench`; do not edit. Every figure is of one run on one machine, with broker, database server, load and
service on it together; what has a peer was measured against it in the same run. `make bench ARGS='--only NAME'`
measures one again, `make audit` only lets an outside verifier check a log of a million entries.

Records are of about 1.5 KB with real texts where there are any beside the repository, else ordinary sentences.
"Covered" means: stored, searchable, encrypted, screened, in the log, and under a published checkpoint.
"""


def page(figures: Sequence[Figure], machine: Mapping[str, str], options: Mapping[str, object]) -> str:
    """The page, in Markdown."""
    parts = [_HEAD, _section("The machine", _machine(machine, options)), _section("Figures", _table(figures))]
    parts += [_section(f"`{figure.name}`", _about(figure)) for figure in figures]
    return "\n".join(parts)


def _section(title: str, lines: Iterable[str]) -> str:
    return "\n".join([f"## {title}", "", *lines, ""])


def _machine(machine: Mapping[str, str], options: Mapping[str, object]) -> list[str]:
    told = {**machine, "Measured": f"{datetime.now(UTC):%Y-%m-%d}", "Run with": _listed(options)}
    return ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in told.items())]


def _table(figures: Sequence[Figure]) -> list[str]:
    rows = [
        f"| `{figure.name}` | {figure.value:,} {figure.unit} | {'' if figure.peer is None else f'{figure.peer:,}'} |"
        f" {'' if figure.ratio is None else figure.ratio} | {_wanted(figure)} |"
        for figure in figures
    ]
    return ["| figure | value | peer | ratio | asked for |", "|---|---|---|---|---|", *rows]


def _wanted(figure: Figure) -> str:
    if figure.met is None:
        return ""
    floor = [] if figure.floor is None else [f"≥ {figure.floor:,}"]
    ceiling = [] if figure.ceiling is None else [f"≤ {figure.ceiling:,}"]
    return f"{' and '.join(floor + ceiling)}: {'met' if figure.met else '**not met**'}"


def _about(figure: Figure) -> list[str]:
    seen = [f"- {name.replace('_', ' ')}: {_value(value)}" for name, value in figure.details.items()]
    return [figure.how, "", f"Limited by {figure.limit}.", *([""] if seen else []), *seen]


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return _listed(value)
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    return f"{value:,}" if isinstance(value, int | float) and not isinstance(value, bool) else f"{value}"


def _listed(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {_value(value)}" for name, value in values.items())
