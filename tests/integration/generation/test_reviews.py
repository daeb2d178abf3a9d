"""The review queue on a real database (Deep Synthesis 10; GDPR 22(3))."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest
from candor.generation.v1 import facts_pb2, model_pb2, review_pb2
from candor_cli.session import command_id
from candor_generation.domain.generation import Decision, Hit, Verdict
from candor_generation.domain.refusal import Refused
from candor_generation.handlers.reviews import Reviewed, Reviews, open_reviews
from candor_generation.store import reviews as store
from candor_kit import database
from candor_kit.clock import SystemClock
from candor_kit.database import Connection, Pool
from candor_kit.keys import new_key
from candor_kit.query import Query
from candor_kit.stop import Wake
from candor_kit.transaction import Caller, Transactions, Tx
from deployment import Deployment

T = TypeVar("T")
BLOCK, REVIEW = Decision.BLOCK, Decision.REVIEW
RELEASED, UPHELD = model_pb2.REVIEW_OUTCOME_RELEASED, model_pb2.REVIEW_OUTCOME_UPHELD
FALSE_HIT, CONFIRMED = model_pb2.REVIEW_REASON_FALSE_HIT, model_pb2.REVIEW_REASON_CONFIRMED


@dataclass
class Records:
    """The records under review, as the log's part keeps them."""

    held: dict[str, Reviewed] = field(default_factory=dict)

    async def open(self, _connection: Connection, generation_id: str) -> Reviewed | None:
        return self.held.get(generation_id)


@dataclass
class Desk:
    """People who work the queue."""

    pool: Pool
    records: Records = field(default_factory=Records)
    leaves: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.transactions = Transactions("generation", self.pool, SystemClock(), Wake())
        self.queue = Reviews(self.records, self._add_leaf)

    async def _add_leaf(self, _tx: Tx, kind: str, body: Mapping[str, Any]) -> None:
        self.leaves.append((kind, body))

    async def flag(self, decision: Decision) -> str:
        """Have a generation found wanting; return its id."""
        identifier = command_id()
        verdict = Verdict(decision, (Hit("f-2", "violence", False), Hit("f-1", "violence", True)), b"d" * 32)
        self.records.held[identifier] = Reviewed("user-7", "chat", "问", "答", verdict, new_key())
        async with self.transactions.open(Caller("ingest")) as tx:
            await open_reviews(tx, [(identifier, verdict)])
        return identifier

    async def act(self, by: str, handler: Callable[[Tx, Any], Awaitable[T]], command: object) -> T:
        return await self.transactions.run(Caller(by), lambda tx: handler(tx, command))

    async def decide(self, by: str, identifier: str, outcome: Any, *, note: str = "") -> review_pb2.Review:
        command = review_pb2.DecideReviewRequest(
            generation_id=identifier,
            outcome=outcome,
            reason=FALSE_HIT if outcome == RELEASED else CONFIRMED,
            note=note,
        )
        return (await self.act(by, self.queue.decide_review, command)).review

    async def appeal(self, identifier: str, *, subject: str = "user-7", statement: str = "") -> review_pb2.Review:
        command = review_pb2.AppealReviewRequest(generation_id=identifier, subject=subject, statement=statement)
        return (await self.act("backend", self.queue.appeal_review, command)).review

    async def ask(self, question: Callable[[Query, Any], Awaitable[T]], request: object) -> T:
        async with self.pool.connection() as connection:
            return await question(Query(connection, datetime.now(UTC), Caller("alice")), request)

    async def get(self, identifier: str) -> review_pb2.GetReviewResponse:
        return await self.ask(self.queue.get_review, review_pb2.GetReviewRequest(generation_id=identifier))


@pytest.fixture
async def desk(deployment: Deployment) -> AsyncIterator[Desk]:
    # The service has migrated its database; here its queue is worked without the service.
    pool = database.pool(deployment.database_url("generation"), 2)
    await pool.open(wait=True)
    try:
        yield Desk(pool)
    finally:
        await pool.close()


async def refusal(call: Awaitable[object]) -> str:
    with pytest.raises(Refused) as refused:
        await call
    return refused.value.reason


@pytest.mark.clause("Deep Synthesis 10")
async def test_a_block_is_released_by_two_persons_and_each_decision_is_a_leaf_and_the_last_a_fact(
    desk: Desk, deployment: Deployment
) -> None:
    identifier = await desk.flag(BLOCK)
    first = await desk.decide("alice", identifier, RELEASED, note="a cookery question")
    assert first.state == model_pb2.REVIEW_STATE_RELEASE_PROPOSED
    assert await refusal(desk.decide("alice", identifier, RELEASED)) == "SAME_PERSON"
    second = await desk.decide("bob", identifier, RELEASED)
    assert (second.state, second.outcome) == (model_pb2.REVIEW_STATE_DECIDED, RELEASED)
    assert [step.by for step in second.steps] == ["alice", "bob"]

    (fact,) = await deployment.facts(
        "generation", facts_pb2.ReviewDecided, lambda found: found.generation_id == identifier
    )
    assert (fact.subject, fact.product, fact.machine_decision) == ("user-7", "chat", model_pb2.DECISION_BLOCK)
    assert (fact.outcome, fact.reason, fact.on_appeal) == (RELEASED, FALSE_HIT, False)
    assert (list(fact.categories), list(fact.feature_ids)) == (["violence"], ["f-1", "f-2"])
    assert [kind for kind, _ in desk.leaves] == ["verdict", "verdict"]
    assert [(body["outcome"], body["state"], body["persons"]) for _, body in desk.leaves] == [
        ("released", "release_proposed", 1),
        ("released", "decided", 2),
    ]
    # No person and no text stands in the log for ever.
    assert not [name for name in ("alice", "bob", "user-7", "cookery") if name in str(desk.leaves)]


@pytest.mark.clause("GDPR 22(3)")
async def test_the_user_appeals_and_another_person_decides(desk: Desk, deployment: Deployment) -> None:
    identifier = await desk.flag(REVIEW)
    await desk.decide("alice", identifier, UPHELD)
    assert await refusal(desk.appeal(identifier, subject="somebody-else")) == "REVIEW_UNKNOWN"
    appealed = await desk.appeal(identifier, statement="这是引用")
    assert appealed.appealed
    assert not appealed.steps
    assert await refusal(desk.appeal(identifier)) == "REVIEW_STATE"
    assert await refusal(desk.decide("alice", identifier, UPHELD)) == "SAME_PERSON"
    done = await desk.decide("bob", identifier, RELEASED)
    assert (done.outcome, done.steps[-1].on_appeal) == (RELEASED, True)
    (told,) = await deployment.facts(
        "generation", facts_pb2.ReviewAppealed, lambda found: found.generation_id == identifier
    )
    assert (told.outcome, told.subject) == (UPHELD, "user-7")
    decided = await deployment.facts(
        "generation", facts_pb2.ReviewDecided, lambda found: found.generation_id == identifier, count=2
    )
    assert [fact.on_appeal for fact in decided] == [False, True]


async def test_what_people_write_is_sealed_and_goes_with_the_record(desk: Desk, deployment: Deployment) -> None:
    identifier = await desk.flag(BLOCK)
    await desk.appeal(identifier, statement="请重新考虑")
    await desk.decide("alice", identifier, RELEASED, note="ask a lawyer")
    text = (await desk.get(identifier)).text
    assert (text.statement, list(text.notes)) == ("请重新考虑", ["ask a lawyer"])
    assert (text.subject, text.prompt, text.output) == ("user-7", "问", "答")
    assert [hit.feature_id for hit in text.verdict.hits] == ["f-2", "f-1"]
    stored = await deployment.rows("generation", "SELECT * FROM review WHERE generation_id = %s", identifier)
    notes = await deployment.rows("generation", "SELECT * FROM review_step WHERE generation_id = %s", identifier)
    plain = repr(stored).encode() + b"".join(row["note"] for row in notes) + stored[0]["statement"]
    assert not [part for part in ("请重新考虑", "ask a lawyer", "user-7", "violence") if part.encode() in plain]

    del desk.records.held[identifier]
    async with desk.transactions.open(Caller("erasure")) as tx:
        await store.erase(tx.connection, [identifier], tx.now)
    answer = await desk.get(identifier)
    assert answer.review.state == model_pb2.REVIEW_STATE_ERASED
    assert not answer.HasField("text")
    (row,) = await deployment.rows("generation", "SELECT statement FROM review WHERE generation_id = %s", identifier)
    (note,) = await deployment.rows("generation", "SELECT note FROM review_step WHERE generation_id = %s", identifier)
    assert (row["statement"], note["note"]) == (None, None)
    assert await refusal(desk.decide("bob", identifier, RELEASED)) == "REVIEW_STATE"


async def test_a_record_that_is_erased_meanwhile_is_not_decided(desk: Desk) -> None:
    identifier = await desk.flag(BLOCK)
    del desk.records.held[identifier]
    assert await refusal(desk.decide("alice", identifier, UPHELD)) == "GENERATION_ERASED"
    assert await refusal(desk.appeal(identifier)) == "GENERATION_ERASED"
    assert not desk.leaves


async def test_the_queue_shows_appeals_then_blocks_then_the_oldest_page_by_page(desk: Desk) -> None:
    looked_at = await desk.flag(REVIEW)
    blocked = [await desk.flag(BLOCK) for _ in range(3)]
    appealed = await desk.flag(REVIEW)
    await desk.appeal(appealed)
    mine = {looked_at, appealed, *blocked}
    request = review_pb2.ListReviewsRequest(page_size=2)
    found: list[str] = []
    while True:
        answer = await desk.ask(desk.queue.list_reviews, request)
        found.extend(item.generation_id for item in answer.reviews)
        if not answer.next_page_token:
            break
        request.page_token = answer.next_page_token
    assert len(found) == len(set(found))
    assert [identifier for identifier in found if identifier in mine] == [appealed, *blocked, looked_at]


async def test_a_review_is_given_to_one_person(desk: Desk) -> None:
    identifier = await desk.flag(BLOCK)
    command = review_pb2.AssignReviewRequest(generation_id=identifier, assignee="bob")
    assert (await desk.act("alice", desk.queue.assign_review, command)).review.assignee == "bob"
    of_bob = await desk.ask(desk.queue.list_reviews, review_pb2.ListReviewsRequest(assignee="bob", page_size=1000))
    assert identifier in {item.generation_id for item in of_bob.reviews}
    assert await refusal(desk.decide("alice", identifier, UPHELD)) == "REVIEW_ASSIGNED"
    assert (await desk.decide("bob", identifier, UPHELD)).outcome == UPHELD


async def test_a_generation_is_reviewed_once_however_often_it_is_opened_and_an_allowed_one_never(desk: Desk) -> None:
    identifier = await desk.flag(BLOCK)
    await desk.decide("alice", identifier, UPHELD)
    allowed = command_id()
    async with desk.transactions.open(Caller("ingest")) as tx:
        again = Verdict(BLOCK, (), b"d" * 32)
        await open_reviews(tx, [(identifier, again), (allowed, Verdict(Decision.ALLOW, (), b"d" * 32))])
    assert (await desk.get(identifier)).review.state == model_pb2.REVIEW_STATE_DECIDED
    assert await refusal(desk.get(allowed)) == "REVIEW_UNKNOWN"


async def test_a_page_token_that_nobody_gave_is_refused(desk: Desk) -> None:
    request = review_pb2.ListReviewsRequest(page_token="bm90aGluZw==")
    with pytest.raises(Exception, match="page_token must be one that an answer gave"):
        await desk.ask(desk.queue.list_reviews, request)
