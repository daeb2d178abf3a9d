"""How fast people are asked: by the time that the law still leaves.

One hour leaves minutes for an answer, thirty days leave hours. What is configured are shares of the time left, each
with a least and a most, so that neither an overdue clock stops asking nor a long one forgets.
"""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Share:
    """A share of the time left, bounded below and above. ``of`` is above 0 and at most 1."""

    of: float
    least: timedelta
    most: timedelta

    def out_of(self, remaining: timedelta) -> timedelta:
        """The time it comes to; ``least`` where nothing is left."""
        return min(max(remaining * self.of, self.least), self.most)


@dataclass(frozen=True)
class Pace:
    """``answer``: how long one person may take before the next is asked. ``acknowledgement``: how long one holds."""

    answer: Share = Share(1 / 24, timedelta(minutes=2), timedelta(hours=4))
    acknowledgement: Share = Share(1 / 4, timedelta(minutes=15), timedelta(days=3))

    def time_to_answer(self, remaining: timedelta, most: timedelta | None) -> timedelta:
        """How long a person may take, with ``remaining`` until the due date; never more than their own ``most``."""
        share = self.answer.out_of(remaining)
        return share if most is None else min(share, most)

    def acknowledgement_holds(self, remaining: timedelta) -> timedelta:
        """How long an acknowledgement holds before people are asked again."""
        return self.acknowledgement.out_of(remaining)
