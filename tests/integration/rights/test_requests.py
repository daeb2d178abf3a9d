"""Requests from their receipt to their end, over gRPC and topics, with played holders."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import grpc
import pytest
from candor.rights.v1 import facts_pb2, model_pb2, service_pb2
from candor_cli.session import command_id
from candor_kit.errors import Refusal

from .played import SERVICES, Rights, answering, now, opening, proof, refusal

CONTACT = "ada.lovelace@example.org"


async def refused(call: grpc.aio.UnaryUnaryCall[object, object]) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call
    return str(refusal(error.value))


async def test_a_deletion_asks_every_holder_erases_here_and_closes_when_the_last_copy_is_gone(rights: Rights) -> None:
    received_at = now() - timedelta(days=1)
    opened = await rights.stub.OpenRequest(opening("erase-me", model_pb2.RIGHT_DELETION, CONTACT, received_at))
    assert opened.citation == "GB/T 35273 8.7"
    assert opened.strict_due.ToDatetime(UTC) == received_at + timedelta(days=30)
    before = await rights.get(opened.request_id)
    assert (before.subject, before.contact, before.summary.state) == ("erase-me", CONTACT, model_pb2.REQUEST_STATE_OPEN)

    verified = await rights.verify(opened.request_id)
    assert (verified.state, verified.tasks) == (model_pb2.REQUEST_STATE_IN_PROGRESS, 4)
    asks = await rights.asks(opened.request_id)
    assert sorted(ask.holder_id for ask in asks) == list(SERVICES)
    assert {ask.subject for ask in asks} == {"erase-me"}
    expires = now() + timedelta(seconds=8)
    for number, ask in enumerate(asks):
        await rights.answer(ask, proof(expires=expires if number == 1 else None, thing=number))
    await rights.answered(opened.request_id, 4)

    waiting = await rights.get(opened.request_id)
    assert waiting.summary.state == model_pb2.REQUEST_STATE_IN_PROGRESS
    assert (waiting.summary.tasks, waiting.summary.tasks_answered) == (4, 4)
    assert (waiting.subject, waiting.contact) == ("", "")
    assert {task.proof.outcome for task in waiting.tasks} == {model_pb2.OUTCOME_DONE}
    pseudonyms = await rights.rows(
        "SELECT person, sealed_person, evidence_ref FROM request WHERE request_id = %s", opened.request_id
    )
    assert pseudonyms == [{"person": None, "sealed_person": None, "evidence_ref": ""}]

    closed = await rights.closed(opened.request_id)
    assert closed.closed_at.ToDatetime(UTC) >= expires
    assert closed.last_copy_expires_at.ToDatetime(UTC) == expires
    assert (await rights.get(opened.request_id)).summary.state == model_pb2.REQUEST_STATE_CLOSED


async def test_an_erased_persons_key_is_gone_and_contact_never_left_this_service(rights: Rights) -> None:
    contact = "grace.hopper@example.org"
    request_id = await rights.open("key-goes", model_pb2.RIGHT_DELETION, contact)
    person = (await rights.rows("SELECT person FROM request WHERE request_id = %s", request_id))[0]["person"]
    assert await rights.rows("SELECT 1 FROM kit_subject_key WHERE pseudonym = %s", person)
    await rights.carry_out(request_id)
    await rights.closed(request_id)
    assert not await rights.rows("SELECT 1 FROM kit_subject_key WHERE pseudonym = %s", person)
    assert contact not in rights.runner.read_log("rights")
    assert "key-goes" not in rights.runner.read_log("rights")
    records = rights.session._follower("candor.rights.v1")._records
    assert records
    assert not any(contact.encode() in value for _headers, value in records)


async def test_a_withdrawal_closes_with_the_last_answer(rights: Rights) -> None:
    request_id = await rights.open("withdraws", model_pb2.RIGHT_CONSENT_WITHDRAWAL, CONTACT)
    await rights.carry_out(request_id)
    closed = await rights.closed(request_id)
    assert not closed.HasField("last_copy_expires_at")
    shown = await rights.get(request_id)
    assert (shown.summary.state, shown.contact) == (model_pb2.REQUEST_STATE_CLOSED, CONTACT)


async def test_a_request_over_the_topic_is_a_request_and_its_copy_there_is_waited_for(rights: Rights) -> None:
    command = opening("by-topic", model_pb2.RIGHT_DELETION, CONTACT)
    await rights.session.emit("rights", command, as_json=True)
    question = "SELECT request_id, opened_at FROM request WHERE received_at = %s"
    received_at = command.received_at.ToDatetime(UTC)
    await rights.until_rows(question, received_at)
    row = (await rights.rows(question, received_at))[0]
    await rights.carry_out(str(row["request_id"]))
    closed = await rights.closed(str(row["request_id"]))
    gone = closed.last_copy_expires_at.ToDatetime(UTC)
    assert row["opened_at"] + timedelta(seconds=4) < gone <= closed.closed_at.ToDatetime(UTC)


async def test_who_is_not_verified_is_refused_and_nobody_is_asked(rights: Rights) -> None:
    request_id = await rights.open("impostor", model_pb2.RIGHT_DELETION)
    answer = await rights.verify(request_id, verified=False)
    assert (answer.state, answer.tasks) == (model_pb2.REQUEST_STATE_REFUSED, 0)
    facts = await rights.session.facts("rights", facts_pb2.RequestRefused, lambda fact: fact.request_id == request_id)
    assert facts[0].ground == "IDENTITY_NOT_VERIFIED"
    shown = await rights.get(request_id)
    assert (shown.refusal_ground, len(shown.tasks)) == ("IDENTITY_NOT_VERIFIED", 0)
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await rights.verify(request_id)
    assert refusal(error.value) == "IDENTITY_ALREADY_DECIDED"


async def test_a_holder_that_does_not_answer_is_asked_again_until_it_does(rights: Rights) -> None:
    request_id = await rights.open("patience", model_pb2.RIGHT_CONSENT_WITHDRAWAL)
    await rights.verify(request_id)
    asks = await rights.asks(request_id)
    silent = asks[-1]
    for ask in asks[:-1]:
        await rights.answer(ask, proof())
    await rights.answered(request_id, 3)
    again = await rights.asks(request_id, count=1, attempt=2)
    third = await rights.asks(request_id, count=1, attempt=3)
    assert silent.task_id in {fact.task_id for fact in again}
    assert [fact.task_id for fact in third] == [silent.task_id]
    assert (third[0].subject, third[0].requested_at) == (silent.subject, silent.requested_at)
    await rights.answer(third[0], proof())
    await rights.closed(request_id)
    left = await rights.rows("SELECT 1 FROM task WHERE request_id = %s AND ask_again_at IS NOT NULL", request_id)
    assert left == []


async def test_the_same_answer_again_is_fine_another_is_not(rights: Rights) -> None:
    request_id = await rights.open("twice", model_pb2.RIGHT_CONSENT_WITHDRAWAL)
    await rights.verify(request_id)
    ask = next(ask for ask in await rights.asks(request_id) if ask.holder_id == "consent")
    stub, given = rights.as_caller("service", name="consent"), proof(consent=2)
    for _ in range(3):
        answer = await stub.AnswerTask(answering(ask.task_id, "consent", given))
        assert answer.state == model_pb2.REQUEST_STATE_IN_PROGRESS
    facts = await rights.answered(request_id, 1)
    assert len(facts) == 1
    assert await refused(stub.AnswerTask(answering(ask.task_id, "consent", proof(consent=3)))) == "TASK_ANSWERED"


async def test_only_the_holder_that_was_asked_may_answer(rights: Rights) -> None:
    request_id = await rights.open("whose", model_pb2.RIGHT_CONSENT_WITHDRAWAL)
    await rights.verify(request_id)
    ask = next(ask for ask in await rights.asks(request_id) if ask.holder_id == "generation")
    as_consent = rights.as_caller("service", name="consent")
    as_backend = rights.as_caller("backend")
    assert await refused(as_consent.AnswerTask(answering(ask.task_id, "consent", proof()))) == "WRONG_HOLDER"
    assert await refused(as_consent.AnswerTask(answering(ask.task_id, "generation", proof()))) == "WRONG_HOLDER"
    assert await refused(as_backend.AnswerTask(answering(ask.task_id, "generation", proof()))) == "WRONG_HOLDER"
    assert await refused(as_backend.AnswerTask(answering(command_id(), "generation", proof()))) == "TASK_UNKNOWN"
    await rights.answer(ask, proof(), holder_id="consent")
    letters = await rights.session.dead_letters("rights", lambda headers: "WRONG_HOLDER" in str(headers))
    assert letters


async def test_what_cannot_be_is_refused_with_a_reason(rights: Rights) -> None:
    future = opening("soon", model_pb2.RIGHT_ACCESS, received_at=now() + timedelta(minutes=6))
    assert await refused(rights.stub.OpenRequest(future)) == "TIME_IN_FUTURE"
    ancient = opening("then", model_pb2.RIGHT_ACCESS, received_at=datetime(1, 1, 1, tzinfo=UTC))
    assert await refused(rights.stub.OpenRequest(ancient)) == "NO_RULE_IN_FORCE"
    unknown = service_pb2.GetRequestRequest(request_id=command_id())
    assert await refused(rights.stub.GetRequest(unknown)) == "REQUEST_UNKNOWN"
    package = rights.stub.GetPackage(service_pb2.GetPackageRequest(request_id=command_id()))
    assert await refused(package.read()) == "REQUEST_UNKNOWN"


async def test_lists_name_nobody_and_go_by_due_date(rights: Rights) -> None:
    for day in (3, 1, 2):
        await rights.open("listed", model_pb2.RIGHT_ACCESS, CONTACT, now() - timedelta(days=day))
    token, seen = "", []
    while True:
        page = await rights.stub.ListRequests(
            service_pb2.ListRequestsRequest(open_only=True, page_size=2, page_token=token)
        )
        seen += page.requests
        token = page.next_page_token
        if not token:
            break
    dues = [summary.strict_due.ToDatetime(UTC) for summary in seen]
    assert dues == sorted(dues)
    assert len({summary.request_id for summary in seen}) == len(seen) >= 3
    assert b"listed" not in b"".join(summary.SerializeToString() for summary in seen)
    bad = service_pb2.ListRequestsRequest(page_token="bm90aGluZw==")
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await rights.stub.ListRequests(bad)
    found = Refusal.from_rpc(error.value)
    assert found is not None
    assert (found.reason, found.violations[0].field) == ("INVALID_FIELD", "page_token")
