"""A session is the browser's to carry and the console's to trust."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from candor_console.sessions import Cookies, Flow, Seal, Session, Tokens, new_session, signed_in
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import Response

NOW = datetime(2026, 11, 22, 13, 30, tzinfo=UTC)
IDLE, LONGEST = timedelta(hours=8), timedelta(hours=24)
KEY = Fernet.generate_key().decode()


def seal(*keys: str) -> Seal:
    return Seal(keys or (KEY,), idle=IDLE, longest=LONGEST)


def everything() -> Session:
    tokens = Tokens("access", "refresh", NOW + timedelta(minutes=5))
    session = signed_in(NOW, "officer", frozenset({"auditor", "privacy_officer"}), tokens)
    flow = Flow("state", "nonce", "verifier", "/requests?all=1")
    return Session(session.csrf, NOW, session.name, session.roles, tokens, flow)


def test_what_was_sealed_opens_as_it_was() -> None:
    session = everything()
    assert seal().open(seal().close(session, NOW), NOW + timedelta(hours=1)) == session


@given(position=st.integers(min_value=0), replacement=st.sampled_from("ABCxyz019-_"))
def test_a_changed_cookie_is_nobodys(position: int, replacement: str) -> None:
    text = seal().close(new_session(NOW), NOW)
    place = position % len(text.rstrip("="))
    changed = text[:place] + replacement + text[place + 1 :]
    opened = seal().open(changed, NOW)
    # The last base64 digit may hold bits that no byte uses; such a change changes nothing.
    assert opened is None or Fernet(KEY).decrypt(changed.encode()) == Fernet(KEY).decrypt(text.encode())


def test_the_cookie_shows_neither_name_nor_role() -> None:
    text = seal().close(everything(), NOW)
    assert "officer" not in text


def test_a_session_ends_after_eight_idle_hours() -> None:
    text = seal().close(everything(), NOW)
    assert seal().open(text, NOW + IDLE - timedelta(seconds=1)) is not None
    assert seal().open(text, NOW + IDLE + timedelta(seconds=1)) is None


def test_a_session_that_is_used_ends_after_a_day() -> None:
    session = everything()
    later = NOW + LONGEST + timedelta(seconds=1)
    assert seal().open(seal().close(session, later), later) is None


def test_a_new_key_seals_while_the_old_one_still_opens() -> None:
    fresh = Fernet.generate_key().decode()
    text = seal().close(everything(), NOW)
    assert seal(fresh, KEY).open(text, NOW) is not None
    assert seal(fresh).open(text, NOW) is None


def test_no_key_is_refused() -> None:
    with pytest.raises(ValueError, match="--new-session-key"):
        Seal([], idle=IDLE, longest=LONGEST)


def test_signing_in_takes_nothing_over() -> None:
    before = new_session(NOW)
    assert signed_in(NOW, "officer", frozenset()).csrf != before.csrf


@pytest.mark.parametrize("secure", [True, False])
def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(secure: bool) -> None:
    response = Response()
    cookies = Cookies(secure=secure)
    cookies.write(response, "text", {})
    header = response.headers["set-cookie"].lower()
    assert "httponly" in header
    assert "samesite=lax" in header
    assert "path=/" in header
    assert ("secure" in header) is secure
    assert cookies.name.startswith("__Host-") is secure


def written(cookies: Cookies, text: str, present: dict[str, str]) -> dict[str, str]:
    """The browser's cookies after an answer."""
    response = Response()
    cookies.write(response, text, present)
    jar: dict[str, Any] = dict(present)
    for header in response.headers.getlist("set-cookie"):
        name, _, rest = header.partition("=")
        value = rest.split(";")[0].strip('"')
        if "max-age=0" in header.lower():
            jar.pop(name, None)
        else:
            jar[name] = value
    return jar


@given(st.lists(st.integers(min_value=1, max_value=9000), min_size=1, max_size=4))
def test_a_session_of_any_length_is_read_as_written(lengths: list[int]) -> None:
    cookies = Cookies(secure=True)
    jar: dict[str, str] = {"other": "1"}
    for number, length in enumerate(lengths):
        text = str(number) * length
        jar = written(cookies, text, jar)
        assert cookies.read(jar) == text


def test_a_session_that_no_browser_would_keep_is_a_fault() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        Cookies(secure=True).write(Response(), "x" * 40_000, {})


def test_what_is_left_of_a_session_is_the_shorter_of_idle_and_longest() -> None:
    session = signed_in(NOW, "wang", frozenset({"on_call"}))
    text = seal().close(session, NOW + timedelta(hours=10))
    assert seal().left(text, session, NOW + timedelta(hours=11)) == timedelta(hours=7)
    late = seal().close(session, NOW + timedelta(hours=20))
    assert seal().left(late, session, NOW + timedelta(hours=21)) == timedelta(hours=3)
