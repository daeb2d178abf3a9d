"""Disposals: ordered by a person, asked of product backends, told to the user, acknowledged."""

from dataclasses import replace

from candor.escalation.v1 import disposal_pb2, facts_pb2
from candor_kit.transaction import Tx
from google.protobuf.timestamp_pb2 import Timestamp

from candor_escalation import codec, disposal_codec
from candor_escalation.disposal_codec import Grounds
from candor_escalation.domain import disposal as rules
from candor_escalation.domain import ladder, statement
from candor_escalation.domain.content_notice import found_by
from candor_escalation.domain.disposal import IN_FORCE, Act, Disposal, Matter
from candor_escalation.domain.drill import refuse_effect
from candor_escalation.domain.incident import refuse_future
from candor_escalation.domain.public_statement import body
from candor_escalation.domain.refusal import Refused
from candor_escalation.handlers.asking import Asking
from candor_escalation.handlers.proposals import Proposals
from candor_escalation.sealing import Held, Sealing
from candor_escalation.store import disposal_asks, disposal_texts, disposals, incidents, notices, public_statements
from candor_escalation.store.disposal_texts import Dispute
from candor_escalation.store.disposals import Stored


class Disposals:
    """The commands about disposals. ``answer_days`` is the published time limit for complaints."""

    def __init__(self, sealing: Sealing, asking: Asking, proposals: Proposals, answer_days: int) -> None:
        self._sealing = sealing
        self._asking = asking
        self._proposals = proposals
        self._answer_days = answer_days

    async def order_disposal(
        self, tx: Tx, request: disposal_pb2.OrderDisposalRequest
    ) -> disposal_pb2.OrderDisposalResponse:
        """Order that content is stopped or removed."""
        grounds = disposal_codec.grounds(request.grounds)
        held = await self._sealing.take(tx, request.subject, request.command_id) if request.subject else None
        disposal = replace(
            _new(tx, disposal_codec.measure(request.measure), request.product, grounds, of_person=held is not None),
            generation_id=request.generation_id,
            model=request.model,
        )
        answer_by = await self._carry_out(tx, disposal, grounds, request, held)
        return disposal_pb2.OrderDisposalResponse(disposal_id=disposal.disposal_id, answer_by=answer_by)

    async def impose_sanction(
        self, tx: Tx, request: disposal_pb2.ImposeSanctionRequest
    ) -> disposal_pb2.ImposeSanctionResponse:
        """Impose a sanction on a user: what the ladder proposes, less, or more with a reason."""
        grounds = disposal_codec.grounds(request.grounds)
        measure, until = disposal_codec.measure(request.measure), disposal_codec.until(request)
        rules.refuse_passed(until, tx.now)
        held = await self._sealing.take(tx, request.subject, request.command_id)
        history = await disposals.sanctions_of(tx.connection, held.pseudonym)
        serious = request.severity == disposal_pb2.SANCTION_SEVERITY_SERIOUS
        proposed = ladder.propose(history, serious=serious, now=tx.now)
        ladder.refuse_unwarned(request.functions, history, until, tx.now)
        if not ladder.is_abuse_matter(request.functions):
            ladder.refuse_departure(measure, proposed.measure, request.departure)
        disposal = replace(
            _new(tx, measure, request.product, grounds, of_person=True),
            functions=tuple(request.functions),
            until=until,
        )
        answer_by = await self._carry_out(tx, disposal, grounds, request, held)
        return disposal_pb2.ImposeSanctionResponse(
            disposal_id=disposal.disposal_id,
            proposed=disposal_codec.wire_measure(proposed.measure),
            answer_by=answer_by,
        )

    async def acknowledge_disposal(
        self, tx: Tx, request: disposal_pb2.AcknowledgeDisposalRequest
    ) -> disposal_pb2.AcknowledgeDisposalResponse:
        """Take a backend's answer to an ask."""
        stored = await locked(tx, request.disposal_id)
        asks = await disposal_asks.of_disposal(tx.connection, request.disposal_id)
        asked = next((one for one in asks if one.ask_id == request.ask_id), None)
        if asked is None:
            raise Refused("DISPOSAL_UNKNOWN", "the disposal has no such ask", field="ask_id")
        at = codec.instant(request.carried_out_at)
        refuse_future(at, tx.now, "the answer")
        answered = rules.acknowledge(asked, disposal_codec.ask_state(request.outcome), request.evidence, at)
        if answered != asked:
            await self._asking.answered(tx, stored.disposal, answered)
            fact = facts_pb2.DisposalAcknowledged(
                ask_id=asked.ask_id,
                disposal_id=asked.disposal_id,
                act=disposal_codec.wire_act(asked.act),
                outcome=request.outcome,
                carried_out_at=request.carried_out_at,
            )
            await tx.publish(fact, key=asked.disposal_id)
        return disposal_pb2.AcknowledgeDisposalResponse(state=disposal_codec.wire_ask_state(answered.state))

    async def record_out_of_court(
        self, tx: Tx, request: disposal_pb2.RecordOutOfCourtRequest
    ) -> disposal_pb2.RecordOutOfCourtResponse:
        """Record what an out-of-court body was asked, or found.

        Source: DSA 21
        """
        await locked(tx, request.disposal_id)
        dispute = Dispute(request.body, request.reference, request.finding, tx.caller.name, tx.now)
        await disposal_texts.add_dispute(tx.connection, request.disposal_id, dispute)
        return disposal_pb2.RecordOutOfCourtResponse()

    async def _carry_out(
        self,
        tx: Tx,
        disposal: Disposal,
        grounds: Grounds,
        request: disposal_pb2.OrderDisposalRequest | disposal_pb2.ImposeSanctionRequest,
        held: Held | None,
    ) -> Timestamp | None:
        """Put a decision on record, ask for it, tell the user, and queue what is public; by when it is answered.

        The user is told together with the restriction, never after it (DSA 17).
        """
        await _refuse_grounds(tx, grounds)
        if grounds.notice_id:
            disposal = replace(disposal, notice_source=disposal.notice_source or await _found_by(tx, grounds.notice_id))
        subject = request.subject
        territories: tuple[str, ...] = ()
        if request.HasField("public_statement"):
            told = disposal_codec.told(request.public_statement)
            disposal = replace(
                disposal,
                category=told.category,
                decision_ground=told.decision_ground,
                automated_decision=told.automated_decision,
            )
            territories = told.territorial_scope
            public = body(told, disposal, subject)
        matter = Matter(subject, grounds.facts, grounds.reason, _departure(request))
        wrapped, key = await self._sealing.close(tx, disposal.disposal_id, matter, held)
        await disposals.insert(tx.connection, disposal, wrapped)
        if request.HasField("public_statement"):
            await public_statements.queue(tx.connection, disposal.disposal_id, public, tx.now)
        await self._proposals.follow(tx, grounds.proposal_id, disposal, held)
        fact = facts_pb2.DisposalOrdered(disposal=disposal_codec.disposal_message(disposal))
        await tx.publish(fact, key=disposal.disposal_id)
        asked = await self._asking.ask(tx, disposal, Act.APPLY, subject)
        if rules.needs_statement(disposal):
            texts = statement.of_reasons(disposal, matter, territories, self._answer_days)
            await self._asking.tell(tx, disposal, key, "reasons", texts, subject)
        return codec.timestamp(asked.answer_by)


async def locked(tx: Tx, disposal_id: str) -> Stored:
    """A disposal, locked until the transaction ends.

    Raises:
        Refused: DISPOSAL_UNKNOWN.
    """
    stored = await disposals.lock(tx.connection, disposal_id)
    if stored is None:
        raise Refused("DISPOSAL_UNKNOWN", "there is no such disposal", field="disposal_id")
    return stored


async def _refuse_grounds(tx: Tx, grounds: Grounds) -> None:
    """Refuse a disposal that rests on an incident that is not there, or in which nothing has happened."""
    incident = await incidents.find(tx.connection, grounds.incident_id) if grounds.incident_id else None
    if grounds.incident_id and incident is None:
        raise Refused("INCIDENT_UNKNOWN", "there is no such incident", field="grounds.incident_id")
    if incident is not None:
        refuse_effect(incident)


async def _found_by(tx: Tx, notice_id: str) -> str:
    """How content was found that a notice told of.

    Raises:
        Refused: NOTICE_UNKNOWN.
    """
    stored = await notices.find(tx.connection, notice_id)
    if stored is None:
        raise Refused("NOTICE_UNKNOWN", "there is no such notice", field="grounds.notice_id")
    return found_by(stored.notice)


def _departure(request: disposal_pb2.OrderDisposalRequest | disposal_pb2.ImposeSanctionRequest) -> str:
    return request.departure if isinstance(request, disposal_pb2.ImposeSanctionRequest) else ""


def _new(tx: Tx, measure: rules.Measure, product: str, grounds: Grounds, *, of_person: bool) -> Disposal:
    return Disposal(
        disposal_id=tx.new_id(),
        measure=measure,
        state=IN_FORCE,
        product=product,
        generation_id="",
        model="",
        of_person=of_person,
        functions=(),
        until=None,
        legal_basis=grounds.legal_basis,
        automated_detection=grounds.automated_detection,
        notice_source=grounds.notice_source,
        exemption=grounds.exemption,
        category="",
        decision_ground="",
        automated_decision="",
        incident_id=grounds.incident_id,
        proposal_id=grounds.proposal_id,
        decided_by=tx.caller.name,
        decided_at=tx.now,
        notice_id=grounds.notice_id,
    )
