"""Complaints: the user's, decided by a person who did not decide before; and counts of those that were unfounded."""

from dataclasses import replace
from datetime import timedelta

from candor.escalation.v1 import disposal_pb2, facts_pb2
from candor_kit.transaction import Tx

from candor_escalation import disposal_codec
from candor_escalation.domain import complaint as rules
from candor_escalation.domain import ladder, statement
from candor_escalation.domain.complaint import Complaint
from candor_escalation.domain.disposal import IN_FORCE, REVERSED, Disposal
from candor_escalation.domain.refusal import Refused
from candor_escalation.handlers.asking import Asking
from candor_escalation.handlers.disposals import locked
from candor_escalation.sealing import Sealing, seal_words
from candor_escalation.store import complaints, disposal_asks, disposals
from candor_escalation.store.disposals import Stored


class Complaints:
    """The commands about complaints. ``answer_days`` is the published time limit."""

    def __init__(self, sealing: Sealing, asking: Asking, answer_days: int) -> None:
        self._sealing = sealing
        self._asking = asking
        self._answer_within = timedelta(days=answer_days)

    async def file_complaint(
        self, tx: Tx, request: disposal_pb2.FileComplaintRequest
    ) -> disposal_pb2.FileComplaintResponse:
        """Take a complaint of the user whom a disposal is about."""
        stored = await locked(tx, request.disposal_id)
        matter = await self._sealing.matter(tx.connection, stored)
        key = await self._sealing.key_of(tx.connection, stored)
        if matter is None or key is None or matter.subject != request.subject:
            raise Refused("DISPOSAL_UNKNOWN", "there is no such disposal about this user", field="disposal_id")
        pseudonym = self._sealing.subjects.pseudonym(request.subject)
        history = await disposals.sanctions_of(tx.connection, pseudonym)
        if "complaints" not in stored.disposal.functions and ladder.suspended("complaints", history, tx.now):
            raise Refused("COMPLAINT_CLOSED", "the user's complaints are suspended, after a warning (DSA 23)")
        earlier = await complaints.of_disposal(tx.connection, request.disposal_id)
        informed_at = await disposal_asks.informed_at(tx.connection, request.disposal_id)
        complaint = rules.file(
            tx.new_id(),
            request.disposal_id,
            stored.disposal.state,
            informed_at,
            earlier.complaint if earlier else None,
            self._answer_within,
            tx.now,
        )
        sealed = seal_words(key, complaint.complaint_id, "statement", request.statement)
        await complaints.insert(tx.connection, complaint, sealed)
        message = disposal_codec.complaint_message(complaint)
        await tx.publish(facts_pb2.ComplaintFiled(complaint=message), key=complaint.disposal_id)
        return disposal_pb2.FileComplaintResponse(complaint_id=complaint.complaint_id, answer_by=message.answer_by)

    async def decide_complaint(
        self, tx: Tx, request: disposal_pb2.DecideComplaintRequest
    ) -> disposal_pb2.DecideComplaintResponse:
        """Decide: the disposal stands, or is taken back; the user is told why."""
        found = await complaints.find(tx.connection, request.complaint_id)
        if found is None:
            raise Refused("COMPLAINT_UNKNOWN", "there is no such complaint", field="complaint_id")
        stored = await locked(tx, found.complaint.disposal_id)
        complaint = await self._as_it_stands(tx, stored)
        decided = rules.decide(
            complaint,
            disposal_codec.outcome(request.outcome),
            tx.caller.name,
            stored.disposal.decided_by,
            tx.now,
            unfounded=request.manifestly_unfounded,
        )
        key = await self._sealing.key_of(tx.connection, stored)
        sealed = seal_words(key, decided.complaint_id, "reasons", request.reasons) if key else None
        await complaints.decided(tx.connection, decided, sealed)
        message = disposal_codec.complaint_message(decided)
        await tx.publish(facts_pb2.ComplaintDecided(complaint=message), key=decided.disposal_id)
        disposal = await self._settle(tx, stored, decided)
        if key is not None:
            texts = statement.of_complaint(disposal, decided.outcome, request.reasons, tx.now)
            subject = await self._asking.subject(tx, stored)
            await self._asking.tell(tx, disposal, key, "complaint", texts, subject)
        return disposal_pb2.DecideComplaintResponse(state=disposal_codec.wire_state(disposal.state))

    async def record_unfounded_notice(
        self, tx: Tx, request: disposal_pb2.RecordUnfoundedNoticeRequest
    ) -> disposal_pb2.RecordUnfoundedNoticeResponse:
        """Count a manifestly unfounded notice; frequent ones propose a warning, and after it a suspension.

        Source: DSA 23
        """
        held = await self._sealing.take(tx, request.subject, request.command_id)
        await complaints.add_unfounded(tx.connection, held.pseudonym, request.reference, tx.caller.name, tx.now)
        unfounded = await complaints.count_unfounded(tx.connection, held.pseudonym, tx.now - ladder.COUNTED)
        history = await disposals.sanctions_of(tx.connection, held.pseudonym)
        abuse = ladder.propose_about_abuse(unfounded, history, tx.now)
        return disposal_pb2.RecordUnfoundedNoticeResponse(
            unfounded=unfounded, abuse=disposal_codec.wire_measure(abuse or "")
        )

    async def _settle(self, tx: Tx, stored: Stored, decided: Complaint) -> Disposal:
        """Take back what a granted complaint is about; what ended before is only marked."""
        if decided.outcome != rules.REVERSED_BY_COMPLAINT:
            return stored.disposal
        if stored.disposal.state == IN_FORCE:
            return await self._asking.lift(tx, stored, REVERSED)
        return await _marked(tx, stored.disposal)

    @staticmethod
    async def _as_it_stands(tx: Tx, stored: Stored) -> Complaint:
        """The complaint, read again under the disposal's lock."""
        found = await complaints.of_disposal(tx.connection, stored.disposal.disposal_id)
        if found is None:
            raise LookupError("a complaint is never removed")
        return found.complaint


async def _marked(tx: Tx, disposal: Disposal) -> Disposal:
    reversed_ = replace(disposal, state=REVERSED)
    await disposals.update(tx.connection, reversed_)
    return reversed_
