"""When to try again, and when to give up."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Retry:
    """How often one call is tried. Every attempt carries the same id, so Candor answers a repeat with the first answer.

    Attributes:
        attempt_seconds: the deadline of one attempt.
        first_pause: seconds before the second attempt, at most; doubled before every further one.
        longest_pause: seconds, where the doubling ends.
    """

    attempt_seconds: float = 5.0
    first_pause: float = 0.1
    longest_pause: float = 5.0

    def pause(self, failures: int) -> float:
        """Return the seconds to wait after so many failures in a row: exponential, with full jitter."""
        ceiling = min(self.longest_pause, self.first_pause * 2 ** min(failures - 1, 30))
        return random.uniform(0, ceiling)  # noqa: S311 - spreads callers, guards nothing


class Attempts:
    """The attempts of one call within one deadline."""

    def __init__(self, retry: Retry, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._retry = retry
        self._clock = clock
        self._end = clock() + seconds
        self._failures = 0

    def seconds(self) -> float:
        """Return the deadline of the attempt that begins now."""
        return max(0.001, min(self._retry.attempt_seconds, self._end - self._clock()))

    def pause(self) -> float | None:
        """Count a failure. Return the seconds before the next attempt, None where the deadline leaves no room."""
        self._failures += 1
        pause = self._retry.pause(self._failures)
        return pause if self._clock() + pause < self._end else None
