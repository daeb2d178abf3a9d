"""The lock of Kafka's jars: which files make up the broker, each with its SHA-256.

`python -m candor_stack.lock` writes it again from Maven metadata. Everything else only reads it, so what runs is what
was reviewed, whatever a repository answers later.
"""

import hashlib
import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import typer

KAFKA_VERSION = "4.3.1"
# Kafka's POM leaves the logging backend to its distribution; without the bridge the broker logs nothing at all.
ROOTS = (
    f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}",
    "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4",
)
LOCK_NAME = "kafka.lock.toml"
_HEADER = "# The jars of the local Kafka broker. Written by `python -m candor_stack.lock`; do not edit by hand.\n"


@dataclass(frozen=True, slots=True, order=True)
class LockedJar:
    """One jar: Maven coordinates, SHA-256 in hex, size in bytes."""

    group: str
    artifact: str
    version: str
    sha256: str
    size: int

    @property
    def filename(self) -> str:
        """The file's name in a Maven repository and in our cache."""
        return f"{self.artifact}-{self.version}.jar"


def read_lock() -> tuple[LockedJar, ...]:
    """The checked-in lock, in class-path order."""
    text = resources.files("candor_stack").joinpath(LOCK_NAME).read_text(encoding="utf-8")
    return tuple(LockedJar(**entry) for entry in tomllib.loads(text)["jar"])


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _resolve_roots() -> list[LockedJar]:
    """Ask Maven metadata which jars the roots need, and fetch each once to learn its checksum."""
    import jgo

    # Root by root, the first one's choice of version winning: asked for together, jgo lets the second root's managed
    # versions override the broker's (Jackson 2.19 for 2.21).
    artifacts: dict[tuple[str, str], Any] = {}
    for root in ROOTS:
        for artifact in jgo.resolve(root):
            artifacts.setdefault((artifact.groupId, artifact.artifactId), artifact)
    return sorted(_locked(artifact) for artifact in artifacts.values())


def _locked(artifact: Any) -> LockedJar:  # noqa: ANN401 - jgo carries no types
    path: Path = artifact.resolve()
    return LockedJar(
        group=artifact.groupId,
        artifact=artifact.artifactId,
        version=artifact.version,
        sha256=sha256_of(path),
        size=path.stat().st_size,
    )


def _as_toml(jar: LockedJar) -> str:
    return (
        "\n[[jar]]\n"
        f'group = "{jar.group}"\n'
        f'artifact = "{jar.artifact}"\n'
        f'version = "{jar.version}"\n'
        f'sha256 = "{jar.sha256}"\n'
        f"size = {jar.size}\n"
    )


def main() -> None:
    """Write the lock again, beside this module."""
    target = Path(__file__).with_name(LOCK_NAME)
    jars = _resolve_roots()
    target.write_text(_HEADER + "".join(map(_as_toml, jars)), encoding="utf-8")
    typer.echo(f"{len(jars)} jars, {sum(jar.size for jar in jars) / 1e6:.1f} MB, written to {target}")


if __name__ == "__main__":
    main()
