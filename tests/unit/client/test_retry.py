"""When a call is tried again."""

from __future__ import annotations

from candor_client.retry import Attempts, Retry
from hypothesis import given, settings
from hypothesis import strategies as st


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@settings(deadline=None)
@given(st.integers(1, 10_000))
def test_pauses_double_up_to_their_ceiling_and_are_spread(failures: int) -> None:
    pause = Retry(first_pause=0.1, longest_pause=5.0).pause(failures)
    assert 0 <= pause <= min(5.0, 0.1 * 2 ** min(failures - 1, 10))


@settings(deadline=None)
@given(st.lists(st.floats(0, 3), max_size=30))
def test_attempts_and_pauses_stay_within_the_deadline(durations: list[float]) -> None:
    clock = Hand()
    attempts = Attempts(Retry(attempt_seconds=2.0), 10.0, clock)
    for duration in durations:
        assert attempts.seconds() <= max(0.001, min(2.0, 110.0 - clock.now))
        clock.now += duration
        pause = attempts.pause()
        if pause is None:
            return
        clock.now += pause
        assert clock.now < 110.0
