"""A master key in Vault's transit engine, against a stand-in of its HTTP API."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import ipaddress
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from candor_kit.errors import ConfigError, Unavailable
from candor_kit.keys import KeyRing, Masters, open_ring
from candor_kit.keys.rotation import Rotation
from candor_kit.keys.vault import Transit, VaultMaster
from candor_kit.stop import Stop
from candor_stack import LocalStack
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from key_database import KeyDatabase, key_database
from toy import Toy
from vault import Vault, vault

KEY = bytes(range(32))


@pytest.fixture
def running() -> Iterator[Vault]:
    with vault() as made:
        made.create("candor")
        yield made


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    made = tmp_path / "token"
    made.write_text("hvs.first\n")
    return made


@pytest.fixture
def master(running: Vault, token_file: Path) -> VaultMaster:
    return VaultMaster(Transit(running.address, "transit", "", token_file), "candor")


@pytest.fixture
async def db(bare_stack: LocalStack) -> AsyncIterator[KeyDatabase]:
    async with key_database(bare_stack) as made:
        yield made


def environment(running: Vault, token_file: Path, key: str = "candor") -> dict[str, str]:
    return {
        "CANDOR_KEK": "",
        "CANDOR_KEK_VAULT_ADDR": running.address,
        "CANDOR_KEK_VAULT_KEY": key,
        "CANDOR_KEK_VAULT_TOKEN_FILE": str(token_file),
    }


async def test_vault_wraps_and_unwraps(master: VaultMaster, running: Vault) -> None:
    wrapped = await master.wrap(KEY, b"ring:1")
    assert wrapped.startswith(b"vault:v1:")
    assert KEY not in wrapped
    running.rotate("candor")
    again = await master.rewrap(wrapped, b"ring:1")
    assert again.startswith(b"vault:v2:")
    assert [await master.unwrap(each, b"ring:1") for each in (wrapped, again)] == [KEY, KEY]
    assert running.asked[1] == "/v1/transit/rewrap/candor"


async def test_a_wrapped_key_that_was_moved_is_refused(master: VaultMaster) -> None:
    with pytest.raises(ConfigError, match="moved"):
        await master.unwrap(await master.wrap(KEY, b"ring:1"), b"ring:2")


async def test_a_renewed_token_is_taken_up(master: VaultMaster, running: Vault, token_file: Path) -> None:
    await master.wrap(KEY, b"")
    running.token = "hvs.second"
    with pytest.raises(ConfigError, match=r"403 permission denied; has the token expired"):
        await master.wrap(KEY, b"")
    renew(token_file, "hvs.second\n")
    await master.wrap(KEY, b"")
    renew(token_file, "")
    with pytest.raises(ConfigError, match="holds no token"):
        await master.wrap(KEY, b"")


async def test_the_namespace_is_sent(running: Vault, token_file: Path) -> None:
    running.namespace = "team/privacy"
    named = VaultMaster(Transit(running.address + "/", "transit", "team/privacy", token_file), "candor")
    assert await named.unwrap(await named.wrap(KEY, b""), b"") == KEY


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sealed": True}, "503 Vault is sealed"),
        ({"over_limit": 1}, "429 request path .*rate limit quota exceeded"),
        ({"standby_behind": 1}, "412 required index state not present"),
    ],
)
async def test_what_passes_by_itself_is_away_and_not_wrong(
    master: VaultMaster, running: Vault, change: dict[str, object], words: str
) -> None:
    for name, value in change.items():
        setattr(running, name, value)
    with pytest.raises(Unavailable, match=words):
        await master.wrap(KEY, b"")
    running.sealed = False
    await master.wrap(KEY, b"")


async def test_a_vault_that_is_not_there_is_away(token_file: Path) -> None:
    with vault() as stopped:
        address = stopped.address
    with pytest.raises(Unavailable, match="Vault does not answer"):
        await VaultMaster(Transit(address, "transit", "", token_file), "candor").wrap(KEY, b"")


@pytest.mark.parametrize(
    ("mount", "key", "words"),
    [
        ("transit", "other", "400 encryption key not found"),
        ("kv", "candor", "404 no handler for route .* is the transit engine mounted there"),
    ],
)
async def test_a_wrong_name_is_a_wrong_configuration(
    running: Vault, token_file: Path, mount: str, key: str, words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        await VaultMaster(Transit(running.address, mount, "", token_file), key).wrap(KEY, b"")


async def test_another_key_of_that_name_opens_nothing(master: VaultMaster, running: Vault) -> None:
    wrapped = await master.wrap(KEY, b"")
    running.create("candor")
    with pytest.raises(ConfigError, match="400 cipher: message authentication failed"):
        await master.unwrap(wrapped, b"")


@pytest.mark.parametrize(
    "raw", [b"", b"<html>", b"[]", b'{"data": 7}', b'{"data": {"ciphertext": 7, "plaintext": "%"}}']
)
async def test_an_answer_that_is_not_vaults_is_refused(master: VaultMaster, running: Vault, raw: bytes) -> None:
    running.raw = raw
    for call in (master.wrap(KEY, b""), master.unwrap(b"vault:v1:", b"")):
        with pytest.raises(ConfigError, match="is it Vault"):
            await call


async def test_tls_is_checked_against_the_authority_that_is_named(tmp_path: Path, token_file: Path) -> None:
    certificate, key = authority(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with vault(context) as served:
        served.create("candor")
        named = VaultMaster(Transit(served.address, "transit", "", token_file, certificate), "candor")
        assert await named.unwrap(await named.wrap(KEY, b""), b"") == KEY
        with pytest.raises(Unavailable):
            await VaultMaster(Transit(served.address, "transit", "", token_file), "candor").wrap(KEY, b"")
    with pytest.raises(ConfigError, match="CANDOR_KEK_VAULT_CA_FILE"):
        VaultMaster(Transit(served.address, "transit", "", token_file, token_file), "candor")


async def test_vault_is_asked_at_the_start_and_never_per_record(
    db: KeyDatabase, master: VaultMaster, running: Vault
) -> None:
    async with db.replica(master):
        pass
    running.asked.clear()
    async with db.replica(master) as replica:
        keys = await replica.take(*(f"s-{number}" for number in range(500)))
        running.sealed = True
        assert await replica.key("s-1") == keys["s-1"]
        await replica.key("s-new")
    assert running.asked == ["/v1/transit/decrypt/candor"]


async def test_a_start_waits_for_a_vault_that_is_sealed_or_asks_for_patience(
    db: KeyDatabase, master: VaultMaster, running: Vault
) -> None:
    running.sealed, running.over_limit = True, 1
    async with db.replica() as other:
        ring = KeyRing(Masters(master, db.master))
        await db.rows("DELETE FROM kit_key_ring; DELETE FROM kit_root_secret")
        opening = asyncio.create_task(open_ring(ring, other.pool, Stop()))
        async with asyncio.timeout(10):
            while len(running.asked) < 2:  # noqa: ASYNC110 - the stand-in tells nobody
                await asyncio.sleep(0.01)
        assert not opening.done()
        running.sealed = False
        assert await opening
    assert len(ring.derive("x")) == 32


async def test_a_start_that_waits_can_be_stopped(db: KeyDatabase, master: VaultMaster, running: Vault) -> None:
    running.sealed = True
    stop = Stop()
    async with db.replica() as other:
        await db.rows("DELETE FROM kit_key_ring; DELETE FROM kit_root_secret")
        opening = asyncio.create_task(open_ring(KeyRing(Masters(master)), other.pool, stop))
        async with asyncio.timeout(10):
            while not running.asked:  # noqa: ASYNC110 - the stand-in tells nobody
                await asyncio.sleep(0.01)
        stop.set()
        assert await opening is False


async def test_a_vault_that_is_away_when_a_new_version_is_met_is_waited_for(
    db: KeyDatabase, master: VaultMaster, running: Vault, token_file: Path
) -> None:
    async with db.replica(master) as replica:
        key = await replica.key("s-1")
        async with db.connection() as connection:
            await Rotation(KeyRing(Masters(master)), connection).rotate(lambda _: None)
        running.sealed = True
        with pytest.raises(Unavailable):
            await replica.key("s-1")
        running.sealed, running.token = False, "hvs.second"
        with pytest.raises(Unavailable, match="master key"):
            await replica.key("s-1")
        renew(token_file, "hvs.second")
        assert await replica.key("s-1") == key


async def test_from_a_file_to_vault_to_its_next_version_and_to_another_key(
    db: KeyDatabase, running: Vault, token_file: Path, tmp_path: Path
) -> None:
    async with db.replica() as replica:
        key = await replica.key("s-1")
    file = tmp_path / "kek"
    file.write_bytes(base64.b64encode(db.master.key))
    code, said = await db.said("rewrap", CANDOR_KEK_PREVIOUS_FILE=str(file), **environment(running, token_file))
    assert (code, "vault:transit/candor wraps the 1 version(s)" in said) == (0, True)
    running.rotate("candor")
    assert (await db.said("rewrap", **environment(running, token_file)))[0] == 0
    rows = await db.rows("SELECT wrapped FROM kit_key_ring")
    assert bytes(rows[0]["wrapped"]).startswith(b"vault:v2:")
    running.create("next")
    values = environment(running, token_file, "next")
    assert (await db.said("rewrap", CANDOR_KEK_PREVIOUS_VAULT_KEY="candor", **values))[0] == 0
    del running.keys["candor"]
    transit = Transit(running.address, "transit", "", token_file)
    async with db.replica(VaultMaster(transit, "next")) as replica:
        assert await replica.key("s-1") == key


async def test_the_command_says_that_vault_is_away(db: KeyDatabase, running: Vault, token_file: Path) -> None:
    running.sealed = True
    async with db.replica():
        pass
    values = environment(running, token_file)
    code, said = await db.said("rewrap", CANDOR_KEK_PREVIOUS="A" * 43 + "=", **values)
    assert (code, "wrapped by master key local:" in said) == (2, True)
    await db.rows("UPDATE kit_key_ring SET master = 'vault:transit/candor'")
    code, said = await db.said("rewrap", **values)
    assert code == 2, said
    assert "try again, what was done stays done" in said


async def test_a_service_starts_on_vault_and_serves_once_it_is_unsealed(
    idle: Toy, running: Vault, token_file: Path
) -> None:
    running.sealed = True
    values = {"kek_vault_addr": running.address, "kek_vault_key": "candor", "kek_vault_token_file": token_file}
    await idle.start(wait=False, kek_file=None, **values)
    async with asyncio.timeout(30):
        while not running.asked:  # noqa: ASYNC110 - the stand-in tells nobody
            await asyncio.sleep(0.05)
    running.sealed = False
    await idle.ready()
    assert len(running.asked) < 20
    rows = await idle.rows("SELECT master FROM kit_key_ring")
    assert rows == [{"master": "vault:transit/candor"}]


def renew(file: Path, token: str) -> None:
    file.write_text(token)


def authority(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that is its own authority, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "vault")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "vault.pem", folder / "vault.key"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files
