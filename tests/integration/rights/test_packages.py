"""Access packages: complete, sealed, durable, and gone in the end."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import timedelta

import grpc
import pytest
from candor.rights.v1 import model_pb2, service_pb2
from candor_cli.session import command_id

from .played import SERVICES, PlayedHolder, Rights, answering, proof, refusal, serving, until

CONTACT = "ada.lovelace@example.org"


def give(rights: Rights, subject: str, each: int, size: int = 20) -> None:
    for name, holder in rights.holders.items():
        holder.items[subject] = [
            (f"{name}_item", f"{name}-{number}", json.dumps({"text": "字" * size, "n": number}).encode())
            for number in range(each)
        ]


async def test_a_package_holds_what_every_holder_has_and_what_rights_has(rights: Rights) -> None:
    give(rights, "curious", each=300, size=1000)
    request_id = await rights.open("curious", model_pb2.RIGHT_ACCESS, CONTACT)
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await rights.package(request_id)
    assert refusal(error.value) == "PACKAGE_NOT_READY"
    await rights.carry_out(request_id)
    closed = await rights.closed(request_id)
    assert closed.right == model_pb2.RIGHT_ACCESS

    chunks = await rights.package(request_id)
    assert max(len(chunk) for chunk in chunks) <= 64 * 1024
    assert sum(len(chunk) for chunk in chunks) > 3_000_000
    package = json.loads(b"".join(chunks))
    assert (package["subject"], package["request_id"]) == ("curious", request_id)
    assert [part["holder_id"] for part in package["holders"]] == ["rights", *SERVICES]
    own, *others = package["holders"]
    assert own["items"][0]["data"]["contact"] == CONTACT
    for part in others:
        assert [item["item_id"] for item in part["items"]] == [f"{part['holder_id']}-{n}" for n in range(300)]
        assert part["items"][7]["data"] == {"text": "字" * 1000, "n": 7}
        assert part["held"] == [{"kind": "thing", "count": 1}]
    raw = b"".join(file.read_bytes() for file in rights.folder.iterdir())
    assert CONTACT.encode() not in raw
    assert "字".encode() * 10 not in raw
    subjects = {subject for holder in rights.holders.values() for _task, subject, _token in holder.calls}
    assert "curious" in subjects


async def test_looking_into_a_package_is_on_record(rights: Rights) -> None:
    request_id = await rights.open("viewed", model_pb2.RIGHT_ACCESS)
    await rights.carry_out(request_id)
    await rights.closed(request_id)
    await rights.package(request_id)
    views = await rights.rows(
        "SELECT viewer, result FROM kit_view WHERE method LIKE %s AND request LIKE %s", "%GetPackage", f"%{request_id}%"
    )
    assert views == [{"viewer": "shop", "result": "OK"}]


async def test_a_holder_that_is_away_is_tried_again(rights: Rights) -> None:
    give(rights, "waits", each=2)
    rights.holders["refutation"].away = True
    request_id = await rights.open("waits", model_pb2.RIGHT_ACCESS)
    await rights.carry_out(request_id)
    await rights.until_rows("SELECT 1 FROM package WHERE request_id = %s AND failures >= 2", request_id)
    assert (await rights.get(request_id)).summary.state == model_pb2.REQUEST_STATE_IN_PROGRESS
    rights.holders["refutation"].away = False
    await rights.closed(request_id)
    package = await rights.document(request_id)
    assert [len(part["items"]) for part in package["holders"]] == [1, 2, 2, 2, 2]


async def test_a_killed_attempt_is_begun_again_and_leaves_nothing(rights: Rights) -> None:
    give(rights, "killed", each=3)
    holder = rights.holders["generation"]
    holder.gate = asyncio.Event()
    request_id = await rights.open("killed", model_pb2.RIGHT_ACCESS)
    await rights.carry_out(request_id)
    async with asyncio.timeout(30):
        await holder.reached.wait()
    died = (await rights.rows("SELECT claim_id FROM package WHERE request_id = %s", request_id))[0]["claim_id"]
    assert (rights.folder / str(died)).exists()
    await asyncio.to_thread(rights.runner.kill_service, "rights")
    holder.gate.set()
    holder.gate = None
    await asyncio.to_thread(rights.start)
    await rights.closed(request_id)
    package = await rights.document(request_id)
    assert [len(part["items"]) for part in package["holders"]] == [1, 3, 3, 3, 3]
    await until(lambda: not (rights.folder / str(died)).exists())


async def test_a_slow_holder_costs_the_attempt_nothing_while_it_is_not_silent_too_long(rights: Rights) -> None:
    give(rights, "slow", each=2)
    holder = rights.holders["generation"]
    holder.gate = asyncio.Event()
    request_id = await rights.open("slow", model_pb2.RIGHT_ACCESS)
    await rights.carry_out(request_id)
    async with asyncio.timeout(30):
        await holder.reached.wait()
    question = "SELECT claim_id, claimed_until FROM package WHERE request_id = %s"
    first = (await rights.rows(question, request_id))[0]
    later = first["claimed_until"] + timedelta(seconds=1)  # longer than the lease: it was renewed
    await rights.until_rows(question + " AND claimed_until > %s", request_id, later)
    holder.gate.set()
    holder.gate = None
    await rights.closed(request_id)
    assert (await rights.rows(question, request_id))[0]["claim_id"] == first["claim_id"]


@pytest.mark.parametrize("data", [b"", b"[1]", b'{"open":'])
async def test_what_a_holder_should_not_send_never_gets_into_a_package(rights: Rights, data: bytes) -> None:
    subject = f"odd-{len(data)}"
    rights.holders["consent"].items[subject] = [("consent", "c-1", data)]
    request_id = await rights.open(subject, model_pb2.RIGHT_ACCESS)
    await rights.carry_out(request_id)
    await rights.until_rows("SELECT 1 FROM package WHERE request_id = %s AND failures >= 1", request_id)
    rights.holders["consent"].items[subject] = [("consent", "c-1", b"{}")]
    await rights.closed(request_id)
    assert (await rights.document(request_id))["holders"][1]["items"][0]["data"] == {}


async def test_a_service_that_is_stopped_in_the_middle_stops_and_the_next_begins_at_once(rights: Rights) -> None:
    give(rights, "stopped", each=3)
    holder = rights.holders["generation"]
    holder.gate = asyncio.Event()
    request_id = await rights.open("stopped", model_pb2.RIGHT_ACCESS)
    await rights.carry_out(request_id)
    async with asyncio.timeout(30):
        await holder.reached.wait()
    began = time.monotonic()
    await asyncio.to_thread(rights.runner.stop_service, "rights")
    assert time.monotonic() - began < 8
    holder.gate.set()
    holder.gate = None
    left = await rights.rows("SELECT state, claim_id FROM package WHERE request_id = %s", request_id)
    assert left == [{"state": "PENDING", "claim_id": None}]
    await asyncio.to_thread(rights.start)
    await rights.closed(request_id)


async def test_a_package_expires(rights: Rights) -> None:
    request_id = await rights.open("too-late", model_pb2.RIGHT_ACCESS, CONTACT)
    await rights.carry_out(request_id)
    await rights.closed(request_id)
    name = (await rights.rows("SELECT claim_id FROM package WHERE request_id = %s", request_id))[0]["claim_id"]
    await rights.rows("UPDATE package SET expires_at = now() WHERE request_id = %s", request_id)
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await rights.package(request_id)
    assert refusal(error.value) == "PACKAGE_GONE"
    await rights.until_rows("SELECT 1 FROM package WHERE request_id = %s AND wrapped_key IS NULL", request_id)
    await until(lambda: not (rights.folder / str(name)).exists())
    assert (await rights.get(request_id)).contact == CONTACT


async def test_a_holder_outside_is_asked_answers_by_grpc_and_never_gets_our_token(rights: Rights) -> None:
    async with serving(PlayedHolder()) as outside:
        outside.items["has-a-shop"] = [("order", "o-1", b'{"sum":3}')]
        registration = service_pb2.RegisterHolderRequest(
            command_id=command_id(),
            holder_id="shop-db",
            name="The shop's own database",
            kind=model_pb2.HOLDER_KIND_PRODUCT,
            rights=[model_pb2.RIGHT_ACCESS],
            address=outside.address,
        )
        operator = rights.as_caller("operator")
        await operator.RegisterHolder(registration)
        try:
            request_id = await rights.open("has-a-shop", model_pb2.RIGHT_ACCESS)
            assert (await rights.verify(request_id)).tasks == 5
            for ask in await rights.asks(request_id, 5):
                if ask.holder_id == "shop-db":
                    await rights.as_caller("backend").AnswerTask(answering(ask.task_id, "shop-db", proof(order=1)))
                else:
                    await rights.answer(ask, proof())
            await rights.closed(request_id)
            package = await rights.document(request_id)
            part = next(part for part in package["holders"] if part["holder_id"] == "shop-db")
            assert [item["data"] for item in part["items"]] == [{"sum": 3}]
            assert {token for _task, _subject, token in outside.calls} == {""}
            inside = {token[:7] for holder in rights.holders.values() for _task, _subject, token in holder.calls}
            assert inside == {"Bearer "}
        finally:
            await rights.rows("DELETE FROM holder WHERE holder_id = 'shop-db'")


async def test_the_register_keeps_the_services_as_they_are(rights: Rights) -> None:
    operator = rights.as_caller("operator")
    listed = await operator.ListHolders(service_pb2.ListHoldersRequest())
    assert [holder.holder_id for holder in listed.holders] == list(SERVICES)
    taken = service_pb2.RegisterHolderRequest(
        command_id=command_id(),
        holder_id="generation",
        name="Mine now",
        kind=model_pb2.HOLDER_KIND_PRODUCT,
        rights=[model_pb2.RIGHT_ACCESS],
    )
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await operator.RegisterHolder(taken)
    assert refusal(error.value) == "HOLDER_CONFLICT"
