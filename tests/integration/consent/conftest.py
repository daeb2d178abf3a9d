"""A product backend's and a privacy officer's view of the consent service."""

from __future__ import annotations

import pytest
from deployment import Deployment

from .registry import Registry


@pytest.fixture
async def registry(deployment: Deployment) -> Registry:
    """The consent service of the deployment, with purposes and subjects of this test's own."""
    return Registry(deployment)
