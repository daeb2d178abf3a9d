"""A product backend's, an operator's, an auditor's and a matcher's view of the generation service."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from deployment import Deployment
from go_peers import versitygw
from s3 import S3Server

from .backend import Backend


@pytest.fixture
async def backend(deployment: Deployment, tmp_path: Path) -> Backend:
    """The generation service of the deployment, with a subject of this test's own."""
    return Backend(deployment, tmp_path)


@pytest.fixture(scope="session")
def s3_server(jar_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A server of the S3 protocol with an empty bucket."""
    with S3Server(versitygw(jar_cache / "go"), tmp_path_factory.mktemp("s3")) as server:
        yield server
