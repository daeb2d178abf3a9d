"""A real broker and a real server of our own, and stand-ins for the services."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from candor_stack import LocalStack, home
from candor_stack.home import cache_folder
from candor_stack.topics import SERVICES

_SERVICE = """
import http.server, os

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/crash":
            print("last words", flush=True)
            os._exit(3)
        self.send_response(200)
        self.end_headers()

host, port = os.environ["CANDOR_HTTP_LISTEN"].split(":")
print("listening", os.environ["CANDOR_KAFKA_BOOTSTRAP_SERVERS"], flush=True)
http.server.ThreadingHTTPServer((host, int(port)), Handler).serve_forever()
"""


@pytest.fixture(scope="package")
def cache() -> Path:
    """The jars that are already there, so that they are fetched once and not per test."""
    return cache_folder(home())


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Iterator[LocalStack]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
        patch.delenv("DATABASE_URL", raising=False)
        with LocalStack(tmp_path_factory.mktemp("stack"), cache=cache) as running:
            yield running


@pytest.fixture
def on_the_shared_stack(stack: LocalStack) -> Mapping[str, str]:
    """The environment under which `candor` uses the stack of these tests instead of starting its own."""
    return {"KAFKA_BOOTSTRAP_SERVERS": stack.kafka_bootstrap_servers, "DATABASE_URL": stack.admin_database_url}


@pytest.fixture
def stand_ins(tmp_path: Path) -> Mapping[str, str]:
    """An environment in which every service is a stand-in: ready at once, and ending when asked for /crash."""
    for name in (*SERVICES, "console"):
        package = tmp_path / "stand-ins" / f"candor_{name}"
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / "main.py").write_text(_SERVICE)
    return {"PYTHONPATH": str(tmp_path / "stand-ins")}
