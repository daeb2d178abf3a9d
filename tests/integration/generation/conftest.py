"""A product backend's, an operator's, an auditor's and a matcher's view of the generation service."""

from __future__ import annotations

from pathlib import Path

import pytest
from deployment import Deployment

from .backend import Backend


@pytest.fixture
def backend(deployment: Deployment, tmp_path: Path) -> Backend:
    """The generation service of the deployment, with a subject of this test's own."""
    return Backend(deployment, tmp_path)
