"""Rights is killed while requests come in: nothing accepted is lost, nothing happens twice."""

from __future__ import annotations

import asyncio
from collections import Counter

from candor.rights.v1 import facts_pb2, model_pb2

from .played import Rights, opening, verifying

REQUESTS = 40


async def test_a_kill_during_the_fan_out_loses_no_ask_and_doubles_no_task(rights: Rights) -> None:
    subjects = [f"fan-out-{number}" for number in range(REQUESTS)]
    opened = [await rights.open(subject, model_pb2.RIGHT_CONSENT_WITHDRAWAL) for subject in subjects]
    await rights.session.emit_many("rights", [verifying(request_id) for request_id in opened])
    await rights.until_rows("SELECT 1 FROM task WHERE request_id = ANY(%s::uuid[]) LIMIT 1", opened)
    await asyncio.to_thread(rights.runner.kill_service, "rights")
    await asyncio.to_thread(rights.start)
    wanted, seen = set(opened), set[str]()

    def first_time(fact: facts_pb2.TaskAsked) -> bool:
        """A topic is at-least-once: what the relay had sent before the kill may come again."""
        fits = fact.request_id in wanted and fact.attempt == 1 and fact.task_id not in seen
        seen.add(fact.task_id)
        return fits

    facts = await rights.session.facts("rights", facts_pb2.TaskAsked, first_time, count=4 * REQUESTS, timeout=60)
    assert {fact.subject for fact in facts} == set(subjects)
    per_request = Counter(fact.request_id for fact in facts)
    assert per_request == dict.fromkeys(opened, 4)
    tasks = await rights.rows(
        "SELECT request_id, count(*) AS n FROM task WHERE request_id = ANY(%s::uuid[]) GROUP BY 1", opened
    )
    assert {row["n"] for row in tasks} == {4}
    assert len(tasks) == REQUESTS


async def test_a_command_that_was_answered_is_carried_out_once_across_a_kill(rights: Rights) -> None:
    command = opening("asks-once", model_pb2.RIGHT_ACCESS)
    first = await rights.stub.OpenRequest(command)
    await asyncio.to_thread(rights.runner.kill_service, "rights")
    await asyncio.to_thread(rights.start)
    again = await rights.stub.OpenRequest(command)
    assert again == first
    facts = await rights.session.facts(
        "rights", facts_pb2.RequestOpened, lambda fact: fact.request_id == first.request_id
    )
    assert len({fact.request_id for fact in facts}) == 1
