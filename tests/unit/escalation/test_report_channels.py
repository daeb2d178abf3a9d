from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from candor_escalation.directory import Answer, Directory, load
from candor_escalation.domain.guide import Address, guide, is_way
from candor_escalation.domain.report import Draft, File
from candor_packs import pack
from candor_packs.pack import PackError

from .builders import NOON

PACKS = Path(__file__).resolve().parents[3] / "packs"
ENTRY: dict[str, Any] = {
    "pack": "xx.law",
    "obligations": ["report"],
    "source": "gazette",
    "evidence": {"mark": "P", "checked": "2026-11-22"},
    "channels": [{"name": "phone", "address": "112"}],
}


class Database:
    """An adapter as another part of the service brings it."""

    name = "transparency-database"

    def serves(self, pack_id: str, obligation_id: str) -> bool:
        return (pack_id, obligation_id) == ("eu.dsa.24", "statement")

    async def send(self, submission_id: str, draft: Draft, sent: File) -> Answer:
        assert draft.locale == "en"
        return Answer(submission_id, NOON, sent.sha256, "application/json")


def book(tmp_path: Path, *entries: dict[str, Any]) -> Path:
    (tmp_path / "channels.json").write_text(json.dumps({"recipients": entries}), "utf-8")
    return tmp_path


def test_every_address_of_the_packs_belongs_to_an_obligation_and_has_its_steps() -> None:
    directory, packs = load(PACKS), pack.load(PACKS)
    known = {(one.id, duty.id) for one in packs for duty in one.obligations}
    told = json.loads((PACKS / "channels.json").read_text("utf-8"))["recipients"]

    assert told
    for entry in told:
        for obligation in entry["obligations"]:
            served = {key for key in known if key[0] == entry["pack"] and obligation in ("*", key[1])}
            assert served, (entry["pack"], obligation)
            for key in served:
                ways = guide(directory.addresses(*key))
                assert [way.address for way in ways] == [way["address"] for way in entry["channels"]]
                assert all(way.address in way.steps[1].zh for way in ways)


def test_an_address_of_an_obligation_goes_before_that_of_its_pack(tmp_path: Path) -> None:
    every = {**ENTRY, "obligations": ["*"], "channels": [{"name": "fax", "address": "1"}]}
    directory = load(book(tmp_path, ENTRY, every))

    assert directory.addresses("xx.law", "report") == (Address("phone", "112", "gazette"),)
    assert directory.addresses("xx.law", "summary") == (Address("fax", "1", "gazette"),)
    assert directory.addresses("yy.law", "report") == ()
    assert load(tmp_path / "none").addresses("xx.law", "report") == ()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"channels": [{"name": "pigeon", "address": "x"}]}, "channels"),
        ({"channels": []}, "channels"),
        ({"channels": [{"name": "phone", "address": ""}]}, "address"),
        ({"evidence": {"mark": "Z", "checked": "2026-11-22"}}, "mark"),
        ({"telephone": "112"}, "telephone"),
    ],
)
def test_a_wrong_book_of_addresses_is_named_with_its_field(tmp_path: Path, change: dict[str, Any], field: str) -> None:
    with pytest.raises(PackError, match=field):
        load(book(tmp_path, {**ENTRY, **change}))


def test_where_no_address_is_known_the_usual_ways_say_so() -> None:
    ways = guide(())

    assert [way.name for way in ways] == ["portal", "email", "phone", "letter"]
    assert all("look it up" in way.steps[1].en and is_way(way.name) for way in ways)
    assert not is_way("pigeon")


def test_an_adapter_is_the_first_way_for_what_it_serves() -> None:
    directory = Directory({}, (Database(),))

    assert directory.automatic("eu.gdpr.33", "authority") == ()
    ways = guide((), directory.automatic("eu.dsa.24", "statement"))
    assert (ways[0].name, ways[0].automatic) == ("transparency-database", True)
    assert not any(way.automatic for way in ways[1:])


async def test_an_adapter_answers_with_a_receipt() -> None:
    draft = Draft("c", 1, "en", "t", (), b"", datetime.fromisoformat("2026-06-01T00:00:00+00:00"), "li")
    answer = await Database().send("s1", draft, File("n", "text/plain", b"t", b"x" * 32))

    assert (answer.reference, answer.proof) == ("s1", b"x" * 32)
