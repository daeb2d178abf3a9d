"""From a recorded generation to evidence that an auditor checks with no access to the database."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
from candor.generation.v1 import model_pb2, service_pb2
from candor_cli.session import command_id
from candor_kit.ids import uuid7

from .backend import Backend, refusal, stamp


@pytest.mark.clause("Generative AI Labelling Measures 5")
async def test_a_record_by_rpc_is_labelled_integrated_and_verifies(backend: Backend) -> None:
    answer = await backend.backend.Record(backend.generation())
    value = json.loads(answer.label.json)["AIGC"]
    assert value["Label"] == "1"
    assert value["ProduceID"] == value["PropagateID"] == answer.generation_id
    assert len(value["ContentProducer"]) == 27
    assert "人工智能" in answer.label.explicit_text
    assert "生成" in answer.label.explicit_text
    assert answer.verdict.decision == model_pb2.DECISION_ALLOW

    (fact,) = await backend.recorded(answer.generation_id)
    # The signature is made where a label is given out; the fact tells the rest.
    assert value["ReservedCode1"].startswith("v1.")
    assert fact.label.reserved_code1 == ""
    assert (fact.label.produce_id, fact.label.explicit_text) == (answer.label.produce_id, answer.label.explicit_text)
    assert fact.verdict == answer.verdict
    found = await backend.get(answer.generation_id)
    assert found.state == model_pb2.GENERATION_STATE_INTEGRATED
    assert found.log_index == fact.log_index

    evidence = await backend.evidence(answer.generation_id)
    assert evidence.origin == fact.origin
    assert evidence.opening.prompt == f"你好 {backend.word}"
    ran = await backend.verify(backend.lay(evidence), "--vkey", await backend.vkey(), module="candor_cli verify")
    assert ran.code == 0, ran.output
    assert [line.split()[0] for line in ran.output.splitlines()] == ["ok"] * 5


@pytest.mark.parametrize("as_json", [False, True])
async def test_a_record_by_the_intake_topic_is_the_same(backend: Backend, as_json: bool) -> None:
    command = backend.generation()
    await backend.deployment.emit("generation", command, as_json=as_json)
    await backend.recorded(command.command_id)
    # The same command by RPC is a repeat: it gets the first answer and no second place in the log.
    answer = await backend.backend.Record(command)
    assert answer.generation_id == command.command_id
    evidence = await backend.evidence(command.command_id)
    assert evidence.opening.subject == backend.subject
    assert evidence.opening.output == command.output
    ran = await backend.verify(backend.lay(evidence), "--vkey", await backend.vkey())
    assert ran.code == 0, ran.output
    rows = await backend.deployment.rows(
        "generation", "SELECT generation_id FROM record WHERE subject = %s", backend.subject
    )
    assert len(rows) == 1


async def test_nothing_personal_stands_in_the_row_or_the_entry_in_clear(backend: Backend) -> None:
    generation_id = await backend.record()
    row = await backend.row(generation_id)
    for column in ("payload", "wrapped_key"):
        assert backend.word.encode() not in bytes(row[column])
    (added,) = await backend.deployment.rows(
        "generation", "SELECT entries, templates FROM addition WHERE addition_id = %s", row["addition_id"]
    )
    assert row["fact"] is None, "what nothing was found in is told by a template"
    assert generation_id.encode() not in bytes(added["templates"])
    for column in ("entries", "templates"):
        assert backend.word.encode() not in bytes(added[column])


async def test_tampered_evidence_fails_at_the_step_it_breaks(backend: Backend) -> None:
    first, second = await backend.record(), await backend.record()
    await backend.recorded(first, second)
    evidence = await backend.evidence(first)
    vkey = await backend.vkey()

    def changed(**fields: object) -> str:
        other = service_pb2.GetEvidenceResponse()
        other.CopyFrom(evidence)
        for name, value in fields.items():
            setattr(other, name, value)
        return backend.lay(other)

    def opened(**fields: str) -> str:
        other = service_pb2.GetEvidenceResponse()
        other.CopyFrom(evidence)
        for name, value in fields.items():
            setattr(other.opening, name, value)
        return backend.lay(other)

    origin, size, root, *rest = evidence.checkpoint.split("\n")
    larger = "\n".join([origin, str(int(size) + 1), root, *rest])
    forged_entry = evidence.entry.replace(b'"decision":"allow"', b'"decision":"block"')
    other_key = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
    cases = [
        (changed(entry=forged_entry), vkey, "inclusion"),
        (changed(entry=evidence.entry + b" "), vkey, "entry"),
        (changed(log_index=evidence.log_index + 1), vkey, "inclusion"),
        (changed(checkpoint=larger), vkey, "checkpoint"),
        (changed(origin="candor.local/log/other"), vkey, "checkpoint"),
        (opened(output="something else"), vkey, "opening"),
        (opened(subject="somebody-else"), vkey, "opening"),
        (backend.lay(evidence), other_key, "checkpoint"),
    ]
    results = await asyncio.gather(*(backend.verify(path, "--vkey", key, "--json") for path, key, _ in cases))
    for ran, (_, _, broken) in zip(results, cases, strict=True):
        assert ran.code == 1, ran.output
        assert [name for name, holds in ran.checks().items() if not holds] == [broken]
    assert (await backend.verify("--vkey", vkey)).code == 2
    assert (await backend.verify(backend.lay(evidence))).code == 2
    assert (await backend.verify(str(backend.folder / "missing.json"), "--vkey", vkey)).code == 2


async def test_a_later_checkpoint_continues_the_same_history(backend: Backend) -> None:
    first = await backend.record()
    await backend.recorded(first)
    evidence = await backend.evidence(first)
    old_size = int(evidence.checkpoint.split("\n")[1])
    await backend.recorded(*[await backend.record() for _ in range(3)])
    _, _, checkpoint = await backend.fetch("checkpoint")
    assert int(checkpoint.decode().split("\n")[1]) > old_size

    arguments = (backend.lay(evidence), "--vkey", await backend.vkey())
    ran = await backend.verify(*arguments, "--log-url", backend.log_url)
    assert ran.code == 0, ran.output
    assert "is a prefix of" in ran.output
    kept = backend.folder / "checkpoint"
    kept.write_bytes(checkpoint)
    ran = await backend.verify(*arguments, "--checkpoint", str(kept), "--log-url", backend.log_url)
    assert ran.code == 0, ran.output
    assert (await backend.verify(*arguments, "--checkpoint", str(kept))).code == 1

    proof = await backend.auditor.GetConsistencyProof(service_pb2.GetConsistencyProofRequest(old_size=old_size))
    assert proof.new_size > old_size
    assert await refusal(
        backend.auditor.GetConsistencyProof(service_pb2.GetConsistencyProofRequest(old_size=1, new_size=10**9))
    ) == ("SIZE_UNKNOWN")
    inclusion = await backend.auditor.GetInclusionProof(
        service_pb2.GetInclusionProofRequest(log_index=evidence.log_index, tree_size=old_size)
    )
    assert list(inclusion.proof) == list(evidence.inclusion_proof)


async def test_what_is_refused(backend: Backend) -> None:
    ahead = stamp(datetime.now(UTC) + timedelta(minutes=6))
    assert await refusal(backend.record(occurred_at=ahead)) == "TIME_IN_FUTURE"
    # An id of another hour would belong to another period one day; one of another day is no id at all.
    other_hour = str(uuid7(datetime.now(UTC) + timedelta(hours=1)))
    assert await refusal(backend.record(command_id=other_hour)) == "TIME_IN_FUTURE"
    assert await refusal(backend.get(command_id())) == "GENERATION_UNKNOWN"
    assert await refusal(backend.evidence(command_id())) == "GENERATION_UNKNOWN"
    command = backend.generation(occurred_at=stamp(datetime.now(UTC) + timedelta(hours=1)))
    await backend.deployment.emit("generation", command)
    (letter,) = await backend.deployment.dead_letters(
        "generation", lambda headers: headers.get("ce_id") == command.command_id
    )
    assert "TIME_IN_FUTURE" in letter.values()


async def test_texts_are_read_by_log_range(backend: Backend) -> None:
    identifiers = [await backend.record(output=f"{backend.word} {number}") for number in range(5)]
    facts = await backend.recorded(*identifiers)
    by_index = {fact.log_index: fact.generation_id for fact in facts}
    start, end = min(by_index), max(by_index) + 1
    read = [item for item in await backend.outputs(start, end) if item.generation_id in identifiers]
    assert [item.log_index for item in read] == sorted(by_index)
    assert {item.output for item in read} == {f"{backend.word} {number}" for number in range(5)}
    assert all(by_index[item.log_index] == item.generation_id for item in read)
    assert await backend.outputs(10**9, 0) == []


async def test_many_records_are_sequenced_within_seconds(backend: Backend) -> None:
    count = 2_000
    commands = [backend.generation(output=f"{backend.word} {number}") for number in range(count)]
    await backend.deployment.emit_many("generation", list(commands))
    facts = await backend.recorded(*[command.command_id for command in commands])
    indexes = [fact.log_index for fact in facts]
    assert len(set(indexes)) == count
    ran = await backend.verify("--log-url", backend.log_url, "--vkey", await backend.vkey())
    assert ran.code == 0, ran.output
    spot = [await backend.evidence(commands[number].command_id) for number in (0, count // 2, count - 1)]
    vkey = await backend.vkey()
    results = await asyncio.gather(*(backend.verify(backend.lay(item), "--vkey", vkey) for item in spot))
    assert [ran.code for ran in results] == [0, 0, 0]
