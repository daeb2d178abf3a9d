"""How long after a change of the library every process screens with it."""

from __future__ import annotations

import re
import time
import urllib.request

from bench import terms
from bench.figure import BenchError, Figure
from bench.ground import Ground
from bench.plan import Plan

NAME = "generation.screen.update"
_CEILING_SECONDS = 2.0
_TIMES = 5
_STUCK_SECONDS = 30.0
_LOOK_SECONDS = 0.02
_VERSION = re.compile(r"^candor_generation_library_version (\S+)$", re.MULTILINE)


def measure(ground: Ground, plan: Plan) -> Figure:
    """Admit one more term, several times, and see when each process has taken the library up."""
    ground.start_takers()
    ground.takers_are_ready()
    _taken_up(ground)  # what was in force before
    took = [_one(ground, f"更新之{number}") for number in range(_TIMES)]
    return Figure(
        NAME,
        round(max(took), 3),
        "s",
        f"A term was added to the {plan.terms:,} of the library, {_TIMES} times; from its commit until the last of"
        f" {len(ground.https)} processes screened with it, the longest.",
        "every process looks once a second, then compiles what changed",
        ceiling=_CEILING_SECONDS,
        details={"each": [round(seconds, 3) for seconds in took]},
    )


def _one(ground: Ground, word: str) -> float:
    terms.admit(ground.database_url, [word])
    changed = time.monotonic()
    _taken_up(ground)
    return time.monotonic() - changed


def _taken_up(ground: Ground) -> None:
    """Wait until every process screens with the library that is in force."""
    version, since = ground.count("SELECT version FROM library"), time.monotonic()
    for address in ground.https:
        while _version(address) < version:
            if time.monotonic() - since > _STUCK_SECONDS:
                raise BenchError(f"{address} has not taken up version {version} of the library")
            time.sleep(_LOOK_SECONDS)


def _version(address: str) -> int:
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as answer:
        found = _VERSION.search(answer.read().decode())
    if found is None:
        raise BenchError(f"{address} does not tell the version of its library")
    return int(float(found[1]))
