"""A service that stands in for Candor where the test must decide what it answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .standin import StandIn, standing_in


@pytest.fixture
def service() -> Iterator[StandIn]:
    with standing_in() as running:
        yield running
