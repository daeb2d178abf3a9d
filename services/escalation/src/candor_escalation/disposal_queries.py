"""Questions about disposals and complaints, what a person is given of them, and the reports."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import datetime

from candor.escalation.v1 import disposal_pb2
from candor.rights.v1 import holder_pb2
from candor_kit.errors import EDGE
from candor_kit.query import Query

from candor_escalation import codec, disposal_codec
from candor_escalation.domain import ladder, statement, transparency
from candor_escalation.domain.complaint import OPEN_MONTHS
from candor_escalation.domain.refusal import Refused
from candor_escalation.notice_queries import NoticeQueries
from candor_escalation.page_token import PAGE_SIZE, place, token
from candor_escalation.sealing import Sealing, open_texts, open_words
from candor_escalation.store import (
    complaints,
    disposal_asks,
    disposal_counts,
    disposal_texts,
    disposals,
    public_statements,
)
from candor_escalation.store.disposals import Stored


class DisposalQueries:
    """Reads only. What names a person is opened only where the RPC records who looks."""

    def __init__(self, sealing: Sealing, notices: NoticeQueries, answer_days: int) -> None:
        self._sealing = sealing
        self._notices = notices
        self._answer_days = answer_days

    async def propose_sanction(
        self, query: Query, request: disposal_pb2.ProposeSanctionRequest
    ) -> disposal_pb2.ProposeSanctionResponse:
        """What the ladder proposes, and what is proposed about abuse."""
        pseudonym = self._sealing.subjects.pseudonym(request.subject)
        history = await disposals.sanctions_of(query.connection, pseudonym)
        serious = request.severity == disposal_pb2.SANCTION_SEVERITY_SERIOUS
        proposed = ladder.propose(history, serious=serious, now=query.now)
        since = query.now - ladder.COUNTED
        unfounded = await complaints.count_unfounded(query.connection, pseudonym, since)
        abuse = ladder.propose_about_abuse(unfounded, history, query.now)
        return disposal_pb2.ProposeSanctionResponse(
            measure=disposal_codec.wire_measure(proposed.measure),
            until=codec.timestamp(proposed.until),
            earlier=proposed.earlier,
            citation=ladder.CITATION,
            unfounded=unfounded,
            abuse=disposal_codec.wire_measure(abuse or ""),
        )

    async def get_statement(
        self, query: Query, request: disposal_pb2.GetStatementOfReasonsRequest
    ) -> disposal_pb2.GetStatementOfReasonsResponse:
        """The text for the user.

        Source: DSA 17
        """
        text = await disposal_texts.text(query.connection, request.statement_id)
        stored = await disposals.find(query.connection, text.disposal_id) if text else None
        key = await self._sealing.key_of(query.connection, stored) if stored else None
        texts = open_texts(key, text) if text and key else None
        if text is None or texts is None:
            raise Refused("DISPOSAL_UNKNOWN", "there is no such statement", field="statement_id")
        return disposal_pb2.GetStatementOfReasonsResponse(disposal_id=text.disposal_id, zh=texts.zh, en=texts.en)

    async def get_disposal(
        self, query: Query, request: disposal_pb2.GetDisposalRequest
    ) -> disposal_pb2.GetDisposalResponse:
        """One disposal with everything that belongs to it, without whom it is about."""
        stored = await disposals.find(query.connection, request.disposal_id)
        if stored is None:
            raise Refused("DISPOSAL_UNKNOWN", "there is no such disposal", field="disposal_id")
        complaint = await complaints.of_disposal(query.connection, request.disposal_id)
        asks = await disposal_asks.of_disposal(query.connection, request.disposal_id)
        disputes = await disposal_texts.disputes(query.connection, request.disposal_id)
        public = await public_statements.find(query.connection, request.disposal_id)
        return disposal_pb2.GetDisposalResponse(
            disposal=disposal_codec.stored_message(stored),
            asks=[disposal_codec.ask_message(ask) for ask in asks],
            complaints=[disposal_codec.complaint_message(complaint.complaint)] if complaint else [],
            out_of_court=[disposal_codec.dispute_message(dispute) for dispute in disputes],
            public_receipt=disposal_codec.public_message(public),
        )

    async def list_disposals(
        self, query: Query, request: disposal_pb2.ListDisposalsRequest
    ) -> disposal_pb2.ListDisposalsResponse:
        """Disposals, the latest in front."""
        limit = request.page_size or PAGE_SIZE
        found = await disposals.latest(
            query.connection,
            needs_attention=request.needs_attention,
            limit=limit + 1,
            before=place(request.page_token),
        )
        shown = found[:limit]
        last = shown[-1].disposal if len(found) > limit else None
        return disposal_pb2.ListDisposalsResponse(
            disposals=[disposal_codec.stored_message(stored) for stored in shown],
            next_page_token=token(last.decided_at, last.disposal_id) if last else "",
        )

    async def list_proposals(
        self, query: Query, _request: disposal_pb2.ListDisposalProposalsRequest
    ) -> disposal_pb2.ListDisposalProposalsResponse:
        """What waits for a person."""
        found = await complaints.open_proposals(query.connection)
        return disposal_pb2.ListDisposalProposalsResponse(
            proposals=[disposal_codec.proposal_message(proposal) for proposal in found]
        )

    async def get_complaint(
        self, query: Query, request: disposal_pb2.GetComplaintRequest
    ) -> disposal_pb2.GetComplaintResponse:
        """One complaint with the user's words and what the disposal rests on."""
        found = await complaints.find(query.connection, request.complaint_id)
        if found is None:
            raise Refused("COMPLAINT_UNKNOWN", "there is no such complaint", field="complaint_id")
        stored = await disposals.find(query.connection, found.complaint.disposal_id)
        key = await self._sealing.key_of(query.connection, stored) if stored else None
        matter = await self._sealing.matter(query.connection, stored) if stored else None
        return disposal_pb2.GetComplaintResponse(
            complaint=disposal_codec.complaint_message(found.complaint),
            subject=matter.subject if matter else "",
            statement=open_words(key, request.complaint_id, "statement", found.sealed),
            reasons=open_words(key, request.complaint_id, "reasons", found.sealed_reasons),
            disposal_facts=matter.facts if matter else "",
            disposal_reason=matter.reason if matter else "",
        )

    async def list_complaints(
        self, query: Query, request: disposal_pb2.ListComplaintsRequest
    ) -> disposal_pb2.ListComplaintsResponse:
        """Complaints, those due first in front."""
        found = await complaints.listed(query.connection, open_only=request.open_only)
        return disposal_pb2.ListComplaintsResponse(
            complaints=[disposal_codec.complaint_message(complaint) for complaint in found]
        )

    async def get_procedure(
        self, query: Query, request: disposal_pb2.GetComplaintProcedureRequest
    ) -> disposal_pb2.GetComplaintProcedureResponse:
        """How to complain, and by when it is answered."""
        del query, request
        texts = statement.of_procedure(self._answer_days)
        return disposal_pb2.GetComplaintProcedureResponse(
            zh=texts.zh, en=texts.en, open_months=OPEN_MONTHS, answer_days=self._answer_days
        )

    async def export_report(
        self, query: Query, request: disposal_pb2.ExportDisposalReportRequest
    ) -> AsyncIterator[disposal_pb2.ExportDisposalReportResponse]:
        """The transparency report or the annual summary, in pieces."""
        start, end = codec.instant(getattr(request, "from")), codec.instant(request.to)
        if end <= start:
            raise EDGE.refusal("INVALID_FIELD", "must be later than from", field="to")
        record = await disposal_counts.record(query.connection, start, end)
        for piece in _pieces(record, request):
            yield disposal_pb2.ExportDisposalReportResponse(content=piece)

    async def export(self, query: Query, request: holder_pb2.ExportRequest) -> AsyncIterator[holder_pb2.ExportResponse]:
        """Everything held about a person: disposals with what they were told, complaints, notices, proposals, counts.

        What is restricted is not exported (PIPL 47).

        Source: PIPL 45
        """
        pseudonym = self._sealing.subjects.pseudonym(request.subject)
        for stored in await disposals.of_person(query.connection, pseudonym):
            async for item in self._export_one(query, stored):
                yield item
        async for item in self._notices.export(query, pseudonym):
            yield item
        for proposal in await complaints.proposals_of_person(query.connection, pseudonym):
            fields = {"generation_id": proposal.generation_id, "sanction": proposal.sanction, "state": proposal.state}
            yield _item("disposal_proposal", proposal.proposal_id, proposal.proposed_at, fields)
        for number, reference, at in await complaints.unfounded_of_person(query.connection, pseudonym):
            yield _item("unfounded_notice", str(number), at, {"reference": reference})

    async def _export_one(self, query: Query, stored: Stored) -> AsyncIterator[holder_pb2.ExportResponse]:
        disposal = stored.disposal
        key = await self._sealing.key_of(query.connection, stored)
        matter = await self._sealing.matter(query.connection, stored)
        if key is None or matter is None:
            return
        fields = {
            "measure": disposal.measure.value,
            "state": disposal.state,
            "product": disposal.product,
            "generation_id": disposal.generation_id,
            "functions": list(disposal.functions),
            "until": disposal.until.isoformat() if disposal.until else None,
            "legal_basis": disposal.legal_basis,
            "facts": matter.facts,
            "reason": matter.reason,
            "departure": matter.departure,
        }
        yield _item("disposal", disposal.disposal_id, disposal.decided_at, fields)
        for text in await disposal_texts.texts_of(query.connection, disposal.disposal_id):
            texts = open_texts(key, text)
            if texts is not None:
                yield _item("disposal_statement", text.statement_id, text.made_at, {"zh": texts.zh, "en": texts.en})
        found = await complaints.of_disposal(query.connection, disposal.disposal_id)
        if found is not None:
            identifier = found.complaint.complaint_id
            words = {
                "statement": open_words(key, identifier, "statement", found.sealed),
                "outcome": found.complaint.outcome,
                "reasons": open_words(key, identifier, "reasons", found.sealed_reasons),
            }
            yield _item("complaint", identifier, found.complaint.filed_at, words)


def _pieces(record: transparency.Record, request: disposal_pb2.ExportDisposalReportRequest) -> Iterator[bytes]:
    annual = request.kind == disposal_pb2.DISPOSAL_REPORT_KIND_CN_ANNUAL
    lines = transparency.cn_annual(record) if annual else transparency.dsa(record)
    if request.format == disposal_pb2.DISPOSAL_REPORT_FORMAT_CSV:
        return transparency.csv_pieces(lines)
    title, language = ("处置与投诉年度汇总", "zh") if annual else ("DSA transparency report", "en")
    return transparency.html_pieces(lines, title, language)


def _item(kind: str, identifier: str, at: datetime, fields: Mapping[str, object]) -> holder_pb2.ExportResponse:
    item = holder_pb2.ExportResponse(
        kind=kind, item_id=identifier, json=json.dumps(fields, ensure_ascii=False).encode()
    )
    item.occurred_at.FromDatetime(at)
    return item
