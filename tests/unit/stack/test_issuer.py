"""Local tokens verify against the published key, and the private one stays with its owner."""

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest
from candor_stack import StackError
from candor_stack.issuer import AUDIENCE, ISSUER, LocalIssuer

HOUR = timedelta(hours=1)


def verified(token: str, jwks_file: Path) -> dict[str, object]:
    keys = jwt.PyJWKSet.from_json(jwks_file.read_text())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    claims: dict[str, object] = jwt.decode(token, key, algorithms=["EdDSA"], audience=AUDIENCE, issuer=ISSUER)
    return claims


def test_a_token_verifies_against_the_jwks(tmp_path: Path) -> None:
    issuer = LocalIssuer.open(tmp_path)
    claims = verified(issuer.token("shop", ["backend"], HOUR), issuer.jwks_file)
    assert (claims["sub"], claims["roles"]) == ("shop", ["backend"])


def test_a_token_ends(tmp_path: Path) -> None:
    issuer = LocalIssuer.open(tmp_path)
    yesterday = datetime.now(UTC) - timedelta(days=1)
    with pytest.raises(jwt.ExpiredSignatureError):
        verified(issuer.token("shop", ["backend"], HOUR, now=yesterday), issuer.jwks_file)


def test_the_key_is_made_once(tmp_path: Path) -> None:
    token = LocalIssuer.open(tmp_path).token("shop", ["backend"], HOUR)
    assert verified(token, LocalIssuer.open(tmp_path).jwks_file)


def test_another_folder_s_key_does_not_verify(tmp_path: Path) -> None:
    token = LocalIssuer.open(tmp_path / "a").token("shop", ["backend"], HOUR)
    with pytest.raises(KeyError):
        verified(token, LocalIssuer.open(tmp_path / "b").jwks_file)


def test_the_private_key_is_its_owner_s_alone(tmp_path: Path) -> None:
    issuer = LocalIssuer.open(tmp_path)
    assert stat.S_IMODE((tmp_path / "keys" / "issuer.pem").stat().st_mode) == 0o600
    assert "d" not in json.loads(issuer.jwks_file.read_text())["keys"][0]


def test_an_unknown_role_is_refused_with_the_list(tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"admin.*privacy_officer"):
        LocalIssuer.open(tmp_path).token("shop", ["backend", "admin"], HOUR)
