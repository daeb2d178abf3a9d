"""A deletion meets the person's other requests."""

from __future__ import annotations

import asyncio

import grpc
import pytest
from candor.rights.v1 import model_pb2

from .played import Rights, proof, refusal, until

CONTACT = "ada.lovelace@example.org"


async def test_a_deletion_takes_the_persons_packages_and_who_asked_for_them(rights: Rights) -> None:
    access = await rights.open("had-a-copy", model_pb2.RIGHT_ACCESS, CONTACT)
    await rights.carry_out(access)
    await rights.closed(access)
    assert (await rights.document(access))["subject"] == "had-a-copy"
    files = {file.name for file in rights.folder.iterdir()}

    deletion = await rights.open("had-a-copy", model_pb2.RIGHT_DELETION, CONTACT)
    await rights.carry_out(deletion)
    await rights.closed(deletion)
    shown = await rights.get(access)
    assert (shown.subject, shown.contact, shown.summary.state) == ("", "", model_pb2.REQUEST_STATE_CLOSED)
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await rights.package(access)
    assert refusal(error.value) == "PACKAGE_GONE"
    await until(lambda: not files & {file.name for file in rights.folder.iterdir()})


async def test_a_request_under_way_outlives_the_erasure_and_forgets_when_it_ends(rights: Rights) -> None:
    other = await rights.open("still-asks", model_pb2.RIGHT_TRAINING_REFUSAL, CONTACT)
    unverified = await rights.open("still-asks", model_pb2.RIGHT_ACCESS, CONTACT)
    await rights.verify(other)
    person = (await rights.rows("SELECT person FROM request WHERE request_id = %s", other))[0]["person"]
    deletion = await rights.open("still-asks", model_pb2.RIGHT_DELETION, CONTACT)
    await rights.carry_out(deletion)
    await rights.closed(deletion)
    for going_on in (other, unverified):
        shown = await rights.get(going_on)
        assert (shown.subject, shown.contact) == ("still-asks", CONTACT)

    for ask in await rights.asks(other):
        await rights.answer(ask, proof())
    await rights.closed(other)
    assert (await rights.get(other)).subject == ""
    assert await rights.rows("SELECT 1 FROM kit_subject_key WHERE pseudonym = %s", person)
    await rights.verify(unverified, verified=False)
    assert (await rights.get(unverified)).subject == ""
    assert not await rights.rows("SELECT 1 FROM kit_subject_key WHERE pseudonym = %s", person)


async def test_a_package_under_way_is_begun_again_after_an_erasure(rights: Rights) -> None:
    holder = rights.holders["generation"]
    holder.items["in-between"] = [("generation", "g-1", b'{"prompt":"before"}'), ("generation", "g-2", b"{}")]
    holder.gate = asyncio.Event()
    access = await rights.open("in-between", model_pb2.RIGHT_ACCESS, CONTACT)
    await rights.carry_out(access)
    async with asyncio.timeout(30):
        await holder.reached.wait()
    deletion = await rights.open("in-between", model_pb2.RIGHT_DELETION, CONTACT)
    await rights.carry_out(deletion)
    holder.items["in-between"] = []
    holder.gate.set()
    holder.gate = None
    await rights.closed(access)
    package = await rights.document(access)
    generation = next(part for part in package["holders"] if part["holder_id"] == "generation")
    assert generation["items"] == []
    assert package["subject"] == "in-between"
