"""The spool's framing: whole frames survive, a torn tail is dropped, damage is told."""

from __future__ import annotations

import pytest
from candor_client import frames
from candor_client.frames import Damage, Frame
from hypothesis import given, settings
from hypothesis import strategies as st

UNHURRIED = settings(deadline=None)
PAYLOADS = st.lists(st.binary(max_size=60), max_size=6)


def joined(payloads: list[bytes]) -> bytes:
    return b"".join(frames.encode(payload) for payload in payloads)


def whole(data: bytes, start: int = 0) -> list[bytes]:
    return [part.payload for part in frames.scan(data, start) if isinstance(part, Frame)]


@UNHURRIED
@given(PAYLOADS)
def test_what_is_framed_is_read_back_in_order(payloads: list[bytes]) -> None:
    data = joined(payloads)
    assert whole(data) == payloads
    assert frames.end_of(data) == len(data)


@UNHURRIED
@given(PAYLOADS, st.data())
def test_cut_at_any_byte_every_whole_frame_before_it_is_left_and_nothing_else(
    payloads: list[bytes], data: st.DataObject
) -> None:
    written = joined(payloads)
    cut = data.draw(st.integers(0, len(written)))
    ends = [len(joined(payloads[: count + 1])) for count in range(len(payloads))]
    survivors = [payload for payload, end in zip(payloads, ends, strict=True) if end <= cut]
    assert list(frames.scan(written[:cut])) == [
        Frame(payload, end) for payload, end in zip(survivors, ends, strict=False)
    ]


@UNHURRIED
@given(PAYLOADS, st.binary(max_size=40))
def test_garbage_at_the_end_is_a_torn_tail(payloads: list[bytes], garbage: bytes) -> None:
    assert whole(joined(payloads) + garbage) == payloads


@UNHURRIED
@given(PAYLOADS, st.integers(1, 200))
def test_zeros_at_the_end_are_no_frames(payloads: list[bytes], zeros: int) -> None:
    assert whole(joined(payloads) + bytes(zeros)) == payloads


@UNHURRIED
@given(st.lists(st.binary(min_size=1, max_size=60), min_size=2, max_size=6), st.data())
def test_a_flipped_bit_before_a_whole_frame_is_told_and_takes_only_its_frame(
    payloads: list[bytes], data: st.DataObject
) -> None:
    victim = data.draw(st.integers(0, len(payloads) - 2))
    start, end = len(joined(payloads[:victim])), len(joined(payloads[: victim + 1]))
    written = bytearray(joined(payloads))
    written[data.draw(st.integers(start, end - 1))] ^= 1 << data.draw(st.integers(0, 7))
    parts = list(frames.scan(bytes(written)))
    assert [part for part in parts if isinstance(part, Damage)] == [Damage(start, end)]
    assert whole(bytes(written)) == payloads[:victim] + payloads[victim + 1 :]


def test_a_frame_that_stands_in_a_payload_is_not_taken_for_one() -> None:
    inner = frames.encode(b"inner")
    assert whole(joined([inner, b"next"])) == [inner, b"next"]


def test_a_payload_that_is_too_large_is_refused() -> None:
    with pytest.raises(ValueError, match="larger than"):
        frames.encode(bytes(frames.LARGEST_PAYLOAD + 1))
