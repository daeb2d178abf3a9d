"""The statement of reasons as the DSA Transparency Database takes it; nothing there can be corrected afterwards.

Spec: DSA Transparency Database API v1, schema of 2025-07-01; see dsa_schema
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from candor_escalation.domain.disposal import Disposal, Measure
from candor_escalation.domain.dsa_schema import FREE_TEXTS, ILLEGAL, INCOMPATIBLE, Body, faults, many
from candor_escalation.domain.personal_data import personal_data
from candor_escalation.domain.refusal import Refused

_DECISIONS: Mapping[Measure, Body] = {
    Measure.STOP_GENERATION: {
        "decision_visibility": ["DECISION_VISIBILITY_OTHER"],
        "decision_visibility_other": "generation stopped",
    },
    Measure.STOP_TRANSMISSION: {"decision_visibility": ["DECISION_VISIBILITY_CONTENT_DISABLED"]},
    Measure.REMOVE: {"decision_visibility": ["DECISION_VISIBILITY_CONTENT_REMOVED"]},
    Measure.LIMIT_FUNCTIONS: {"decision_provision": "DECISION_PROVISION_PARTIAL_SUSPENSION"},
    Measure.SUSPEND_SERVICE: {"decision_provision": "DECISION_PROVISION_TOTAL_SUSPENSION"},
    Measure.CLOSE_ACCOUNT: {"decision_account": "DECISION_ACCOUNT_TERMINATED"},
}


@dataclass(frozen=True)
class Told:
    """What a person states for the public; the rest follows from the disposal."""

    decision_ground: str
    legal_ground: str
    explanation: str
    also_illegal: bool
    reference_url: str
    content_type: tuple[str, ...]
    content_type_other: str
    category: str
    category_addition: tuple[str, ...]
    category_specification: tuple[str, ...]
    category_specification_other: str
    content_date: str
    decision_facts: str
    source_type: str
    source_identity: str
    automated_decision: str
    territorial_scope: tuple[str, ...]
    content_language: str
    account_type: str


def body(told: Told, disposal: Disposal, subject: str) -> Body:
    """The statement as it is sent, complete and checked; ``puid`` is the disposal's id.

    Raises:
        Refused: PUBLIC_STATEMENT_INVALID with the field, or PERSONAL_DATA.

    Source: DSA 17; DSA 24
    """
    if not disposal.of_person or disposal.measure not in _DECISIONS:
        what = "a warning is no restriction" if disposal.of_person else "it restricts no recipient of the service"
        raise Refused("PUBLIC_STATEMENT_INVALID", f"{what} (DSA 17); leave the statement out", field="public_statement")
    made = {name: value for name, value in _stated(told, disposal).items() if value}
    for field, message in faults(made):
        raise Refused("PUBLIC_STATEMENT_INVALID", f"{field}: {message}", field="public_statement")
    refuse_personal(made, subject)
    return made


def refuse_personal(made: Body, subject: str) -> None:
    """Refuse a free text that names somebody: the database is public.

    Raises:
        Refused: PERSONAL_DATA.

    Source: DSA 24
    """
    for name in FREE_TEXTS:
        for text in many(made.get(name)):
            kind = personal_data(text, subject)
            if kind:
                message = f"{name} holds {kind}, and it is published; write it without"
                raise Refused("PERSONAL_DATA", message, field="public_statement")


def _stated(told: Told, disposal: Disposal) -> Body:
    illegal = told.decision_ground == ILLEGAL
    ground = "illegal_content_legal_ground" if illegal else "incompatible_content_ground"
    explanation = "illegal_content_explanation" if illegal else "incompatible_content_explanation"
    made: Body = {
        **_DECISIONS[disposal.measure],
        "decision_ground": told.decision_ground,
        ground: told.legal_ground,
        explanation: told.explanation,
        "decision_ground_reference_url": told.reference_url,
        "content_type": list(told.content_type),
        "content_type_other": told.content_type_other,
        "category": told.category,
        "category_addition": list(told.category_addition),
        "category_specification": list(told.category_specification),
        "category_specification_other": told.category_specification_other,
        "content_date": told.content_date,
        "application_date": _day(disposal.decided_at),
        "decision_facts": told.decision_facts,
        "source_type": told.source_type,
        "source_identity": told.source_identity,
        "automated_detection": "Yes" if disposal.automated_detection else "No",
        "automated_decision": told.automated_decision,
        "territorial_scope": list(told.territorial_scope),
        "content_language": told.content_language,
        "account_type": told.account_type,
        "puid": disposal.disposal_id,
    }
    if told.decision_ground == INCOMPATIBLE:
        made["incompatible_content_illegal"] = "Yes" if told.also_illegal else "No"
    if disposal.until is not None:
        made["end_date_service_restriction"] = _day(disposal.until)
    return made


def _day(at: datetime) -> str:
    return at.date().isoformat()
