"""Measures, prints one line of JSON a figure, and writes docs/performance.md. See `python -m bench --help`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from candor_stack.home import cache_folder

from bench import audit, backpressure, comparison, delay, ingest, machine, paging, screen, tessera, timers, update
from bench.figure import BenchError, Figure
from bench.ground import Ground
from bench.intake import Source
from bench.page import page
from bench.plan import ROOT, Plan

_PAGE = ROOT / "docs" / "performance.md"
_FOLDER = ROOT / ".candor"
_QUICK = Plan(3000, Path(), Path(), takers=1, subjects=200, terms=500, seconds=2.0, writers=512)
NAMES = (
    *(screen.NAME, ingest.RATE, ingest.SUSTAINED, ingest.MEMORY, comparison.BARE, comparison.TESSERA),
    *(update.NAME, delay.NAME, backpressure.NAME, audit.NAME),
    *(timers.NAME, timers.HISTORY, paging.NAME),
)
_ALONE = {screen.NAME, timers.NAME, timers.HISTORY, paging.NAME}


@dataclass
class Bench:
    """One run: the figures that are wanted, in the order that lets one build on the other."""

    plan: Plan
    wanted: Sequence[str]
    made: list[Figure] = field(default_factory=list)
    servers: dict[str, str] = field(default_factory=dict)

    def run(self) -> None:
        """Measure.

        Raises:
            BenchError: something could not be measured.
        """
        if screen.NAME in self.wanted:
            self._say(screen.measure(self.plan.terms))
        if set(self.wanted) - _ALONE:
            with Ground(self.plan) as ground:
                self.servers = machine.servers(ground)
                self._ingest(ground)
        if {timers.NAME, timers.HISTORY} & set(self.wanted):
            for figure in timers.measure(self.plan):
                self._say(figure)
        if paging.NAME in self.wanted:
            self._say(paging.measure(self.plan))

    def _ingest(self, ground: Ground) -> None:
        """Ours first, as everything else is held against it or goes on from it."""
        source = ingest.prepare(ground, self.plan)
        rate, *others = ingest.run(ground, self.plan, source)
        for figure in (rate, *others):
            self._say(figure)
        ground.end_service()
        peers: tuple[tuple[str, Callable[[Ground, Plan, float], Figure]], ...] = (
            (comparison.BARE, comparison.with_bare_loop),
            (comparison.TESSERA, comparison.with_tessera),
        )
        for name, compare in peers:
            if name in self.wanted:
                self._say(compare(ground, self.plan, rate.value))
        self._go_on(ground, source, rate.value)

    def _go_on(self, ground: Ground, source: Source, rate: float) -> None:
        if update.NAME in self.wanted:
            ground.start_writer()
            self._say(update.measure(ground, self.plan))
        if delay.NAME in self.wanted:
            ground.start_writer()
            self._say(delay.measure(ground, self.plan, source, rate / 2))
        if backpressure.NAME in self.wanted:
            ground.start_writer()
            self._say(backpressure.measure(ground, self.plan, source, rate))
        if audit.NAME in self.wanted:
            ground.start_writer()
            self._say(audit.measure(ground, self.plan, tessera.build(self.plan.cache).fsck))

    def _say(self, figure: Figure) -> None:
        self.made.append(figure)
        print(figure.line(), flush=True)  # noqa: T201 - what it is for


def main() -> int:
    """Run; 1 where a figure is not what is asked for, 2 where one could not be measured."""
    options = _options()
    plan = _plan(options)
    described = machine.describe(plan.folder.parent)
    bench = Bench(plan, list(_wanted(options.only)))
    try:
        bench.run()
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)  # noqa: T201 - for a person
        return 2
    if options.page is not None:
        told = {name: value for name, value in asdict(plan).items() if name not in ("folder", "cache", "keep")}
        options.page.write_text(page(bench.made, {**described, **bench.servers}, told), encoding="utf-8")
    return 0 if options.quick or all(figure.met is not False for figure in bench.made) else 1


def _wanted(only: Sequence[str]) -> Iterator[str]:
    for name in NAMES:
        if not only or any(name == one or name.endswith(f".{one}") for one in only):
            yield name


def _plan(options: argparse.Namespace) -> Plan:
    folder = options.folder or _FOLDER / "bench"
    cache = cache_folder(_FOLDER)
    if options.quick:
        return replace(_QUICK, records=options.records or _QUICK.records, folder=folder, cache=cache)
    return Plan(
        options.records or 1_000_000, folder, cache, takers=options.takers, writers=options.writers, keep=options.keep,
        seconds=options.seconds,
    )  # fmt: skip


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__, epilog="figures: " + " ".join(NAMES))
    parser.add_argument("--records", type=int, help="how many records ingest is measured over; 1,000,000")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="a figure; may be given again")
    parser.add_argument("--takers", type=int, default=2, help="processes that take from the intake topic; 2")
    parser.add_argument("--writers", type=int, default=2048, help="entries Tessera's load has under way at once; 2048")
    parser.add_argument("--seconds", type=float, default=30.0, help="for how long delay is measured; 30")
    parser.add_argument("--folder", type=Path, help="where broker, database and log lie meanwhile; .candor/bench")
    parser.add_argument("--page", type=Path, help="where the page is written; docs/performance.md for a whole run")
    parser.add_argument("--keep", action="store_true", help="leave the folder")
    parser.add_argument("--quick", action="store_true", help="only see that everything works: little of everything")
    options = parser.parse_args()
    if not options.quick and not options.only and options.page is None:
        options.page = _PAGE
    for name in options.only:
        if not list(_wanted([name])):
            parser.error(f"there is no figure {name}")
    return options


if __name__ == "__main__":
    sys.exit(main())
