"""Signing in with a local user: who gets in, who does not, and what is remembered."""

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from candor_console.signin import local_tokens, local_users
from candor_console.signin.failures import MOST_FAILURES, WINDOW, Failures


def sign_in(desk: Any, password: str = "right horse", name: str = "officer", target: str = "/") -> Any:
    token = desk.token_on("/sign-in")
    return desk.post("/sign-in", {"csrf": token, "name": name, "password": password, "next": target})


def test_the_right_password_leads_to_where_one_wanted_to_go(desk: Any) -> None:
    assert desk.get("/requests").headers["location"] == "/sign-in?next=%2Frequests"
    answer = sign_in(desk, target="/requests?all=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/requests?all=1")
    assert desk.get("/").status_code == 200


@pytest.mark.parametrize(
    ("name", "password"), [("officer", "wrong"), ("nobody", "right horse"), ("", ""), ("officer", "")]
)
def test_a_wrong_name_and_a_wrong_password_read_alike(desk: Any, name: str, password: str) -> None:
    answer = sign_in(desk, password, name)
    assert answer.status_code == 403
    assert "Name or password is wrong." in answer.text
    assert desk.get("/").status_code == 303


def test_guessing_is_slowed_down_per_name_and_address(desk: Any) -> None:
    for _ in range(MOST_FAILURES):
        assert sign_in(desk, "wrong").status_code == 403
    blocked = sign_in(desk)
    assert blocked.status_code == 429
    assert "Try again in 15 min" in blocked.text
    desk.clock.at += WINDOW + timedelta(seconds=1)
    assert sign_in(desk).status_code == 303


def test_failures_of_one_name_do_not_lock_another_out() -> None:
    failures, now = Failures(most=1), datetime(2026, 11, 22, tzinfo=UTC)
    failures.add(now, "name officer", "address a")
    assert failures.blocked_until(now, "name auditor", "address b") is None
    assert failures.blocked_until(now, "name auditor", "address a") == now + WINDOW


def test_signing_in_changes_the_token_of_forms(desk: Any) -> None:
    before = desk.token_on("/sign-in")
    sign_in(desk)
    assert desk.token_on("/") != before


def test_signing_out_is_a_post_and_ends_the_session(desk: Any) -> None:
    desk.sit_down("privacy_officer")
    assert desk.get("/sign-out").status_code == 405
    answer = desk.post("/sign-out", {"csrf": desk.token_on("/")})
    assert answer.headers["location"] == "/sign-in"
    assert desk.get("/").status_code == 303


def test_an_idle_session_signs_in_again(desk: Any) -> None:
    desk.sit_down("privacy_officer")
    desk.clock.at += timedelta(hours=7)
    assert desk.get("/").status_code == 200
    desk.clock.at += timedelta(hours=7)
    assert desk.get("/").status_code == 200
    desk.clock.at += timedelta(hours=9)
    assert desk.get("/").status_code == 303


def test_services_are_asked_in_the_users_own_name(desk: Any) -> None:
    desk.sit_down("auditor", name="auditor")
    desk.get("/requests")
    _method, _question, bearer = desk.calls.asked[0]
    claims = jwt.decode(
        bearer,
        desk.issuer_key.public_key(),
        algorithms=["EdDSA"],
        audience="candor",
        issuer="candor-local",
        options={"verify_exp": False, "verify_iat": False},
    )
    assert (claims["sub"], claims["roles"]) == ("auditor", ["auditor"])
    assert claims["exp"] - claims["iat"] == 300
    assert jwt.get_unverified_header(bearer)["kid"] == "key-1"


def test_first_start_makes_users_with_passwords_for_the_owner_alone(tmp_path: Path) -> None:
    file, passwords = tmp_path / "users.json", tmp_path / "users.txt"
    users = local_users.load_or_create(file, passwords)
    secrets = dict(line.split() for line in passwords.read_text().splitlines())
    assert set(secrets) == {"officer", "oncall", "auditor", "operator"}
    for path in (file, passwords):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    officer = users.check("officer", secrets["officer"])
    assert officer is not None
    assert officer.roles == {"privacy_officer"}
    assert users.check("officer", secrets["oncall"]) is None
    assert not any(secret in file.read_text() for secret in secrets.values())


def test_a_second_start_keeps_the_users(tmp_path: Path) -> None:
    file, passwords = tmp_path / "users.json", tmp_path / "users.txt"
    local_users.load_or_create(file, passwords)
    before = file.read_text()
    local_users.load_or_create(file, passwords)
    assert file.read_text() == before


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        json.dumps({"users": [{"name": "a"}]}),
        json.dumps({"users": [{"name": "", "roles": [], "salt": "", "scrypt": ""}]}),
    ],
)
def test_a_wrong_users_file_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "users.json"
    file.write_text(text)
    with pytest.raises(local_users.UsersError, match=r"users\.json"):
        local_users.load(file)


def test_the_issuer_needs_its_public_half_in_the_jwks(tmp_path: Path) -> None:
    key, jwks = tmp_path / "issuer.pem", tmp_path / "jwks.json"
    jwks.write_text('{"keys": []}')
    with pytest.raises(local_tokens.IssuerError, match=r"issuer\.pem"):
        local_tokens.load(key, jwks)
