"""What the registry holds about a person, as a data holder counts it and lets it go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from candor_consent.domain.act import Act, Deed


@dataclass(frozen=True)
class Parting:
    """A person's acts, parted by a deletion: what it covers, and what the person did after asking for it."""

    erased: tuple[Act, ...]
    kept: tuple[Act, ...]


def kind_of(act: Act) -> str:
    """Return the kind under which an act is exported and counted: "consent" or "training_refusal"."""
    return "training_refusal" if act.deed is Deed.TRAINING_REFUSED else "consent"


def count(acts: Sequence[Act]) -> dict[str, int]:
    """Return kind -> number of acts, sorted by kind: what access shows is what deletion covers.

    Source: PIPL 45
    """
    return dict(sorted(Counter(kind_of(act) for act in acts).items()))


def part(acts: Sequence[Act], requested_at: datetime) -> Parting:
    """Part the acts at the instant a deletion was asked for: it covers what was made up to there.

    A yes that the person gave after asking is a new beginning and stays.

    Args:
        acts: of the person, in the order they were recorded.
        requested_at: what the deletion covers up to, that instant included.

    Source: PIPL 47
    """
    begun = {act.consent_id for act in acts if act.at > requested_at and act.deed is Deed.GRANTED}
    kept = [act.at > requested_at and (not act.consent_id or act.consent_id in begun) for act in acts]
    return Parting(
        erased=tuple(act for act, stays in zip(acts, kept, strict=True) if not stays),
        kept=tuple(act for act, stays in zip(acts, kept, strict=True) if stays),
    )
