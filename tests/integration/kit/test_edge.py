"""What the edge does with calls: who, what, once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest
from candor.consent.v1 import facts_pb2, service_pb2, service_pb2_grpc
from candor.edge.v1 import views_pb2, views_pb2_grpc
from candor_cli.session import command_id
from candor_kit.errors import Refusal
from candor_kit.ids import uuid7
from toy import Refused, Toy, define, grant


async def refusal(call: Awaitable[object]) -> Refusal:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    found = Refusal.from_rpc(caught.value)
    assert found is not None, caught.value
    return found


async def test_a_repeat_gets_the_first_answer_and_has_one_effect(running: Toy) -> None:
    command = grant("p-1", command_id())
    stub = running.stub("backend")
    first = await stub.GrantConsent(command)
    assert first.consent_id
    assert await stub.GrantConsent(command) == first
    facts = await running.session.facts(running.name, facts_pb2.PurposeDefined)
    assert len(facts) == 1
    assert (await running.rows("SELECT count(*) AS n FROM toy WHERE command_id = %s", command.command_id))[0]["n"] == 1


async def test_rivals_with_one_id_have_one_effect(running: Toy) -> None:
    command = grant("p-1", command_id())
    stub = running.stub("backend")
    answers = await asyncio.gather(*(stub.GrantConsent(command) for _ in range(8)))
    assert len({answer.consent_id for answer in answers}) == 1
    assert (await running.rows("SELECT count(*) AS n FROM toy WHERE command_id = %s", command.command_id))[0]["n"] == 1


async def test_the_same_id_with_another_body_is_refused(running: Toy) -> None:
    identifier = command_id()
    stub = running.stub("backend")
    await stub.GrantConsent(grant("p-1", identifier))
    found = await refusal(stub.GrantConsent(grant("p-2", identifier)))
    assert (found.reason, found.status) == ("COMMAND_ID_REUSED", grpc.StatusCode.ALREADY_EXISTS)
    assert found.violations[0].field == "command_id"


@pytest.mark.parametrize(
    ("identifier", "reason"),
    [
        (str(uuid4()), "COMMAND_ID_INVALID"),
        (str(uuid7(datetime.now(UTC) - timedelta(days=36))), "COMMAND_TOO_OLD"),
        ("nonsense", "INVALID_FIELD"),
    ],
)
async def test_an_id_that_cannot_be_remembered_is_refused(running: Toy, identifier: str, reason: str) -> None:
    found = await refusal(running.stub("backend").GrantConsent(grant("p-1", identifier)))
    assert found.reason == reason
    assert found.violations[0].field == "command_id"


async def test_every_wrong_field_is_named_and_none_is_quoted(running: Toy) -> None:
    bad = service_pb2.GrantConsentRequest(command_id=command_id(), subject="someone@example.org")
    found = await refusal(running.stub("backend").GrantConsent(bad))
    assert found.reason == "INVALID_FIELD"
    assert {violation.field for violation in found.violations} >= {"subject", "purpose_id", "kind", "given_at"}
    assert "someone@example.org" not in found.message


async def test_a_caller_without_a_token_or_with_a_foreign_one_is_refused(running: Toy) -> None:
    for token in (None, "nonsense", running.session.token("backend")[:-4] + "AAAA"):
        async with running.raw(token) as channel:
            found = await refusal(service_pb2_grpc.ConsentServiceStub(channel).GrantConsent(grant("p", command_id())))
        assert (found.reason, found.status) == ("UNAUTHENTICATED", grpc.StatusCode.UNAUTHENTICATED)


async def test_a_caller_with_another_role_is_refused_and_told_which_is_admitted(running: Toy) -> None:
    found = await refusal(running.stub("auditor").GrantConsent(grant("p", command_id())))
    assert (found.reason, found.status) == ("WRONG_ROLE", grpc.StatusCode.PERMISSION_DENIED)
    assert "backend" in found.message


async def test_bytes_that_are_no_message_are_malformed(running: Toy) -> None:
    async with running.raw(running.session.token("backend")) as channel:
        call: Any = channel.unary_unary("/candor.consent.v1.ConsentService/GrantConsent")
        assert (await refusal(call(b"\xff\xff\xff"))).reason == "MALFORMED"


async def test_what_a_rule_refuses_leaves_nothing_behind_and_may_be_tried_again(running: Toy) -> None:
    async def refuse(_tx: object, _command: object) -> None:
        raise Refused("NOTICE_UNKNOWN", "there is no such notice", field="notice_id")

    running.hook = refuse
    command = grant("p-1", command_id())
    found = await refusal(running.stub("backend").GrantConsent(command))
    assert (found.reason, found.domain) == ("NOTICE_UNKNOWN", "candor.consent.v1")
    assert found.violations[0].field == "notice_id"
    assert await running.effects() == []
    running.hook = lambda _tx, _command: asyncio.sleep(0)
    await running.stub("backend").GrantConsent(command)
    assert "p-1" in await running.effects()


async def test_a_deadline_that_passes_leaves_nothing_behind(running: Toy) -> None:
    async def dawdle(tx: object, _command: object) -> None:
        await tx.connection.execute("SELECT pg_sleep(20)")  # type: ignore[attr-defined]

    running.hook = dawdle
    call = running.stub("backend").GrantConsent(grant("p-1", command_id()), timeout=0.5)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert await running.effects() == []


async def test_a_view_of_a_person_is_recorded_under_a_pseudonym(running: Toy) -> None:
    request = service_pb2.ListConsentHistoryRequest(subject="person-77")
    await running.stub("privacy_officer").ListConsentHistory(request)
    stub = views_pb2_grpc.ViewServiceStub(running.session.channel(running.name, "auditor"))
    views = (await stub.ListViews(views_pb2.ListViewsRequest())).views
    assert [view.method for view in views] == ["candor.consent.v1.ConsentService/ListConsentHistory"]
    assert views[0].viewer == "demo-backend"
    assert "person-77" not in views[0].request


async def test_health_and_reflection_answer_without_a_token(running: Toy) -> None:
    from grpc_health.v1 import health_pb2, health_pb2_grpc
    from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

    async with running.raw(None) as channel:
        health = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
        assert health.status == health_pb2.HealthCheckResponse.SERVING
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        async for answer in stub.ServerReflectionInfo(iter([request])):
            names = {service.name for service in answer.list_services_response.service}
            assert {"candor.consent.v1.ConsentService", "candor.edge.v1.ViewService"} <= names


async def test_an_operator_command_is_not_taken_from_the_topic(running: Toy) -> None:
    command = define("p-1", command_id())
    await running.session.emit(running.name, command)
    found = await running.session.dead_letters(running.name, lambda headers: headers["ce_id"] == command.command_id)
    assert found[0]["candor_reason"] == "WRONG_ROLE"
