"""Readers that others made, from npm's registry: ExifTool and FFmpeg's ffprobe for metadata, axe for pages."""

from __future__ import annotations

import fcntl
import json
import os
import platform
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from candor_stack.lock import sha256_of

_FETCH_SECONDS = 600
_READ_SECONDS = 60


class NoReaderError(RuntimeError):
    """A reader is not to be had, or cannot read a file; the message says what is missing or wrong."""


@dataclass(frozen=True)
class _Package:
    name: str
    version: str
    sha256: str
    """Of the archive that npm gives."""


_EXIFTOOL = _Package(
    "exiftool-vendored.pl", "13.59.3", "dea9f92a8748a75a43ff42aae017644a48982aead848f985c6a443ec11e0b8f5"
)
# The build for Windows brings Archive::Zip, which ExifTool opens office documents with and Perl does not come with.
_ARCHIVE_ZIP = _Package(
    "exiftool-vendored.exe", "13.59.3", "7eaf41b3b02ddb9c7bd32bea2417c783d6364a6725cb57d1a0163617aff4b577"
)
# FFmpeg as of July 2023, linked statically.
_FFPROBE = _Package(
    "@ffprobe-installer/linux-x64", "5.2.0", "8b6b2e34bad5ea7cfbe1914185145f514f620f24203a1a421e8d00a698bf8e61"
)
# Checks a page against WCAG inside a browser; MPL-2.0, used by tests only.
_AXE = _Package("axe-core", "4.14.1", "e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745")


def exiftool(cache: Path) -> list[str]:
    """The command of ExifTool, whatever settings the account has."""
    perl = _installed("perl", "perl")
    folder = _unpacked(cache, _EXIFTOOL, "bin")
    modules = _unpacked(cache, _ARCHIVE_ZIP, "bin/exiftool_files/lib/Archive").parent
    return [perl, f"-I{modules}", str(folder / "exiftool"), "-config", ""]


def ffprobe(cache: Path) -> list[str]:
    """The command of ffprobe, which says nothing but what is wrong."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise NoReaderError(f"{_FFPROBE.name} is for Linux on x86-64: run these tests there")
    program = _unpacked(cache, _FFPROBE, "ffprobe")
    if not os.access(program, os.X_OK):
        program.chmod(0o755)
    return [str(program), "-v", "error"]


def axe(cache: Path) -> str:
    """The script of axe-core, to be run in a page: it then stands there as `axe`."""
    return _unpacked(cache, _AXE, "axe.min.js").read_text(encoding="utf-8")


def told(command: Sequence[str | Path]) -> Any:
    """What a reader tells of a file, as JSON, without any complaint."""
    # Perl complains of a locale that the machine does not have.
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, timeout=_READ_SECONDS, check=False)
    except OSError as error:
        raise NoReaderError(f"{command[0]} does not start: {error}; remove its folder and start again") from error
    if done.returncode or done.stderr:
        raise NoReaderError(f"{' '.join(map(str, command))}: {done.stderr.decode(errors='replace')[-2000:]}")
    return json.loads(done.stdout)


def _unpacked(cache: Path, package: _Package, part: str) -> Path:
    """A file or folder of a package, fetched and unpacked once."""
    folder = cache / f"{package.name.rpartition('/')[2]}-{package.version}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=cache) as name:
                draft = Path(name)
                with tarfile.open(_fetched(package, draft)) as archive:
                    wanted = [each for each in archive if each.name.startswith(f"package/{part}")]
                    archive.extractall(draft, wanted, filter="data")
                (draft / "package").rename(folder)
    return folder / part


def _fetched(package: _Package, folder: Path) -> Path:
    spec = f"{package.name}@{package.version}"
    npm = _installed("npm", "Node.js with npm")
    done = subprocess.run(
        [npm, "pack", "--loglevel=error", "--ignore-scripts", spec],
        cwd=folder,
        capture_output=True,
        timeout=_FETCH_SECONDS,
        check=False,
    )
    if done.returncode:
        raise NoReaderError(f"npm pack {spec}: {done.stderr.decode(errors='replace')[-2000:]}")
    (archive,) = folder.glob("*.tgz")
    found = sha256_of(archive)
    if found != package.sha256:
        raise NoReaderError(f"npm gave {spec} with the SHA-256 {found}, which is not {package.sha256}: do not use it")
    return archive


def _installed(program: str, what: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise NoReaderError(f"these tests need {program}: install {what} from your system (apt-get install {program})")
    return found
