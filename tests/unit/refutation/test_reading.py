from __future__ import annotations

from itertools import pairwise

from candor_refutation.stream.matching import runs
from hypothesis import given
from hypothesis import strategies as st


def test_near_indexes_are_read_in_one_call_and_far_ones_apart() -> None:
    assert list(runs([3, 4, 7, 500, 501])) == [(3, 8), (500, 502)]
    assert list(runs([])) == []


@given(st.sets(st.integers(0, 2_000)))
def test_every_index_is_in_exactly_one_range(indexes: set[int]) -> None:
    ranges = list(runs(sorted(indexes)))

    assert all(sum(start <= index < end for start, end in ranges) == 1 for index in indexes)
    assert all(before[1] <= after[0] for before, after in pairwise(ranges))
