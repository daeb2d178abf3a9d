"""The settings that every service has. A service adds its own fields in its `settings.py`."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

_VAULT_NAME = r"^[\w.-]*$"
_VAULT_PATH = r"^[\w./-]*$"


class KeySettings(BaseSettings):
    """A service's database and the master key of its key ring, for the service and for `candor keys`."""

    model_config = SettingsConfigDict(env_prefix="CANDOR_", frozen=True, extra="ignore")

    database_url: SecretStr = Field(description="libpq URI of this service's own database")
    kek_file: Path | None = Field(None, description="master key: a file with 32 bytes in base64")
    kek: SecretStr | None = Field(None, description="master key: 32 bytes in base64, where no file can be given")
    kek_vault_key: str = Field("", pattern=_VAULT_NAME, description="master key: the name of a key of Vault's transit")
    kek_vault_addr: str = Field("https://127.0.0.1:8200", description="address of Vault")
    kek_vault_mount: str = Field("transit", pattern=_VAULT_PATH, description="where Vault's transit engine is mounted")
    kek_vault_namespace: str = Field("", pattern=_VAULT_PATH, description="namespace of Vault Enterprise, if any")
    kek_vault_token_file: Path | None = Field(None, description="file with the token for Vault, read at every call")
    kek_vault_ca_file: Path | None = Field(None, description="PEM file of Vault's authority, if not the system's")
    kek_previous_file: Path | None = Field(None, description="master key that is being replaced, as KEK_FILE")
    kek_previous: SecretStr | None = Field(None, description="master key that is being replaced, as KEK")
    kek_previous_vault_key: str = Field(
        "", pattern=_VAULT_NAME, description="master key that is being replaced, as KEK_VAULT_KEY"
    )


class ServiceSettings(KeySettings):
    """Read from the environment, prefix `CANDOR_`; unknown variables are ignored, so new code runs on old config."""

    kafka_bootstrap_servers: str = Field(description="host:port[,host:port…] of the Kafka brokers")
    grpc_listen: str = Field("127.0.0.1:0", description="host:port for gRPC; port 0 takes a free one")
    http_listen: str = Field("127.0.0.1:0", description="host:port for health, metrics and outside protocols")
    jwks_file: Path = Field(description="JWKS file with the public keys of the token issuers that are trusted")
    token_audience: str = Field("candor", description="the aud claim that a caller's token must carry")
    token_file: Path | None = Field(None, description="this service's own bearer token, read again when it changes")
    data_dir: Path = Field(Path("data"), description="folder for files that are not in the database")
    packs_dir: Path = Field(Path("packs"), description="folder of the policy packs")

    consent_address: str = Field("127.0.0.1:0", description="gRPC address of the consent service")
    rights_address: str = Field("127.0.0.1:0", description="gRPC address of the rights service")
    generation_address: str = Field("127.0.0.1:0", description="gRPC address of the generation service")
    refutation_address: str = Field("127.0.0.1:0", description="gRPC address of the refutation service")
    escalation_address: str = Field("127.0.0.1:0", description="gRPC address of the escalation service")
    generation_http_address: str = Field("127.0.0.1:0", description="HTTP address of the generation service")
    console_url: str = Field("http://127.0.0.1:8080", description="base address of the console, for links")

    intake: bool = Field(default=True, description="whether this process takes from the service's intake topic")
    local_mode: bool = Field(default=False, description="a local deployment that made its own keys")
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    pool_size: int = Field(10, ge=3, le=200, description="most connections to the database")
    batch_size: int = Field(200, ge=1, le=10_000, description="most records applied in one transaction")
    max_failures: int = Field(5, ge=1, le=1000, description="unexpected exceptions in a row that stop a consumer")
    max_record_bytes: int = Field(1_048_576, ge=1024, description="largest record or message that is taken")
    default_deadline_seconds: float = Field(30.0, gt=0, description="for callers that set none")
    intake_retention_seconds: int = Field(
        8 * 86_400, ge=0, description="how long a copy may stay in intake and dead-letter topics (7 days + 1 segment)"
    )
