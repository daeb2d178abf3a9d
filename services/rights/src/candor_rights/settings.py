"""The settings of the rights service."""

from pathlib import Path

from candor_kit.settings import ServiceSettings
from pydantic import Field


class Settings(ServiceSettings):
    """What every service has, and how patient this one is."""

    rights_ask_again_seconds: int = Field(3600, ge=1, description="first wait for a holder's answer; doubles each time")
    rights_ask_again_longest_seconds: int = Field(86_400, ge=1, description="longest wait for a holder's answer")
    rights_sweep_seconds: float = Field(5.0, gt=0, description="how often what is due is looked for")
    rights_package_days: int = Field(30, ge=1, description="how long an access package can be fetched")
    rights_assembly_lease_seconds: int = Field(
        30, ge=3, description="an attempt at a package that was not heard of for so long is begun again"
    )
    rights_assembly_retry_seconds: int = Field(
        5, ge=1, description="first wait after a failed attempt; doubles each time"
    )
    rights_assembly_retry_longest_seconds: int = Field(900, ge=1, description="longest wait after a failed attempt")
    rights_export_silence_seconds: int = Field(60, ge=1, description="how long a holder may be silent in an export")
    rights_holder_tokens_dir: Path | None = Field(
        None, description="folder with a bearer token per outside holder, in a file named by its id"
    )
