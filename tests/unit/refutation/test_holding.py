"""Nothing in this service's database leads to a person, so an erasure leaves nothing to erase here."""

from __future__ import annotations

import re
from importlib import resources
from typing import cast

import pytest
from candor.rights.v1 import holder_pb2
from candor_kit.query import Query
from candor_refutation.api import export


def columns(table: str) -> set[str]:
    sql = resources.files("candor_refutation").joinpath("migrations/0001_refutation.sql").read_text(encoding="utf-8")
    body = re.search(rf"CREATE TABLE {table} \((.*?)\n\);", sql, re.DOTALL)
    assert body
    return set(re.findall(r"^    ([a-z_]+) ", body[1], re.MULTILINE))


@pytest.mark.clause("PIPL 47")
def test_pipl_47_a_match_names_a_generation_and_neither_a_person_nor_a_text() -> None:
    named = {"claim_id", "generation_id", "log_index", "occurred_at", "containment", "band", "matched_at"}

    assert columns("match") == named


@pytest.mark.clause("PIPL 45")
async def test_pipl_45_there_is_nothing_to_export_about_a_person() -> None:
    request = holder_pb2.ExportRequest(subject="someone")

    assert [item async for item in export(cast("Query", None), request)] == []
