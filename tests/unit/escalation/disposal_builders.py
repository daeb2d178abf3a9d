"""Disposals and public statements for tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from candor_escalation.domain.disposal import IN_FORCE, Act, Disposal, Matter, Measure, Patience, ask
from candor_escalation.domain.public_statement import Told

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
PATIENCE = Patience(timedelta(hours=1), timedelta(minutes=1))
DISPOSAL = Disposal(
    disposal_id="01935000-0000-7000-8000-000000000001",
    measure=Measure.SUSPEND_SERVICE,
    state=IN_FORCE,
    product="chat",
    generation_id="",
    model="",
    of_person=True,
    functions=(),
    until=NOW + 30 * DAY,
    legal_basis="服务协议第5条",
    automated_detection=True,
    notice_source="",
    exemption="",
    category="",
    decision_ground="",
    automated_decision="",
    incident_id="",
    proposal_id="",
    decided_by="li",
    decided_at=NOW,
)
MATTER = Matter("user-1", "发布谣言三次", "属于虚假信息")
ASK = ask("ask-1", DISPOSAL.disposal_id, Act.APPLY, "", PATIENCE, NOW)
TOLD = Told(
    decision_ground="DECISION_GROUND_INCOMPATIBLE_CONTENT",
    legal_ground="Terms of service, clause 5",
    explanation="The account spread refuted claims three times.",
    also_illegal=False,
    reference_url="https://example.com/terms",
    content_type=("CONTENT_TYPE_SYNTHETIC_MEDIA", "CONTENT_TYPE_TEXT"),
    content_type_other="",
    category="STATEMENT_CATEGORY_NEGATIVE_EFFECTS_ON_CIVIC_DISCOURSE_OR_ELECTIONS",
    category_addition=(),
    category_specification=("KEYWORD_MISINFORMATION_DISINFORMATION",),
    category_specification_other="",
    content_date="2026-11-20",
    decision_facts="Three generated texts repeat a refuted claim.",
    source_type="SOURCE_VOLUNTARY",
    source_identity="",
    automated_decision="AUTOMATED_DECISION_NOT_AUTOMATED",
    territorial_scope=("DE", "FR"),
    content_language="EN",
    account_type="ACCOUNT_TYPE_PRIVATE",
)


def of(measure: Measure, until: datetime | None = None) -> Disposal:
    """A disposal of the user by another measure."""
    return replace(DISPOSAL, measure=measure, until=until)
