"""Who asks, sealed."""

import pytest
from candor_kit.keys import new_key
from candor_rights.domain.person import Person
from candor_rights.identities import open_person, seal_person
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

KEY = new_key()
PSEUDONYM = b"p" * 32


@given(st.text(max_size=128), st.text(max_size=320))
def test_a_sealed_person_opens_as_they_were(subject: str, contact: str) -> None:
    person = Person(subject, contact)
    assert open_person(KEY, seal_person(PSEUDONYM, KEY, person, "r-1"), "r-1") == person


def test_neither_subject_nor_contact_can_be_read_from_a_row() -> None:
    sealed = seal_person(PSEUDONYM, KEY, Person("account-4711", "ada@example.org"), "r-1")
    assert b"4711" not in sealed.sealed
    assert b"ada" not in sealed.sealed


def test_a_sealed_person_cannot_be_moved_to_another_request_or_opened_with_another_key() -> None:
    sealed = seal_person(PSEUDONYM, KEY, Person("u-1"), "r-1")
    with pytest.raises(InvalidTag):
        open_person(KEY, sealed, "r-2")
    with pytest.raises(InvalidTag):
        open_person(new_key(), sealed, "r-1")
