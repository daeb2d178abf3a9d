from __future__ import annotations

import base64
from pathlib import Path

import pytest
from candor_escalation.main import compose
from candor_escalation.settings import Settings
from candor_kit.errors import ConfigError
from pydantic import SecretStr

PACKS = Path(__file__).resolve().parents[3] / "packs"


@pytest.fixture
def kek(tmp_path: Path) -> Path:
    file = tmp_path / "kek"
    file.write_text(base64.b64encode(bytes(32)).decode())
    return file


def settings(kek: Path, *, local: bool = True, packs: Path = PACKS, oncall: Path | None = None) -> Settings:
    return Settings(
        database_url=SecretStr("postgresql://nobody@127.0.0.1:1/none"),
        kafka_bootstrap_servers="127.0.0.1:1",
        jwks_file=kek,
        kek_file=kek,
        packs_dir=packs,
        local_mode=local,
        oncall_file=oncall,
        http_listen="127.0.0.1:8080",
        public_url="",
        profile={"jurisdictions": ["CN"], "operator_class": "other"},
    )


async def test_every_rpc_and_every_loop_is_wired(kek: Path) -> None:
    service = await compose(settings(kek))

    assert service.name == "escalation"


async def test_a_wrong_on_call_chain_is_named_with_line_and_field(kek: Path, tmp_path: Path) -> None:
    chain = tmp_path / "oncall.yaml"
    chain.write_text("contacts:\n  - name: anna\n    webhook: ftp://nowhere\n    ack_timeout_seconds: 60\n")

    with pytest.raises(ConfigError, match=rf"CANDOR_ONCALL_FILE {chain}:3: contacts\[0\].webhook"):
        await compose(settings(kek, oncall=chain))


async def test_outside_of_local_mode_somebody_must_be_on_call(kek: Path) -> None:
    with pytest.raises(ConfigError, match="nobody would be paged"):
        await compose(settings(kek, local=False))


async def test_a_folder_without_packs_is_refused(kek: Path, tmp_path: Path) -> None:
    (tmp_path / "packs").mkdir()

    with pytest.raises(ConfigError, match="no policy pack"):
        await compose(settings(kek, packs=tmp_path / "packs"))


@pytest.mark.parametrize(
    ("public", "base"), [("", "http://127.0.0.1:8080"), ("https://candor.example/", "https://candor.example")]
)
def test_acknowledge_links_start_with_the_public_address(kek: Path, public: str, base: str) -> None:
    assert settings(kek).model_copy(update={"public_url": public}).link_base == base
