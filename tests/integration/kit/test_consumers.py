"""What consumers do with records: nothing lost, nothing doubled, nothing blocks what comes after."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

import pytest
from aiokafka import AIOKafkaProducer
from candor.consent.v1 import facts_pb2, service_pb2
from candor_cli.session import command_id
from candor_kit import envelope
from candor_kit.envelope import Heard
from candor_kit.transaction import Tx
from toy import Refused, Toy, grant


async def test_protobuf_and_json_reach_the_same_handler(running: Toy) -> None:
    await running.session.emit(running.name, grant("binary", command_id()))
    await running.session.emit(running.name, grant("json", command_id()), as_json=True)
    facts = await running.session.facts(running.name, facts_pb2.PurposeDefined, count=2)
    assert {fact.purpose.purpose_id for fact in facts} == {"binary", "json"}


async def test_a_command_by_topic_and_again_by_rpc_has_one_effect(running: Toy) -> None:
    command = grant("p", command_id())
    await running.session.emit(running.name, command)
    await running.until_effects(1)
    answer = await running.stub("backend").GrantConsent(command)
    assert answer.consent_id
    rows = await running.rows("SELECT command_id FROM toy WHERE command_id <> 'fact'")
    assert len(rows) == 1


BAD = [
    ("malformed protobuf", {"value": b"\xff\xff\xff\xff"}, "MALFORMED", ""),
    ("malformed json", {"as_json": True, "value": b"{nonsense"}, "MALFORMED", ""),
    ("unknown json field", {"as_json": True, "value": b'{"colour": "red"}'}, "MALFORMED", "colour"),
    ("unknown type", {"headers": {"ce_type": "candor.consent.v1.Nonsense"}}, "UNKNOWN_TYPE", "ce_type"),
    ("missing header", {"headers": {"ce_source": None}}, "BAD_ENVELOPE", "ce_source"),
    ("other id in the header", {"headers": {"ce_id": command_id()}}, "BAD_ENVELOPE", "ce_id"),
    ("unknown content type", {"headers": {"content-type": "text/csv"}}, "BAD_ENVELOPE", "content-type"),
    ("too large", {"value": b"\n" * 1_100_000}, "TOO_LARGE", ""),
    ("empty value", {"value": b""}, "INVALID_FIELD", "command_id"),
]


@pytest.mark.parametrize(("emitted", "reason", "field"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
async def test_a_bad_record_is_set_aside_with_its_reason_and_the_next_is_applied(
    running: Toy, emitted: dict[str, object], reason: str, field: str
) -> None:
    await running.session.emit(running.name, grant("bad", command_id()), key="k", **emitted)  # type: ignore[arg-type]
    await running.session.emit(running.name, grant("good", command_id()), key="k")
    assert "good" in await running.until_effects(1)
    found = await running.session.dead_letters(running.name, lambda _headers: True)
    assert [letter["candor_reason"] for letter in found] == [reason]
    assert found[0]["candor_topic"] == f"candor.{running.name}.intake.v1"
    assert field in [name for name, _why in json.loads(found[0]["candor_violations"])] or not field


async def test_what_a_rule_refuses_is_set_aside_alone(running: Toy) -> None:
    async def hook(_tx: object, command: service_pb2.GrantConsentRequest) -> None:
        if command.purpose_id == "bad":
            raise Refused("NOTICE_UNKNOWN", "there is no such notice", field="notice_id")

    running.hook = hook
    commands = [grant(name, command_id()) for name in ("a", "bad", "b", "bad", "c")]
    await running.session.emit_many(running.name, list(commands))
    facts = await running.session.facts(running.name, facts_pb2.PurposeDefined, count=3)
    assert sorted(fact.purpose.purpose_id for fact in facts) == ["a", "b", "c"]
    found = await running.session.dead_letters(running.name, lambda _headers: True, count=2)
    assert {letter["candor_reason"] for letter in found} == {"NOTICE_UNKNOWN"}


async def test_what_a_service_publishes_is_heard_in_its_own_transaction_and_what_is_undone_is_not(running: Toy) -> None:
    async def hook(tx: Tx, command: service_pb2.GrantConsentRequest) -> None:
        if command.purpose_id == "bad":
            fact = facts_pb2.PurposeDefined()
            fact.purpose.purpose_id = "undone"
            await tx.publish(fact, key="one-key")
            raise Refused("NOTICE_UNKNOWN", "there is no such notice", field="notice_id")

    async def hear(tx: Tx, published: Sequence[Heard]) -> None:
        for item in published:
            purpose = facts_pb2.PurposeDefined.FromString(item.value).purpose.purpose_id
            await tx.connection.execute("INSERT INTO toy VALUES ('heard', %s)", (purpose,))

    assert running.service is not None
    running.service.hear_own(hear)
    running.hook = hook
    await running.session.emit_many(running.name, [grant(name, command_id()) for name in ("a", "bad", "b")])
    facts = await running.session.facts(running.name, facts_pb2.PurposeDefined, count=2)
    heard = await running.rows("SELECT purpose_id FROM toy WHERE command_id = 'heard'")
    assert sorted(row["purpose_id"] for row in heard) == sorted(fact.purpose.purpose_id for fact in facts) == ["a", "b"]


async def test_unexpected_exceptions_are_tried_again_and_nothing_is_doubled(running: Toy) -> None:
    left = [3]

    async def hook(_tx: object, _command: object) -> None:
        if left[0]:
            left[0] -= 1
            raise RuntimeError

    running.hook = hook
    await running.session.emit_many(running.name, [grant(f"p{number}", command_id()) for number in range(5)])
    await running.session.facts(running.name, facts_pb2.PurposeDefined, count=5)
    rows = await running.rows("SELECT command_id FROM toy WHERE command_id <> 'fact'")
    assert len(rows) == len({row["command_id"] for row in rows}) == 5


async def test_a_limit_of_unexpected_exceptions_stops_the_consumer_and_only_it(idle: Toy) -> None:
    async def hook(_tx: object, command: service_pb2.GrantConsentRequest) -> None:
        if command.purpose_id == "poison":
            raise RuntimeError

    idle.hook = hook
    await idle.start(max_failures=3)
    await idle.session.emit(idle.name, grant("poison", command_id()), key="k")
    parts = await idle.ready(expected=False)
    assert "3 unexpected exceptions" in parts[f"consumer candor.{idle.name}.intake"]
    assert parts["grpc"] == "ok"
    await idle.stub("backend").GrantConsent(grant("by-rpc", command_id()))
    assert await idle.session.emit(idle.name, grant("behind", command_id()), key="k")
    await idle.stop()
    idle.hook = lambda _tx, _command: asyncio.sleep(0)
    await idle.start()
    await idle.session.facts(
        idle.name, facts_pb2.PurposeDefined, lambda fact: fact.purpose.purpose_id in ("poison", "behind"), count=2
    )


async def test_a_fact_that_comes_twice_is_applied_once(running: Toy) -> None:
    fact = facts_pb2.PurposeDefined()
    fact.purpose.purpose_id = "twice"
    from datetime import UTC, datetime

    headers = envelope.headers_of(
        identifier=command_id(), message_type=fact.DESCRIPTOR.full_name, source="candor.x", at=datetime.now(UTC)
    )
    producer = AIOKafkaProducer(bootstrap_servers=running.session.kafka)
    await producer.start()
    for value in (fact, fact, facts_pb2.PurposeDefined(purpose=fact.purpose, fresh_consent_needed=True)):
        await producer.send_and_wait(
            f"candor.{running.name}.v1", value.SerializeToString(), partition=0, headers=headers
        )
    last = facts_pb2.PurposeDefined()
    last.purpose.purpose_id = "last"
    other = [(name, value if name != "ce_id" else command_id().encode()) for name, value in headers]
    await producer.send_and_wait(f"candor.{running.name}.v1", last.SerializeToString(), partition=0, headers=other)
    await producer.stop()
    assert await running.until_effects(2) == ["twice", "last"]


async def test_a_position_outside_the_log_stops_and_never_resets(idle: Toy) -> None:
    await idle.start()
    await idle.session.emit(idle.name, grant("a", command_id()), key="k")
    await idle.until_effects(1)
    await idle.stop()
    await idle.rows("UPDATE kit_position SET next_offset = 1000 WHERE consumer = 'intake'")
    await idle.start(wait=False)
    parts = await idle.ready(expected=False)
    async with asyncio.timeout(20):
        while "outside the log" not in parts[f"consumer candor.{idle.name}.intake"]:
            parts = await idle.ready(expected=False)
    rows = await idle.rows("SELECT DISTINCT next_offset FROM kit_position WHERE consumer = 'intake'")
    assert [row["next_offset"] for row in rows] == [1000]


async def test_whoever_loses_the_compare_goes_back_to_the_stored_position(running: Toy) -> None:
    for name in ("a", "b"):
        await running.session.emit(running.name, grant(name, command_id()), key="k")
    await running.session.facts(running.name, facts_pb2.PurposeDefined, count=2)
    # Another process took the partition back to its beginning; the records are applied again, to no second effect.
    await running.rows("UPDATE kit_position SET next_offset = 0 WHERE consumer = 'intake'")
    await running.session.emit(running.name, grant("c", command_id()), key="k")
    await running.session.facts(running.name, facts_pb2.PurposeDefined, lambda fact: fact.purpose.purpose_id == "c")
    rows = await running.rows("SELECT purpose_id FROM toy WHERE command_id <> 'fact' ORDER BY purpose_id")
    assert [row["purpose_id"] for row in rows] == ["a", "b", "c"]


async def test_facts_of_one_key_keep_their_order(running: Toy) -> None:
    stub = running.stub("backend")
    wanted = [f"p{number:03}" for number in range(60)]
    for name in wanted:
        await stub.GrantConsent(grant(name, command_id()))
    facts = await running.session.facts(running.name, facts_pb2.PurposeDefined, count=60)
    assert [fact.purpose.purpose_id for fact in facts] == wanted


async def test_records_that_wait_for_half_of_their_retention_raise_an_alarm(
    idle: Toy, capsys: pytest.CaptureFixture[str]
) -> None:
    await idle.start(intake_retention_seconds=0)
    await idle.session.emit(idle.name, grant("old", command_id()))
    await idle.until_effects(1)
    await idle.said(capsys, "records wait for half of their retention")
