"""What happens while the database is slow: nothing is dropped, and nothing piles up in memory."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Iterator

import psutil

from bench.figure import BenchError, Figure
from bench.ground import Ground
from bench.intake import Source
from bench.plan import Plan
from bench.watch import Load, Timeline

NAME = "generation.ingest.backpressure"
_LIMIT_MIB = 64.0
_PERIOD_SECONDS = 0.2
_STOPPED_SHARE = 0.75
# Longer than a commit ever takes, shorter than anything gives up.
_HANG_SECONDS = 5.0
_DEAD_LETTERS = "SELECT count(*) FROM kit_outbox WHERE topic = 'candor.generation.dlq'"


def measure(ground: Ground, plan: Plan, source: Source, rate: float) -> Figure:
    """Slow the database server down while records come at the full rate.

    Args:
        ground: with the writer running.
        plan: for how long.
        source: what is produced.
        rate: what the service takes when the database is well, records a second.

    Raises:
        BenchError: a record was lost, or came twice.
    """
    ground.start_takers()
    ground.takers_are_ready()
    feed = ground.feed(source, linger_ms=20)
    before = ground.count("SELECT count(*) FROM record")
    with Timeline(ground.log_folder() / "checkpoint") as timeline, Load(ground.service_pids) as load:
        feed.send_at(rate, plan.seconds / 3)
        ground.wait_covered(timeline)
        began = time.time()
        with _slow(ground.stack.postgres.child.pid or 0):
            feed.send_at(rate, plan.seconds)
        behind = feed.sent - (timeline.size - timeline.sizes[0])
        ground.wait_covered(timeline)
        caught_up = time.time() - began - plan.seconds
    came = ground.count("SELECT count(*) FROM record") - before
    dead = ground.count(_DEAD_LETTERS)
    if came != feed.sent or dead:
        raise BenchError(f"{feed.sent} records went in, {came} came out, {dead} were set aside")
    return Figure(
        NAME,
        load.growth(began),
        "MiB",
        f"Every process of the database server was stopped for {_STOPPED_SHARE:.0%} of the time over"
        f" {plan.seconds:.0f} s, and for {_HANG_SECONDS:.0f} s without a break, while {rate:,.0f} records a second were"
        f" put on the topic: {feed.sent:,} went in, {came:,} came out. The figure is by how much the memory of any"
        " process of the service grew over what it held before.",
        "what a process holds: one batch and what its Kafka client has fetched; it takes no more before that is stored",
        ceiling=_LIMIT_MIB,
        details={
            "sent": feed.sent,
            "stored": came,
            "lost": feed.sent - came,
            "most_behind": behind,
            "caught_up_after_s": round(caught_up, 1),
            "peak_mib": load.peaks(),
        },
    )


@contextlib.contextmanager
def _slow(server: int) -> Iterator[None]:
    """Stop and let go a server and its backends in turns; once for long."""
    ended = threading.Event()

    def turns() -> None:
        _stopped_for(server, _HANG_SECONDS)
        while not ended.wait(_PERIOD_SECONDS * (1 - _STOPPED_SHARE)):
            _stopped_for(server, _PERIOD_SECONDS * _STOPPED_SHARE)

    thread = threading.Thread(target=turns, name="slow", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _stopped_for(server: int, seconds: float) -> None:
    parent = psutil.Process(server)
    family = [parent, *parent.children(recursive=True)]
    try:
        _signal(family, signal.SIGSTOP)
        time.sleep(seconds)
    finally:
        _signal([parent, *parent.children(recursive=True)], signal.SIGCONT)


def _signal(family: list[psutil.Process], number: signal.Signals) -> None:
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)
