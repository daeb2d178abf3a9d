from __future__ import annotations

import pytest
from candor_escalation.domain.link import Link, sign, verify
from candor_escalation.domain.refusal import Refused
from hypothesis import given
from hypothesis import strategies as st

from .builders import HOUR, NOON, PAGE

KEY = bytes(range(32))
LINK = Link(PAGE, NOON + HOUR)
TOKEN = sign(LINK, KEY)


def reason(token: str, key: bytes = KEY) -> str:
    with pytest.raises(Refused) as refused:
        verify(token, key, NOON)
    return refused.value.reason


def test_a_link_of_ours_names_its_page_until_it_expires() -> None:
    assert verify(TOKEN, KEY, NOON) == LINK
    with pytest.raises(Refused, match="expired"):
        verify(TOKEN, KEY, NOON + HOUR)


def test_a_link_of_another_key_is_not_ours() -> None:
    assert reason(TOKEN, bytes(32)) == "LINK_INVALID"


@given(st.integers(0, len(TOKEN) - 2), st.sampled_from("ABCDwxyz0189-_"))
def test_a_link_with_any_character_changed_is_not_ours(place: int, character: str) -> None:
    changed = TOKEN[:place] + character + TOKEN[place + 1 :]

    assert changed == TOKEN or reason(changed) == "LINK_INVALID"


@given(st.text(max_size=200))
def test_no_other_text_is_a_link(text: str) -> None:
    assert reason(text) == "LINK_INVALID"


def test_a_link_fits_into_a_text_message() -> None:
    assert len(TOKEN) == 75
    assert TOKEN.isascii()
