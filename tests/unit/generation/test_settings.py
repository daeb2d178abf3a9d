"""What the configuration may not say."""

from __future__ import annotations

from pathlib import Path

import pytest
from candor_generation.domain import label
from candor_generation.settings import Settings
from pydantic import SecretStr, ValidationError

REAL_CODE = "001191110102MAD55U9H0F10002"


def made(**fields: object) -> Settings:
    required: dict[str, object] = {
        "database_url": SecretStr("postgresql://localhost/log"),
        "kafka_bootstrap_servers": "localhost:9092",
        "jwks_file": Path("jwks.json"),
        "kek_file": Path("kek"),
        "data_dir": Path("data"),
    }
    return Settings(**{**required, **fields})  # type: ignore[arg-type]


@pytest.mark.clause("GB 45438-2025 Annex E")
def test_gb_45438_annex_e_a_deployment_must_say_whose_content_it_labels() -> None:
    assert made(provider_code=REAL_CODE).provider_code == REAL_CODE
    assert made(local_mode=True).provider_code == label.UNASSIGNED_PROVIDER
    with pytest.raises(ValidationError, match="CANDOR_PROVIDER_CODE"):
        made()
    with pytest.raises(ValidationError, match="provider code"):
        made(provider_code="example")


@pytest.mark.parametrize("origin", ["", "a b", "a+b"])
def test_an_origin_is_a_key_name(origin: str) -> None:
    with pytest.raises(ValidationError):
        made(local_mode=True, log_origin=origin)


def test_the_log_lies_in_the_data_folder_unless_told_otherwise() -> None:
    settings = made(local_mode=True)
    assert settings.log_folder == Path("data/log")
    assert settings.key_file == Path("data/log.key")
    assert made(local_mode=True, log_key_file=Path("secret/key")).key_file == Path("secret/key")


def test_the_length_of_periods_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANDOR_LOG_PERIOD_MONTHS", "3")
    assert made(local_mode=True).log_period_months == 3
    for wrong in ("2", "six", "-1", ""):
        monkeypatch.setenv("CANDOR_LOG_PERIOD_MONTHS", wrong)
        with pytest.raises(ValidationError):
            made(local_mode=True)


@pytest.mark.parametrize("url", ["", "s3://logs", "s3://my.logs-1/candor/log"])
def test_the_logs_may_be_in_a_bucket(url: str) -> None:
    assert made(local_mode=True, log_store=url).log_store == url


@pytest.mark.parametrize(
    "url", ["/var/log", "s3://", "s3://L", "s3://logs/", "s3://logs//a", "s3://logs/a b", "gs://logs"]
)
def test_a_bucket_is_named_by_a_url_of_s3(url: str) -> None:
    with pytest.raises(ValidationError, match="log_store"):
        made(local_mode=True, log_store=url)
