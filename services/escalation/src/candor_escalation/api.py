"""Which RPC is which handler or question."""

from candor.escalation.v1 import disposal_pb2, service_pb2
from candor.rights.v1 import holder_pb2
from candor_kit.api import Api

from candor_escalation.disposal_queries import DisposalQueries
from candor_escalation.handlers.complaints import Complaints
from candor_escalation.handlers.disposals import Disposals
from candor_escalation.handlers.pages import Pages
from candor_escalation.handlers.proposals import Proposals
from candor_escalation.handlers.reports import Reports
from candor_escalation.handlers.signals import Signals
from candor_escalation.queries import Queries


def escalation_api(signals: Signals, pages: Pages, reports: Reports, queries: Queries) -> Api:
    """EscalationService."""
    return Api(
        service_pb2.DESCRIPTOR.services_by_name["EscalationService"],
        commands={
            "ReportSignal": signals.report_signal,
            "RecordFacts": signals.record_facts,
            "AcknowledgePage": pages.acknowledge_page,
            "DraftReport": reports.draft_report,
            "RecordSubmission": reports.record_submission,
            "RecordReceipt": reports.record_receipt,
            "DecideNotToReport": reports.decide_not_to_report,
        },
        queries={
            "GetIncident": queries.get_incident,
            "ListIncidents": queries.list_incidents,
            "ListClocks": queries.list_clocks,
            "ListPacks": queries.list_packs,
        },
    )


def holder_api(queries: DisposalQueries) -> Api:
    """DataHolderService: what this service holds about a person."""
    return Api(holder_pb2.DESCRIPTOR.services_by_name["DataHolderService"], streams={"Export": queries.export})


def disposal_api(disposals: Disposals, complaints: Complaints, proposals: Proposals, queries: DisposalQueries) -> Api:
    """DisposalService."""
    return Api(
        disposal_pb2.DESCRIPTOR.services_by_name["DisposalService"],
        commands={
            "OrderDisposal": disposals.order_disposal,
            "ImposeSanction": disposals.impose_sanction,
            "AcknowledgeDisposal": disposals.acknowledge_disposal,
            "DismissDisposalProposal": proposals.dismiss_proposal,
            "FileComplaint": complaints.file_complaint,
            "DecideComplaint": complaints.decide_complaint,
            "RecordOutOfCourt": disposals.record_out_of_court,
            "RecordUnfoundedNotice": complaints.record_unfounded_notice,
        },
        queries={
            "ProposeSanction": queries.propose_sanction,
            "GetStatementOfReasons": queries.get_statement,
            "GetDisposal": queries.get_disposal,
            "ListDisposals": queries.list_disposals,
            "ListDisposalProposals": queries.list_proposals,
            "GetComplaint": queries.get_complaint,
            "ListComplaints": queries.list_complaints,
            "GetComplaintProcedure": queries.get_procedure,
        },
        streams={"ExportDisposalReport": queries.export_report},
    )
