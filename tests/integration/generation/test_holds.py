"""Erasures and legal holds on a real database: what is erased is gone for every key, what is held for all but one."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import random
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from candor.generation.v1 import facts_pb2, hold_pb2
from candor.generation.v1.service_pb2 import RecordRequest
from candor.rights.v1 import model_pb2 as rights_pb2
from candor_generation import sealing
from candor_generation.domain.record import Personal
from candor_generation.domain.refusal import Refused
from candor_generation.store import logs
from candor_kit.keys import Cipher, seal
from candor_stack import LocalStack
from cryptography.exceptions import InvalidTag

from .keeper import Keeper, keeper

_OPERATIONS = 50
_MANY, _TOGETHER = 50_000, 2000
_FLAT = 16 << 20  # bytes


@pytest.fixture
async def kept(bare_stack: LocalStack) -> AsyncIterator[Keeper]:
    async with keeper(bare_stack) as made:
        yield made


@dataclass
class Made:
    """A record as the model has it: whole (no holds, not erased), held, or erased."""

    command: RecordRequest
    holds: set[str] = field(default_factory=set)
    erased: bool = False
    # Whether whoever kept every row that was ever there could not read it either.
    forever: bool = False

    @property
    def subject(self) -> str:
        return self.command.subject

    @property
    def at(self) -> datetime:
        return self.command.occurred_at.ToDatetime(tzinfo=UTC)


@dataclass
class Model:
    """What should be, told in a few lines."""

    made: dict[str, Made] = field(default_factory=dict)
    # Whom or what a hold covers, until when.
    holds: dict[str, tuple[str | set[str], datetime]] = field(default_factory=dict)
    erased_until: dict[str, datetime] = field(default_factory=dict)
    erased: int = 0
    restricted: int = 0

    def covering(self, record: Made) -> set[str]:
        return {
            hold_id
            for hold_id, (scope, _) in self.holds.items()
            if scope == record.subject or (isinstance(scope, set) and record.command.command_id in scope)
        }

    def erase(self, record: Made, *, forever: bool) -> None:
        record.forever = record.forever or forever
        if record.erased or record.holds:
            return
        record.holds = self.covering(record)
        record.erased = not record.holds
        self.erased += record.erased
        self.restricted += not record.erased

    def end(self, hold_id: str) -> None:
        del self.holds[hold_id]
        for record in self.made.values():
            if hold_id in record.holds:
                record.holds.remove(hold_id)
                record.erased = not record.holds
                self.erased += record.erased


class Walk:
    """Random operations, each done and modelled, and everything compared."""

    def __init__(self, kept: Keeper, seed: int) -> None:
        self.kept = kept
        self.random = random.Random(seed)  # noqa: S311 - a test's own walk
        self.model = Model()
        self.subjects = [f"person-{number}" for number in range(4)]
        self.rows: dict[str, set[tuple[str, bytes, bytes]]] = {}
        self.entries: list[bytes] = []

    async def step(self) -> None:
        self.kept.clock.passes(1)
        names = ["record"] * 4 + ["late", "person", "person", "one", "hold", "hold", "widen", "release", "pass"]
        await getattr(self, f"_{self.random.choice(names)}")()

    async def _record(self, *, late: float = 0.0) -> None:
        command = self.kept.command(self.random.choice(self.subjects), "text", ago=late)
        await self.kept.record(command)
        made = Made(command)
        if made.at > self.model.erased_until.get(made.subject, datetime.min.replace(tzinfo=UTC)):
            self.model.made[command.command_id] = made

    async def _late(self) -> None:
        await self._record(late=self.random.choice([5, 20, 60]))

    async def _person(self) -> None:
        subject, ago = self.random.choice(self.subjects), self.random.choice([0, 0, 10])
        until = self.kept.clock.now() - timedelta(seconds=ago)
        proof = await self.kept.ask(subject, ago=ago)
        asked = [made for made in self.model.made.values() if made.subject == subject and made.at <= until]
        fresh = [made for made in asked if not made.erased and not made.holds]
        for made in fresh:
            self.model.erase(made, forever=True)
        for made in asked:
            # Its wrap, should anybody have kept it, was by the person's key.
            made.forever = made.forever or made.erased
        self.model.erased_until[subject] = max(until, self.model.erased_until.get(subject, until))
        kinds = {kind.kind: kind.count for kind in proof.kinds}
        held = [made for made in fresh if made.holds]
        assert kinds.get("generation", 0) == len(fresh) - len(held)
        assert kinds.get("generation_restricted", 0) == len(held)
        if held:
            assert proof.outcome == rights_pb2.OUTCOME_RESTRICTED
            last = max(self.model.holds[hold_id][1] for made in held for hold_id in made.holds)
            assert proof.restricted_until.ToDatetime(tzinfo=UTC) == last

    async def _one(self) -> None:
        if not self.model.made:
            return
        made = self.random.choice(list(self.model.made.values()))
        if made.erased:
            with pytest.raises(Refused, match="GENERATION_ERASED"):
                await self.kept.erase(made.command.command_id)
            return
        answer = await self.kept.erase(made.command.command_id)
        self.model.erase(made, forever=False)
        assert answer.HasField("erased_at") == made.erased
        assert answer.HasField("restricted_until") == bool(made.holds)

    async def _hold(self) -> None:
        seconds = self.random.choice([5, 30, 300])
        until = self.kept.clock.now() + timedelta(seconds=seconds)
        if self.random.random() < 0.4 or not self.model.made:
            subject = self.random.choice(self.subjects)
            self.model.holds[await self.kept.place(subject=subject, seconds=seconds)] = (subject, until)
        else:
            named = self.random.sample(sorted(self.model.made), min(3, len(self.model.made)))
            self.model.holds[await self.kept.place(*named, seconds=seconds)] = (set(named), until)

    async def _widen(self) -> None:
        alive = sorted(name for name, (scope, until) in self.model.holds.items() if isinstance(scope, set))
        alive = [name for name in alive if self.model.holds[name][1] > self.kept.clock.now()]
        if not alive:
            return
        hold_id, more = self.random.choice(alive), self.random.choice(sorted(self.model.made))
        await self.kept.place(more, hold_id=hold_id, seconds=60)
        scope, until = self.model.holds[hold_id]
        assert isinstance(scope, set)
        self.model.holds[hold_id] = (scope | {more}, max(until, self.kept.clock.now() + timedelta(seconds=60)))

    async def _release(self) -> None:
        if self.model.holds:
            hold_id = self.random.choice(sorted(self.model.holds))
            await self.kept.release(hold_id)
            await self.kept.end_holds()
            self.model.end(hold_id)

    async def _pass(self) -> None:
        self.kept.clock.passes(self.random.choice([3, 40]))

    async def expire(self) -> None:
        await self.kept.end_holds()
        for hold_id in [name for name, (_, until) in self.model.holds.items() if until <= self.kept.clock.now()]:
            self.model.end(hold_id)

    async def check(self) -> None:
        await self._check_log()
        openers = await self._openers()
        pseudonym, hold_pseudonym = self.kept.keys.pseudonym, self.kept.hold_keys._pseudonym
        rows = await self.kept.rows("SELECT generation_id::text AS id, subject, erased_at FROM record")
        assert {row["id"] for row in rows} == set(self.model.made)
        for row in rows:
            made, (now, ever) = self.model.made[row["id"]], openers[row["id"]]
            assert (row["erased_at"] is not None) == made.erased
            if made.erased:
                assert now == set()
                assert not made.forever or ever == set()
            elif made.holds:
                assert row["subject"] is None
                assert now == {hold_pseudonym(hold_id) for hold_id in made.holds}
            else:
                assert row["subject"] == made.subject
                assert now == {pseudonym(made.subject)}

    async def _check_log(self) -> None:
        """Leaves are added and never changed, so every root stays; every erasure is one of them."""
        entries = await self.kept.entries()
        assert entries[: len(self.entries)] == self.entries
        self.entries = entries
        acts = [json.loads(entry) for entry in entries]
        for kind, count in (("erasure", self.model.erased), ("restriction", self.model.restricted)):
            assert sum(act["records"] for act in acts if act["kind"] == kind) == count
        assert not [entry for entry in entries if b"person-" in entry]

    async def _openers(self) -> dict[str, tuple[set[bytes], set[bytes]]]:
        """Which keys of the database open each record: by what is stored now, and by all that was ever stored."""
        found = await self.kept.rows(
            "SELECT generation_id::text AS id, payload, wrapped_key AS wrapped, 'subject' AS kind FROM record"
            " UNION ALL"
            " SELECT generation_id::text, payload, wrapped, 'hold' FROM held JOIN record USING (generation_id)"
        )
        now: dict[str, set[tuple[str, bytes, bytes]]] = {}
        for row in found:
            now.setdefault(row["id"], set())
            if row["payload"] is not None and row["wrapped"] is not None:
                stored = (row["kind"], row["payload"], row["wrapped"])
                now[row["id"]].add(stored)
                self.rows.setdefault(row["id"], set()).add(stored)
        async with self.kept.transaction() as tx:
            names = [row["pseudonym"] for row in await self.kept.rows("SELECT pseudonym FROM kit_subject_key")]
            keys = {found.pseudonym: found.key for found in await self.kept.keys._rows.read(tx.connection, names)}
        return {
            name: (_opening(name, stored, keys), _opening(name, self.rows.get(name, set()), keys))
            for name, stored in now.items()
        }


def _opening(name: str, stored: set[tuple[str, bytes, bytes]], keys: dict[bytes, bytes]) -> set[bytes]:
    opened = set()
    for kind, payload, wrapped in stored:
        for pseudonym, key in keys.items():
            try:
                record_key = (
                    sealing.unwrap(key, wrapped, name)
                    if kind == "subject"
                    else sealing.unhold(Cipher(key), wrapped, name)[0]
                )
                sealing.open_payload(record_key, name, Personal("", payload, b""))
            except InvalidTag:
                continue
            opened.add(pseudonym)
    return opened


@pytest.mark.clause("PIPL 47", "GDPR 17(1)", "GDPR 17(3)")
@pytest.mark.parametrize("seed", range(3))
async def test_pipl_47_whatever_happens_in_whatever_order(kept: Keeper, seed: int) -> None:
    walk = Walk(kept, seed)
    for _ in range(_OPERATIONS):
        await walk.step()
        await walk.expire()
        await walk.check()
    for hold_id in sorted(walk.model.holds):
        await kept.release(hold_id)
        await kept.end_holds()
        walk.model.end(hold_id)
    await walk.check()
    assert walk.model.erased
    assert walk.model.restricted


@pytest.mark.clause("PIPL 47", "GDPR 18(2)")
async def test_pipl_47_what_is_held_is_restricted_until_the_hold_ends(kept: Keeper) -> None:
    first, second = await kept.record(kept.command("anna", "one", ago=60), kept.command("anna", "two", ago=30))
    hold_id = await kept.place(first, seconds=600)
    assert [item.item_id for item in await kept.export("anna")] == [first, second]
    proof = await kept.ask("anna")
    assert proof.outcome == rights_pb2.OUTCOME_RESTRICTED
    assert {kind.kind: kind.count for kind in proof.kinds} == {"generation": 1, "generation_restricted": 1}
    assert proof.restriction_basis == "GDPR 17(3)(e)"
    assert proof.restricted_until.ToDatetime(tzinfo=UTC) == kept.clock.now() + timedelta(seconds=600)
    assert await kept.export("anna") == []
    assert (await kept.ask("anna", rights_pb2.RIGHT_ACCESS)).outcome == rights_pb2.OUTCOME_NOTHING_HELD
    assert await kept.held(hold_id) == {first: "one"}

    kept.clock.passes(599)
    await kept.end_holds()
    assert await kept.held(hold_id) == {first: "one"}
    kept.clock.passes(1)
    await kept.end_holds()
    assert await kept.held(hold_id) == {}
    rows = await kept.rows("SELECT payload FROM record WHERE erased_at IS NOT NULL")
    assert [row["payload"] for row in rows] == [None, None]
    told = await kept.published(facts_pb2.SubjectErased, facts_pb2.HoldEnded)
    assert [fact.records for fact in told] == [1, 1, 1]
    assert told[0].task_id == told[1].task_id
    leaves = [json.loads(entry) for entry in await kept.entries()]
    assert [leaf["kind"] for leaf in leaves[2:]] == ["restriction", "erasure", "erasure"]
    assert leaves[-1]["hold"] == hold_id


@pytest.mark.clause("PIPL 47", "GDPR 17(3)")
async def test_pipl_47_one_persons_hold_keeps_nothing_of_another(kept: Keeper) -> None:
    anna, ben, also_ben = await kept.record(
        kept.command("anna", "a"), kept.command("ben", "b"), kept.command("ben", "c")
    )
    of_anna = await kept.place(subject="anna")
    of_one = await kept.place(anna, ben)
    for person in ("anna", "ben"):
        await kept.ask(person)
    assert await kept.held(of_anna) == {anna: "a"}
    assert await kept.held(of_one) == {anna: "a", ben: "b"}
    (row,) = await kept.rows(
        "SELECT payload, erased_at IS NOT NULL AS erased FROM record WHERE generation_id = %s", also_ben
    )
    assert (row["payload"], row["erased"]) == (None, True)


async def test_a_hold_placed_after_the_erasure_does_nothing(kept: Keeper) -> None:
    (identifier,) = await kept.record(kept.command("anna"))
    await kept.ask("anna")
    hold_id = await kept.place(identifier)
    assert await kept.held(hold_id) == {}
    (row,) = await kept.rows("SELECT payload FROM record")
    assert row["payload"] is None


async def test_a_hold_is_prolonged_and_widened_but_not_turned_to_another_scope(kept: Keeper) -> None:
    first, second = await kept.record(kept.command("anna"), kept.command("anna"))
    hold_id = await kept.place(first, seconds=100)
    assert await kept.place(second, hold_id=hold_id, seconds=50) == hold_id
    async with kept.query() as query:
        (hold,) = (await kept.holds.list_holds(query, hold_pb2.ListHoldsRequest(only_unfinished=True))).holds
    assert hold.generations == 2
    assert hold.until.ToDatetime(tzinfo=UTC) == kept.clock.now() + timedelta(seconds=100)
    with pytest.raises(Refused, match="HOLD_STATE"):
        await kept.place(subject="anna", hold_id=hold_id)
    of_anna = await kept.place(subject="anna")
    with pytest.raises(Refused, match="HOLD_STATE"):
        await kept.place(subject="ben", hold_id=of_anna)
    await kept.release(of_anna)
    with pytest.raises(Refused, match="HOLD_STATE"):
        await kept.release(of_anna)
    with pytest.raises(Refused, match="HOLD_TIME_PAST"):
        await kept.place(first, seconds=-1)
    with pytest.raises(Refused, match="HOLD_UNKNOWN"):
        await kept.release("01990000-0000-7000-8000-000000000000")


async def test_a_hold_defers_the_end_of_a_log_and_only_of_its_own(kept: Keeper) -> None:
    (named,) = await kept.record(kept.command("anna"))
    await kept.record(kept.command("ben"))
    async with kept.query() as query:
        found = {log.kind: log for log in await logs.all_logs(query.connection)}

    async def defers(kind: str = logs.GENERATION) -> bool:
        async with kept.transaction() as tx:
            return await kept.holds.defers(tx.connection, found[kind])

    assert not await defers()
    by_person = await kept.place(subject="ben")
    assert await defers()
    assert not await defers(logs.ACTS)
    await kept.ask("ben")
    assert await defers()
    await kept.release(by_person)
    await kept.end_holds()
    assert not await defers()
    by_name = await kept.place(named)
    assert await defers()
    await kept.release(by_name)
    await kept.end_holds()
    await kept.place(subject="nobody-we-know")
    assert not await defers()


@pytest.mark.clause("Generative AI Labelling Measures 9")
async def test_labelling_measures_9_keep_the_log_of_recipients_and_not_the_content(kept: Keeper) -> None:
    (identifier,) = await kept.record(kept.command("anna"))
    now = kept.clock.now()
    until = now + timedelta(days=200)
    application = "01990000-0000-7000-8000-000000000001"
    async with kept.transaction() as tx:
        key = await kept.keys.key(tx.connection, "anna")
        purpose = seal(key, b"a film", b"candor.generation.unlabelled:" + application.encode())
        await tx.connection.execute(
            "INSERT INTO unlabelled_application VALUES (%s, 'anna', 'chat', %s, '1', %s, %s)",
            (application, now, now, purpose),
        )
        await tx.connection.execute(
            "INSERT INTO unlabelled_delivery VALUES (%s, %s, %s, 'anna', 'chat', '1', %s, %s)",
            ("01990000-0000-7000-8000-000000000002", application, identifier, now, until),
        )
    access = await kept.ask("anna", rights_pb2.RIGHT_ACCESS)
    counts = {kind.kind: kind.count for kind in access.kinds}
    items = await kept.export("anna")
    assert counts == {"generation": 1, "unlabelled_application": 1, "unlabelled_delivery": 1}
    assert [item.kind for item in items] == list(counts)
    assert json.loads(items[1].json)["purpose"] == "a film"

    proof = await kept.ask("anna")
    assert proof.outcome == rights_pb2.OUTCOME_RESTRICTED
    assert {kind.kind: kind.count for kind in proof.kinds} == {"generation": 1, "unlabelled_delivery_restricted": 1}
    assert proof.restriction_basis == "Generative AI Labelling Measures 9"
    assert proof.restricted_until.ToDatetime(tzinfo=UTC) == until
    assert (await kept.rows("SELECT payload FROM record"))[0]["payload"] is None
    kept.clock.passes(200 * 86400)
    await kept.end_holds()
    assert await kept.rows("SELECT 1 AS one FROM unlabelled_delivery") == []
    assert await kept.rows("SELECT 1 AS one FROM unlabelled_application") == []


_CHILD = """
import asyncio, base64, sys
from datetime import UTC, datetime
from candor_generation.handlers.holds import Holds
from candor_kit import database
from candor_kit.keys import HoldKeys, IngestKeys, KeyRing, LocalMaster, Masters
from candor_kit.stop import Wake
from candor_kit.transaction import Caller, Transactions

class Leaves:
    left = int(sys.argv[4])
    async def add(self, tx, kind, fields):
        if self.left == 0:
            print("in the middle", flush=True)
            await asyncio.Event().wait()
        self.left -= 1

class Clock:
    now = staticmethod(lambda: datetime.now(UTC))

async def main():
    ring = KeyRing(Masters(LocalMaster(base64.b64decode(sys.argv[2])), None))
    async with database.pool(sys.argv[1], 2) as pool:
        transactions = Transactions("generation", pool, Clock(), Wake())
        async with transactions.open(Caller("test")) as tx:
            await ring.open(tx.connection)
        holds = Holds(IngestKeys(ring), HoldKeys(ring), Leaves(), Wake())
        async with transactions.open(Caller("test")) as tx:
            await holds.execute(tx, sys.argv[3])

asyncio.run(main())
"""


@pytest.mark.clause("PIPL 47")
@pytest.mark.parametrize("leaves_before", [0, 1])
async def test_pipl_47_killed_while_it_carries_out_what_was_deferred_it_begins_anew(
    kept: Keeper, leaves_before: int
) -> None:
    ids = await kept.record(*(kept.command(name, name) for name in ("anna", "ben")))
    hold_id = await kept.place(*ids)
    for person in ("anna", "ben"):
        await kept.ask(person)
    await kept.release(hold_id)
    entries = await kept.entries()
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _CHILD,
        kept.url,
        base64.b64encode(kept.master.key).decode(),
        hold_id,
        str(leaves_before),
        stdout=asyncio.subprocess.PIPE,
    )
    assert child.stdout is not None
    assert await child.stdout.readline() == b"in the middle\n"
    child.kill()
    await child.wait()
    assert await kept.held(hold_id) == {ids[0]: "anna", ids[1]: "ben"}
    assert await kept.entries() == entries

    await kept.end_holds()
    await kept.end_holds()
    assert await kept.held(hold_id) == {}
    async with kept.query() as query:
        assert await kept.hold_keys.find(query.connection, hold_id) is None
    added = [json.loads(entry) for entry in (await kept.entries())[len(entries) :]]
    assert [(leaf["kind"], leaf["records"]) for leaf in added] == [("erasure", 1)] * 2
    assert [fact.records for fact in await kept.published(facts_pb2.HoldEnded)] == [2]


async def test_erasing_one_record_leaves_the_persons_others_and_says_so(kept: Keeper) -> None:
    first, second = await kept.record(kept.command("anna", "one"), kept.command("anna", "two"))
    answer = await kept.erase(first)
    assert answer.erased_at.ToDatetime(tzinfo=UTC) == kept.clock.now()
    assert answer.last_copy_expires_at.ToDatetime(tzinfo=UTC) == kept.clock.now() + timedelta(days=7)
    assert [item.item_id for item in await kept.export("anna")] == [second]
    (fact,) = await kept.published(facts_pb2.GenerationErased)
    assert (fact.generation_id, fact.basis) == (first, "PIPL 47(1)(3)")
    last = json.loads((await kept.entries())[-1])
    assert {name: last[name] for name in ("kind", "records", "basis")} == {
        "kind": "erasure",
        "records": 1,
        "basis": "PIPL 47(1)(3)",
    }
    with pytest.raises(Refused, match="GENERATION_UNKNOWN"):
        await kept.erase("01990000-0000-7000-8000-000000000000")


@pytest.mark.clause("PIPL 45", "GDPR 15(3)")
async def test_pipl_45_a_whole_history_streams_in_flat_memory_whatever_its_size(kept: Keeper) -> None:
    output = "字" * 100
    for start in range(0, _MANY, _TOGETHER):
        await kept.record(*(kept.command("anna", output, ago=_MANY - start - number) for number in range(_TOGETHER)))
    access = await kept.ask("anna", rights_pb2.RIGHT_ACCESS)
    assert {kind.kind: kind.count for kind in access.kinds} == {"generation": _MANY}

    count, last, sizes = 0, "", []
    async for item in kept.stream("anna"):
        assert item.occurred_at.ToJsonString() >= last
        count, last = count + 1, item.occurred_at.ToJsonString()
        if count % 1000 == 0:
            sizes.append(_resident())
    assert count == _MANY
    assert max(sizes) - sizes[0] < _FLAT
    before = _resident()
    proof = await kept.ask("anna")
    assert {kind.kind: kind.count for kind in proof.kinds} == {"generation": _MANY}
    assert _resident() - before < 4 * _FLAT
    assert await kept.export("anna") == []


def _resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
