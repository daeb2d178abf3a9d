"""The handlers of incidents and clocks on a real PostgreSQL, with a clock and with rules of our own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from candor.escalation.v1 import model_pb2, service_pb2
from candor_cli.session import command_id
from candor_escalation import codec
from candor_escalation.domain.anchor import RECEIPT_PREFIX
from candor_escalation.domain.clock import RECEIPTED, Clock, Duty
from candor_escalation.domain.incident import Anchor, Incident, Json, Signal
from candor_escalation.domain.roster import Roster
from candor_escalation.handlers.clocks import RECEIPT, Clocks
from candor_escalation.handlers.keeping import Errand, Keeping
from candor_escalation.handlers.pages import Pages
from candor_escalation.handlers.signals import Signals
from candor_escalation.policy import Disputed, Policy
from candor_escalation.store import clocks, evidence, incidents
from candor_kit import database
from candor_kit.clock import Clock as TimeSource
from candor_kit.clock import SystemClock
from candor_kit.stop import Wake
from candor_kit.transaction import Caller, Transactions

from .desk import Desk, stamp

HOUR = timedelta(hours=1)
PACK = "xx.law"
FIRST = f"{RECEIPT_PREFIX}{PACK}/first"


class HourBehind(SystemClock):
    """A machine whose clock was set back by an hour."""

    def now(self) -> datetime:
        return super().now() - HOUR


class FollowUps(Policy):
    """A first report within 72 hours, a final one a month after its receipt, and one every month until the end."""

    def __init__(self) -> None:
        super().__init__((), {})

    def duties(
        self,
        incident: Incident,
        facts: Mapping[str, Json],
        anchors: Mapping[str, Anchor],
        disputed: Disputed | None = None,
    ) -> list[Duty]:
        del incident, facts, disputed
        own = anchors.get(f"{RECEIPT_PREFIX}{PACK}/monthly")
        return [
            duty("first", anchors.get("aware"), 72 * HOUR),
            duty("final", anchors.get(FIRST), timedelta(days=30), "receipt:first"),
            duty("monthly", own or anchors.get("aware"), timedelta(days=30), repeats=True),
        ]

    def fallen(
        self,
        incident: Incident,
        facts: Mapping[str, Json],
        anchors: Mapping[str, Anchor],
        duties: Iterable[Duty],
        clocks: Iterable[Clock],
    ) -> frozenset[str]:
        del incident, facts, anchors, duties, clocks
        return frozenset()


def duty(name: str, anchor: Anchor | None, within: timedelta, key: str = "aware", *, repeats: bool = False) -> Duty:
    due = anchor.at + within if anchor else None
    return Duty(PACK, "1", name, name, "", key, (), True, anchor, due, due, repeats=repeats)


@dataclass(frozen=True)
class Core:
    """The handlers, and transactions to call them in."""

    transactions: Transactions
    signals: Signals
    clocks: Clocks

    async def report(self, **anchors: datetime) -> str:
        request = service_pb2.ReportSignalRequest(
            command_id=command_id(),
            kind="test",
            title="A test",
            anchors=[service_pb2.ReportedAnchor(name=name, at=stamp(at)) for name, at in anchors.items()],
            source="on-call",
        )
        async with self.transactions.open(Caller("tester")) as tx:
            return (await self.signals.report_signal(tx, request)).incident_id

    async def submit(self, clock: Clock, at: datetime, received: datetime | None) -> None:
        """As the handlers of reports do: rows, then what depends on them is looked at."""
        async with self.transactions.open(Caller("tester")) as tx:
            matter = await self.clocks.locked(tx, clock.clock_id)
            await tx.connection.execute(
                "INSERT INTO draft (clock_id, revision, locale, text, missing, sha256, drafted_at, drafted_by)"
                " VALUES (%s, 1, 'zh', '', '{}', '', now(), '') ON CONFLICT DO NOTHING",
                (clock.clock_id,),
            )
            cursor = await tx.connection.execute(
                "INSERT INTO submission (submission_id, clock_id, revision, locale, channel, submitted_by,"
                " submitted_at, sha256) VALUES (%s, %s, 1, 'zh', 'portal', 'li', %s, '') RETURNING submission_id",
                (command_id(), clock.clock_id, at),
            )
            row = await cursor.fetchone()
            if received is None or row is None:
                await self.clocks.reassess(tx, matter.incident, RECEIPT)
                return
            await tx.connection.execute(
                "INSERT INTO receipt (submission_id, reference, received_at, recorded_by, recorded_at, proof_sha256)"
                " VALUES (%s, 'R-1', %s, 'li', now(), '')",
                (row["submission_id"], received),
            )
            await self.clocks.stop(tx, matter, RECEIPTED)

    async def found(self, incident_id: str) -> dict[str, Clock]:
        async with self.transactions.open(Caller("tester")) as tx:
            known = await clocks.of_incident(tx.connection, incident_id)
        return {f"{clock.obligation_id}-{clock.occurrence}": clock for clock in known}


async def core_of(desk: Desk, clock: TimeSource, policy: Policy) -> AsyncIterator[Core]:
    async with database.pool(desk.deployment.database_url("escalation"), 4) as pool:
        transactions = Transactions("escalation", pool, clock, Wake())
        handlers = Clocks(policy, Pages(Roster(), lambda: None))
        yield Core(transactions, Signals(handlers), handlers)


@pytest.fixture
async def core(desk: Desk) -> AsyncIterator[Core]:
    async for made in core_of(desk, SystemClock(), FollowUps()):
        yield made


@pytest.fixture
async def behind(desk: Desk) -> AsyncIterator[Core]:
    async for made in core_of(desk, HourBehind(), FollowUps()):
        yield made


async def test_a_receipt_starts_and_moves_what_depends_on_it(core: Core) -> None:
    aware = datetime.now(UTC).replace(microsecond=0) - 10 * HOUR
    incident_id = await core.report(aware=aware)
    first = (await core.found(incident_id))["first-1"]
    await core.submit(first, aware + 2 * HOUR, None)
    submitted = await core.found(incident_id)
    await core.submit(first, aware + 2 * HOUR, aware + 5 * HOUR)
    received = await core.found(incident_id)

    assert submitted["first-1"].is_running
    provisional = submitted["final-1"]
    assert (provisional.anchor.at, provisional.anchor.provisional) == (aware + 2 * HOUR, True)
    final = received["final-1"]
    assert (final.clock_id, final.revision) == (provisional.clock_id, 2)
    assert (final.anchor.at, final.anchor.provisional) == (aware + 5 * HOUR, False)
    assert final.strict_due == aware + 5 * HOUR + timedelta(days=30)
    assert received["first-1"].state == RECEIPTED
    async with core.transactions.open(Caller("tester")) as tx:
        history = await clocks.revisions(tx.connection, incident_id)
    assert [one.cause for one in history if one.clock_id == final.clock_id] == ["started", "receipt"]


async def test_a_duty_that_repeats_falls_due_again_after_each_receipt(core: Core) -> None:
    aware = datetime.now(UTC).replace(microsecond=0) - 10 * HOUR
    incident_id = await core.report(aware=aware)
    monthly = (await core.found(incident_id))["monthly-1"]
    await core.submit(monthly, aware + HOUR, None)
    submitted = await core.found(incident_id)
    await core.submit(monthly, aware + HOUR, aware + 2 * HOUR)
    second = (await core.found(incident_id))["monthly-2"]
    await core.submit(second, aware + 3 * HOUR, aware + 4 * HOUR)
    third = await core.found(incident_id)

    assert submitted["monthly-1"] == monthly
    assert (second.anchor.at, second.is_running) == (aware + 2 * HOUR, True)
    assert [third[f"monthly-{number}"].state for number in (1, 2, 3)] == [RECEIPTED, RECEIPTED, "running"]


async def test_a_clock_set_back_by_an_hour_neither_delays_nor_doubles_a_milestone(behind: Core, core: Core) -> None:
    aware = datetime.now(UTC) - 72 * HOUR + timedelta(seconds=2)
    incident_id = await behind.report(aware=aware)
    clock = (await behind.found(incident_id))["first-1"]
    await behind.report(aware=datetime.now(UTC))  # what is now for the database is not refused as the future
    async with behind.transactions.open(Caller("tester")) as tx:
        cursor = await tx.connection.execute(
            "SELECT kind, due_at, state FROM milestone WHERE clock_id = %s ORDER BY due_at", (clock.clock_id,)
        )
        planned = {row["kind"]: row["due_at"] for row in await cursor.fetchall()}

    assert clock.strict_due == aware + 72 * HOUR
    assert planned["due"] == clock.strict_due
    assert planned["half"] > clock.started_at >= aware + 71.9 * HOUR
    assert planned["overdue"] == clock.strict_due + timedelta(minutes=1)
    assert core.transactions is not behind.transactions


async def test_a_source_that_goes_back_to_what_it_said_is_heard_and_one_that_repeats_itself_is_only_counted(
    core: Core,
) -> None:
    key, at = f"back-{command_id()}", datetime.now(UTC)
    incident_id = ""
    for value in ("a", "a", "b", "a", "a"):
        signal = Signal("test", "A test", key, {"cause": value}, (Anchor("aware", at, ""),), "monitoring")
        async with core.transactions.open(Caller("tester")) as tx:
            incident_id = (await core.signals.take(tx, signal))[0].incident_id
    async with core.transactions.open(Caller("tester")) as tx:
        known = await incidents.facts(tx.connection, incident_id)
        incident = await incidents.find(tx.connection, incident_id)

    assert [fact.value for fact in known] == ["a", "b", "a"]
    assert incident is not None
    assert incident.signals == 5


async def test_evidence_is_held_again_when_an_incident_opens_again(core: Core) -> None:
    incident_id, generation_id = await core.report(aware=datetime.now(UTC)), command_id()
    keeping = Keeping()
    async with core.transactions.open(Caller("tester")) as tx:
        await evidence.add(tx.connection, incident_id, generation_id, command_id())
        first = await evidence.of_incident(tx.connection, incident_id)
        assert first is not None
        await keeping.done(tx, Errand(first, generations=(generation_id,), until=tx.now + 900 * HOUR))
        await evidence.close(tx.connection, incident_id, tx.now)
        await keeping.done(tx, Errand(first))
        released = await evidence.of_incident(tx.connection, incident_id)
        await evidence.reopen(tx.connection, incident_id, command_id())
        again = await evidence.of_incident(tx.connection, incident_id)
        waiting = await evidence.waiting(tx.connection, incident_id, 10)
        await keeping.done(tx, Errand(first))  # a release that was under way meanwhile
        anew = await evidence.of_incident(tx.connection, incident_id)

    assert released is not None
    assert released.released_at is not None
    assert again is not None
    assert (again.released_at, again.release_at, again.held_until) == (None, None, None)
    assert waiting == [generation_id]
    assert anew is not None
    assert len({first.hold_id, again.hold_id, anew.hold_id}) == 3
    assert anew.released_at is None


async def test_facts_are_never_lost_by_corrections(core: Core) -> None:
    incident_id = await core.report(aware=datetime.now(UTC))
    for value, source, reason in (("a", "x", ""), ("b", "x", ""), ("c", "y", ""), ("d", "z", "counted again")):
        request = service_pb2.RecordFactsRequest(
            command_id=command_id(), incident_id=incident_id, source=source, reason=reason
        )
        request.facts["cause"].string_value = value
        async with core.transactions.open(Caller("tester")) as tx:
            await core.signals.record_facts(tx, request)
            known = await incidents.facts(tx.connection, incident_id)

    assert [(fact.value, fact.source) for fact in known] == [("a", "x"), ("b", "x"), ("c", "y"), ("d", "z")]
    assert codec.fact_message(known[-1]).reason == "counted again"
    assert model_pb2.CLOCK_STATE_FALLEN == 4
