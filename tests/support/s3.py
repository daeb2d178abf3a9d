"""A real server of the S3 protocol on a folder, that can be stopped and started again: Versity's gateway."""

from __future__ import annotations

import secrets
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

import httpx2
from candor_generation.files.bucket import open_bucket
from obstore.store import S3Store

BUCKET = "logs"
_START_SECONDS = 30
_LOOK_SECONDS = 0.02


class S3Server:
    """One bucket, served at an address that stays the same over restarts.

    Args:
        program: versitygw.
        folder: an empty one for this server.
    """

    def __init__(self, program: Path, folder: Path) -> None:
        self._program = program
        self._folder = folder
        self._access, self._secret = "candor-tests", secrets.token_hex(16)
        self._address = f"127.0.0.1:{_free_port()}"
        self._process: subprocess.Popen[bytes] | None = None
        for name in (f"buckets/{BUCKET}", "metadata"):
            (folder / name).mkdir(parents=True)

    @property
    def environment(self) -> dict[str, str]:
        """What a process is told to find it."""
        return {
            "AWS_ENDPOINT_URL": f"http://{self._address}",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": self._access,
            "AWS_SECRET_ACCESS_KEY": self._secret,
        }

    @property
    def objects(self) -> Path:
        """The folder that holds the bucket's objects as files."""
        return self._folder / "buckets" / BUCKET

    def bucket(self, prefix: str) -> S3Store:
        """A prefix of the bucket."""
        return open_bucket(f"s3://{BUCKET}/{prefix}", self.environment)

    def start(self) -> None:
        """Serve, and wait until it answers."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    self._program,
                    *("--access", self._access, "--secret", self._secret, "--port", self._address),
                    *("--keep-alive", "--health", "/healthz"),
                    *("posix", "--sidecar", str(self._folder / "metadata"), str(self._folder / "buckets")),
                ],
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"versitygw does not serve: {(self._folder / 'log').read_text()[-2000:]}")
            time.sleep(_LOOK_SECONDS)

    def _answers(self) -> bool:
        try:
            return httpx2.get(f"http://{self._address}/healthz", trust_env=False).status_code == httpx2.codes.OK
        except httpx2.TransportError:
            return False

    def stop(self) -> None:
        """Stop at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
