"""Features as files: a bad row is named and the others are taken, and what is written is read back as it was."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from candor.generation.v1 import model_pb2, service_pb2
from candor_generation import corpus, exchange
from candor_generation import library_codec as codec
from candor_generation.domain.feature import Feature, Kind, Mode, State
from candor_generation.domain.generation import Decision
from candor_generation.domain.refusal import Refused
from candor_generation.exchange import BadRow, Defaults, Item, Proposal, Tombstone
from candor_kit.errors import ConfigError
from hypothesis import given, settings
from hypothesis import strategies as st

NOW = datetime(2026, 11, 22, tzinfo=UTC)
JSON, CSV, STIX = service_pb2.FEATURE_FORMAT_JSON, service_pb2.FEATURE_FORMAT_CSV, service_pb2.FEATURE_FORMAT_STIX
DEFAULTS = Defaults("list of 2026", "an order")
ROW = {"kind": "term", "value": "谣言", "category": "false-information", "decision": "review", "citation": "DS 6"}
HEADER = "kind,value,category,decision,citation,exceptions,within_words\r\n"

_WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=2, max_size=20)
_CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0|"), min_size=2, max_size=20)
_TIMES = st.none() | st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def features(words: st.SearchStrategy[str], exceptions: st.SearchStrategy[str]) -> st.SearchStrategy[Feature]:
    return st.builds(
        Feature,
        feature_id=st.from_regex(r"[a-z0-9][a-z0-9._-]{0,63}", fullmatch=True),
        kind=st.sampled_from(Kind),
        value=words,
        category=st.from_regex(r"[a-z0-9][a-z0-9_-]{0,63}", fullmatch=True),
        decision=st.sampled_from([Decision.REVIEW, Decision.BLOCK]),
        citation=words,
        state=st.just(State.PROPOSED),
        proposed_by=st.just("alice"),
        admitted_by=st.just(""),
        changed_at=st.just(NOW),
        exceptions=st.lists(exceptions, max_size=3).map(tuple),
        within_words=st.booleans(),
        valid_from=_TIMES,
        valid_until=_TIMES,
        source=words,
        reason=words,
    )


def written(file_format: service_pb2.FeatureFormat.ValueType, found: list[Feature]) -> bytes:
    writer = exchange.writer(file_format, NOW)
    middle = len(found) // 2
    return writer.begin() + writer.rows(found[:middle]) + writer.rows(found[middle:]) + writer.end()


def read(file_format: service_pb2.FeatureFormat.ValueType, content: bytes | str) -> list[Item]:
    encoded = content.encode() if isinstance(content, str) else content
    return list(exchange.read(file_format, encoded, DEFAULTS))


def document(*rows: object) -> str:
    return json.dumps({"format": "candor-features/1", "features": list(rows)})


def refused(items: list[Item]) -> list[tuple[int, str]]:
    return [(item.number, item.field) for item in items if isinstance(item, BadRow)]


def proposals(items: list[Item]) -> list[Feature]:
    return [codec.feature_of(item.command, "alice", NOW) for item in items if isinstance(item, Proposal)]


@given(st.lists(features(_WORDS, _WORDS), max_size=5))
@settings(max_examples=30, deadline=None)
def test_what_is_written_as_json_is_read_back_as_it_was(found: list[Feature]) -> None:
    assert proposals(read(JSON, written(JSON, found))) == found


@given(st.lists(features(_CELLS, _CELLS), max_size=5))
@settings(max_examples=30, deadline=None)
def test_what_is_written_as_csv_is_read_back_as_it_was(found: list[Feature]) -> None:
    assert proposals(read(CSV, written(CSV, found))) == found


@given(st.lists(features(_WORDS, _WORDS), max_size=5))
@settings(max_examples=30, deadline=None)
def test_what_is_written_as_stix_is_read_back_with_a_beginning(found: list[Feature]) -> None:
    # An indicator must say from when on it is valid (STIX 2.1, 4.7).
    expected = [replace(item, valid_from=item.valid_from or item.changed_at) for item in found]
    assert proposals(read(STIX, written(STIX, found))) == expected


@pytest.mark.parametrize("value", ["=cmd|'/C calc'!A0", "+1", "-1 ", "@SUM(A1)", "\tx", "'quoted"])
def test_a_spreadsheet_never_sees_a_formula(value: str) -> None:
    item = replace(proposals(read(JSON, document(ROW)))[0], value=value, exceptions=(value.replace("|", "/"),))
    content = written(CSV, [item])
    assert f"'{value}" in content.decode().replace('""', '"')
    assert proposals(read(CSV, content)) == [item]


def test_a_row_without_an_id_gets_the_same_one_every_time() -> None:
    (first,), (second,) = (proposals(read(JSON, document(ROW))) for _ in range(2))
    assert first.feature_id == second.feature_id
    assert first.feature_id.startswith("term-")
    (other,) = proposals(read(JSON, document({**ROW, "kind": "pattern"})))
    assert other.feature_id != first.feature_id


def test_what_a_row_does_not_say_the_command_says() -> None:
    told, silent = proposals(read(JSON, document({**ROW, "source": "own"}, {**ROW, "value": "other"})))
    assert (told.source, told.reason) == ("own", "an order")
    assert (silent.source, silent.reason) == ("list of 2026", "an order")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "word"}, "kind"),
        ({"kind": None}, "kind"),
        ({"value": "字"}, "value"),
        ({"value": 5}, "value"),
        ({"value": "a\0b"}, "value"),
        ({"value": "\ud800x"}, "value"),
        ({"category": "False Information"}, "category"),
        ({"decision": "allow"}, "decision"),
        ({"citation": ""}, "citation"),
        ({"feature_id": "UPPER"}, "feature_id"),
        ({"exceptions": "word"}, "exceptions"),
        ({"exceptions": [5]}, "exceptions"),
        ({"within_words": "maybe"}, "within_words"),
        ({"valid_from": "yesterday"}, "valid_from"),
        ({"valid_from": "2026-11-22"}, "valid_from"),
        ({"valid_until": "0001-01-01T00:00:00+14:00"}, "valid_until"),
        ({"severity": 5}, "severity"),
        ({"\ud800": 5}, "?"),
    ],
)
def test_a_bad_row_is_named_with_its_number_and_field_and_the_others_are_taken(
    change: dict[str, object], field: str
) -> None:
    items = read(JSON, document(ROW, {**ROW, **change}, {**ROW, "value": "other"}))
    assert refused(items) == [(2, field)]
    assert [item.value for item in proposals(items)] == ["谣言", "other"]


@pytest.mark.parametrize("row", [None, [], "text", 5])
def test_a_row_that_is_no_object_is_named(row: object) -> None:
    assert refused(read(JSON, document(row, ROW))) == [(1, "")]


def test_a_csv_row_is_named_by_its_line_even_after_cells_of_several_lines() -> None:
    content = (
        HEADER
        + 'term,"two\nlines",violence,block,DS 6,,\r\n'  # lines 2 and 3
        + "term,good,violence,block,DS 6,,maybe\r\n"  # 4
        + "term,short\r\n"  # 5
        + 'term,"broken"x,violence,block,DS 6,,\r\n'  # 6
        + "\r\n"  # 7
        + "term,大麻,drugs,review,DS 6,大麻烦|大麻将,true\r\n"  # 8
    )
    items = read(CSV, "\ufeff" + content)
    assert refused(items) == [(4, "within_words"), (5, ""), (6, "")]
    assert [(item.value, item.exceptions, item.within_words) for item in proposals(items)] == [
        ("two\nlines", (), False),
        ("大麻", ("大麻烦", "大麻将"), True),
    ]


def test_a_quote_that_is_never_closed_loses_one_line() -> None:
    good = [f"term,word {number},violence,block,DS 6,,\r\n" for number in range(300)]
    content = HEADER + 'term,"never closed,violence,block,DS 6,,\r\n' + "".join(good)
    items = read(CSV, content)
    assert refused(items) == [(2, "")]
    assert len(proposals(items)) == 300


@pytest.mark.parametrize(
    ("file_format", "content"),
    [
        (JSON, b""),
        (JSON, b"[]"),
        (JSON, b'{"format": "candor-features/2", "features": []}'),
        (JSON, b'{"format": "candor-features/1", "features": {}}'),
        (JSON, b'{"format": '),
        (JSON, b"[" * 100_000),
        (JSON, "谣言".encode("gb18030")),
        (CSV, b""),
        (CSV, b"kind,value\r\n"),
        (CSV, b"kind,value,category,decision,citation,kind\r\n"),
        (CSV, b'"kind'),
        (STIX, b'{"type": "indicator"}'),
        (STIX, b"null"),
    ],
)
def test_a_file_that_is_none_is_refused_as_a_whole(
    file_format: service_pb2.FeatureFormat.ValueType, content: bytes
) -> None:
    with pytest.raises(Refused) as caught:
        read(file_format, content)
    assert caught.value.reason == "FILE_INVALID"


@given(st.sampled_from([JSON, CSV, STIX]), st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
@settings(max_examples=150, deadline=None)
def test_whatever_a_file_holds_it_is_refused_cleanly(
    file_format: service_pb2.FeatureFormat.ValueType, content: bytes
) -> None:
    try:
        items = read(file_format, content)
        list(exchange.parts(file_format, content))
    except Refused as caught:
        assert caught.reason == "FILE_INVALID"  # noqa: PT017 - most contents are refused, but not all
    else:
        assert all(isinstance(item, Proposal | Tombstone | BadRow) for item in items)


_JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.dictionaries(
        st.sampled_from(
            [*ROW, "exceptions", "within_words", "valid_from", "pattern", "pattern_type", "revoked", "type"]
        ),
        _JSON_VALUES,
    )
)
@settings(max_examples=100, deadline=None)
def test_whatever_a_row_holds_it_is_named_or_taken(row: dict[str, object]) -> None:
    items = read(JSON, document({**ROW, **row}))
    items += read(STIX, json.dumps({"type": "bundle", "objects": [{"type": "indicator", **row}]}))
    assert all(isinstance(item, Proposal | Tombstone | BadRow) for item in items)
    # What is named must fit into an answer.
    for item in items:
        if isinstance(item, BadRow):
            service_pb2.RowRefused(row=item.number, field=item.field, reason=item.reason, message=item.message)


def test_other_objects_of_a_bundle_pass_by_and_foreign_patterns_are_named() -> None:
    objects = [
        {"type": "identity", "name": "somebody"},
        {"type": "indicator", "pattern_type": "stix", "pattern": "[url:value = 'x']"},
        {"type": "indicator", "pattern_type": "candor-near-text", "pattern": "x", "revoked": True},
    ]
    items = read(STIX, json.dumps({"type": "bundle", "objects": objects}))
    assert items[1:] == [Tombstone(3, Kind.NEAR_TEXT, "x")]
    assert refused(items) == [(2, "pattern_type")]


@pytest.mark.parametrize("pattern", [None, "", "a\0b", "\ud800", 5])
def test_a_tombstone_of_what_no_feature_can_be_is_named(pattern: object) -> None:
    found = {"type": "indicator", "pattern_type": "candor-term", "pattern": pattern, "revoked": True}
    assert refused(read(STIX, json.dumps({"type": "bundle", "objects": [found]}))) == [(1, "pattern")]


def test_a_retired_feature_is_a_tombstone_for_whoever_reads_the_bundle() -> None:
    (item,) = proposals(read(JSON, document(ROW)))
    retired = replace(item, state=State.RETIRED, mode=Mode.SUSPENDED)
    bundle = json.loads(written(STIX, [item, retired]))
    assert [indicator["revoked"] for indicator in bundle["objects"]] == [False, True]
    assert bundle["objects"][0]["id"] == bundle["objects"][1]["id"]
    assert bundle["objects"][0]["spec_version"] == "2.1"
    assert read(STIX, json.dumps(bundle))[1] == Tombstone(2, Kind.TERM, "谣言")


@pytest.mark.parametrize("file_format", [JSON, CSV, STIX])
def test_parts_hold_what_the_whole_holds_under_the_same_numbers(
    file_format: service_pb2.FeatureFormat.ValueType,
) -> None:
    (item,) = proposals(read(JSON, document(ROW)))
    many = [replace(item, feature_id=f"f{number}", value=f"word\n{number}") for number in range(2_500)]
    content = written(file_format, many)
    whole = read(file_format, content)
    parts = list(exchange.parts(file_format, content))
    assert len(parts) == 3
    together = [
        replace(found, number=found.number + part.offset) for part in parts for found in read(file_format, part.content)
    ]
    assert together == whole


def test_a_feature_as_a_message_says_everything() -> None:
    (item,) = proposals(read(JSON, document({**ROW, "exceptions": ["谣言止"], "within_words": True})))
    message = codec.feature_message(replace(item, state=State.ADMITTED, mode=Mode.ACTIVE, valid_from=NOW))
    assert (message.state, message.mode) == (model_pb2.FEATURE_STATE_ADMITTED, model_pb2.FEATURE_MODE_ACTIVE)
    assert (list(message.exceptions), message.within_words, message.source) == (["谣言止"], True, "list of 2026")
    assert message.valid_from.ToDatetime(tzinfo=UTC) == NOW
    assert codec.feature_message(item).mode == model_pb2.FEATURE_MODE_UNSPECIFIED


def test_the_benign_corpus_is_the_built_in_and_the_operators_own(tmp_path: Path) -> None:
    built_in = corpus.load(None)
    assert len(built_in.texts) >= 150
    (tmp_path / "b.jsonl").write_text('"第二"\n', encoding="utf-8")
    (tmp_path / "a.jsonl").write_text('{"text": "first\u2028line"}\n\n', encoding="utf-8")
    both = corpus.load(tmp_path)
    assert both.texts == (*built_in.texts, "first\u2028line", "第二")
    assert both.digest != built_in.digest
    assert corpus.load(tmp_path / "b.jsonl").texts[-1] == "第二"


@pytest.mark.parametrize("content", ["{", "5", '{"text": 5}', '""', '{"words": "x"}'])
def test_a_wrong_line_of_the_corpus_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "own.jsonl"
    path.write_text(f'"fine"\n{content}\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"own\.jsonl line 2"):
        corpus.load(path)


def test_a_corpus_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="missing"):
        corpus.load(tmp_path / "missing")
    with pytest.raises(ConfigError, match="no file"):
        corpus.load(tmp_path)


def test_a_time_with_an_offset_is_the_same_instant() -> None:
    (item,) = proposals(read(JSON, document({**ROW, "valid_from": "2026-11-22T08:00:00+08:00"})))
    assert item.valid_from == NOW
    assert item.valid_from.utcoffset() == timedelta(0)
