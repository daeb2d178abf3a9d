"""Processes that reach milestones as the escalation service does, of which one after another is killed.

`python -m bench.sweepers --url URL [--workers 4] [--kill-every SECONDS]` runs until it is sent SIGTERM, then says in a
line of JSON how many were killed. A killed one is replaced at once: the processes are forked from one that has read
everything, so that they work most of their short lives.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import time
from datetime import timedelta

from candor_escalation.domain.roster import Contact, Level, Roster
from candor_escalation.handlers.clocks import Clocks
from candor_escalation.handlers.pages import Pages
from candor_escalation.policy import Policy
from candor_escalation.sweeper import Sweeper
from candor_kit import database
from candor_kit.clock import SystemClock
from candor_kit.stop import Stop, Wake
from candor_kit.transaction import Caller, Transactions
from candor_packs.pack import load

from bench.plan import ROOT

_ROSTER = Roster((Contact("duty-officer", ("webhook",), timedelta(hours=1)),), (Level("duty-officer"),))
_CONNECTIONS = 2


def main() -> int:
    """Run until SIGTERM."""
    options = _options()
    policy = Policy(load(ROOT / "packs"), {})
    stopped = _Stopped()
    signal.signal(signal.SIGTERM, stopped.set)
    workers = [_fork(options.url, policy) for _ in range(options.workers)]
    killed = 0
    while not stopped:
        time.sleep(options.kill_every or 0.1)
        if options.kill_every and not stopped:
            victim = random.randrange(len(workers))  # noqa: S311 - which one is to be random
            os.kill(workers[victim], signal.SIGKILL)
            os.waitpid(workers[victim], 0)
            workers[victim] = _fork(options.url, policy)
            killed += 1
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
        os.waitpid(worker, 0)
    print(json.dumps({"killed": killed}), flush=True)  # noqa: T201 - asked for
    return 0


class _Stopped:
    def __init__(self) -> None:
        self._is = False

    def set(self, *_signal: object) -> None:
        self._is = True

    def __bool__(self) -> bool:
        return self._is


def _fork(url: str, policy: Policy) -> int:
    worker = os.fork()
    if worker:
        return worker
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        asyncio.run(_sweep(url, policy))
    finally:
        os._exit(1)  # it is killed; whatever else ends it is a fault


async def _sweep(url: str, policy: Policy) -> None:
    pool = database.pool(url, _CONNECTIONS)
    await pool.open(wait=True)
    transactions = Transactions("escalation", pool, SystemClock(), Wake())
    pages = Pages(_ROSTER, Wake().set)
    sweeper = Sweeper(lambda name: transactions.open(Caller(name)), Clocks(policy, pages), pages)
    await sweeper.run(Stop())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.sweepers", description=__doc__)
    parser.add_argument("--url", required=True, help="the escalation service's database")
    parser.add_argument("--workers", type=int, default=4, help="how many processes; 4")
    parser.add_argument("--kill-every", type=float, default=0.0, help="seconds between two kills; none")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
