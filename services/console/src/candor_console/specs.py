"""The commands that people give by a form, each with the fields that they fill in."""

from candor_console import rpcs
from candor_console.schema_forms import spec

_GROUNDS = (
    "grounds.legal_basis",
    "grounds.facts",
    "grounds.reason",
    "grounds.automated_detection",
    "grounds.notice_source",
    "grounds.exemption",
    "grounds.incident_id",
    "grounds.proposal_id",
)

OVERRIDE = spec("override", rpcs.OVERRIDE_ON_CALL, "schedule", "contact", "starts_at", "ends_at", "reason")
END_OVERRIDE = spec("end_override", rpcs.END_OVERRIDE)

DISPOSAL = spec("disposal", rpcs.ORDER_DISPOSAL, "measure", "product", "generation_id", "model", "subject", *_GROUNDS)
SANCTION = spec(
    "sanction",
    rpcs.IMPOSE_SANCTION,
    *("subject", "product", "measure", "functions", "until", "severity", "departure"),
    *_GROUNDS,
)
UNFOUNDED = spec("unfounded", rpcs.RECORD_UNFOUNDED_NOTICE, "subject", "reference")
DISMISS = spec("dismiss", rpcs.DISMISS_DISPOSAL_PROPOSAL)
COMPLAINT = spec("complaint", rpcs.DECIDE_COMPLAINT, "outcome", "reasons", "manifestly_unfounded")
OUT_OF_COURT = spec("out_of_court", rpcs.RECORD_OUT_OF_COURT, "body", "reference", "finding")

# What the registers call a state; the service says which one admits which, and what it needs.
STATES = (
    *("preparing", "filed", "approved", "returned", "cancelled", "planned", "passed", "failed"),
    *("complied", "contested", "handed_over"),
)
ENTRY = spec(
    "entry",
    rpcs.RECORD_ENTRY,
    *("register", "entry_id", "title", "product", "state", "fields", "evidence_sha256", "valid_until"),
    suggestions={"state": STATES},
)
EVENT = spec("event", rpcs.REPORT_SERVICE_EVENT, "product", "event", "at", "description", "facts")
ORDER = spec(
    "order",
    rpcs.RECORD_ORDER,
    *(
        "kind",
        "authority",
        "reference",
        "received_at",
        "jurisdiction",
        "text",
        "evidence_sha256",
        "holder_id",
        "due_at",
    ),
)
TRANSFER = spec("transfer", rpcs.SCREEN_TRANSFER, "title", "technology", "origin", "destination", "recipient")
DECIDE_TRANSFER = spec("decide_transfer", rpcs.DECIDE_TRANSFER, "allow", "reason", "licence")
RELEASE = spec("release", rpcs.RELEASE_MODEL, "model", "product", "training_data_sha256")
