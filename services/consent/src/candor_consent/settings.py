"""The settings of the consent service."""

from __future__ import annotations

from candor_kit.settings import ServiceSettings


class Settings(ServiceSettings):
    """Those that every service has are enough."""
