"""The settings of the refutation service."""

from candor_kit.settings import ServiceSettings
from pydantic import Field, field_validator

from candor_refutation.domain.spread import Levels


class Settings(ServiceSettings):
    """What every service has, and when a claim counts as spreading."""

    spread_levels: tuple[int, ...] = Field(
        (50, 100, 200), description="near-copies of a claim within an hour that make level 1, 2, …; a JSON list"
    )
    notice_base_url: str = Field(
        "", description="public base address of /refutations/…, as it stands in notices; empty: CANDOR_HTTP_LISTEN"
    )
    notice_publisher: str = Field("Candor", min_length=1, description="the organisation that publishes the notices")
    spread_patience_seconds: float = Field(
        120.0, gt=0, description="how long the spread table may take to come back before it is started anew"
    )

    @field_validator("spread_levels")
    @classmethod
    def _check_levels(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        return Levels(value).thresholds

    @property
    def notice_base(self) -> str:
        """The base address that notices carry."""
        return (self.notice_base_url or f"http://{self.http_listen}").rstrip("/")
