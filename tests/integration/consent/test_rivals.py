"""What happens when several transactions want the same person at once, step by step."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from candor.consent.v1 import facts_pb2
from candor.rights.v1 import facts_pb2 as rights_facts_pb2
from candor_consent.domain.refusal import Refused
from candor_consent.handlers import Handlers
from candor_consent.people import People
from candor_consent.tasks import Tasks
from candor_kit import database
from candor_kit.clock import SystemClock
from candor_kit.keys import KeyRing, LocalMaster, Masters, SubjectKeys
from candor_kit.stop import Wake
from candor_kit.transaction import Caller, Transactions
from candor_stack.services import kek_file
from deployment import Deployment

from .registry import Registry, stamp

_PERSONS = 60


@dataclass(frozen=True)
class Rival:
    """Another process on the service's database: its transactions, and what it would do in them."""

    transactions: Transactions
    handlers: Handlers
    tasks: Tasks


@pytest.fixture
async def rival(deployment: Deployment) -> AsyncIterator[Rival]:
    ring = KeyRing(Masters(LocalMaster.from_file(kek_file("consent", Path(deployment.description.folder)))))
    keys = SubjectKeys(ring)
    people = People(keys)
    async with database.pool(deployment.database_url("consent"), 4) as pool:
        async with pool.connection() as connection, connection.transaction():
            await ring.open(connection)
        yield Rival(
            Transactions("consent", pool, SystemClock(), Wake()),
            Handlers(people),
            Tasks(keys, people, timedelta(days=8)),
        )


async def until_one_waits(deployment: Deployment) -> None:
    """Wait until a transaction on the service's database waits for another's lock."""
    query = (
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        " AND pid <> pg_backend_pid()"
    )
    async with asyncio.timeout(10):
        while not await deployment.rows("consent", query):  # noqa: ASYNC110 - another process's lock tells nobody
            await asyncio.sleep(0.02)


async def named(registry: Registry) -> int:
    """How many acts on this test's purpose still have a person."""
    rows = await registry.deployment.rows(
        "consent",
        "SELECT count(*) AS n FROM act JOIN person USING (person_id) WHERE purpose_id = %s AND pseudonym IS NOT NULL",
        registry.chat,
    )
    return int(rows[0]["n"])


def deletion(registry: Registry) -> rights_facts_pb2.TaskAsked:
    return rights_facts_pb2.TaskAsked(subject=registry.subject, requested_at=stamp(datetime.now(UTC)))


@pytest.mark.clause("PIPL 47")
async def test_pipl_47_an_erasure_waits_for_the_first_yes_that_is_being_recorded(
    registry: Registry, rival: Rival
) -> None:
    await registry.prepare()
    command = registry.grant(registry.chat)
    fact = deletion(registry)

    async with rival.transactions.open(Caller("first")) as tx:
        await rival.handlers.grant_consent(tx, command)
        erasing = asyncio.create_task(
            rival.transactions.run(Caller("second"), lambda second: rival.tasks._erase(second, fact))
        )
        await until_one_waits(registry.deployment)

    assert await erasing == {"consent": 1}
    assert await named(registry) == 0


@pytest.mark.clause("PIPL 47")
async def test_pipl_47_a_yes_waits_for_the_erasure_and_is_then_refused(registry: Registry, rival: Rival) -> None:
    await registry.prepare()
    command = registry.grant(registry.chat)

    async with rival.transactions.open(Caller("first")) as tx:
        await rival.tasks._erase(tx, deletion(registry))
        granting = asyncio.create_task(
            rival.transactions.run(Caller("second"), lambda second: rival.handlers.grant_consent(second, command))
        )
        await until_one_waits(registry.deployment)

    with pytest.raises(Refused) as refused:
        await granting
    assert refused.value.reason == "SUBJECT_ERASED"
    assert await named(registry) == 0


async def test_rival_sweepers_put_each_end_on_record_once(registry: Registry, rival: Rival) -> None:
    await registry.prepare()
    given_at = datetime.now(UTC)
    terms = {"given_at": stamp(given_at), "expires_at": stamp(given_at + timedelta(seconds=2))}
    ids = await asyncio.gather(
        *(registry.agree(registry.chat, subject=f"{registry.subject}-{number}", **terms) for number in range(_PERSONS))
    )

    async def left() -> int:
        rows = await registry.deployment.rows(
            "consent", "SELECT count(*) AS n FROM term WHERE purpose_id = %s", registry.chat
        )
        return int(rows[0]["n"])

    async def sweep() -> None:
        async with asyncio.timeout(30):
            while await left():
                await rival.transactions.run(Caller("rival"), rival.handlers.expire_due)

    await asyncio.gather(*(sweep() for _ in range(3)))
    facts = await registry.deployment.facts(
        "consent", facts_pb2.ConsentExpired, lambda fact: fact.purpose_id == registry.chat, count=_PERSONS
    )

    assert Counter(fact.consent_id for fact in facts) == Counter(ids)
    ends = await registry.deployment.rows(
        "consent", "SELECT consent_id::text AS id FROM act WHERE deed = 'EXPIRED' AND purpose_id = %s", registry.chat
    )
    assert Counter(row["id"] for row in ends) == Counter(ids)
