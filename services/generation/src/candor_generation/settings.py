"""The generation service's settings."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from candor_kit.settings import ServiceSettings
from pydantic import Field, field_validator, model_validator

from candor_generation.domain import label, note


class Settings(ServiceSettings):
    """What the generation log is told from outside; every setting is a variable `CANDOR_<NAME>`."""

    log_origin: str = Field(
        "candor.local/log",
        description="what every log's name begins with for ever: the address they are served under, without scheme",
    )
    log_period_months: Literal[1, 3, 6, 12] = Field(6, description="length of the periods that logs are cut into")
    log_retention_days: int = Field(
        3650, ge=184, description="for how long a log is kept after it has closed; at least six months"
    )
    sequencer: bool = Field(
        default=True, description="whether this process may write the logs; one of them does at a time"
    )
    log_store: str = Field(
        "",
        pattern=r"^(s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[\w.-]+)*)?$",
        description="where the logs' files are: s3://bucket/prefix of any S3-compatible store that honours If-Match and"
        " If-None-Match on writes (endpoint, region and credentials by the usual AWS_* variables); default a folder in"
        " the data folder",
    )
    log_key_file: Path | None = Field(
        None, description="the logs' Ed25519 key, as Go's sumdb/note writes it; default log.key in the data folder"
    )
    provider_code: str = Field(
        label.UNASSIGNED_PROVIDER,
        description="the generating provider's code of 27 characters that every label carries (TC260-PG-20252A)",
    )
    explicit_label: bool = Field(default=True, description="whether answers carry a text to show (GB 45438-2025, 5.1)")
    benign_corpus: Path | None = Field(
        None, description="the deployment's own benign texts: a file of JSON lines, or a folder of them (*.jsonl)"
    )
    admission_ceiling: float = Field(
        0.01, ge=0, le=1, description="share of benign texts that an admitted feature may be found in at most"
    )
    activation_ceiling: float = Field(
        0.001, ge=0, le=1, description="share of benign texts that a feature may be found in and still decide"
    )
    flood_multiple: float = Field(
        10, gt=1, description="how many times its expected share of hits puts a feature back into shadow"
    )
    flood_least: int = Field(20, ge=1, description="fewer hits than this in the window are no flood")
    flood_floor: float = Field(0.001, gt=0, le=1, description="the expected share of hits is never taken to be less")
    flood_window_seconds: int = Field(600, ge=60, description="how far back the flood guard looks")
    flood_every_seconds: float = Field(10, gt=0, description="how often the flood guard looks")
    label_max_bytes: int = Field(1 << 30, ge=1024, description="the largest file that is labelled or read")
    spool_folder: Path | None = Field(None, description="where files being labelled are spooled; default the system's")
    label_font_file: Path | None = Field(None, description="a font for captions; default the built-in letters")
    spoken_notice_file: Path | None = Field(
        None, description="what is spoken in marked sound after the rhythm: a WAV file of at most 30 seconds"
    )
    c2pa_chain_file: Path | None = Field(
        None,
        description="certificates of whoever signs content credentials (C2PA), PEM, the signer's first; default none,"
        " and in local mode one of our own in the data folder",
    )
    c2pa_key_file: Path | None = Field(None, description="the key of the first of them, PKCS #8 on a NIST curve")
    c2pa_time_authority: str | None = Field(
        None, description="URL of an RFC 3161 authority that stamps what is signed; default none is asked"
    )
    unlabelled_duties_version: str = Field(
        "1", min_length=1, description="the duties that a user accepts to get content without an explicit label"
    )
    unlabelled_retention_months: int = Field(
        6, ge=6, description="how long it is kept who got content without an explicit label (Labelling Measures 9)"
    )
    otlp_locale: str = Field("und", description="the locale of telemetry that names none")
    witness_policy_file: Path | None = Field(
        None, description="C2SP tlog-policy of the witnesses that cosign checkpoints; default none is asked"
    )
    witness_hold: bool = Field(
        default=False, description="whether a checkpoint without its quorum of witnesses is held back"
    )
    sequencer_batch: int = Field(
        10_000, ge=1, le=100_000, description="about how many leaves one checkpoint adds to a log at most"
    )
    batch_size: int = Field(2000, ge=1, le=10_000, description="most records applied in one transaction")

    @field_validator("log_period_months", mode="before")
    @classmethod
    def _months_are_a_number(cls, value: object) -> object:
        # A variable of the environment is text, and a Literal takes that for none of its numbers.
        return int(value) if isinstance(value, str) and value.isdecimal() else value

    @field_validator("log_origin")
    @classmethod
    def _origin_is_a_key_name(cls, value: str) -> str:
        return note.check_key_name(value)

    @field_validator("provider_code")
    @classmethod
    def _code_is_well_formed(cls, value: str) -> str:
        return label.check_provider_code(value)

    @model_validator(mode="after")
    def _labels_name_somebody(self) -> Settings:
        if self.provider_code == label.UNASSIGNED_PROVIDER and not self.local_mode:
            raise ValueError(
                "CANDOR_PROVIDER_CODE is not set, so labels would name no provider (GB 45438-2025 Annex E)"
            )
        return self

    @model_validator(mode="after")
    def _whoever_signs_has_a_key(self) -> Settings:
        if (self.c2pa_chain_file is None) != (self.c2pa_key_file is None):
            raise ValueError("CANDOR_C2PA_CHAIN_FILE and CANDOR_C2PA_KEY_FILE belong together: set both or none")
        return self

    @property
    def log_folder(self) -> Path:
        """Where the logs' files are, by kind and period, if they are not in a bucket."""
        return self.data_dir / "log"

    @property
    def key_file(self) -> Path:
        """Where the logs' key is."""
        return self.log_key_file or self.data_dir / "log.key"
