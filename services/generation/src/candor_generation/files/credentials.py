"""Credentials out of a file that others write again when they change: the usual one of AWS's tools."""

from __future__ import annotations

import configparser
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from obstore.store import S3Credential

_READ_AGAIN = timedelta(minutes=5)


@dataclass(frozen=True)
class CredentialsFile:
    """A shared credentials file, read again every few minutes.

    Spec: AWS SDKs and Tools Reference Guide, "Shared config and credentials files"

    Attributes:
        path: the file.
        profile: the section of it.
    """

    path: Path
    profile: str

    def __call__(self) -> S3Credential:
        """The credentials as they are now.

        Raises:
            ValueError: the file or the profile is not there, or not whole.
        """
        parser = configparser.ConfigParser(interpolation=None, default_section="")
        try:
            parser.read_string(self.path.read_text(encoding="utf-8"))
            section = parser[self.profile]
            return {
                "access_key_id": section["aws_access_key_id"],
                "secret_access_key": section["aws_secret_access_key"],
                "token": section.get("aws_session_token"),
                "expires_at": datetime.now(UTC) + _READ_AGAIN,
            }
        except (OSError, KeyError, configparser.Error) as error:
            raise ValueError(f"the credentials file {self.path} has no whole profile {self.profile}") from error


def named_in(environment: Mapping[str, str]) -> CredentialsFile | None:
    """The file that the environment names, unless it names a key itself or an identity to take on.

    Raises:
        ValueError: the file cannot be read.
    """
    path = environment.get("AWS_SHARED_CREDENTIALS_FILE")
    if not path or environment.get("AWS_ACCESS_KEY_ID") or environment.get("AWS_WEB_IDENTITY_TOKEN_FILE"):
        return None
    file = CredentialsFile(Path(path), environment.get("AWS_PROFILE", "default"))
    file()
    return file
