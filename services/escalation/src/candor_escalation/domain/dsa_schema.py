"""The schema of the DSA Transparency Database: which statement it takes. What it would refuse is never sent.

Spec: DSA Transparency Database API v1, schema of 2025-07-01
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date

Body = dict[str, str | list[str]]

ILLEGAL, INCOMPATIBLE = "DECISION_GROUND_ILLEGAL_CONTENT", "DECISION_GROUND_INCOMPATIBLE_CONTENT"
CONTENT_TYPES = frozenset(
    f"CONTENT_TYPE_{name}" for name in ("APP", "AUDIO", "IMAGE", "PRODUCT", "SYNTHETIC_MEDIA", "TEXT", "VIDEO", "OTHER")
)
CATEGORIES = frozenset(
    f"STATEMENT_CATEGORY_{name}"
    for name in (
        "ANIMAL_WELFARE",
        "CONSUMER_INFORMATION",
        "CYBER_VIOLENCE",
        "CYBER_VIOLENCE_AGAINST_WOMEN",
        "DATA_PROTECTION_AND_PRIVACY_VIOLATIONS",
        "ILLEGAL_OR_HARMFUL_SPEECH",
        "INTELLECTUAL_PROPERTY_INFRINGEMENTS",
        "NEGATIVE_EFFECTS_ON_CIVIC_DISCOURSE_OR_ELECTIONS",
        "NOT_SPECIFIED_NOTICE",
        "OTHER_VIOLATION_TC",
        "PROTECTION_OF_MINORS",
        "RISK_FOR_PUBLIC_SECURITY",
        "SCAMS_AND_FRAUD",
        "SELF_HARM",
        "UNSAFE_AND_PROHIBITED_PRODUCTS",
        "VIOLENCE",
    )
)
VOLUNTARY = "SOURCE_VOLUNTARY"
SOURCES = frozenset({"SOURCE_ARTICLE_16", "SOURCE_TRUSTED_FLAGGER", "SOURCE_TYPE_OTHER_NOTIFICATION", VOLUNTARY})
AUTOMATED = frozenset(f"AUTOMATED_DECISION_{name}" for name in ("FULLY", "PARTIALLY", "NOT_AUTOMATED"))
COUNTRIES = frozenset({
    "AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE", "IT",
    "LV", "LT", "LU", "MT", "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE", "IS", "LI", "NO",
})  # fmt: skip
ACCOUNTS = frozenset({"ACCOUNT_TYPE_BUSINESS", "ACCOUNT_TYPE_PRIVATE"})
FREE_TEXTS = (
    "illegal_content_legal_ground", "illegal_content_explanation", "incompatible_content_ground",
    "incompatible_content_explanation", "content_type_other", "category_specification_other", "decision_facts",
    "source_identity", "decision_ground_reference_url", "decision_visibility_other",
)  # fmt: skip
_KEYWORD = re.compile(r"KEYWORD_[A-Z_]{2,80}")
_PUID = re.compile(r"[A-Za-z0-9_-]{1,500}")
_REQUIRED = (
    "decision_ground", "content_type", "category", "content_date", "application_date", "decision_facts", "source_type",
    "automated_detection", "automated_decision", "puid",
)  # fmt: skip
_ENUMS: Mapping[str, frozenset[str]] = {
    "decision_ground": frozenset({ILLEGAL, INCOMPATIBLE}),
    "content_type": CONTENT_TYPES,
    "category": CATEGORIES,
    "category_addition": CATEGORIES,
    "source_type": SOURCES,
    "automated_detection": frozenset({"Yes", "No"}),
    "automated_decision": AUTOMATED,
    "territorial_scope": COUNTRIES,
    "account_type": ACCOUNTS,
    "incompatible_content_illegal": frozenset({"Yes", "No"}),
}
_LONGEST: Mapping[str, int] = {
    **dict.fromkeys(FREE_TEXTS, 500),
    "decision_facts": 5000,
    "illegal_content_explanation": 2000,
    "incompatible_content_explanation": 2000,
}


def faults(made: Body) -> list[tuple[str, str]]:
    """What of a statement the database would not take: field and message; none when it is right.

    Source: DSA 24
    """
    found = [(name, "is required") for name in _REQUIRED if not made.get(name)]
    for name, allowed in _ENUMS.items():
        found += [(name, f"does not know {value!r}") for value in many(made.get(name)) if value not in allowed]
    for name, longest in _LONGEST.items():
        found += [(name, f"is longer than {longest}") for value in many(made.get(name)) if len(value) > longest]
    found += [
        ("category_specification", f"does not know {value!r}")
        for value in many(made.get("category_specification"))
        if not _KEYWORD.fullmatch(value)
    ]
    return found + _conditional(made) + _formats(made)


def many(value: str | Sequence[str] | None) -> Sequence[str]:
    """A field's values: none, one or several."""
    if value is None or value == "":
        return ()
    return (value,) if isinstance(value, str) else value


def _conditional(made: Body) -> list[tuple[str, str]]:
    """What is required, or excluded, because of another field."""
    needs = {
        "illegal_content_legal_ground": made.get("decision_ground") == ILLEGAL,
        "illegal_content_explanation": made.get("decision_ground") == ILLEGAL,
        "incompatible_content_ground": made.get("decision_ground") == INCOMPATIBLE,
        "incompatible_content_explanation": made.get("decision_ground") == INCOMPATIBLE,
        "content_type_other": "CONTENT_TYPE_OTHER" in many(made.get("content_type")),
        "category_specification_other": "KEYWORD_OTHER" in many(made.get("category_specification")),
        "decision_visibility_other": "DECISION_VISIBILITY_OTHER" in many(made.get("decision_visibility")),
    }
    found = [(name, "is required here") for name, needed in needs.items() if needed and not made.get(name)]
    found += [(name, "has no place here") for name, needed in needs.items() if not needed and made.get(name)]
    if made.get("source_type") == VOLUNTARY and made.get("source_identity"):
        found.append(("source_identity", "is excluded with SOURCE_VOLUNTARY"))
    decisions = ("decision_visibility", "decision_monetary", "decision_provision", "decision_account")
    if not any(made.get(name) for name in decisions):
        found.append(("decision_visibility", "one of the four decisions is required"))
    return found


def _formats(made: Body) -> list[tuple[str, str]]:
    found = [
        (name, "is no date such as 2026-11-22")
        for name in ("content_date", "application_date", "end_date_service_restriction")
        if made.get(name) and _date(str(made[name])) is None
    ]
    first, last = (_date(str(made.get(name, ""))) for name in ("application_date", "end_date_service_restriction"))
    if first and last and last < first:
        found.append(("end_date_service_restriction", "is before the application date"))
    if made.get("puid") and not _PUID.fullmatch(str(made["puid"])):
        found.append(("puid", "holds other than letters, digits, - and _"))
    language = str(made.get("content_language", ""))
    if language and not re.fullmatch(r"[A-Z]{2}", language):
        found.append(("content_language", "is no ISO 639-1 code in capitals"))
    url = str(made.get("decision_ground_reference_url", ""))
    if url and not re.match(r"https?://[^\s/]+", url):
        found.append(("decision_ground_reference_url", "is no address"))
    return found


def _date(text: str) -> date | None:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
