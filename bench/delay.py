"""How long a record waits from its producer's hands until a published checkpoint covers it, at a given rate."""

from __future__ import annotations

from dataclasses import dataclass

from bench.figure import BenchError, Figure
from bench.ground import Ground
from bench.intake import Source
from bench.plan import Plan
from bench.watch import Load, Timeline

NAME = "generation.ingest.delay"
_CEILING_SECONDS = 1.0
_SETTLE_SECONDS = 3.0
# The id begins with the time it was made at, in milliseconds since 1970: 48 bits.
_DELAYS = (
    "SELECT ('x' || lpad(left(replace(generation_id::text, '-', ''), 12), 16, '0'))::bit(64)::bigint,"
    " first_index + ordinal FROM record JOIN addition USING (addition_id) JOIN log USING (log_id)"
    " WHERE period = %s AND first_index >= %s"
)


@dataclass(frozen=True)
class Delays:
    """Sorted, in seconds."""

    sorted: list[float]

    def at(self, share: float) -> float:
        """What so large a share of them stays within."""
        return round(self.sorted[min(len(self.sorted) - 1, int(len(self.sorted) * share))], 3)


def measure(ground: Ground, plan: Plan, source: Source, rate: float) -> Figure:
    """Produce evenly and see when each record is covered.

    Args:
        ground: with the writer running.
        plan: for how long.
        source: what is produced.
        rate: records a second.
    """
    ground.start_takers()
    ground.takers_are_ready()
    feed = ground.feed(source, linger_ms=5)
    with Timeline(ground.log_folder() / "checkpoint") as timeline, Load(ground.pids) as load:
        # What the processes do first, they do once.
        feed.send_at(rate, _SETTLE_SECONDS)
        ground.wait_covered(timeline)
        first = timeline.size
        kept = feed.send_at(rate, plan.seconds)
        ground.wait_covered(timeline)
    delays = _delays(ground, timeline, first)
    return Figure(
        NAME,
        delays.at(0.99),
        "s",
        f"{len(delays.sorted):,} records were produced evenly at {kept:,.0f} a second, half of the measured rate, for"
        f" {plan.seconds:.0f} s; from the moment a record was handed to its producer until a published checkpoint"
        " covered it.",
        "the batches: a record waits for the one before it, and for the fsync of tiles and checkpoint",
        ceiling=_CEILING_SECONDS,
        details={
            "p50": delays.at(0.5),
            "p99": delays.at(0.99),
            "most": delays.at(1.0),
            "records_a_second": round(kept),
            "records": len(delays.sorted),
            "peak_mib": load.peaks(),
        },
    )


def _delays(ground: Ground, timeline: Timeline, first: int) -> Delays:
    with ground.database() as connection:
        rows = connection.execute(_DELAYS, (ground.period(), first)).fetchall()
    if not rows:
        raise BenchError("nothing was recorded")
    return Delays(sorted(timeline.covered(index + 1) - milliseconds / 1000 for milliseconds, index in rows))
