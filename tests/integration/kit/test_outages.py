"""A broker or a database that is away, at the start and in flight: wait, say so, recover, lose nothing."""

from __future__ import annotations

import asyncio

import grpc
import pytest
from candor.consent.v1 import facts_pb2
from candor_cli.session import command_id
from candor_kit.errors import Refusal
from toy import Toy, grant


async def test_without_a_database_at_the_start_it_waits_and_then_serves(
    idle: Toy, capsys: pytest.CaptureFixture[str]
) -> None:
    idle.stack.postgres.kill()
    try:
        await idle.start(wait=False)
        await idle.said(capsys, "waiting for the database")
    finally:
        await asyncio.to_thread(idle.stack.postgres.start)
    await idle.ready()
    await idle.stub("backend").GrantConsent(grant("p", command_id()))


async def test_without_a_broker_at_the_start_it_waits_accepts_calls_and_then_publishes(
    idle: Toy, capsys: pytest.CaptureFixture[str]
) -> None:
    idle.stack.kafka.kill()
    try:
        await idle.start(wait=False)
        await idle.said(capsys, "waiting for the broker and the database")
        parts = await idle.ready(expected=False)
        assert parts["database"] == "ok"
        assert parts["broker"] == "does not answer"
        await idle.stub("backend").GrantConsent(grant("early", command_id()))
    finally:
        await asyncio.to_thread(idle.stack.kafka.start)
    await idle.ready()
    facts = await idle.session.facts(idle.name, facts_pb2.PurposeDefined, timeout=60)
    assert {fact.purpose.purpose_id for fact in facts} == {"early"}


async def test_a_database_that_dies_in_flight_loses_nothing(running: Toy) -> None:
    commands = [grant(f"p{number:03}", command_id()) for number in range(200)]
    await running.session.emit_many(running.name, list(commands[:100]))
    running.stack.postgres.kill()
    try:
        await running.session.emit_many(running.name, list(commands[100:]))
        await running.ready(expected=False)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await running.stub("backend").GrantConsent(grant("q", command_id()))
        found = Refusal.from_rpc(caught.value)
        assert found is not None
        assert found.reason == "UNAVAILABLE"
    finally:
        await asyncio.to_thread(running.stack.postgres.start)
    await running.ready()
    await running.session.facts(running.name, facts_pb2.PurposeDefined, count=200, timeout=60)
    rows = await running.rows("SELECT purpose_id FROM toy WHERE command_id <> 'fact'")
    assert sorted(row["purpose_id"] for row in rows) == [f"p{number:03}" for number in range(200)]


async def test_a_broker_that_dies_in_flight_loses_nothing(running: Toy) -> None:
    stub = running.stub("backend")
    running.stack.kafka.kill()
    try:
        for number in range(20):
            await stub.GrantConsent(grant(f"p{number:02}", command_id()))
        await running.ready(expected=False)
    finally:
        await asyncio.to_thread(running.stack.kafka.start)
    await running.ready()
    facts = await running.session.facts(running.name, facts_pb2.PurposeDefined, count=20, timeout=60)
    names = [fact.purpose.purpose_id for fact in facts]
    assert list(dict.fromkeys(names)) == [f"p{number:02}" for number in range(20)]
