"""Our ingest rate beside those of its peers, from the same run."""

from __future__ import annotations

from bench import bare, tessera
from bench.figure import Figure
from bench.ground import Ground
from bench.plan import Plan

BARE, TESSERA = "generation.ingest.vs_bare_loop", "generation.ingest.vs_tessera"
_BARE_FLOOR, _TESSERA_FLOOR = 0.15, 1.5


def with_bare_loop(ground: Ground, plan: Plan, ours: float) -> Figure:
    """The same records, taken by a loop that only copies them. The service is not running meanwhile."""
    peer, cost = bare.rate(ground, plan)
    return Figure(
        BARE,
        round(ours),
        "records/s",
        "The peer consumes the same records of the same topic with confluent-kafka and copies them, as they are, into a"
        " table of the same server that has no index but the key; one process, which commits every 5,000 records.",
        "processors: what a record costs us beyond being copied",
        peer=round(peer),
        ratio=round(ours / peer, 3),
        floor=_BARE_FLOOR,
        details={"peer_processor_us": round(cost, 1)},
    )


def with_tessera(ground: Ground, plan: Plan, ours: float) -> Figure:
    """The same entries, taken by Tessera's POSIX log. The service is not running meanwhile."""
    seen = tessera.rate(tessera.build(plan.cache), plan, ground.log_folder())
    return Figure(
        TESSERA,
        round(ours),
        "records/s",
        f"The peer is Tessera's POSIX reference log {tessera.VERSION} as its module has it (cmd/conformance/posix),"
        f" driven without a throttle by its own load generator (internal/hammer) with {plan.writers:,} writers and the"
        " very entries that our log holds; entries a second that its published checkpoints came to cover, with no"
        " payload, no database and no screening.",
        "the peer's side: an HTTP request for every entry, by a load generator on the same processors",
        peer=round(seen.rate),
        ratio=round(ours / seen.rate, 3),
        floor=_TESSERA_FLOOR,
        details={"peer_processor_us": seen.processor_us},
    )
