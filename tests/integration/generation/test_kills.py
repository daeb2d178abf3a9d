"""The log's writer is killed at any instant: no place is given twice, no size has two roots, nothing is lost."""

from __future__ import annotations

import asyncio
import random

from candor.generation.v1 import facts_pb2

from .backend import Backend

_ROUNDS = 3
_EACH = 300


async def test_kills_lose_nothing_and_give_no_place_twice(backend: Backend) -> None:
    commands = [backend.generation(output=f"{backend.word} {number}") for number in range(_ROUNDS * _EACH)]
    runner = backend.deployment.runner
    for turn in range(_ROUNDS):
        await backend.deployment.emit_many("generation", list(commands[turn * _EACH : (turn + 1) * _EACH]))
        await asyncio.sleep(random.uniform(0.05, 0.8))  # noqa: S311 - an instant of no meaning is the point
        await asyncio.to_thread(runner.kill_service, "generation")
        await asyncio.to_thread(runner.start_service, "generation")
    facts = await backend.recorded(*[command.command_id for command in commands])
    places: dict[str, set[int]] = {}
    for fact in facts:
        places.setdefault(fact.generation_id, set()).add(fact.log_index)
    assert all(len(indexes) == 1 for indexes in places.values())
    assert len({index for indexes in places.values() for index in indexes}) == len(commands)

    roots: dict[tuple[str, int], set[bytes]] = {}
    for tree in await backend.deployment.facts("generation", facts_pb2.CheckpointPublished):
        roots.setdefault((tree.origin, tree.size), set()).add(tree.root)
    assert all(len(found) == 1 for found in roots.values())
    vkey = await backend.vkey()
    ran = await backend.verify("--log-url", backend.log_url, "--vkey", vkey)
    assert ran.code == 0, ran.output
    evidence = await backend.evidence(commands[0].command_id)
    ran = await backend.verify(backend.lay(evidence), "--vkey", vkey, "--log-url", backend.log_url)
    assert ran.code == 0, ran.output
