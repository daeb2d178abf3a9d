"""Reports: written from what is known, edited, approved by a second person."""

from collections.abc import Mapping, Sequence

from candor.escalation.v1 import facts_pb2, report_pb2, service_pb2
from candor_kit.transaction import Tx

from candor_escalation import codec, report_codec
from candor_escalation.domain import approval as approvals
from candor_escalation.domain import fact as fact_rules
from candor_escalation.domain import report as rules
from candor_escalation.domain.draft import built_in, fill, written
from candor_escalation.domain.incident import Json
from candor_escalation.domain.refusal import Refused
from candor_escalation.domain.report import Draft
from candor_escalation.handlers.clocks import Clocks, Matter
from candor_escalation.handlers.signals import Signals
from candor_escalation.policy import Form, Policy, facts_of
from candor_escalation.store import incidents, reports, submissions

_SOURCE = "report"
"""The source of facts that a person told while editing a report."""


class Reports:
    """What is written for authorities."""

    def __init__(self, policy: Policy, clocks: Clocks, signals: Signals) -> None:
        self._policy = policy
        self._clocks = clocks
        self._signals = signals

    async def draft_report(self, tx: Tx, request: service_pb2.DraftReportRequest) -> service_pb2.DraftReportResponse:
        """Write the report of a clock from what is known, once per language, as one revision."""
        matter, kind = await self._writable(tx, request.clock_id, report_codec.kind(request.kind))
        drafts = await self._revise(tx, matter, kind, {})
        return service_pb2.DraftReportResponse(drafts=[codec.draft_message(draft) for draft in drafts])

    async def edit_draft(self, tx: Tx, request: report_pb2.EditDraftRequest) -> report_pb2.EditDraftResponse:
        """Record what is told as facts of the incident, then write the next revision."""
        matter, kind = await self._writable(tx, request.clock_id, report_codec.kind(request.kind))
        told = codec.facts(request.fields)
        _refuse_unknown(self._form(matter), told)
        started: Sequence[str] = ()
        if told:
            facts = service_pb2.RecordFactsRequest(
                incident_id=matter.incident.incident_id, facts=request.fields, source=_SOURCE, reason=request.reason
            )
            started = (await self._signals.record_facts(tx, facts)).clock_ids
            matter = await self._clocks.locked(tx, request.clock_id)
        remark = {"zh": request.remark.zh, "en": request.remark.en} if request.HasField("remark") else {}
        drafts = await self._revise(tx, matter, kind, remark)
        return report_pb2.EditDraftResponse(drafts=[codec.draft_message(draft) for draft in drafts], clock_ids=started)

    async def approve_report(
        self, tx: Tx, request: report_pb2.ApproveReportRequest
    ) -> report_pb2.ApproveReportResponse:
        """Approve the latest revision, as somebody who did not write it."""
        matter = await self._clocks.locked(tx, request.clock_id)
        drafts = await reports.drafts_of_clock(tx.connection, request.clock_id)
        sent = await submissions.submissions_of_clock(tx.connection, request.clock_id)
        approval = approvals.approve(drafts, request.revision, sent, tx.caller.name, tx.now)
        rules.refuse_unwritable(matter.clock, drafts[-1].kind)
        if await reports.insert_approval(tx.connection, approval):
            fact = facts_pb2.ReportApproved(
                incident_id=matter.incident.incident_id,
                clock_id=approval.clock_id,
                revision=approval.revision,
                approved_by=approval.approved_by,
                approved_at=codec.timestamp(approval.approved_at),
            )
            await tx.publish(fact, key=matter.incident.incident_id)
        first = next(
            known
            for known in await reports.approvals_of_clock(tx.connection, request.clock_id)
            if known.revision == request.revision
        )
        return report_pb2.ApproveReportResponse(approval=report_codec.approval_message(first))

    async def _writable(self, tx: Tx, clock_id: str, asked: str) -> tuple[Matter, str]:
        """The clock that a report may be written for, and what kind of report it will be."""
        matter = await self._clocks.locked(tx, clock_id)
        rules.refuse_unwritable(matter.clock, asked)
        return matter, rules.kind_of(asked, await submissions.submissions_of_clock(tx.connection, clock_id))

    def _form(self, matter: Matter) -> Form:
        form = self._policy.form(matter.clock)
        if form is None or not form.templates:
            raise Refused("DRAFT_UNKNOWN", f"no loaded pack has a form for {matter.clock.obligation_id}")
        return form

    async def _revise(self, tx: Tx, matter: Matter, kind: str, remark: Mapping[str, str]) -> list[Draft]:
        """The next revision, kept and told; without a new remark that of the last one stays."""
        form = self._form(matter)
        before = await reports.drafts_of_clock(tx.connection, matter.clock.clock_id)
        remarks = remark or {draft.locale: draft.remark for draft in before}
        revision = max((draft.revision for draft in before), default=0) + 1
        facts = fact_rules.current(await incidents.facts(tx.connection, matter.incident.incident_id))
        drafts = []
        for locale, template in form.templates.items():
            told = form.facts(facts_of(matter.incident, facts), self._policy.profile, locale)
            labels = form.labels(locale)
            given = built_in(matter.clock, matter.incident, form.recipient(locale), form.zone, tx.now)
            filled = fill(template.fields, {**told, **given}, labels, locale)
            drafts.append(
                written(
                    matter.clock.clock_id, revision, locale, template.text, filled, labels, tx.now, tx.caller.name,
                    kind, remarks.get(locale, ""), drill=matter.incident.drill,
                )
            )  # fmt: skip
        for draft in drafts:
            await reports.insert_draft(tx.connection, draft)
        await _tell_drafted(tx, matter, drafts[0])
        return drafts


async def _tell_drafted(tx: Tx, matter: Matter, draft: Draft) -> None:
    fact = facts_pb2.ReportDrafted(
        incident_id=matter.incident.incident_id,
        clock_id=matter.clock.clock_id,
        revision=draft.revision,
        missing=draft.missing,
        kind=report_codec.kind_value(draft.kind),
        drafted_by=draft.drafted_by,
    )
    await tx.publish(fact, key=matter.incident.incident_id)


def _refuse_unknown(form: Form, told: Mapping[str, Json]) -> None:
    """Refuse a field that this form does not have, or that no fact fills, or a value that is not of its type."""
    fillable = form.fillable()
    for name, value in told.items():
        if name not in fillable:
            raise Refused("FIELD_UNKNOWN", f"{name} is no field of this form that a fact fills", field=f"fields.{name}")
        if not fillable[name](value):
            raise Refused("FIELD_UNKNOWN", f"{name} wants a value of another type", field=f"fields.{name}")
