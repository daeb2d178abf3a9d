"""Each service is given all it needs, and its own secrets only."""

import base64
from pathlib import Path

import jwt
import pytest
from candor_stack import services
from candor_stack.issuer import LocalIssuer
from candor_stack.ports import Ports
from candor_stack.topics import SERVICES


@pytest.fixture
def around(tmp_path: Path) -> services.Surroundings:
    return services.Surroundings(
        folder=tmp_path,
        packs=tmp_path / "packs",
        bootstrap_servers="127.0.0.1:9092",
        database_urls={name: f"postgresql://localhost/{services.database_name(name)}" for name in SERVICES},
        addresses=services.choose_addresses(Ports(tmp_path / "ports.json")),
        jwks_file=tmp_path / "keys" / "jwks.json",
    )


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_gets_every_variable(name: str, around: services.Surroundings) -> None:
    given = services.environment(name, around)
    assert {
        "CANDOR_DATABASE_URL",
        "CANDOR_KAFKA_BOOTSTRAP_SERVERS",
        "CANDOR_GRPC_LISTEN",
        "CANDOR_HTTP_LISTEN",
        "CANDOR_JWKS_FILE",
        "CANDOR_TOKEN_FILE",
        "CANDOR_KEK_FILE",
        "CANDOR_DATA_DIR",
        "CANDOR_GENERATION_HTTP_ADDRESS",
        "CANDOR_PACKS_DIR",
        "CANDOR_LOCAL_MODE",
        "CANDOR_CONSOLE_URL",
        *(f"CANDOR_{other.upper()}_ADDRESS" for other in SERVICES),
    } <= set(given)
    assert given["CANDOR_DATABASE_URL"].endswith(f"/candor_{name}")
    assert given["CANDOR_GRPC_LISTEN"] == given[f"CANDOR_{name.upper()}_ADDRESS"]


def test_the_console_has_neither_database_nor_grpc(around: services.Surroundings) -> None:
    given = services.environment(services.CONSOLE, around)
    assert not {"CANDOR_DATABASE_URL", "CANDOR_GRPC_LISTEN"} & set(given)
    assert given["CANDOR_CONSOLE_URL"] == f"http://{given['CANDOR_HTTP_LISTEN']}"


def test_no_two_listen_at_the_same_place(around: services.Surroundings) -> None:
    places = [place for a in around.addresses.values() for place in (a.grpc, a.http) if place]
    assert len(places) == len(set(places)) == 11


def test_a_service_keeps_its_own_key_of_32_bytes(tmp_path: Path) -> None:
    for name in ("consent", "rights"):
        services.prepare(name, tmp_path)
    first = services.kek_file("consent", tmp_path).read_text()
    services.prepare("consent", tmp_path)
    assert services.kek_file("consent", tmp_path).read_text() == first
    assert len(base64.b64decode(first)) == 32
    assert services.kek_file("rights", tmp_path).read_text() != first


def test_only_refutation_may_read_texts(tmp_path: Path) -> None:
    services.renew_tokens(LocalIssuer.open(tmp_path), tmp_path)
    roles = {}
    for name in services.ALL:
        token = services.token_file(name, tmp_path).read_text().strip()
        claims = jwt.decode(token, options={"verify_signature": False})
        assert claims["sub"] == name
        roles[name] = claims["roles"]
    assert [name for name, held in roles.items() if "matcher" in held] == ["refutation"]


def test_an_extra_variable_wins(around: services.Surroundings) -> None:
    command = services.command("consent", around, {"CANDOR_LOCAL_MODE": "false"})
    assert command.env["CANDOR_LOCAL_MODE"] == "false"
    assert command.argv[-1] == "candor_consent.main"
