"""Which Kafka and PostgreSQL the tests stand on: named by the environment, in containers, or the local stack.

Containers are taken where a Docker engine answers and has, or can pull, the images; CANDOR_TEST_CONTAINERS=1 demands
them, =0 forbids them.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

KAFKA_IMAGE = "apache/kafka:4.3.1"
POSTGRES_IMAGE = "postgres:16"
_VARIABLES = ("KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL")


@contextmanager
def backing() -> Iterator[str]:
    """Name the backing in the environment while in use; yield what it is. Nothing is named for the local stack."""
    if all(os.environ.get(name) for name in _VARIABLES):
        yield "environment"
        return
    wish = os.environ.get("CANDOR_TEST_CONTAINERS", "")
    if wish == "0" or not (_engine_has_images() or wish == "1"):
        yield "local stack"
        return
    with ExitStack() as stack:
        found = {"KAFKA_BOOTSTRAP_SERVERS": _kafka(stack), "DATABASE_URL": _postgres(stack)}
        missing = {name: value for name, value in found.items() if not os.environ.get(name)}
        os.environ.update(missing)
        try:
            yield "containers"
        finally:
            for name in missing:
                del os.environ[name]


def _engine_has_images() -> bool:
    return all(_docker("image", "inspect", image) or _docker("pull", "-q", image) for image in _images())


def _images() -> Iterator[str]:
    if _docker("info"):
        yield from (KAFKA_IMAGE, POSTGRES_IMAGE)
    else:
        yield ""


def _docker(*arguments: str) -> bool:
    if not arguments[-1]:
        return False
    try:
        done = subprocess.run(["docker", *arguments], capture_output=True, timeout=300, check=False)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and (arguments[0] != "info" or b"Server Version" in done.stdout)


def _postgres(stack: ExitStack) -> str:
    from testcontainers.community.postgres import PostgresContainer

    container = stack.enter_context(PostgresContainer(POSTGRES_IMAGE, driver=None))
    return str(container.get_connection_url())


def _kafka(stack: ExitStack) -> str:
    from kafka_container import KafkaContainer

    return stack.enter_context(KafkaContainer(KAFKA_IMAGE)).bootstrap_servers()
