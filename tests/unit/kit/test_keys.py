"""The keys' pure parts: which master key the settings name, what tells one from another, what a process remembers."""

from __future__ import annotations

import base64
import hashlib
import hmac
from pathlib import Path
from typing import Any

import pytest
from candor_kit.errors import ConfigError
from candor_kit.keys import KeyRing, LocalMaster, Masters, SubjectKeys, masters_of
from candor_kit.keys.ingest import _Memory
from candor_kit.keys.rows import SubjectKey
from candor_kit.settings import KeySettings
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

KEY = bytes(range(32))
TEXT = base64.b64encode(KEY).decode()
CONTEXT = b"ring:1"


def settings(**values: Any) -> KeySettings:
    return KeySettings(database_url="postgresql://nowhere", **values)


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KeySettings.model_fields:
        monkeypatch.delenv(f"CANDOR_{name.upper()}", raising=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "kek"
    made.write_text(TEXT + "\n")
    return made


def test_the_same_master_key_comes_from_a_file_or_the_environment(file: Path) -> None:
    ids = {masters_of(given).current.id for given in (settings(kek_file=file), settings(kek=TEXT))}
    assert ids == {LocalMaster(KEY).id}


def test_the_environment_names_the_settings(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANDOR_DATABASE_URL", "postgresql://nowhere")
    monkeypatch.setenv("CANDOR_KEK", base64.b64encode(bytes(32)).decode())
    monkeypatch.setenv("CANDOR_KEK_PREVIOUS_FILE", str(file))
    masters = masters_of(KeySettings())
    assert [master.id for master in masters] == [LocalMaster(bytes(32)).id, LocalMaster(KEY).id]


def test_an_id_tells_keys_apart_and_holds_nothing_of_the_key() -> None:
    master = LocalMaster(KEY)
    assert master.id == "local:" + hmac.digest(KEY, b"candor key check", "sha256")[:8].hex()
    assert master.id != LocalMaster(KEY[::-1]).id
    assert KEY.hex()[:8] not in master.id


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "one of CANDOR_KEK_FILE, CANDOR_KEK and CANDOR_KEK_VAULT_KEY"),
        ({"kek": TEXT, "kek_vault_key": "k"}, "only one of CANDOR_KEK, CANDOR_KEK_VAULT_KEY"),
        ({"kek": TEXT[:8]}, "CANDOR_KEK must be 32 random bytes in base64, it is 6 bytes"),
        ({"kek": "?" * 44}, "CANDOR_KEK: not base64"),
        ({"kek_file": Path("no-such-file")}, "CANDOR_KEK_FILE no-such-file: FileNotFoundError"),
        ({"kek": TEXT, "kek_previous": "x"}, "CANDOR_KEK_PREVIOUS: not base64"),
        ({"kek_vault_key": "k"}, "CANDOR_KEK_VAULT_TOKEN_FILE must name"),
        (
            {"kek_vault_key": "k", "kek_vault_token_file": Path("none")},
            "CANDOR_KEK_VAULT_TOKEN_FILE none: FileNotFound",
        ),
    ],
)
def test_what_is_wrong_with_the_settings_is_named_by_its_variable(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as refused:
        masters_of(settings(**values))
    assert words in str(refused.value)
    assert TEXT not in str(refused.value)


@pytest.mark.parametrize(
    "address", ["http://vault.example:8200", "http://10.0.0.7:8200", "vault.example", "ftp://127.0.0.1", "https://"]
)
def test_keys_never_cross_a_network_in_the_clear(address: str, file: Path) -> None:
    with pytest.raises(ConfigError, match="CANDOR_KEK_VAULT_ADDR"):
        masters_of(settings(kek_vault_key="k", kek_vault_token_file=file, kek_vault_addr=address))


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:8200", "http://[::1]:8200", "http://localhost", "https://v:8200"]
)
def test_an_agent_on_this_machine_may_be_reached_without_tls(address: str, file: Path) -> None:
    named = settings(kek_vault_key="candor-consent", kek_vault_token_file=file, kek_vault_addr=address)
    assert masters_of(named).current.id == "vault:transit/candor-consent"


@pytest.mark.parametrize("name", ["../sys/seal", "a/b", "a?b", "a b"])
def test_the_name_of_a_vault_key_is_no_path(name: str) -> None:
    with pytest.raises(ValidationError):
        settings(kek_vault_key=name)


async def test_a_local_master_opens_only_its_own_and_in_its_place() -> None:
    master = LocalMaster(KEY)
    wrapped = await master.wrap(bytes(32), CONTEXT)
    assert await master.unwrap(await master.rewrap(wrapped, CONTEXT), CONTEXT) == bytes(32)
    for other, context in ((LocalMaster(bytes(32)), CONTEXT), (master, b"ring:2")):
        with pytest.raises(ConfigError, match="does not open"):
            await other.unwrap(wrapped, context)


def test_a_master_key_that_is_not_configured_is_asked_for_by_its_id() -> None:
    masters = Masters(LocalMaster(KEY), LocalMaster(bytes(32)))
    assert masters.by_id(LocalMaster(bytes(32)).id) is masters.previous
    with pytest.raises(ConfigError) as refused:
        masters.by_id("vault:transit/candor")
    assert "wrapped by master key vault:transit/candor" in str(refused.value)
    assert f"the configured one is {masters.current.id} and " in str(refused.value)


def test_a_ring_that_is_not_open_says_so_instead_of_deriving_from_nothing() -> None:
    with pytest.raises(RuntimeError, match="not open yet"):
        SubjectKeys(KeyRing(Masters(LocalMaster(KEY)))).pseudonym("s")


def entry(subject: str) -> SubjectKey:
    return SubjectKey(hashlib.sha256(subject.encode()).digest(), subject.encode(), None)


SUBJECTS = st.sampled_from("abcdef")
STEP = st.one_of(
    st.tuples(st.just("add"), SUBJECTS), st.tuples(st.just("look"), SUBJECTS), st.tuples(st.just("erase"), SUBJECTS)
)


@given(st.lists(STEP), st.integers(0, 4))
def test_what_is_remembered_is_bounded_true_and_the_latest_used(steps: list[tuple[str, str]], most: int) -> None:
    memory, model, number = _Memory(most), list[str](), 0
    memory.advance(number, None)
    for what, subject in steps:
        if what == "add":
            memory.add(number, [entry(subject)], {entry(subject).pseudonym: subject})
            model = ([each for each in model if each != subject] + [subject])[-most:] if most else []
        elif what == "look":
            assert memory.known([subject]) == ({subject: entry(subject)} if subject in model else {})
            model = [each for each in model if each != subject] + [subject] * (subject in model)
        else:
            number += 1
            memory.advance(number, {entry(subject).pseudonym})
            model = [each for each in model if each != subject]
        assert memory.known("abcdef").keys() == set(model)
        for each in model:
            memory.known([each])


def test_what_was_read_before_an_erasure_is_not_remembered_after_it() -> None:
    memory = _Memory(10)
    memory.advance(1, None)
    memory.advance(2, {entry("b").pseudonym})
    memory.add(1, [entry("a")], {entry("a").pseudonym: "a"})
    assert memory.known("a") == {}
