"""Protobuf to domain and back, for disposals, complaints and public statements."""

from dataclasses import dataclass
from datetime import datetime

from candor.escalation.v1 import disposal_pb2, facts_pb2

from candor_escalation import codec
from candor_escalation.domain.complaint import Complaint
from candor_escalation.domain.disposal import Act, Ask, Disposal, Measure
from candor_escalation.domain.public_statement import Told
from candor_escalation.store.complaints import Proposal
from candor_escalation.store.disposal_texts import Dispute
from candor_escalation.store.disposals import Stored
from candor_escalation.store.public_statements import Public

_DISPOSAL, _ASK, _ACT = "DISPOSAL_STATE_", "ASK_STATE_", "DISPOSAL_ACT_"
_MEASURE, _OUTCOME, _EXEMPTION = "MEASURE_", "COMPLAINT_OUTCOME_", "STATEMENT_EXEMPTION_"


@dataclass(frozen=True)
class Grounds:
    """On what a person rests a decision."""

    legal_basis: str
    facts: str
    reason: str
    automated_detection: bool
    notice_source: str
    exemption: str
    incident_id: str
    proposal_id: str
    notice_id: str = ""


def measure(value: disposal_pb2.Measure.ValueType) -> Measure:
    """A measure; it must not be unspecified."""
    return Measure(disposal_pb2.Measure.Name(value).removeprefix(_MEASURE).lower())


def wire_measure(value: str) -> disposal_pb2.Measure.ValueType:
    """A measure on the wire; unspecified for none."""
    return disposal_pb2.Measure.Value(f"{_MEASURE}{value.upper() or 'UNSPECIFIED'}")


def ask_state(value: disposal_pb2.AskState.ValueType) -> str:
    """What a backend answers."""
    return disposal_pb2.AskState.Name(value).removeprefix(_ASK).lower()


def wire_ask_state(state: str) -> disposal_pb2.AskState.ValueType:
    """How an ask stands, on the wire."""
    return disposal_pb2.AskState.Value(f"{_ASK}{state.upper()}")


def wire_state(state: str) -> disposal_pb2.DisposalState.ValueType:
    """How a disposal stands, on the wire."""
    return disposal_pb2.DisposalState.Value(f"{_DISPOSAL}{state.upper()}")


def outcome(value: disposal_pb2.ComplaintOutcome.ValueType) -> str:
    """What is decided on a complaint."""
    return disposal_pb2.ComplaintOutcome.Name(value).removeprefix(_OUTCOME).lower()


def until(request: disposal_pb2.ImposeSanctionRequest) -> datetime | None:
    """The end of a sanction, if it has one."""
    return codec.instant(request.until) if request.HasField("until") else None


def grounds(told: disposal_pb2.Grounds) -> Grounds:
    """On what a person rests a decision."""
    name = disposal_pb2.StatementExemption.Name(told.exemption).removeprefix(_EXEMPTION).lower()
    return Grounds(
        legal_basis=told.legal_basis,
        facts=told.facts,
        reason=told.reason,
        automated_detection=told.automated_detection,
        notice_source=told.notice_source,
        exemption="" if name == "unspecified" else name,
        incident_id=told.incident_id,
        proposal_id=told.proposal_id,
        notice_id=told.notice_id,
    )


def told(statement: disposal_pb2.PublicStatement) -> Told:
    """What a person states for the public."""
    return Told(
        decision_ground=statement.decision_ground,
        legal_ground=statement.legal_ground,
        explanation=statement.explanation,
        also_illegal=statement.also_illegal,
        reference_url=statement.decision_ground_reference_url,
        content_type=tuple(statement.content_type),
        content_type_other=statement.content_type_other,
        category=statement.category,
        category_addition=tuple(statement.category_addition),
        category_specification=tuple(statement.category_specification),
        category_specification_other=statement.category_specification_other,
        content_date=statement.content_date,
        decision_facts=statement.decision_facts,
        source_type=statement.source_type,
        source_identity=statement.source_identity,
        automated_decision=statement.automated_decision,
        territorial_scope=tuple(statement.territorial_scope),
        content_language=statement.content_language,
        account_type=statement.account_type,
    )


def disposal_message(disposal: Disposal, *, needs_attention: bool = False) -> disposal_pb2.Disposal:
    """A disposal on the wire, without whom it is about."""
    return disposal_pb2.Disposal(
        disposal_id=disposal.disposal_id,
        measure=wire_measure(disposal.measure),
        state=wire_state(disposal.state),
        product=disposal.product,
        generation_id=disposal.generation_id,
        model=disposal.model,
        of_person=disposal.of_person,
        functions=disposal.functions,
        until=codec.timestamp(disposal.until),
        legal_basis=disposal.legal_basis,
        decided_by=disposal.decided_by,
        decided_at=codec.timestamp(disposal.decided_at),
        ended_at=codec.timestamp(disposal.ended_at),
        incident_id=disposal.incident_id,
        restricted_until=codec.timestamp(disposal.restricted_until),
        needs_attention=needs_attention,
        notice_id=disposal.notice_id,
    )


def stored_message(stored: Stored) -> disposal_pb2.Disposal:
    """A disposal on the wire, and whether a person must look after its asks."""
    return disposal_message(stored.disposal, needs_attention=stored.needs_attention)


def wire_act(act: Act) -> disposal_pb2.DisposalAct.ValueType:
    """What is asked, on the wire."""
    return disposal_pb2.DisposalAct.Value(f"{_ACT}{act.upper()}")


def ask_message(ask: Ask) -> disposal_pb2.DisposalAsk:
    """An ask on the wire."""
    return disposal_pb2.DisposalAsk(
        ask_id=ask.ask_id,
        act=wire_act(ask.act),
        state=wire_ask_state(ask.state),
        attempts=ask.attempts,
        asked_at=codec.timestamp(ask.asked_at),
        answer_by=codec.timestamp(ask.answer_by),
        answered_at=codec.timestamp(ask.answered_at),
        evidence=ask.evidence,
        overdue=ask.overdue,
        statement_id=ask.statement_id,
    )


def asked(disposal: Disposal, ask: Ask, subject: str) -> facts_pb2.DisposalAsked:
    """The ask as a fact."""
    return facts_pb2.DisposalAsked(
        ask_id=ask.ask_id,
        disposal_id=disposal.disposal_id,
        act=wire_act(ask.act),
        measure=wire_measure(disposal.measure),
        product=disposal.product,
        generation_id=disposal.generation_id,
        model=disposal.model,
        subject=subject,
        functions=disposal.functions,
        until=codec.timestamp(disposal.until),
        statement_id=ask.statement_id,
        attempt=ask.attempts,
        answer_by=codec.timestamp(ask.answer_by),
        notice_id=disposal.notice_id,
    )


def complaint_message(complaint: Complaint) -> disposal_pb2.Complaint:
    """A complaint on the wire, without what the user says."""
    return disposal_pb2.Complaint(
        complaint_id=complaint.complaint_id,
        disposal_id=complaint.disposal_id,
        filed_at=codec.timestamp(complaint.filed_at),
        answer_by=codec.timestamp(complaint.answer_by),
        outcome=disposal_pb2.ComplaintOutcome.Value(f"{_OUTCOME}{complaint.outcome.upper() or 'UNSPECIFIED'}"),
        decided_by=complaint.decided_by,
        decided_at=codec.timestamp(complaint.decided_at),
        manifestly_unfounded=complaint.manifestly_unfounded,
    )


def dispute_message(dispute: Dispute) -> disposal_pb2.OutOfCourt:
    """What an out-of-court body was asked, on the wire."""
    return disposal_pb2.OutOfCourt(
        body=dispute.body,
        reference=dispute.reference,
        finding=dispute.finding,
        recorded_at=codec.timestamp(dispute.recorded_at),
    )


def public_message(public: Public | None) -> disposal_pb2.PublicReceipt | None:
    """The receipt of the DSA Transparency Database, on the wire; None where nothing is sent there."""
    if public is None:
        return None
    return disposal_pb2.PublicReceipt(
        state=public.state,
        uuid=public.uuid,
        permalink=public.permalink,
        received_at=codec.timestamp(public.received_at),
        attempts=public.attempts,
        last_error=public.last_error,
    )


def proposal_message(proposal: Proposal) -> disposal_pb2.DisposalProposal:
    """A proposal on the wire, without whom it is about."""
    return disposal_pb2.DisposalProposal(
        proposal_id=proposal.proposal_id,
        generation_id=proposal.generation_id,
        product=proposal.product,
        categories=proposal.categories,
        disposal=wire_measure(proposal.disposal),
        sanction=wire_measure(proposal.sanction),
        proposed_at=codec.timestamp(proposal.proposed_at),
        state=proposal.state,
    )
