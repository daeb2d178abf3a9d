"""Settings of the escalation service."""

from pathlib import Path

from candor_kit.settings import ServiceSettings
from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr


class Settings(ServiceSettings):
    """What this service adds."""

    oncall_file: Path | None = Field(
        None, description="YAML file with the on-call chain; only a local deployment may go without"
    )
    profile: dict[str, StrictBool | StrictInt | StrictFloat | StrictStr | list[StrictStr]] = Field(
        {},
        description="JSON object with what the packs ask of the company, such as"
        ' {"jurisdictions": ["CN"], "operator_class": "other"}; what is not told is unknown and starts clocks',
    )
    public_url: str = Field("", description="base address of acknowledge links; by default that of CANDOR_HTTP_LISTEN")
    catalogue_file: Path | None = Field(
        None, description="YAML file with technologies whose export is restricted; by default those of the package"
    )
    ack_link_hours: int = Field(48, ge=1, le=720, description="how long an acknowledge link works")
    page_timeout_seconds: float = Field(10.0, gt=0, le=60, description="how long a channel may take to answer a page")

    @property
    def link_base(self) -> str:
        """The base address of acknowledge links, without a slash at its end."""
        return (self.public_url or f"http://{self.http_listen}").rstrip("/")
