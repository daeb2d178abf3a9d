"""The RPCs that the pages use. Who may call them stands in the protos; a page asks the RPC and repeats no role."""

from candor.edge.v1 import views_pb2
from candor.escalation.v1 import act_pb2 as act
from candor.escalation.v1 import disposal_pb2 as disposal
from candor.escalation.v1 import oncall_pb2 as oncall
from candor.escalation.v1 import register_pb2 as register
from candor.escalation.v1 import report_pb2 as report
from candor.escalation.v1 import service_pb2 as escalation
from candor.generation.v1 import review_pb2 as review
from candor.generation.v1 import service_pb2 as generation
from candor.refutation.v1 import service_pb2 as refutation
from candor.rights.v1 import service_pb2 as rights

from candor_console.calls import Rpc

_RIGHTS = rights.DESCRIPTOR.services_by_name["RightsService"].methods_by_name
_ESCALATION = escalation.DESCRIPTOR.services_by_name["EscalationService"].methods_by_name
_ACT = act.DESCRIPTOR.services_by_name["ActService"].methods_by_name
_REPORT = report.DESCRIPTOR.services_by_name["ReportService"].methods_by_name
_ONCALL = oncall.DESCRIPTOR.services_by_name["OnCallService"].methods_by_name
_DISPOSAL = disposal.DESCRIPTOR.services_by_name["DisposalService"].methods_by_name
_REGISTER = register.DESCRIPTOR.services_by_name["RegisterService"].methods_by_name
_GENERATION = generation.DESCRIPTOR.services_by_name["GenerationService"].methods_by_name
_REVIEW = review.DESCRIPTOR.services_by_name["ReviewService"].methods_by_name
_REFUTATION = refutation.DESCRIPTOR.services_by_name["RefutationService"].methods_by_name
_VIEWS = views_pb2.DESCRIPTOR.services_by_name["ViewService"].methods_by_name

SERVICES = ("consent", "rights", "generation", "refutation", "escalation")

LIST_REQUESTS = Rpc("rights", _RIGHTS["ListRequests"], rights.ListRequestsRequest, rights.ListRequestsResponse)
GET_REQUEST = Rpc("rights", _RIGHTS["GetRequest"], rights.GetRequestRequest, rights.GetRequestResponse)

LIST_CLOCKS = Rpc("escalation", _ESCALATION["ListClocks"], escalation.ListClocksRequest, escalation.ListClocksResponse)
LIST_INCIDENTS = Rpc(
    "escalation", _ESCALATION["ListIncidents"], escalation.ListIncidentsRequest, escalation.ListIncidentsResponse
)
GET_INCIDENT = Rpc(
    "escalation", _ESCALATION["GetIncident"], escalation.GetIncidentRequest, escalation.GetIncidentResponse
)
RECORD_FACTS = Rpc(
    "escalation", _ESCALATION["RecordFacts"], escalation.RecordFactsRequest, escalation.RecordFactsResponse
)
LIST_ACTS = Rpc("escalation", _ACT["ListActs"], act.ListActsRequest, act.ListActsResponse)
LIST_LATEST_ACTS = Rpc("escalation", _ACT["ListLatestActs"], act.ListLatestActsRequest, act.ListLatestActsResponse)
LIST_NOTES = Rpc("escalation", _ACT["ListNotes"], act.ListNotesRequest, act.ListNotesResponse)
ACKNOWLEDGE_PAGE = Rpc(
    "escalation", _ESCALATION["AcknowledgePage"], escalation.AcknowledgePageRequest, escalation.AcknowledgePageResponse
)
DRAFT_REPORT = Rpc(
    "escalation", _ESCALATION["DraftReport"], escalation.DraftReportRequest, escalation.DraftReportResponse
)
APPROVE_REPORT = Rpc("escalation", _REPORT["ApproveReport"], report.ApproveReportRequest, report.ApproveReportResponse)
RECORD_SUBMISSION = Rpc(
    "escalation",
    _ESCALATION["RecordSubmission"],
    escalation.RecordSubmissionRequest,
    escalation.RecordSubmissionResponse,
)
RECORD_RECEIPT = Rpc(
    "escalation", _ESCALATION["RecordReceipt"], escalation.RecordReceiptRequest, escalation.RecordReceiptResponse
)
DECIDE_NOT_TO_REPORT = Rpc(
    "escalation",
    _ESCALATION["DecideNotToReport"],
    escalation.DecideNotToReportRequest,
    escalation.DecideNotToReportResponse,
)

LIST_CLAIMS = Rpc("refutation", _REFUTATION["ListClaims"], refutation.ListClaimsRequest, refutation.ListClaimsResponse)
GET_CLAIM = Rpc("refutation", _REFUTATION["GetClaim"], refutation.GetClaimRequest, refutation.GetClaimResponse)
GET_NOTICE = Rpc("refutation", _REFUTATION["GetNotice"], refutation.GetNoticeRequest, refutation.GetNoticeResponse)

GET_ACT_EVIDENCE = Rpc(
    "generation", _GENERATION["GetActEvidence"], generation.GetActEvidenceRequest, generation.GetActEvidenceResponse
)
LIST_FEATURES = Rpc(
    "generation", _GENERATION["ListFeatures"], generation.ListFeaturesRequest, generation.ListFeaturesResponse
)
LIST_REVIEWS = Rpc("generation", _REVIEW["ListReviews"], review.ListReviewsRequest, review.ListReviewsResponse)
GET_REVIEW = Rpc("generation", _REVIEW["GetReview"], review.GetReviewRequest, review.GetReviewResponse)
ASSIGN_REVIEW = Rpc("generation", _REVIEW["AssignReview"], review.AssignReviewRequest, review.AssignReviewResponse)
DECIDE_REVIEW = Rpc("generation", _REVIEW["DecideReview"], review.DecideReviewRequest, review.DecideReviewResponse)

LIST_VIEWS = {
    service: Rpc(service, _VIEWS["ListViews"], views_pb2.ListViewsRequest, views_pb2.ListViewsResponse)
    for service in SERVICES
}

LIST_QUESTIONS = Rpc(
    "escalation", _ESCALATION["ListQuestions"], escalation.ListQuestionsRequest, escalation.ListQuestionsResponse
)
CORRECT_ANCHOR = Rpc(
    "escalation", _ESCALATION["CorrectAnchor"], escalation.CorrectAnchorRequest, escalation.CorrectAnchorResponse
)
CLOSE_INCIDENT = Rpc(
    "escalation", _ESCALATION["CloseIncident"], escalation.CloseIncidentRequest, escalation.CloseIncidentResponse
)

WHO_IS_ON_CALL = Rpc("escalation", _ONCALL["WhoIsOnCall"], oncall.WhoIsOnCallRequest, oncall.WhoIsOnCallResponse)
LIST_SHIFTS = Rpc("escalation", _ONCALL["ListShifts"], oncall.ListShiftsRequest, oncall.ListShiftsResponse)
OVERRIDE_ON_CALL = Rpc(
    "escalation", _ONCALL["OverrideOnCall"], oncall.OverrideOnCallRequest, oncall.OverrideOnCallResponse
)
END_OVERRIDE = Rpc("escalation", _ONCALL["EndOverride"], oncall.EndOverrideRequest, oncall.EndOverrideResponse)

LIST_DISPOSALS = Rpc(
    "escalation", _DISPOSAL["ListDisposals"], disposal.ListDisposalsRequest, disposal.ListDisposalsResponse
)
GET_DISPOSAL = Rpc("escalation", _DISPOSAL["GetDisposal"], disposal.GetDisposalRequest, disposal.GetDisposalResponse)
ORDER_DISPOSAL = Rpc(
    "escalation", _DISPOSAL["OrderDisposal"], disposal.OrderDisposalRequest, disposal.OrderDisposalResponse
)
IMPOSE_SANCTION = Rpc(
    "escalation", _DISPOSAL["ImposeSanction"], disposal.ImposeSanctionRequest, disposal.ImposeSanctionResponse
)
GET_STATEMENT_OF_REASONS = Rpc(
    "escalation",
    _DISPOSAL["GetStatementOfReasons"],
    disposal.GetStatementOfReasonsRequest,
    disposal.GetStatementOfReasonsResponse,
)
LIST_DISPOSAL_PROPOSALS = Rpc(
    "escalation",
    _DISPOSAL["ListDisposalProposals"],
    disposal.ListDisposalProposalsRequest,
    disposal.ListDisposalProposalsResponse,
)
DISMISS_DISPOSAL_PROPOSAL = Rpc(
    "escalation",
    _DISPOSAL["DismissDisposalProposal"],
    disposal.DismissDisposalProposalRequest,
    disposal.DismissDisposalProposalResponse,
)
LIST_COMPLAINTS = Rpc(
    "escalation", _DISPOSAL["ListComplaints"], disposal.ListComplaintsRequest, disposal.ListComplaintsResponse
)
GET_COMPLAINT = Rpc(
    "escalation", _DISPOSAL["GetComplaint"], disposal.GetComplaintRequest, disposal.GetComplaintResponse
)
DECIDE_COMPLAINT = Rpc(
    "escalation", _DISPOSAL["DecideComplaint"], disposal.DecideComplaintRequest, disposal.DecideComplaintResponse
)
RECORD_OUT_OF_COURT = Rpc(
    "escalation", _DISPOSAL["RecordOutOfCourt"], disposal.RecordOutOfCourtRequest, disposal.RecordOutOfCourtResponse
)
RECORD_UNFOUNDED_NOTICE = Rpc(
    "escalation",
    _DISPOSAL["RecordUnfoundedNotice"],
    disposal.RecordUnfoundedNoticeRequest,
    disposal.RecordUnfoundedNoticeResponse,
)
EXPORT_DISPOSAL_REPORT = Rpc(
    "escalation",
    _DISPOSAL["ExportDisposalReport"],
    disposal.ExportDisposalReportRequest,
    disposal.ExportDisposalReportResponse,
)

LIST_ENTRIES = Rpc("escalation", _REGISTER["ListEntries"], register.ListEntriesRequest, register.ListEntriesResponse)
GET_ENTRY = Rpc("escalation", _REGISTER["GetEntry"], register.GetEntryRequest, register.GetEntryResponse)
RECORD_ENTRY = Rpc("escalation", _REGISTER["RecordEntry"], register.RecordEntryRequest, register.RecordEntryResponse)
REPORT_SERVICE_EVENT = Rpc(
    "escalation",
    _REGISTER["ReportServiceEvent"],
    register.ReportServiceEventRequest,
    register.ReportServiceEventResponse,
)
CHECK_RELEASE = Rpc(
    "escalation", _REGISTER["CheckRelease"], register.CheckReleaseRequest, register.CheckReleaseResponse
)
RELEASE_MODEL = Rpc(
    "escalation", _REGISTER["ReleaseModel"], register.ReleaseModelRequest, register.ReleaseModelResponse
)
SCREEN_TRANSFER = Rpc(
    "escalation", _REGISTER["ScreenTransfer"], register.ScreenTransferRequest, register.ScreenTransferResponse
)
DECIDE_TRANSFER = Rpc(
    "escalation", _REGISTER["DecideTransfer"], register.DecideTransferRequest, register.DecideTransferResponse
)
RECORD_ORDER = Rpc("escalation", _REGISTER["RecordOrder"], register.RecordOrderRequest, register.RecordOrderResponse)
