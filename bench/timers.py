"""How late milestones are reached, by four processes that share the work, and whether ten years of them matter."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
from candor_kit import database
from candor_stack import LocalStack

from bench.figure import BenchError, Figure
from bench.plan import ROOT, Plan

NAME = "escalation.timers.lateness"
HISTORY = "escalation.timers.history"
_CEILING_SECONDS = 0.1
_MILESTONES = 20_000
_SECONDS = 20
_YEARS = 1_000_000
_STUCK_SECONDS = 60.0
_LEAD_SECONDS = 2
_KINDS = ("half", "quarter", "hour_left", "due", "overdue")
# An incident has four clocks and a clock five milestones, which come at random instants of the time.
_INCIDENTS = (
    "INSERT INTO incident (incident_id, kind, title, correlation_key, state, opened_at, signals)"
    " SELECT gen_random_uuid(), 'security', 'Incident ' || n, '', 'open', now(), 1 FROM generate_series(1, %(count)s) n"
)
_CLOCKS = (
    "INSERT INTO clock (clock_id, incident_id, pack_id, pack_version, obligation_id, anchor_key, citation, recipient,"
    " missing, legal_number, anchor_name, anchor_at, anchor_evidence, strict_due, provisional, state, revision,"
    " started_at) SELECT gen_random_uuid(), incident_id, 'cn.pipl.57', '1', 'duty_' || n, 'aware', 'PIPL 57', '', '{}',"
    " false, 'aware', now(), '', now(), false, 'running', 1, now()"
    " FROM incident, generate_series(1, 4) n WHERE NOT EXISTS (SELECT FROM clock c WHERE c.incident_id ="
    " incident.incident_id)"
)
_DUE = (
    "INSERT INTO milestone (clock_id, kind, revision, incident_id, due_at, state, reached_at)"
    " SELECT clock_id, kind, %(revision)s, incident_id, {due_at}, {state} FROM clock, unnest(%(kinds)s::text[]) kind"
    " WHERE NOT EXISTS (SELECT FROM milestone m WHERE m.clock_id = clock.clock_id)"
)
_SOON = _DUE.format(
    due_at="clock_timestamp() + make_interval(secs => %(lead)s + random() * %(seconds)s)", state="'pending', NULL"
)
_LONG_AGO = _DUE.format(
    due_at="now() - make_interval(days => 1 + (random() * 3650)::int)", state="'reached', now() - interval '1 day'"
)


def schedule(connection: psycopg.Connection, count: int, seconds: float) -> None:
    """Put so many milestones into a database of the escalation service, spread over the coming seconds."""
    with connection.transaction():
        _clocks(connection, count)
        connection.execute(_SOON, {"revision": 1, "kinds": list(_KINDS), "lead": _LEAD_SECONDS, "seconds": seconds})
    connection.execute("ANALYZE")


def grow_old(connection: psycopg.Connection, count: int) -> None:
    """Put so many milestones there that were reached over ten years."""
    with connection.transaction():
        _clocks(connection, count)
        connection.execute(_LONG_AGO, {"revision": 1, "kinds": list(_KINDS)})
    connection.execute("VACUUM (ANALYZE)")


@dataclass
class Swept:
    """What processes that reach milestones say when they are ended: how many of them were killed."""

    killed: int = 0


@contextlib.contextmanager
def sweepers(url: str, *, workers: int = 4, kill_every: float = 0.0) -> Iterator[Swept]:
    """Processes that reach milestones until the end of the block.

    Raises:
        BenchError: they ended by themselves; their words are on the standard error.
    """
    command = [sys.executable, "-m", "bench.sweepers", "--url", url, "--workers", str(workers)]
    command += ["--kill-every", str(kill_every)]
    swept = Swept()
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield swept
        finally:
            process.terminate()
            said, _ = process.communicate()
    if not said:
        raise BenchError("the processes that reach milestones ended by themselves")
    swept.killed = json.loads(said)["killed"]


def wait_reached(connection: psycopg.Connection) -> None:
    """Wait until every milestone is reached.

    Raises:
        BenchError: nothing has moved for a minute.
    """
    last, moved = -1, time.monotonic()
    while (waiting := _count(connection, "SELECT count(*) FROM milestone WHERE state = 'pending'")) > 0:
        if waiting != last:
            last, moved = waiting, time.monotonic()
        elif time.monotonic() - moved > _STUCK_SECONDS:
            raise BenchError(f"{waiting} milestones are not reached")
        time.sleep(0.2)


def measure(plan: Plan) -> list[Figure]:
    """Lateness in an empty table and in one with ten years of milestones."""
    count, years = min(_MILESTONES, plan.records), min(_YEARS, plan.records * 10)
    seconds = min(_SECONDS, plan.seconds)
    folder = plan.folder.with_name("bench-timers")
    shutil.rmtree(folder, ignore_errors=True)
    with LocalStack(folder, cache=plan.cache) as stack:
        fresh = _lateness(stack, "timers_fresh", count, seconds, 0)
        old = _lateness(stack, "timers_old", count, seconds, years)
    shutil.rmtree(folder, ignore_errors=True)
    how = (
        f"{count:,} milestones of five kinds, due at random instants of {seconds:.0f} s, were reached by 4 processes;"
        " from the instant each was due to the database's clock when it was marked as reached, in the transaction that"
        " publishes its fact and queues its pages."
    )
    details = {"p50": fresh["p50"], "p99": fresh["p99"], "most": fresh["most"], "milestones": count}
    return [
        Figure(NAME, fresh["p99"], "s", how, "processors: a fact and, twice a clock, a page each", None, None, None,
               _CEILING_SECONDS, details),
        Figure(HISTORY, old["p99"], "s", how + " Here the table held ten years of reached ones.",
               "the index holds only what is still to come", fresh["p99"], round(old["p99"] / fresh["p99"], 3),
               details={"p50": old["p50"], "p99": old["p99"], "most": old["most"],
                        "reached_before": years}),
    ]  # fmt: skip


def _lateness(stack: LocalStack, name: str, count: int, seconds: float, before: int) -> dict[str, float]:
    url = stack.create_database(name)
    with contextlib.redirect_stdout(sys.stderr):  # the output is for figures
        asyncio.run(database.migrate(url, {"kit": "candor_kit", "escalation": "candor_escalation"}))
    with psycopg.connect(url, autocommit=True) as connection:
        if before:
            grow_old(connection, before)
        with sweepers(url):
            schedule(connection, count, seconds)
            wait_reached(connection)
        row = connection.execute(
            "SELECT percentile_cont(ARRAY[0.5, 0.99, 1.0]) WITHIN GROUP"
            " (ORDER BY extract(epoch FROM reached_at - due_at))"
            " FROM milestone WHERE due_at > now() - interval '1 hour' AND revision = 1"
        ).fetchone()
    stack.drop_database(name)
    if row is None:
        raise BenchError("no milestone was reached")
    return dict(zip(("p50", "p99", "most"), (round(float(value), 4) for value in row[0]), strict=True))


def _clocks(connection: psycopg.Connection, milestones: int) -> None:
    connection.execute(_INCIDENTS, {"count": max(1, milestones // (4 * len(_KINDS)))})
    connection.execute(_CLOCKS)


def _count(connection: psycopg.Connection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0
