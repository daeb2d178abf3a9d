"""Milestones are reached exactly once, however often those who reach them are killed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import psycopg
import pytest
from candor.escalation.v1.facts_pb2 import MilestoneReached
from candor_kit import database
from candor_stack import LocalStack

from bench import timers

MILESTONES = 20_000
SECONDS = 20
PAGING = {"due", "overdue"}


@pytest.fixture
async def url(bare_stack: LocalStack) -> str:
    url = bare_stack.create_database("timers")
    await database.migrate(url, {"kit": "candor_kit", "escalation": "candor_escalation"})
    return url


@pytest.fixture
def connection(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def test_20000_milestones_of_four_workers_killed_every_half_second_are_reached_once_each(
    url: str, connection: psycopg.Connection
) -> None:
    with timers.sweepers(url, workers=4, kill_every=0.5) as swept:
        timers.schedule(connection, MILESTONES, SECONDS)
        timers.wait_reached(connection)
    assert swept.killed >= SECONDS  # two a second, and some come late

    wanted = {
        (str(clock), kind) for clock, kind in connection.execute("SELECT clock_id, kind FROM milestone").fetchall()
    }
    assert len(wanted) == MILESTONES
    told = [MilestoneReached.FromString(value) for (value,) in _facts(connection)]
    assert Counter((fact.clock_id, fact.kind) for fact in told) == Counter(dict.fromkeys(wanted, 1))
    pages = connection.execute("SELECT clock_id, cause FROM page").fetchall()
    paged = {(clock, kind) for clock, kind in wanted if kind in PAGING}
    assert Counter((str(clock), cause) for clock, cause in pages) == Counter(dict.fromkeys(paged, 1))


def _facts(connection: psycopg.Connection) -> list[tuple[bytes]]:
    """The facts that wait in the outbox; nothing sends them here."""
    return connection.execute("SELECT value FROM kit_outbox WHERE topic = 'candor.escalation.v1'").fetchall()
