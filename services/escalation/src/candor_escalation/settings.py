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
    evidence_days: int = Field(
        183, ge=1, le=3650, description="how long the evidence of a closed incident is held: logs six months at least"
    )
    packs_poll_seconds: float = Field(5.0, gt=0, le=3600, description="how often the packs' folder is looked at")
    overdue_grace_seconds: float = Field(
        60.0, ge=0, le=86_400, description="how long after it was heard of a person's request can be found overdue"
    )
    clock_skew_seconds: float = Field(2.0, gt=0, le=3600, description="how far clocks may differ before it is an alarm")
    clock_skew_poll_seconds: float = Field(10.0, gt=0, le=3600, description="how often clocks are compared")

    @property
    def link_base(self) -> str:
        """The base address of acknowledge links, without a slash at its end."""
        return (self.public_url or f"http://{self.http_listen}").rstrip("/")
