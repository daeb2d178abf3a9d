"""How fast records of the intake topic come to be covered by a published checkpoint."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from bench import terms
from bench.figure import BenchError, Figure
from bench.ground import Ground
from bench.intake import Source
from bench.plan import Plan
from bench.texts import texts
from bench.watch import Load, Timeline

RATE, SUSTAINED, MEMORY = "generation.ingest.rate", "generation.ingest.sustained", "generation.ingest.memory"
_FLOOR = 20_000
# What a rate over a tenth of a million differs by from one run to the next.
_SUSTAINED_FLOOR = 0.95
_MEMORY_CEILING = 300
_PARTS = 10


@dataclass(frozen=True)
class Seen:
    """What one run of the whole showed.

    Attributes:
        size: bytes a record.
        base: leaves that the log had before.
        counted: records that processor time was counted over.
        untold: leaves of which no fact was told yet when the last was covered; `behind`: how many seconds later it was.
        outbox: records that waited in the outbox then.
    """

    size: float
    base: int
    timeline: Timeline
    load: Load
    counted: int
    untold: int
    behind: float
    outbox: int


def prepare(ground: Ground, plan: Plan) -> Source:
    """Start the writer, put the library in force, and say what is recorded."""
    found, _ = texts()
    ground.start_writer()
    terms.admit(ground.database_url, terms.words(plan.terms, found))
    return Source(found, plan.subjects)


def run(ground: Ground, plan: Plan, source: Source) -> list[Figure]:
    """Fill the topic, let the service take it all, and measure the middle: rate, whether it is kept, memory.

    Raises:
        BenchError: what came out is not what went in.
    """
    feed = ground.feed(source, linger_ms=20)
    feed.send(plan.produced)
    feed.flush()
    base = ground.far().leaves
    with Timeline(ground.log_folder() / "checkpoint") as timeline:
        ground.start_takers()
        with Load(ground.pids) as load:
            ground.wait(lambda: timeline.size >= base + plan.warm, lambda: timeline.size, "the first records")
            seen = _take(ground, timeline, load, feed.bytes / feed.sent, base)
    stored = ground.count("SELECT count(*) FROM record")
    if stored != plan.produced:
        raise BenchError(f"{plan.produced} records went in and {stored} came out")
    return _figures(plan, seen)


def _take(ground: Ground, timeline: Timeline, load: Load, size: float, base: int) -> Seen:
    load.mark()
    counted_from = timeline.size
    ground.wait_covered(timeline)
    end = timeline.size
    covered = time.time()
    untold = end - ground.far().told
    outbox = ground.count("SELECT count(*) FROM kit_outbox")
    ground.wait(lambda: ground.far().told >= end, lambda: ground.far().told, "the facts to be told")
    return Seen(size, base, timeline, load, max(1, end - counted_from), untold, time.time() - covered, outbox)


def _figures(plan: Plan, seen: Seen) -> list[Figure]:
    first = seen.base + plan.warm
    costs = seen.load.a_record(seen.counted)
    how = (
        f"{plan.produced:,} records of {seen.size:,.0f} B were on the topic before {plan.takers} processes began to"
        f" take them, beside one that writes the log; measured from where the published checkpoint covered"
        f" {plan.warm:,} records to where it covered {plan.records:,} more."
    )
    rate = Figure(
        RATE,
        round(seen.timeline.rate(first, first + plan.records)),
        "records/s",
        how,
        _limit(costs),
        floor=_FLOOR,
        details={
            "records": plan.records,
            "record_bytes": round(seen.size),
            "processor_us": costs,
            "untold_when_covered": seen.untold,
            "told_after_s": round(seen.behind, 2),
            "outbox_when_covered": seen.outbox,
        },
    )
    return [rate, _sustained(plan, seen), _memory(plan, seen)]


def _sustained(plan: Plan, seen: Seen) -> Figure:
    rates = _rates(plan, seen)
    return Figure(
        SUSTAINED,
        round(rates[-1] / rates[0], 3),
        "of the first rate",
        f"The rate over the last tenth of the {plan.records:,} records, as a share of that over the first.",
        "nothing that grows: indexes are appended to, and a tree's frontier is as small as its height",
        floor=_SUSTAINED_FLOOR,
        details={"rates": rates},
    )


def _memory(plan: Plan, seen: Seen) -> Figure:
    service = {name: peak for name, peak in seen.load.peaks().items() if name not in ("kafka", "postgres")}
    grown = seen.load.growth(seen.timeline.covered(seen.base + plan.warm + plan.records // _PARTS))
    return Figure(
        MEMORY,
        max(service.values()),
        "MiB",
        "The most resident memory that any process of the service ever held, from its start to the last fact told.",
        f"the library of {plan.terms:,} terms while it is compiled",
        ceiling=_MEMORY_CEILING,
        details={
            "peak_mib": service,
            "grown_after_the_first_tenth_mib": grown,
        },
    )


def _rates(plan: Plan, seen: Seen) -> list[int]:
    """Records a second over each tenth."""
    first, part = seen.base + plan.warm, plan.records // _PARTS
    starts = range(first, first + part * _PARTS, part)
    return [round(seen.timeline.rate(start, start + part)) for start in starts]


def _limit(costs: Mapping[str, float]) -> str:
    told = ", ".join(f"{name} {cost:.0f}" for name, cost in sorted(costs.items(), key=lambda item: -item[1]))
    return f"processors: a record costs {sum(costs.values()):.0f} µs of them ({told})"
