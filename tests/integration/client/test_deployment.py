"""The client against the real system: records, labels, screening, by gRPC and Kafka; and through a service's death."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from candor.generation.v1 import facts_pb2, label_pb2, label_pb2_grpc, model_pb2, service_pb2, service_pb2_grpc
from candor_cli.session import command_id as new_id
from candor_client import AsyncCandor, Candor, Decision, Refused, Retry, State
from deployment import Deployment
from label_samples import FILES

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


@pytest.mark.parametrize("name", ["text", "png", "docx"])
async def test_a_labelled_file_leads_back_to_its_record(deployment: Deployment, tmp_path: Path, name: str) -> None:
    media_type, make = FILES[name]
    source, target = tmp_path / "content", tmp_path / "labelled"
    source.write_bytes(make())
    async with AsyncCandor(**reached(deployment)) as candor:
        recorded = await candor.record(**RECORD)
        wanted: dict[str, Any] = {"generation_id": recorded.generation_id, "locale": "en", "media_type": media_type}
        made = await candor.label(source, target, **wanted)
        labelled = target.read_bytes()
        assert (made.content, made.size, made.found) == (None, len(labelled), ())
        assert made.labelled_sha256 == sha256(labelled).digest()
        assert made.unlabelled_sha256 == sha256(source.read_bytes()).digest()
        # The label of one record is not hidden under that of another, unless content was made anew out of it.
        wanted["generation_id"] = (await candor.record(**RECORD)).generation_id
        with pytest.raises(Refused) as caught:
            await candor.label(target, **wanted)
        assert caught.value.reason == "LABEL_EXISTS"
        assert target.read_bytes() == labelled
        anew = await candor.label(target, supersede=True, **wanted)
    assert anew.content is not None
    assert [recorded.generation_id in text for text in anew.found] == [True]
    for content, generation_id in ((labelled, recorded.generation_id), (anew.content, wanted["generation_id"])):
        place = (await facts_of(deployment, [generation_id]))[generation_id]
        found = await read_label(deployment, content)
        assert found.signature == label_pb2.SIGNATURE_STATE_HOLDS
        assert (found.generation_id, {found.log_index}) == (generation_id, place)
        assert found.sha256 == sha256(content).digest()


async def read_label(deployment: Deployment, content: bytes) -> label_pb2.ReadLabelResponse:
    """Ask what a file says of itself, as whoever found it."""
    stub = label_pb2_grpc.LabelServiceStub(deployment.channel("generation", "auditor", name="auditor"))
    parts = [label_pb2.ReadLabelRequest(header=label_pb2.ReadLabelHeader())]
    parts += [label_pb2.ReadLabelRequest(chunk=content[at : at + 65_536]) for at in range(0, len(content), 65_536)]
    answer: label_pb2.ReadLabelResponse = await stub.ReadLabel(iter(parts))
    return answer


async def test_a_file_that_cannot_be_labelled_is_refused_and_no_target_is_left(
    deployment: Deployment, tmp_path: Path
) -> None:
    target = tmp_path / "labelled.png"
    async with AsyncCandor(**reached(deployment)) as candor:
        with pytest.raises(Refused) as caught:
            await candor.label(b"no picture", target, generation_id=new_id(), locale="en", media_type="image/png")
    assert caught.value.reason == "FILE_MALFORMED"
    assert await asyncio.to_thread(lambda: list(tmp_path.iterdir())) == []


async def test_what_is_screened_before_it_is_shown_is_decided_as_when_it_is_recorded(deployment: Deployment) -> None:
    word = f"verboten{uuid4().hex[:8]}"
    version = await admit(deployment, f"client-{word}", word)
    text = f"It says {word} here."
    async with AsyncCandor(**reached(deployment)) as candor:
        async with asyncio.timeout(PATIENCE):
            while (screened := await candor.screen(output=text)).library_version < version:  # noqa: ASYNC110 - as below
                await asyncio.sleep(0.1)  # the process that answers takes the library up by itself
        recorded = await candor.record(**{**RECORD, "output": text})
        clean = await candor.screen("Why is the sky blue?", "Air scatters blue light more.")
    assert screened.decision is recorded.decision is Decision.REVIEW
    assert screened.hits == recorded.hits
    (hit,) = screened.hits
    assert (hit.feature_id, hit.in_prompt, text[hit.start : hit.end]) == (f"client-{word}", False, word)
    assert (clean.decision, clean.hits) == (Decision.ALLOW, ())


async def admit(deployment: Deployment, feature_id: str, term: str) -> int:
    """Let two people bring a term into the library; the version that it is in."""
    alice, bob = (
        service_pb2_grpc.GenerationServiceStub(deployment.channel("generation", "operator", name=name))
        for name in ("alice", "bob")
    )
    named: dict[str, Any] = {"feature_id": feature_id, "reason": "test"}
    await alice.ProposeFeature(
        service_pb2.ProposeFeatureRequest(
            command_id=new_id(),
            kind=model_pb2.FEATURE_KIND_TERM,
            value=term,
            category="test",
            decision=model_pb2.DECISION_REVIEW,
            citation="Deep Synthesis 10",
            source="test",
            **named,
        )
    )
    await bob.ReviewFeature(
        service_pb2.ReviewFeatureRequest(command_id=new_id(), approved=True, standard="standard 1", **named)
    )
    answer: service_pb2.AdmitFeatureResponse = await bob.AdmitFeature(
        service_pb2.AdmitFeatureRequest(command_id=new_id(), mode=model_pb2.FEATURE_MODE_ACTIVE, **named)
    )
    return answer.library_version


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
