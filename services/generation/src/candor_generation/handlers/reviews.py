"""The review queue: list, read, assign, decide, appeal (Deep Synthesis 10; GDPR 22(3)).

Every person's decision is a leaf of the log and a fact. The facts that escalation and refutation act on name categories
and features, which are derived from the text, so they are read from the record and are gone with it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from candor.generation.v1.review_pb2 import (
    AppealReviewRequest,
    AppealReviewResponse,
    AssignReviewRequest,
    AssignReviewResponse,
    DecideReviewRequest,
    DecideReviewResponse,
    GetReviewRequest,
    GetReviewResponse,
    ListReviewsRequest,
    ListReviewsResponse,
    ReviewedText,
)
from candor_kit.database import Connection
from candor_kit.keys import open_sealed, seal
from candor_kit.query import Query
from candor_kit.transaction import Tx

from candor_generation import review_codec as codec
from candor_generation.domain import review as rules
from candor_generation.domain.generation import Decision, Verdict
from candor_generation.domain.refusal import Refused
from candor_generation.domain.review import Review
from candor_generation.store import reviews

_PAGE = 100
LEAF_KIND = "verdict"
AddLeaf = Callable[[Tx, str, Mapping[str, Any]], Awaitable[None]]
"""Puts a leaf of a kind into the log, in the transaction."""


@dataclass(frozen=True)
class Reviewed:
    """A record under review, opened. `key` is the record's own, 32 bytes; what it seals goes with the record."""

    subject: str
    product: str
    prompt: str
    output: str
    verdict: Verdict
    key: bytes


class Texts(Protocol):
    """Opens a record for a person's look."""

    async def open(self, connection: Connection, generation_id: str) -> Reviewed | None:
        """The record; None where it is erased, or restricted so that nobody may read it."""


async def open_reviews(tx: Tx, flagged: Iterable[tuple[str, Verdict]]) -> None:
    """Open a review for every verdict that is not to allow, by generation id; one statement, whatever their number.

    Source: Deep Synthesis 10
    """
    waiting = {identifier: item.decision for identifier, item in flagged if item.decision is not Decision.ALLOW}
    if waiting:
        await reviews.insert(tx.connection, waiting, tx.now)


@dataclass(frozen=True)
class Reviews:
    """The queue's commands and questions.

    Attributes:
        texts: opens a record.
        add_leaf: puts a decision into the log.
    """

    texts: Texts
    add_leaf: AddLeaf

    async def list_reviews(self, query: Query, request: ListReviewsRequest) -> ListReviewsResponse:
        """The queue: appeals, then blocks, then the oldest."""
        size = request.page_size or _PAGE
        found = await reviews.page(
            query.connection,
            codec.states_of(request.states),
            request.assignee,
            codec.place_of(request.page_token),
            size,
        )
        token = codec.token(found[-1]) if len(found) == size else ""
        return ListReviewsResponse(reviews=map(codec.review_message, found), next_page_token=token)

    async def get_review(self, query: Query, request: GetReviewRequest) -> GetReviewResponse:
        """One review with the texts it is about; kit puts the look on record.

        Raises:
            Refused: REVIEW_UNKNOWN.
        """
        async with query.connection.transaction():
            # One instant: an erasure must not pass between the row and the key that opens it.
            await query.connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            review = _known(await reviews.find(query.connection, request.generation_id))
            opened = await self.texts.open(query.connection, request.generation_id)
            text = await _text(query.connection, review, opened) if opened else None
        return GetReviewResponse(review=codec.review_message(review), text=text)

    async def assign_review(self, tx: Tx, command: AssignReviewRequest) -> AssignReviewResponse:
        """Give a review to a person, or back to everybody.

        Raises:
            Refused: REVIEW_UNKNOWN, REVIEW_STATE, SAME_PERSON.
        """
        review = rules.assign(await _locked(tx, command.generation_id), command.assignee, tx.now)
        await reviews.update(tx.connection, review)
        return AssignReviewResponse(review=codec.review_message(review))

    async def decide_review(self, tx: Tx, command: DecideReviewRequest) -> DecideReviewResponse:
        """Take one person's decision: into the log, and published once it is enough.

        Raises:
            Refused: REVIEW_UNKNOWN, REVIEW_STATE, REVIEW_ASSIGNED, SAME_PERSON, REASON_MISMATCH, GENERATION_ERASED.
        """
        before = await _locked(tx, command.generation_id)
        review = rules.decide(before, tx.caller.name, *codec.decision_of(command), tx.now)
        opened = await self._opened(tx, review)
        await reviews.update(tx.connection, review)
        note = _seal(opened, review, f"note:{len(review.steps)}", command.note)
        await reviews.add_step(tx.connection, review, note)
        await self.add_leaf(tx, LEAF_KIND, codec.leaf(review, opened.verdict.library_digest))
        if review.state is rules.State.DECIDED:
            fact = codec.decided(review, opened.subject, opened.product, opened.verdict)
            await tx.publish(fact, key=review.generation_id)
        return DecideReviewResponse(review=codec.review_message(review))

    async def appeal_review(self, tx: Tx, command: AppealReviewRequest) -> AppealReviewResponse:
        """Take the user's appeal of what screening or a person decided.

        Raises:
            Refused: REVIEW_UNKNOWN, REVIEW_STATE, GENERATION_ERASED.
        """
        before = await _locked(tx, command.generation_id)
        opened = await self._opened(tx, before)
        if opened.subject != command.subject:
            # Whose generation it is is nobody else's to learn.
            raise _unknown()
        review = rules.appeal(before, tx.now)
        await reviews.update(tx.connection, review)
        sealed = _seal(opened, review, "statement", command.statement)
        await reviews.set_statement(tx.connection, review.generation_id, sealed)
        fact = codec.appealed(review, opened.subject, opened.product, tx.now)
        await tx.publish(fact, key=review.generation_id)
        return AppealReviewResponse(review=codec.outside_message(review))

    async def _opened(self, tx: Tx, review: Review) -> Reviewed:
        opened = await self.texts.open(tx.connection, review.generation_id)
        if opened is None:
            raise Refused("GENERATION_ERASED", "the record is erased or restricted; there is nothing to read")
        return opened


def open_statement(key: bytes, generation_id: str, sealed: bytes) -> str:
    """What a user said in the appeal about a generation; `key` as in `Reviewed`."""
    return open_sealed(key, sealed, _context_of("statement", generation_id)).decode()


async def _locked(tx: Tx, generation_id: str) -> Review:
    await reviews.lock(tx.connection, generation_id)
    return _known(await reviews.find(tx.connection, generation_id))


def _known(review: Review | None) -> Review:
    if review is None:
        raise _unknown()
    return review


def _unknown() -> Refused:
    return Refused("REVIEW_UNKNOWN", "there is nothing to review about this generation", field="generation_id")


async def _text(connection: Connection, review: Review, opened: Reviewed) -> ReviewedText:
    sealed = await reviews.sealed(connection, review.generation_id)
    notes = [_open(opened, review, f"note:{number}", note) for number, note in enumerate(sealed.notes, 1)]
    statement = _open(opened, review, "statement", sealed.statement)
    return codec.text_message(
        opened.subject, opened.product, opened.prompt, opened.output, opened.verdict, statement, notes
    )


def _seal(opened: Reviewed, review: Review, what: str, text: str) -> bytes | None:
    return seal(opened.key, text.encode(), _context(review, what)) if text else None


def _open(opened: Reviewed, review: Review, what: str, sealed: bytes | None) -> str:
    return open_sealed(opened.key, sealed, _context(review, what)).decode() if sealed else ""


def _context(review: Review, what: str) -> bytes:
    """What a sealed text belongs to, so that it cannot be moved."""
    return _context_of(what, review.generation_id)


def _context_of(what: str, generation_id: str) -> bytes:
    return f"candor generation review {what} {generation_id}".encode()
