"""Questions about incidents, clocks and packs."""

from collections.abc import Iterable

from candor.escalation.v1 import model_pb2, service_pb2
from candor_kit.query import Query

from candor_escalation import codec, incident_codec, oncall_codec, report_codec
from candor_escalation.answers import answering
from candor_escalation.domain.anchor import effective
from candor_escalation.domain.fact import contradictions
from candor_escalation.domain.question import CONTRADICTION, FACT, Question
from candor_escalation.domain.refusal import Refused
from candor_escalation.page_token import PAGE_SIZE, place, token
from candor_escalation.policy import Policy
from candor_escalation.store import (
    clocks,
    decisions,
    dispatches,
    incidents,
    milestones,
    pages,
    questions,
    reports,
    submissions,
)


class Queries:
    """Reads only; no incident names a person whose data was processed."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    async def get_incident(
        self, query: Query, request: service_pb2.GetIncidentRequest
    ) -> service_pb2.GetIncidentResponse:
        """One incident with everything that belongs to it."""
        identifier = request.incident_id
        incident = await incidents.find(query.connection, identifier)
        if incident is None:
            raise Refused("INCIDENT_UNKNOWN", "there is no such incident", field="incident_id")
        reached = await milestones.of_incident(query.connection, identifier)
        running = await clocks.of_incident(query.connection, identifier)
        history = await clocks.revisions(query.connection, identifier)
        facts = await incidents.facts(query.connection, identifier)
        disputed = contradictions(facts)
        anchors = await incidents.anchors(query.connection, identifier)
        asked = await questions.of_incident(query.connection, identifier)
        approvals = await reports.approvals_of_incident(query.connection, identifier)
        proposals = await decisions.waiting(query.connection, identifier)
        sent = await dispatches.of_incident(query.connection, identifier)
        return service_pb2.GetIncidentResponse(
            incident=codec.incident_message(incident),
            facts=[codec.fact_message(fact, disputed) for fact in facts],
            clocks=[
                codec.clock_message(clock, reached, incident_codec.history_of(clock.clock_id, history))
                for clock in running
            ],
            pages=[
                oncall_codec.page_message(page, sent.get(page.page_id, ()))
                for page in await pages.of_incident(query.connection, identifier)
            ],
            drafts=[
                codec.draft_message(draft, approvals)
                for draft in await reports.drafts_of_incident(query.connection, identifier)
            ],
            submissions=[
                codec.submission_message(submission)
                for submission in await submissions.submissions_of_incident(query.connection, identifier)
            ],
            anchors=incident_codec.anchor_messages(anchors, effective(anchors)),
            questions=self._asked(asked),
            proposals=[report_codec.proposal_message(proposal, None) for proposal in proposals],
        )

    async def list_incidents(
        self, query: Query, request: service_pb2.ListIncidentsRequest
    ) -> service_pb2.ListIncidentsResponse:
        """Incidents, the latest in front."""
        limit = request.page_size or PAGE_SIZE
        before = place(request.page_token)
        found = await incidents.latest(query.connection, open_only=request.open_only, limit=limit + 1, before=before)
        shown = found[:limit]
        return service_pb2.ListIncidentsResponse(
            incidents=[codec.incident_message(incident) for incident in shown],
            next_page_token=token(shown[-1].opened_at, shown[-1].incident_id) if len(found) > limit else "",
        )

    async def list_clocks(self, query: Query, request: service_pb2.ListClocksRequest) -> service_pb2.ListClocksResponse:
        """Clocks, the one that falls due first in front."""
        limit = request.page_size or PAGE_SIZE
        after = place(request.page_token)
        found = await clocks.by_due(query.connection, running_only=request.running_only, limit=limit + 1, after=after)
        shown = found[:limit]
        reached = await milestones.of_clocks(query.connection, [clock.clock_id for clock in shown])
        return service_pb2.ListClocksResponse(
            clocks=[codec.clock_message(clock, reached) for clock in shown],
            next_page_token=token(shown[-1].strict_due, shown[-1].clock_id) if len(found) > limit else "",
        )

    async def list_questions(
        self, query: Query, request: service_pb2.ListQuestionsRequest
    ) -> service_pb2.ListQuestionsResponse:
        """What the duty officer has to find out, the oldest question in front."""
        limit = request.page_size or PAGE_SIZE
        found = await questions.page(
            query.connection,
            incident_id=request.incident_id,
            open_only=request.open_only,
            limit=limit + 1,
            after=place(request.page_token),
        )
        shown = found[:limit]
        return service_pb2.ListQuestionsResponse(
            questions=self._asked(shown),
            next_page_token=token(shown[-1].asked_at, shown[-1].question_id) if len(found) > limit else "",
        )

    async def list_packs(self, query: Query, request: service_pb2.ListPacksRequest) -> service_pb2.ListPacksResponse:
        """The packs that are loaded."""
        del query, request
        return service_pb2.ListPacksResponse(packs=[codec.pack_message(pack) for pack in self._policy.packs])

    def _asked(self, asked: Iterable[Question]) -> list[model_pb2.Question]:
        """Questions with how each is answered."""
        return [
            incident_codec.question_message(
                question,
                answering(self._policy.packs, question.name) if question.kind in {FACT, CONTRADICTION} else None,
            )
            for question in asked
        ]
