"""The client against the real system: labelled by gRPC, recorded by Kafka, and through the death of the service."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from candor.generation.v1 import facts_pb2
from candor_client import AsyncCandor, Candor, Decision, Refused, Retry, State
from deployment import Deployment

from .standin import RECORD

_RECORDS = 300
PATIENCE = 90.0


def reached(deployment: Deployment, **options: Any) -> dict[str, Any]:
    """What a backend is given to reach Candor."""
    address = deployment.description.services["generation"].grpc
    return {"address": address, "token": deployment.token("backend"), **options}


async def facts_of(deployment: Deployment, ids: Iterable[str]) -> dict[str, set[int]]:
    """Wait until generations have their places in the log; the places of each."""
    wanted = set(ids)
    facts = await deployment.facts(
        "generation",
        facts_pb2.GenerationRecorded,
        lambda fact: fact.generation_id in wanted,
        count=len(wanted),
        timeout=PATIENCE,
    )
    places: dict[str, set[int]] = {}
    for fact in facts:
        places.setdefault(fact.generation_id, set()).add(fact.log_index)
    return places


async def test_a_backend_gets_the_label_and_a_repeat_the_same_one(deployment: Deployment) -> None:
    async with AsyncCandor(**reached(deployment)) as candor:
        first = await candor.record(**RECORD, occurred_at=(at := datetime.now(UTC)))
        again = await candor.record(**RECORD, occurred_at=at, generation_id=first.generation_id)
        assert first.state is State.RECORDED
        assert first.decision is Decision.ALLOW
        assert first.label is not None
        assert json.loads(first.label.json)["AIGC"]["ProduceID"] == first.generation_id
        assert again == first
        with pytest.raises(Refused) as caught:
            await candor.record(**{**RECORD, "output": "Another."}, generation_id=first.generation_id)
        assert caught.value.reason == "COMMAND_ID_REUSED"
    assert list(await facts_of(deployment, [first.generation_id])) == [first.generation_id]


async def test_refusals_of_the_service_are_typed(deployment: Deployment) -> None:
    async with AsyncCandor(**reached(deployment)) as candor:
        with pytest.raises(Refused) as caught:
            await candor.record(**RECORD, occurred_at=datetime.now(UTC) + timedelta(days=1))
    assert (caught.value.reason, caught.value.domain) == ("TIME_IN_FUTURE", "candor.generation.v1")
    async with AsyncCandor(**reached(deployment, token=deployment.token("auditor"))) as auditor:
        with pytest.raises(Refused) as caught:
            await auditor.record(**RECORD)
    assert caught.value.reason == "WRONG_ROLE"


async def test_by_kafka_it_is_the_same_record(deployment: Deployment, tmp_path: Path) -> None:
    at = datetime.now(UTC)
    with Candor(kafka=deployment.kafka, source="chat-backend", spool=tmp_path) as candor:
        sent = await asyncio.to_thread(lambda: candor.record(**RECORD, occurred_at=at))
        kept = await asyncio.to_thread(lambda: candor.record(**RECORD, wait=False))
        assert await asyncio.to_thread(candor.flush, 30)
    assert (sent.state, sent.label, kept.state) == (State.SENT, None, State.SPOOLED)
    places = await facts_of(deployment, [sent.generation_id, kept.generation_id])
    # The same command by gRPC is a repeat: it gets the first answer, and no second place in the log.
    async with AsyncCandor(**reached(deployment)) as by_grpc:
        again = await by_grpc.record(**RECORD, occurred_at=at, generation_id=sent.generation_id)
    assert again.label is not None
    assert await facts_of(deployment, [sent.generation_id]) == {sent.generation_id: places[sent.generation_id]}


async def test_brokers_that_are_away_leave_the_record_in_the_spool(tmp_path: Path) -> None:
    with Candor(kafka="127.0.0.1:9", timeout=0.5, spool=tmp_path) as candor:
        kept = await asyncio.to_thread(lambda: candor.record(**RECORD))
        assert not await asyncio.to_thread(candor.flush, 0.1)
    assert kept.state is State.SPOOLED


async def test_the_service_dies_in_the_middle_and_nothing_is_lost_or_doubled(
    deployment: Deployment, tmp_path: Path
) -> None:
    word = uuid4().hex
    retry = Retry(attempt_seconds=2, first_pause=0.05, longest_pause=0.5)
    candor = Candor(**reached(deployment, spool=tmp_path, timeout=1.0, retry=retry))

    def record(number: int) -> str:
        return candor.record(**{**RECORD, "output": f"{word} {number}"}, wait=number % 3 > 0).generation_id

    def flow() -> list[str]:
        with ThreadPoolExecutor(4) as threads:
            return list(threads.map(record, range(_RECORDS)))

    flowing = asyncio.ensure_future(asyncio.to_thread(flow))
    for _ in range(2):
        await asyncio.sleep(random.uniform(0.1, 0.6))  # noqa: S311 - an instant of no meaning is the point
        await asyncio.to_thread(deployment.runner.kill_service, "generation")
        await asyncio.to_thread(deployment.runner.start_service, "generation")
    ids = await flowing
    assert await asyncio.to_thread(candor.flush, PATIENCE)
    await asyncio.to_thread(candor.close)
    assert candor.refused() == []
    assert len(set(ids)) == _RECORDS
    places = await facts_of(deployment, ids)
    assert all(len(found) == 1 for found in places.values())
    assert len({place for found in places.values() for place in found}) == _RECORDS
