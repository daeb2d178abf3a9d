"""The due date of a request, from the request packs."""

from collections.abc import Iterator
from datetime import UTC, datetime

from candor_packs.counting import due
from candor_packs.pack import Obligation, Pack, in_force

from candor_rights.domain.holder import Right
from candor_rights.domain.refusal import Refused
from candor_rights.domain.request import DueDate, Regime

# No law on personal data is older; the first days of the calendar have no local time in zones west of Greenwich.
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


class DueDates:
    """Answers from the packs of kind `request`; the law that counts is the one in force on receipt."""

    def __init__(self, packs: tuple[Pack, ...]) -> None:
        self._packs = tuple(pack for pack in packs if pack.kind == "request")

    def due(self, regime: Regime, right: Right, received_at: datetime) -> DueDate:
        """What the desk works to: the event plus the period, nothing rolled; the earliest where several apply.

        Raises:
            Refused: NO_RULE_IN_FORCE.
        """
        packs = in_force(self._packs, received_at) if received_at >= _EARLIEST else ()
        dates = [
            DueDate(due(received_at, obligation.period, obligation.counting).strict, obligation.citation)
            for pack, obligation in _obligations(packs, regime, right)
        ]
        if not dates:
            message = f"no pack has a due date for {right} under {regime} at that time"
            raise Refused("NO_RULE_IN_FORCE", message, field="received_at")
        return min(dates, key=lambda date: date.strict)


def _obligations(packs: tuple[Pack, ...], regime: Regime, right: Right) -> Iterator[tuple[Pack, Obligation]]:
    for pack in packs:
        for obligation in pack.obligations:
            if pack.regime == regime and right.lower() in obligation.rights:
                yield pack, obligation
