from __future__ import annotations

from candor_consent.sweeper import wait_until

from .builders import HOUR, NOON


def test_the_sweeper_wakes_at_the_next_term_but_looks_every_few_seconds() -> None:
    assert wait_until(None, NOON) == 5.0
    assert wait_until(NOON + HOUR, NOON) == 5.0
    assert wait_until(NOON + HOUR / 1800, NOON) == 2.0
    assert wait_until(NOON - HOUR, NOON) == 0.2
