"""Which RPC is which handler or question."""

from candor.escalation.v1 import (
    act_pb2,
    disposal_pb2,
    drill_pb2,
    notice_pb2,
    oncall_pb2,
    register_pb2,
    report_pb2,
    service_pb2,
)
from candor.rights.v1 import holder_pb2
from candor_kit.api import Api

from candor_escalation import drill_queries
from candor_escalation.disposal_queries import DisposalQueries
from candor_escalation.handlers import acts
from candor_escalation.handlers.complaints import Complaints
from candor_escalation.handlers.decisions import Decisions
from candor_escalation.handlers.disposals import Disposals
from candor_escalation.handlers.drills import Drills
from candor_escalation.handlers.notices import Notices
from candor_escalation.handlers.oncall import OnCallDesk
from candor_escalation.handlers.pages import Pages
from candor_escalation.handlers.proposals import Proposals
from candor_escalation.handlers.registers import Registers
from candor_escalation.handlers.reports import Reports
from candor_escalation.handlers.signals import Signals
from candor_escalation.handlers.submissions import Submissions
from candor_escalation.notice_queries import NoticeQueries
from candor_escalation.queries import Queries
from candor_escalation.register_queries import RegisterQueries
from candor_escalation.report_queries import ReportQueries


def escalation_api(
    signals: Signals, pages: Pages, reports: Reports, submissions: Submissions, decisions: Decisions, queries: Queries
) -> Api:
    """EscalationService."""
    return Api(
        service_pb2.DESCRIPTOR.services_by_name["EscalationService"],
        commands={
            "ReportSignal": signals.report_signal,
            "RecordFacts": signals.record_facts,
            "AcknowledgePage": pages.acknowledge_page,
            "DraftReport": reports.draft_report,
            "RecordSubmission": submissions.record_submission,
            "RecordReceipt": submissions.record_receipt,
            "DecideNotToReport": decisions.decide_not_to_report,
            "CorrectAnchor": signals.correct_anchor,
            "DisputeAnchor": signals.dispute_anchor,
            "CloseIncident": signals.close_incident,
        },
        queries={
            "GetIncident": queries.get_incident,
            "ListIncidents": queries.list_incidents,
            "ListClocks": queries.list_clocks,
            "ListPacks": queries.list_packs,
            "ListQuestions": queries.list_questions,
        },
    )


def report_api(reports: Reports, decisions: Decisions, queries: ReportQueries) -> Api:
    """ReportService."""
    return Api(
        report_pb2.DESCRIPTOR.services_by_name["ReportService"],
        commands={
            "EditDraft": reports.edit_draft,
            "ApproveReport": reports.approve_report,
            "ProposeNotToReport": decisions.propose_not_to_report,
            "ApproveNotToReport": decisions.approve_not_to_report,
        },
        queries={
            "GetReport": queries.get_report,
            "CompareDrafts": queries.compare_drafts,
            "ListChannels": queries.list_channels,
        },
        streams={"GetReportFile": queries.get_report_file},
    )


def register_api(registers: Registers, queries: RegisterQueries) -> Api:
    """RegisterService."""
    return Api(
        register_pb2.DESCRIPTOR.services_by_name["RegisterService"],
        commands={
            "RecordEntry": registers.record_entry,
            "ReportServiceEvent": registers.report_service_event,
            "ReleaseModel": registers.release_model,
            "ScreenTransfer": registers.screen_transfer,
            "DecideTransfer": registers.decide_transfer,
            "RecordOrder": registers.record_order,
        },
        queries={
            "CheckRelease": queries.check_release,
            "ListEntries": queries.list_entries,
            "GetEntry": queries.get_entry,
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


def notice_api(notices: Notices, queries: NoticeQueries) -> Api:
    """NoticeService."""
    return Api(
        notice_pb2.DESCRIPTOR.services_by_name["NoticeService"],
        commands={
            "SubmitNotice": notices.submit_notice,
            "DecideNotice": notices.decide_notice,
            "AcknowledgeNotice": notices.acknowledge_notice,
        },
        queries={
            "GetNoticeTexts": queries.get_texts,
            "GetNotice": queries.get_notice,
            "ListNotices": queries.list_notices,
        },
    )


def oncall_api(desk: OnCallDesk) -> Api:
    """OnCallService."""
    return Api(
        oncall_pb2.DESCRIPTOR.services_by_name["OnCallService"],
        commands={"OverrideOnCall": desk.override_on_call, "EndOverride": desk.end_override},
        queries={"WhoIsOnCall": desk.who_is_on_call, "ListShifts": desk.list_shifts},
    )


def drill_api(drills: Drills) -> Api:
    """DrillService."""
    return Api(
        drill_pb2.DESCRIPTOR.services_by_name["DrillService"],
        commands={"StartDrill": drills.start_drill, "EndDrill": drills.end_drill},
        queries={"GetDrill": drill_queries.get_drill, "ListDrills": drill_queries.list_drills},
    )


def act_api() -> Api:
    """ActService: what was done in an incident."""
    return Api(
        act_pb2.DESCRIPTOR.services_by_name["ActService"],
        queries={
            "ListActs": acts.list_acts,
            "ListLatestActs": acts.list_latest_acts,
            "ListNotes": acts.list_notes,
        },
    )
