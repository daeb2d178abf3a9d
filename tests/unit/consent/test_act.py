from __future__ import annotations

from datetime import datetime

import pytest
from candor_consent.domain.act import must_outlast_erasure
from candor_consent.domain.refusal import Refused

from .builders import HOUR, NOON


@pytest.mark.clause("PIPL 47")
@pytest.mark.parametrize("at", [NOON - HOUR, NOON], ids=["before", "at the instant"])
def test_pipl_47_act_made_before_the_erasure_does_not_come_back(at: datetime) -> None:
    with pytest.raises(Refused) as refusal:
        must_outlast_erasure(at, NOON)
    assert refusal.value.reason == "SUBJECT_ERASED"


@pytest.mark.clause("PIPL 47")
def test_pipl_47_act_made_after_the_erasure_is_a_new_beginning() -> None:
    must_outlast_erasure(NOON + HOUR, NOON)
    must_outlast_erasure(NOON, None)
