"""Which RPC is which handler or question."""

from candor.escalation.v1 import act_pb2, service_pb2
from candor.rights.v1 import holder_pb2
from candor_kit.api import Api

from candor_escalation.handlers import acts
from candor_escalation.handlers.pages import Pages
from candor_escalation.handlers.reports import Reports
from candor_escalation.handlers.signals import Signals
from candor_escalation.queries import Queries, export


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


def holder_api() -> Api:
    """DataHolderService: what this service holds about a person."""
    return Api(holder_pb2.DESCRIPTOR.services_by_name["DataHolderService"], streams={"Export": export})


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
