"""What the console can be told from outside."""

from datetime import timedelta
from pathlib import Path

from candor_kit.settings import ServiceSettings
from pydantic import Field, SecretStr


class Settings(ServiceSettings):
    """Read from the environment, prefix `CANDOR_`. The console has no database and encrypts nobody's data."""

    database_url: SecretStr = Field(SecretStr(""), description="not used: the console has no database")
    http_listen: str = Field("127.0.0.1:8080", description="host:port of the page")

    session_key_file: Path | None = Field(
        None, description="Fernet keys of the session cookies, one a line, the first one seals; local mode makes one"
    )
    session_idle_hours: float = Field(8.0, gt=0, le=72, description="idle for so long, a session ends")
    session_longest_hours: float = Field(24.0, gt=0, le=168, description="so old, a session ends even if it is used")

    local_users_file: Path | None = Field(
        None, description="users of local mode, made at the first start; default users.json in the data folder"
    )
    local_issuer_key_file: Path | None = Field(
        None, description="local mode: the local issuer's Ed25519 key (PEM, PKCS 8), to sign tokens in a user's name"
    )

    oidc_issuer: str = Field("", description="URL of the identity provider")
    oidc_client_id: str = Field("", description="the console's client id at the provider")
    oidc_client_secret: SecretStr = Field(SecretStr(""), description="the console's client secret at the provider")
    oidc_scope: str = Field("openid profile", description="scopes to ask for; 'openid' is needed")
    oidc_roles_claim: str = Field("roles", description="the claim with the roles; dots lead into nested ones")
    oidc_name_claim: str = Field("sub", description="the claim that names the person in every record")

    log_url: str = Field("", description="where outsiders read the generation log, to show; default: where we do")

    time_zone: str = Field(
        "Asia/Shanghai", description="the local time that incident files state beside UTC, as an IANA name"
    )

    @property
    def session_idle(self) -> timedelta:
        """How long a session may be idle."""
        return timedelta(hours=self.session_idle_hours)

    @property
    def session_longest(self) -> timedelta:
        """How old a session may be."""
        return timedelta(hours=self.session_longest_hours)
