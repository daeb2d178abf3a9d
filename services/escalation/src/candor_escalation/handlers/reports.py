"""Reports: drafted from what is known, submitted, confirmed by a receipt, or decided against."""

from candor.escalation.v1 import facts_pb2, service_pb2
from candor_kit.transaction import Tx

from candor_escalation import codec
from candor_escalation.domain import fact as fact_rules
from candor_escalation.domain import report as rules
from candor_escalation.domain.clock import NOT_REPORTED, RECEIPTED, refuse_stopped
from candor_escalation.domain.draft import fill, instant, written
from candor_escalation.domain.incident import Json
from candor_escalation.domain.refusal import Refused
from candor_escalation.domain.report import Draft, Receipt, Submission
from candor_escalation.handlers.clocks import RECEIPT, Clocks, Matter
from candor_escalation.policy import Form, Policy, facts_of
from candor_escalation.store import incidents, reports


class Reports:
    """What is sent to authorities, and what stops a clock."""

    def __init__(self, policy: Policy, clocks: Clocks) -> None:
        self._policy = policy
        self._clocks = clocks

    async def draft_report(self, tx: Tx, request: service_pb2.DraftReportRequest) -> service_pb2.DraftReportResponse:
        """Write the report of a running clock, once per language, as one revision."""
        matter = await self._clocks.locked(tx, request.clock_id)
        refuse_stopped(matter.clock)
        form = self._policy.form(matter.clock)
        if form is None:
            raise Refused("DRAFT_UNKNOWN", f"no loaded pack has a form for {matter.clock.obligation_id}")
        drafts = await self._write(tx, matter, form)
        for draft in drafts:
            await reports.insert_draft(tx.connection, draft)
        fact = facts_pb2.ReportDrafted(
            incident_id=matter.incident.incident_id,
            clock_id=matter.clock.clock_id,
            revision=drafts[0].revision,
            missing=drafts[0].missing,
        )
        await tx.publish(fact, key=matter.incident.incident_id)
        return service_pb2.DraftReportResponse(drafts=[codec.draft_message(draft) for draft in drafts])

    async def record_submission(
        self, tx: Tx, request: service_pb2.RecordSubmissionRequest
    ) -> service_pb2.RecordSubmissionResponse:
        """Record that a draft was sent. The clock runs on."""
        matter = await self._clocks.locked(tx, request.clock_id)
        refuse_stopped(matter.clock)
        draft = await reports.draft(tx.connection, request.clock_id, request.revision, request.locale)
        at = codec.instant(request.submitted_at)
        submission = rules.submit(draft, tx.new_id(), request.channel, tx.caller.name, at, tx.now)
        await reports.insert_submission(tx.connection, submission)
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
        submission = await self._submission(tx, request.submission_id)
        matter = await self._clocks.locked(tx, submission.clock_id)
        refuse_stopped(matter.clock)
        receipt = Receipt(
            request.reference,
            codec.instant(request.received_at),
            tx.caller.name,
            tx.now,
            request.proof_sha256,
        )
        confirmed = rules.confirm(submission, receipt, tx.now)
        await reports.insert_receipt(tx.connection, submission.submission_id, receipt)
        fact = facts_pb2.ReceiptRecorded(
            incident_id=matter.incident.incident_id, submission=codec.submission_message(confirmed)
        )
        await tx.publish(fact, key=matter.incident.incident_id)
        clock = await self._clocks.stop(tx, matter, RECEIPTED)
        return service_pb2.RecordReceiptResponse(state=codec.clock_state(clock.state))

    async def decide_not_to_report(
        self, tx: Tx, request: service_pb2.DecideNotToReportRequest
    ) -> service_pb2.DecideNotToReportResponse:
        """Record the decision not to report, which stops the clock."""
        matter = await self._clocks.locked(tx, request.clock_id)
        refuse_stopped(matter.clock)
        decision = rules.decide_not_to_report(
            request.clock_id, request.reason, tx.caller.name, request.approved_by, tx.now
        )
        await reports.insert_decision(tx.connection, decision)
        fact = facts_pb2.NotReportingDecided(
            incident_id=matter.incident.incident_id,
            clock_id=decision.clock_id,
            reason=decision.reason,
            decided_by=decision.decided_by,
            approved_by=decision.approved_by,
        )
        await tx.publish(fact, key=matter.incident.incident_id)
        clock = await self._clocks.stop(tx, matter, NOT_REPORTED)
        return service_pb2.DecideNotToReportResponse(state=codec.clock_state(clock.state))

    async def _submission(self, tx: Tx, submission_id: str) -> Submission:
        submission = await reports.submission(tx.connection, submission_id)
        if submission is None:
            raise Refused("SUBMISSION_UNKNOWN", "there is no such submission", field="submission_id")
        return submission

    async def _write(self, tx: Tx, matter: Matter, form: Form) -> list[Draft]:
        stored = fact_rules.current(await incidents.facts(tx.connection, matter.incident.incident_id))
        facts = facts_of(matter.incident, stored)
        revision = await reports.next_revision(tx.connection, matter.clock.clock_id)
        drafts = []
        for locale, template in form.templates.items():
            known = {**form.facts(facts, self._policy.profile, locale), **_built_in(tx, matter, form, locale)}
            filled = fill(template.fields, known, form.labels(locale), locale)
            text = template.render(filled.values)
            drafts.append(
                written(matter.clock.clock_id, revision, locale, text, filled.missing, tx.now, tx.caller.name)
            )
        return drafts


def _built_in(tx: Tx, matter: Matter, form: Form, locale: str) -> dict[str, Json]:
    """What every form can name beside the facts of its pack (candor_packs.template.BUILT_IN)."""
    clock, incident = matter.clock, matter.incident
    return {
        "anchor_at": instant(clock.anchor.at, form.zone),
        "citation": clock.citation,
        "clock_id": clock.clock_id,
        "drafted_at": instant(tx.now, form.zone),
        "incident_id": incident.incident_id,
        "incident_title": incident.title,
        "legal_latest": instant(clock.legal_latest, form.zone),
        "recipient": form.recipient(locale),
        "signals": incident.signals,
        "strict_due": instant(clock.strict_due, form.zone),
    }
