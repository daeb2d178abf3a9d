from __future__ import annotations

import pytest
from candor_consent.domain.holding import count, part

from .builders import CHAT, HOUR, NOON, granted, refused_training, versions_of, withdrawn

VERSIONS = versions_of(CHAT)
YES = granted(VERSIONS)


@pytest.mark.clause("PIPL 45")
def test_pipl_45_every_act_is_counted_under_its_kind() -> None:
    acts = [YES, withdrawn(YES, NOON + HOUR), refused_training(NOON)]

    assert count(acts) == {"consent": 2, "training_refusal": 1}
    assert count([]) == {}


@pytest.mark.clause("PIPL 47")
def test_pipl_47_deletion_covers_what_was_made_up_to_the_asking() -> None:
    acts = [YES, withdrawn(YES, NOON + 2 * HOUR)]

    assert part(acts, NOON + 2 * HOUR).erased == tuple(acts)
    assert part(acts, NOON + HOUR).erased == tuple(acts)
    assert part(acts, NOON + HOUR).kept == ()


@pytest.mark.clause("PIPL 47")
def test_pipl_47_what_the_person_agreed_to_after_asking_stays() -> None:
    again = granted(VERSIONS, NOON + 2 * HOUR, "consent-2")
    ended = withdrawn(again, NOON + 3 * HOUR)
    refusal = refused_training(NOON + 4 * HOUR)

    parting = part([YES, again, ended, refusal], NOON + HOUR)

    assert parting.erased == (YES,)
    assert parting.kept == (again, ended, refusal)
