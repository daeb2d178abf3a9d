"""Registers: what the law wants kept on record about services, models, technology and orders, version by version.

An entry is never overwritten: what changes is a new version. What each register admits is data of this module.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from candor_escalation.domain.incident import Anchor, Json, Signal
from candor_escalation.domain.refusal import Refused

ALGORITHM_FILING = "algorithm_filing"
SECURITY_ASSESSMENT = "security_assessment"
ALGORITHM_REVIEW = "algorithm_review"
MODEL_RELEASE = "model_release"
TECHNOLOGY_TRANSFER = "technology_transfer"
AUTHORITY_ORDER = "authority_order"
DRILL = "drill"

APPROVED = "approved"
PASSED = "passed"
RELEASED = "released"
RECEIVED = "received"

_UNION = frozenset(
    [
        "EU",
        "AT",
        "BE",
        "BG",
        "CY",
        "CZ",
        "DE",
        "DK",
        "EE",
        "ES",
        "FI",
        "FR",
        "GR",
        "HR",
        "HU",
        "IE",
        "IT",
        "LT",
        "LU",
        "LV",
        "MT",
        "NL",
        "PL",
        "PT",
        "RO",
        "SE",
        "SI",
        "SK",
        "IS",
        "LI",
        "NO",
    ]
)

LEAD = timedelta(days=30)
"""How long before an entry ceases to hold somebody is told."""


@dataclass(frozen=True)
class Rules:
    """What a register admits. ``states``: state -> fields that an entry in it MUST have; ``citation``: who wants it."""

    citation: str
    states: Mapping[str, tuple[str, ...]]


_FILED = ("provider_name", "service_form", "application_field", "algorithm_type", "self_assessment", "public_content")
BY_HAND: Mapping[str, Rules] = {
    ALGORITHM_FILING: Rules(
        "互联网信息服务算法推荐管理规定 24, 26",
        {
            "preparing": (),
            "filed": _FILED,
            APPROVED: (*_FILED, "number", "link"),
            "returned": ("reason",),
            "cancelled": ("number",),
        },
    ),
    SECURITY_ASSESSMENT: Rules(
        "互联网信息服务深度合成管理规定 15, 20",
        {"planned": (), PASSED: ("scope", "assessor"), "failed": ("scope", "assessor", "findings")},
    ),
    ALGORITHM_REVIEW: Rules(
        "互联网信息服务深度合成管理规定 15",
        {"planned": (), PASSED: ("scope", "reviewer"), "failed": ("scope", "reviewer", "findings")},
    ),
    AUTHORITY_ORDER: Rules(
        "DSA 9, 10", {"complied": ("effect_given",), "contested": ("grounds",), "handed_over": ("holder_id",)}
    ),
}
"""Registers whose entries people write. Orders are received by a command of their own, then answered here."""


@dataclass(frozen=True)
class Entry:
    """One version of an entry of a register. ``evidence_sha256``: 32 bytes or empty; ``valid_until`` absent: open."""

    entry_id: str
    register: str
    version: int
    title: str
    product: str
    state: str
    fields: Mapping[str, Json]
    recorded_at: datetime
    recorded_by: str
    evidence_sha256: bytes = b""
    valid_until: datetime | None = None
    incident_id: str | None = None

    def holds(self, now: datetime) -> bool:
        """Whether it has not run out."""
        return self.valid_until is None or now < self.valid_until


def check(entry: Entry) -> Entry:
    """The entry, if its register admits it.

    Source: Algorithm Provisions 24

    Raises:
        Refused: ENTRY_INCOMPLETE, with the field that is wrong or missing.
    """
    rules = BY_HAND.get(entry.register)
    if rules is None:
        raise Refused("ENTRY_INCOMPLETE", f"{entry.register} has commands of its own", field="register")
    needed = rules.states.get(entry.state)
    if needed is None:
        raise Refused("ENTRY_INCOMPLETE", f"state is one of {', '.join(rules.states)}", field="state")
    missing = [name for name in needed if entry.fields.get(name) in (None, "", [])]
    if missing:
        raise Refused(
            "ENTRY_INCOMPLETE", f"{entry.state} needs {', '.join(missing)} ({rules.citation})", field="fields"
        )
    return entry


def refuse_other(entry: Entry, register: str) -> None:
    """Refuse an entry that is of another register.

    Raises:
        Refused: ENTRY_UNKNOWN.
    """
    if entry.register != register:
        raise Refused("ENTRY_UNKNOWN", f"that entry is of the register {entry.register}", field="entry_id")


def following(before: Entry, told: Entry) -> Entry:
    """The next version of an entry: what is told, with the fields that are not told again.

    Raises:
        Refused: ENTRY_UNKNOWN where it is of another register.
    """
    refuse_other(before, told.register)
    return replace(
        told,
        entry_id=before.entry_id,
        version=before.version + 1,
        fields={**before.fields, **told.fields},
        incident_id=before.incident_id,
    )


@dataclass(frozen=True)
class Gate:
    """What must be there before a release. ``detail``: what is missing, or the entry that shows it is there."""

    name: str
    citation: str
    passed: bool
    detail: str


def gates(product: str, entries: Iterable[Entry], public_opinion: Json, now: datetime) -> list[Gate]:
    """The gates before a model is released for a product. ``public_opinion``: None where nobody has said.

    Source: Generative AI Measures 17; Deep Synthesis 15
    """
    of_product = [entry for entry in entries if entry.product == product and entry.holds(now)]
    exempt = public_opinion is False
    return [
        _gate(ALGORITHM_FILING, APPROVED, "生成式人工智能服务管理暂行办法 17", of_product, exempt=exempt),
        _gate(SECURITY_ASSESSMENT, PASSED, "生成式人工智能服务管理暂行办法 17", of_product, exempt=exempt),
        _gate(ALGORITHM_REVIEW, PASSED, "互联网信息服务深度合成管理规定 15", of_product, exempt=False),
    ]


def _gate(register: str, state: str, citation: str, entries: list[Entry], *, exempt: bool) -> Gate:
    if exempt:
        return Gate(register, citation, passed=True, detail="no public-opinion attributes: not needed")
    found = next((entry for entry in entries if (entry.register, entry.state) == (register, state)), None)
    if found is None:
        return Gate(register, citation, passed=False, detail=f"no entry of this product is {state} and still holds")
    return Gate(register, citation, passed=True, detail=found.entry_id)


def refuse_shut(found: Iterable[Gate]) -> None:
    """Refuse a release while a gate is shut.

    Source: Generative AI Measures 17

    Raises:
        Refused: GATE_SHUT, naming every gate and what it wants.
    """
    shut = [f"{gate.name} ({gate.citation}): {gate.detail}" for gate in found if not gate.passed]
    if shut:
        raise Refused("GATE_SHUT", "; ".join(shut))


def service_event(product: str, event: str, at: datetime, description: str, facts: Mapping[str, Json]) -> Signal:
    """The signal that a service starts, changes or ends: one incident per product, event and instant.

    Source: Algorithm Provisions 24
    """
    kind = f"service_{event}"
    return Signal(
        kind=kind,
        title=f"{product}: {description}"[:300],
        correlation_key=f"{product}:{at.isoformat()}",
        facts={"product": product, **facts},
        anchors=(Anchor(kind, at, description),),
        source="register",
        reference=product,
    )


def order_received(entry: Entry, received_at: datetime, due_at: datetime | None) -> Signal:
    """The signal of an authority's order: an incident of its own, counted from when the order was received.

    Source: DSA 9(1)
    """
    kind, jurisdiction = str(entry.fields["kind"]), str(entry.fields["jurisdiction"])
    told: dict[str, Json] = {
        "order_type": _order_type(kind, jurisdiction),
        "order_authority": entry.fields["authority"],
        "order_reference": entry.fields["reference"],
        "order_measures": entry.fields["text"],
        "cn_suspension_ordered": (kind, jurisdiction) == ("suspend_service", "CN"),
    }
    return Signal(
        kind=AUTHORITY_ORDER,
        title=f"{entry.fields['authority']}: {entry.fields['reference']}"[:300],
        correlation_key=entry.entry_id,
        facts=told | ({"ordered_until": due_at.isoformat()} if due_at else {}),
        anchors=(Anchor("order_received", received_at, f"order {entry.fields['reference']}"),),
        source="register",
        reference=entry.entry_id,
    )


def model_answered(order: Entry, effect: str, by: str, now: datetime) -> Entry:
    """The order's next version, once the model's holder has proved what became of the model.

    Source: Generative AI Measures 7
    """
    fields: dict[str, Json] = {"effect_given": effect}
    return replace(
        order,
        version=order.version + 1,
        state="complied",
        fields={**order.fields, **fields},
        recorded_at=now,
        recorded_by=by,
    )


def _order_type(kind: str, jurisdiction: str) -> str:
    """What the packs call an order: an order to act or to inform is one of a Member State, or of the Union."""
    if jurisdiction in _UNION:
        return {"remove_content": "act", "provide_information": "information"}.get(kind, kind)
    return "removal" if kind == "remove_content" else kind


def running_out(entry: Entry, now: datetime) -> Signal:
    """The signal that an entry is about to cease to hold: the review, assessment or filing is due again.

    Source: Deep Synthesis 15
    """
    until = entry.valid_until.date().isoformat() if entry.valid_until else ""
    return Signal(
        kind="register_due",
        title=f"{entry.title}: holds until {until}"[:300],
        correlation_key=f"{entry.entry_id}:{entry.version}",
        facts={"register": entry.register, "product": entry.product, "valid_until": until},
        anchors=(Anchor("found", now, f"entry {entry.entry_id}, version {entry.version}"),),
        source="register",
        reference=entry.entry_id,
    )
