"""Slows down who guesses passwords."""

from collections import OrderedDict, deque
from datetime import datetime, timedelta

MOST_FAILURES = 5
WINDOW = timedelta(minutes=15)
MOST_KEYS = 10_000


class Failures:
    """Counts failed tries per key (a name, an address) over a sliding window, in this process's memory.

    With several replicas a guesser has so many tries from each; the scrypt cost stands behind this.
    """

    def __init__(self, most: int = MOST_FAILURES, window: timedelta = WINDOW) -> None:
        self._most = most
        self._window = window
        self._tries: OrderedDict[str, deque[datetime]] = OrderedDict()

    def blocked_until(self, now: datetime, *keys: str) -> datetime | None:
        """When the next try is taken, or None when it is taken now."""
        return max((until for key in keys if (until := self._until(key, now))), default=None)

    def add(self, now: datetime, *keys: str) -> None:
        """A try failed."""
        for key in keys:
            tries = self._tries.setdefault(key, deque(maxlen=self._most))
            tries.append(now)
            self._tries.move_to_end(key)
        while len(self._tries) > MOST_KEYS:  # the key that failed longest ago goes first
            self._tries.popitem(last=False)

    def forget(self, key: str) -> None:
        """Somebody signed in under this name."""
        self._tries.pop(key, None)

    def _until(self, key: str, now: datetime) -> datetime | None:
        tries = self._tries.get(key)
        if tries is None or len(tries) < self._most:
            return None
        until = tries[0] + self._window
        return until if until > now else None
