"""Submissions and receipts: what was sent, by whose approval, and the authority's confirmation that stops the clock."""

import asyncio

from candor.escalation.v1 import facts_pb2, service_pb2
from candor_kit.transaction import Tx

from candor_escalation import codec, forms, report_codec
from candor_escalation.domain import report as rules
from candor_escalation.domain.approval import marked
from candor_escalation.domain.clock import RECEIPTED, Clock
from candor_escalation.domain.drill import receipt_of
from candor_escalation.domain.refusal import Refused
from candor_escalation.domain.report import Receipt, Submission
from candor_escalation.handlers.clocks import RECEIPT, Clocks
from candor_escalation.store import reports, submissions


class Submissions:
    """What was sent to authorities, and what they confirmed."""

    def __init__(self, clocks: Clocks) -> None:
        self._clocks = clocks

    async def record_submission(
        self, tx: Tx, request: service_pb2.RecordSubmissionRequest
    ) -> service_pb2.RecordSubmissionResponse:
        """Record that a revision was sent, and keep exactly what was sent. The clock runs on."""
        matter = await self._clocks.locked(tx, request.clock_id)
        drafts = await reports.drafts_of_clock(tx.connection, request.clock_id)
        draft = rules.draft_of(drafts, request.revision, request.locale)
        rules.refuse_unwritable(matter.clock, draft.kind)
        sent = await asyncio.to_thread(forms.render, draft, report_codec.file_format(request.format, forms.TEXT))
        at = codec.instant(request.submitted_at)
        submission = rules.submit(draft, tx.new_id(), request.channel, tx.caller.name, at, tx.now, sent)
        given = await reports.approvals_of_clock(tx.connection, request.clock_id)
        approval = next((known for known in given if known.revision == draft.revision), None)
        submission = marked(submission, approval, drafts, request.unapproved_reason)
        await submissions.insert_submission(tx.connection, submission, sent)
        fact = facts_pb2.ReportSubmitted(
            incident_id=matter.incident.incident_id, submission=codec.submission_message(submission)
        )
        await tx.publish(fact, key=matter.incident.incident_id)
        await self._clocks.reassess(tx, matter.incident, RECEIPT)  # what depends on it counts from it, provisionally
        return service_pb2.RecordSubmissionResponse(submission_id=submission.submission_id)

    async def record_receipt(
        self, tx: Tx, request: service_pb2.RecordReceiptRequest
    ) -> service_pb2.RecordReceiptResponse:
        """Record the authority's receipt, which stops the clock."""
        receipt = Receipt(
            reference=request.reference,
            received_at=codec.instant(request.received_at),
            recorded_by=tx.caller.name,
            recorded_at=tx.now,
            proof_sha256=request.proof_sha256,
            proof_size=request.proof_size,
            proof_media_type=request.proof_media_type,
        )
        clock = await self.confirmed(tx, request.submission_id, receipt)
        return service_pb2.RecordReceiptResponse(state=codec.clock_state(clock.state))

    async def confirmed(self, tx: Tx, submission_id: str, receipt: Receipt) -> Clock:
        """Keep the receipt of a submission, told by a person or by an adapter; the clock, stopped.

        That of a supplement or a final report may follow when the clock is stopped.

        Raises:
            Refused: SUBMISSION_UNKNOWN, CLOCK_STOPPED, RECEIPT_EXISTS, or TIME_IN_FUTURE.
        """
        matter = await self._clocks.locked(tx, (await self._submission(tx, submission_id)).clock_id)
        submission = await self._submission(tx, submission_id)
        receipt = receipt_of(receipt) if submission.drill else receipt
        rules.refuse_unwritable(matter.clock, submission.kind)
        confirmed = rules.confirm(submission, receipt, tx.now)
        await submissions.insert_receipt(tx.connection, submission_id, receipt)
        fact = facts_pb2.ReceiptRecorded(
            incident_id=matter.incident.incident_id, submission=codec.submission_message(confirmed)
        )
        await tx.publish(fact, key=matter.incident.incident_id)
        if not matter.clock.is_running:
            return matter.clock
        return await self._clocks.stop(tx, matter, RECEIPTED)

    async def _submission(self, tx: Tx, submission_id: str) -> Submission:
        submission = await submissions.submission(tx.connection, submission_id)
        if submission is None:
            raise Refused("SUBMISSION_UNKNOWN", "there is no such submission", field="submission_id")
        return submission
