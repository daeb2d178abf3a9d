"""From which instants the law counts: reported, disputed, corrected for a reason; nothing is overwritten."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from candor_escalation.domain.incident import Anchor, refuse_future
from candor_escalation.domain.refusal import Refused

REPORT = "report"
CORRECTION = "correction"
DISPUTE = "dispute"
RECEIPT_PREFIX = "receipt:"
"""An anchor of this name is the instant at which an earlier report was submitted, as its receipt confirms."""


@dataclass(frozen=True)
class Entry:
    """What was said about an anchor. A dispute's ``at`` is the instant claimed, or the one that is disputed."""

    name: str
    at: datetime
    evidence: str
    act: str
    reason: str
    recorded_at: datetime
    recorded_by: str
    source: str


@dataclass(frozen=True)
class Sent:
    """That a report of an obligation was submitted, and what its receipt says."""

    pack_id: str
    obligation_id: str
    submitted_at: datetime
    received_at: datetime | None
    reference: str


def effective(entries: Iterable[Entry]) -> dict[str, Anchor]:
    """The instant that stands for each name, from entries in the order they were recorded.

    A correction replaces everything before it. After it, as without one, the earliest instant that is reported or
    claimed counts, but not one that was set right already; one that contradicts a correction is disputed.
    """
    found: dict[str, Anchor] = {}
    settled: dict[str, set[datetime]] = {}
    seen: dict[str, set[datetime]] = {}
    for entry in entries:
        if entry.act == CORRECTION:
            settled[entry.name] = seen.get(entry.name, set()) - {entry.at}
            found[entry.name] = Anchor(entry.name, entry.at, entry.evidence)
        else:
            found[entry.name] = _also(found.get(entry.name), entry, settled.get(entry.name))
        seen.setdefault(entry.name, set()).add(entry.at)
    return found


def _also(stands: Anchor | None, entry: Entry, settled: set[datetime] | None) -> Anchor:
    told = Anchor(entry.name, entry.at, entry.evidence)
    if stands is None:
        return replace(told, disputed=entry.act == DISPUTE)
    repeated = settled is not None and entry.at in settled and entry.act == REPORT
    earlier = entry.at < stands.at and not repeated
    contradicts = earlier and settled is not None
    disputed = stands.disputed or entry.act == DISPUTE or contradicts
    return replace(told if earlier else stands, disputed=disputed)


def reported(
    entries: Sequence[Entry], told: Sequence[Anchor], now: datetime, recorded_by: str, source: str
) -> list[Entry]:
    """The entries to append for instants that are reported: those that change what stands.

    Raises:
        Refused: TIME_IN_FUTURE, an anchor has not happened yet.
    """
    added: list[Entry] = []
    for anchor in told:
        refuse_future(anchor.at, now, f"anchor {anchor.name}")
        entry = Entry(anchor.name, anchor.at, anchor.evidence, REPORT, "", now, recorded_by, source)
        before = effective([*entries, *added]).get(anchor.name)
        after = effective([*entries, *added, entry])[anchor.name]
        if before is None or after.at != before.at:
            added = [other for other in added if other.name != anchor.name] + [entry]
    return added


def corrected(
    entries: Sequence[Entry], told: Anchor, now: datetime, recorded_by: str, source: str, reason: str
) -> Entry:
    """The entry that sets an anchor right; the same instant confirms it.

    Raises:
        Refused: ANCHOR_UNKNOWN, TIME_IN_FUTURE.
    """
    stands = _known(entries, told.name)
    refuse_future(told.at, now, f"anchor {told.name}")
    evidence = told.evidence or stands.evidence
    return Entry(told.name, told.at, evidence, CORRECTION, reason, now, recorded_by, source)


def disputed(
    entries: Sequence[Entry], name: str, claimed: datetime | None, now: datetime, recorded_by: str, reason: str
) -> Entry:
    """The entry that disputes an anchor. The earliest instant counts until it is settled.

    Raises:
        Refused: ANCHOR_UNKNOWN, TIME_IN_FUTURE.
    """
    stands = _known(entries, name)
    if claimed is not None:
        refuse_future(claimed, now, f"anchor {name}")
    return Entry(name, claimed or stands.at, stands.evidence, DISPUTE, reason, now, recorded_by, "dispute")


def _known(entries: Sequence[Entry], name: str) -> Anchor:
    stands = effective(entries).get(name)
    if stands is None:
        raise Refused("ANCHOR_UNKNOWN", f"nothing was reported as {name}; report it with RecordFacts", field="name")
    return stands


def of_receipts(sent: Iterable[Sent]) -> dict[str, Anchor]:
    """The anchors that earlier reports are: ``receipt:<pack>/<obligation>``.

    The latest receipt counts, for a later report updates an earlier one. Without any, the first submission stands for
    it, provisionally: its receipt can only say a later instant (DORA: RTS 2025/301 5(1); NIS2 23(4)(d)).
    """
    found: dict[str, Anchor] = {}
    for report in sent:
        name = f"{RECEIPT_PREFIX}{report.pack_id}/{report.obligation_id}"
        anchor = _of_receipt(name, report)
        other = found.get(name)
        if other is None or _outweighs(anchor, other):
            found[name] = anchor
    return found


def _of_receipt(name: str, report: Sent) -> Anchor:
    if report.received_at is None:
        return Anchor(name, report.submitted_at, "submitted; no receipt yet", provisional=True)
    return Anchor(name, report.received_at, f"receipt {report.reference}")


def _outweighs(anchor: Anchor, other: Anchor) -> bool:
    if anchor.provisional != other.provisional:
        return other.provisional
    return anchor.at < other.at if anchor.provisional else anchor.at > other.at
