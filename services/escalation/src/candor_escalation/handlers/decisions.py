"""The decision not to report: proposed by one person, approved by another in their own name."""

from candor.escalation.v1 import facts_pb2, report_pb2, service_pb2
from candor_kit.transaction import Tx

from candor_escalation import codec, report_codec
from candor_escalation.domain import decision as rules
from candor_escalation.domain.clock import NOT_REPORTED, Clock, refuse_stopped
from candor_escalation.domain.decision import Proposal
from candor_escalation.domain.refusal import Refused
from candor_escalation.handlers.clocks import Clocks, Matter
from candor_escalation.store import decisions


class Decisions:
    """What stops a clock without a report."""

    def __init__(self, clocks: Clocks) -> None:
        self._clocks = clocks

    async def propose_not_to_report(
        self, tx: Tx, request: report_pb2.ProposeNotToReportRequest
    ) -> report_pb2.ProposeNotToReportResponse:
        """Propose not to report. The clock runs on."""
        matter = await self._running(tx, request.clock_id)
        proposal = await self._propose(tx, matter, request.reason, "")
        return report_pb2.ProposeNotToReportResponse(proposal=report_codec.proposal_message(proposal, None))

    async def approve_not_to_report(
        self, tx: Tx, request: report_pb2.ApproveNotToReportRequest
    ) -> report_pb2.ApproveNotToReportResponse:
        """Approve the latest proposal as another person, which stops the clock."""
        proposal = await decisions.proposal(tx.connection, request.proposal_id)
        if proposal is None:
            raise Refused("PROPOSAL_UNKNOWN", "there is no such proposal", field="proposal_id")
        matter = await self._running(tx, proposal.clock_id)
        clock = await self._approve(tx, matter, proposal)
        decision = await decisions.decision(tx.connection, proposal.clock_id)
        return report_pb2.ApproveNotToReportResponse(
            state=codec.clock_state(clock.state), proposal=report_codec.proposal_message(proposal, decision)
        )

    async def decide_not_to_report(
        self, tx: Tx, request: service_pb2.DecideNotToReportRequest
    ) -> service_pb2.DecideNotToReportResponse:
        """Propose not to report and name who is asked to approve; or, as the one asked, approve by naming the proposer.

        That somebody is named proves nothing: only their own call does. Until then the clock runs.
        """
        matter = await self._running(tx, request.clock_id)
        latest = await decisions.latest_proposal(tx.connection, request.clock_id)
        if latest is not None and rules.answers(latest, tx.caller.name, request.approved_by):
            clock = await self._approve(tx, matter, latest)
            return service_pb2.DecideNotToReportResponse(state=codec.clock_state(clock.state))
        await self._propose(tx, matter, request.reason, request.approved_by)
        return service_pb2.DecideNotToReportResponse(state=codec.clock_state(matter.clock.state))

    async def _running(self, tx: Tx, clock_id: str) -> Matter:
        matter = await self._clocks.locked(tx, clock_id)
        refuse_stopped(matter.clock)
        return matter

    async def _propose(self, tx: Tx, matter: Matter, reason: str, asked: str) -> Proposal:
        proposal = rules.propose(tx.new_id(), matter.clock.clock_id, reason, tx.caller.name, tx.now, asked)
        await decisions.insert_proposal(tx.connection, proposal)
        fact = facts_pb2.NotReportingProposed(
            incident_id=matter.incident.incident_id,
            clock_id=proposal.clock_id,
            proposal_id=proposal.proposal_id,
            reason=proposal.reason,
            proposed_by=proposal.proposed_by,
        )
        await tx.publish(fact, key=matter.incident.incident_id)
        return proposal

    async def _approve(self, tx: Tx, matter: Matter, proposal: Proposal) -> Clock:
        latest = await decisions.latest_proposal(tx.connection, proposal.clock_id)
        decision = rules.approve(proposal, latest, tx.caller.name, tx.now)
        await decisions.insert_decision(tx.connection, decision)
        fact = facts_pb2.NotReportingDecided(
            incident_id=matter.incident.incident_id,
            clock_id=decision.clock_id,
            reason=decision.reason,
            decided_by=decision.decided_by,
            approved_by=decision.approved_by,
        )
        await tx.publish(fact, key=matter.incident.incident_id)
        return await self._clocks.stop(tx, matter, NOT_REPORTED)
