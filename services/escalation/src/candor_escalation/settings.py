"""Settings of the escalation service."""

from pathlib import Path

from candor_kit.settings import ServiceSettings
from pydantic import Field, SecretStr, StrictBool, StrictFloat, StrictInt, StrictStr


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
    pagerduty_secret_file: Path | None = Field(
        None, description="file with the signing secrets of PagerDuty's webhooks, one a line, read at every call"
    )
    pagerduty_secret: SecretStr | None = Field(None, description="the signing secret, where no file can be given")
    clock_skew_seconds: float = Field(2.0, gt=0, le=3600, description="how far clocks may differ before it is an alarm")
    clock_skew_poll_seconds: float = Field(10.0, gt=0, le=3600, description="how often clocks are compared")

    disposal_answer_minutes: float = Field(
        60.0, gt=0, le=43_200, description="how long a product backend may take to answer an ask before it is overdue"
    )
    disposal_ask_seconds: float = Field(
        60.0, gt=0, le=3600, description="first pause before a product backend is asked again; it doubles up to an hour"
    )
    disposal_retention_months: int = Field(
        6, ge=6, le=120, description="how long the record of a disposal is kept although its person asks for erasure"
    )
    complaint_answer_days: int = Field(15, ge=1, le=90, description="published time limit for answering a complaint")
    dsa_url: str = Field(
        "", pattern=r"^(https?://.+)?$", description="base address of the DSA Transparency Database; empty: not sent"
    )
    dsa_token_file: Path | None = Field(None, description="file with its bearer token, read at every call")
    dsa_token: SecretStr | None = Field(None, description="its bearer token, where no file can be given")
    dsa_timeout_seconds: float = Field(30.0, gt=0, le=300, description="how long it may take to answer")

    @property
    def link_base(self) -> str:
        """The base address of acknowledge links, without a slash at its end."""
        return (self.public_url or f"http://{self.http_listen}").rstrip("/")
