from __future__ import annotations

from datetime import UTC, datetime

import pytest
from candor.refutation.v1.facts_pb2 import ClaimMatched, ClaimRegistered, SpreadDetected
from candor.refutation.v1.model_pb2 import BAND_AUTOMATIC, BAND_REVIEW, BAND_UNSPECIFIED
from candor_kit import envelope
from candor_refutation import codec
from candor_refutation.domain.spread import Hour, Levels
from candor_refutation.stream.hours import changed, decode, encode
from google.protobuf.message import Message

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LEVELS = Levels((1, 2))
KEY = b"0194f0c0-0000-7000-8000-000000000001"
MATCHED = ClaimMatched(claim_id=KEY.decode(), occurred_at=codec.timestamp(NOON), band=BAND_AUTOMATIC)


def headers(message: Message) -> envelope.Headers:
    return envelope.headers_of(identifier="1", message_type=message.DESCRIPTOR.full_name, source="test", at=NOON)


def after(message: Message, hour: Hour | None = None) -> Hour | None:
    return changed(hour or Hour(), LEVELS, KEY, message.SerializeToString(), headers(message))


def test_a_match_is_counted_in_its_band() -> None:
    automatic = after(MATCHED)
    review = after(ClaimMatched(claim_id=KEY.decode(), occurred_at=codec.timestamp(NOON), band=BAND_REVIEW))

    assert automatic is not None
    assert review is not None
    assert (sum(automatic.automatic.values()), sum(automatic.review.values())) == (1, 0)
    assert (sum(review.automatic.values()), sum(review.review.values())) == (0, 1)


def test_an_announced_level_is_remembered() -> None:
    hour = after(SpreadDetected(claim_id=KEY.decode(), level=2), after(MATCHED))

    assert hour is not None
    assert (hour.announced, sum(hour.automatic.values())) == (2, 1)


@pytest.mark.parametrize(
    "message",
    [
        ClaimRegistered(claim_id=KEY.decode()),
        ClaimMatched(claim_id="another", occurred_at=codec.timestamp(NOON), band=BAND_AUTOMATIC),
        ClaimMatched(claim_id=KEY.decode(), occurred_at=codec.timestamp(NOON), band=BAND_UNSPECIFIED),
    ],
)
def test_other_facts_change_nothing(message: Message) -> None:
    assert after(message) is None


@pytest.mark.parametrize("value", [None, b"", b"\xff\xff\xff", b"{}"])
def test_a_record_that_is_not_what_it_says_is_passed(value: bytes | None) -> None:
    assert changed(Hour(), LEVELS, KEY, value, headers(MATCHED)) is None
    assert changed(Hour(), LEVELS, KEY, value, []) is None
    assert changed(Hour(), LEVELS, KEY, value, [("ce_type", b"\xff")]) is None


def test_a_moment_outside_the_calendar_is_passed() -> None:
    broken = ClaimMatched(claim_id=KEY.decode(), band=BAND_AUTOMATIC)
    broken.occurred_at.seconds = 2**62

    assert after(broken) is None


def test_an_hour_survives_the_changelog() -> None:
    hour = after(MATCHED)

    assert hour is not None
    assert hour.peak[0] == 1
    assert decode(encode(hour.announced_at(1))) == hour.announced_at(1)


@pytest.mark.parametrize("value", [None, b"", b"x", b"[]", b"{}", b'{"automatic":1,"review":{},"announced":0}'])
def test_what_cannot_be_read_is_an_empty_hour(value: bytes | None) -> None:
    assert decode(value) == Hour()
