"""The access package as a document."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from candor_rights.domain import document
from candor_rights.domain.document import Item, NotAnItem
from candor_rights.domain.task import KindCount
from hypothesis import given
from hypothesis import strategies as st

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
# The wire carries UTF-8, so no name or id holds half a surrogate pair.
names = st.text(st.characters(codec="utf-8"), max_size=20)
items = st.tuples(names, names, st.none() | st.just(AT), st.dictionaries(st.text(), json_values, max_size=4))
holder_parts = st.lists(st.tuples(names, st.lists(items, max_size=4)), max_size=4)


def written(holders: list[tuple[str, list[Item]]]) -> bytes:
    pieces = [document.opening("u-1", "r-1", AT)]
    for index, (holder_id, entries) in enumerate(holders):
        pieces.append(document.holder_opening(holder_id, [KindCount("x", len(entries))], first=index == 0))
        pieces += [document.item(entry, first=number == 0) for number, entry in enumerate(entries)]
        pieces.append(document.holder_closing())
    return b"".join([*pieces, document.closing()])


@given(holder_parts)
@pytest.mark.clause("PIPL 45", "GDPR 15(3)")
def test_pipl_45_the_copy_holds_everything_that_every_holder_gave(
    parts: list[tuple[str, list[tuple[str, str, datetime | None, dict[str, object]]]]],
) -> None:
    holders = [
        (name, [Item(kind, number, at, json.dumps(data).encode()) for kind, number, at, data in entries])
        for name, entries in parts
    ]
    package = json.loads(written(holders))
    assert (package["subject"], package["request_id"]) == ("u-1", "r-1")
    assert datetime.fromisoformat(package["made_at"]) == AT
    assert [holder["holder_id"] for holder in package["holders"]] == [name for name, _ in parts]
    for holder, (_, entries) in zip(package["holders"], parts, strict=True):
        assert holder["held"] == [{"kind": "x", "count": len(entries)}]
        assert [
            (item["kind"], item["item_id"], item["occurred_at"] is None, item["data"]) for item in holder["items"]
        ] == [(kind, number, at is None, data) for kind, number, at, data in entries]


@pytest.mark.clause("GDPR 15(3)")
def test_gdpr_15_3_an_item_goes_in_byte_for_byte() -> None:
    data = '{"n":1.0000000000000000001,"中文":"é","n":2}'.encode()
    assert data in document.item(Item("generation", "g-1", AT, data), first=True)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'"text"',
        b"1",
        b"null",
        b"{",
        b'{"a":NaN}',
        b"{}{}",
        b"\xff{}",
        b'{"a":1},"b":{"c":2}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_json_object_never_gets_in(data: bytes) -> None:
    with pytest.raises(NotAnItem):
        document.item(Item("generation", "g-1", AT, data), first=True)


def test_instants_are_utc() -> None:
    assert document.instant(AT.astimezone(timezone(timedelta(hours=8)))) == "2026-11-22T12:00:00+00:00"
