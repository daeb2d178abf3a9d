from __future__ import annotations

from pathlib import Path

import pytest
from candor_packs.pack import Pack, load
from candor_packs.vectors import run

PACKS = load(Path(__file__).resolve().parents[3] / "packs")


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.id)
def test_every_vector_of_a_pack_comes_out_as_the_pack_says(pack: Pack) -> None:
    assert [f"{mistake.vector.name}: {mistake.message}" for mistake in run(pack)] == []


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.id)
def test_every_obligation_arises_in_a_vector(pack: Pack) -> None:
    expected = {expectation.obligation for vector in pack.vectors for expectation in vector.expect}

    assert expected == {obligation.id for obligation in pack.obligations}


def test_the_packs_that_the_service_promises_are_there() -> None:
    promised = {
        "cn.pipl.57",
        "cn.deep-synthesis.10",
        "cn.deep-synthesis.11",
        "cn.incident-reporting",
        "cn.algorithm-filing",
        "eu.gdpr.33",
    }

    assert promised <= {pack.id for pack in PACKS}


def test_no_pack_claims_a_lawyer_signed_it() -> None:
    assert {pack.status for pack in PACKS} == {"draft"}


def test_our_own_number_is_never_shown_as_the_law_s() -> None:
    for pack in PACKS:
        for obligation in pack.obligations:
            assert (obligation.due is None) == (obligation.objective is not None)
