"""Where the local stack lives, and how other commands find the running one."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from candor_stack.errors import StackError

HOME_VARIABLE = "CANDOR_HOME"
CACHE_VARIABLE = "CANDOR_CACHE"
_DESCRIPTION = "stack.json"


@dataclass(frozen=True, slots=True)
class ServiceAddress:
    """One running service: gRPC and HTTP as "host:port" (grpc is empty for the console), and its log file."""

    grpc: str
    http: str
    log_file: str


@dataclass(frozen=True, slots=True)
class StackDescription:
    """A running stack as written to `<folder>/stack.json` (mode 0600: the URLs carry the database password)."""

    folder: str
    pid: int
    started: float
    kafka_bootstrap_servers: str
    admin_database_url: str
    database_urls: dict[str, str]
    services: dict[str, ServiceAddress]
    console_url: str

    def write(self) -> None:
        """Write it into its folder, whole or not at all."""
        target = Path(self.folder) / _DESCRIPTION
        draft = target.with_suffix(".new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(asdict(self), file, indent=2)
        draft.replace(target)

    def forget(self) -> None:
        """Remove it: the stack has stopped."""
        (Path(self.folder) / _DESCRIPTION).unlink(missing_ok=True)


def home() -> Path:
    """The folder of the local stack: CANDOR_HOME, else `.candor` in the workspace (or in the current folder)."""
    named = os.environ.get(HOME_VARIABLE)
    if named:
        return Path(named).expanduser().absolute()
    return (workspace() or Path.cwd()) / ".candor"


def workspace() -> Path | None:
    """The root of the source workspace around the current folder, else around this code; None outside one."""
    for folder in (Path.cwd(), *Path.cwd().parents, *Path(__file__).parents):
        if (folder / "libs" / "stack" / "pyproject.toml").exists():
            return folder
    return None


def cache_folder(folder: Path) -> Path:
    """Where fetched jars lie: CANDOR_CACHE, else `<folder>/cache`."""
    named = os.environ.get(CACHE_VARIABLE)
    return Path(named).expanduser().absolute() if named else folder / "cache"


def find(folder: Path | None = None) -> StackDescription:
    """The running stack of a folder (default: `home()`). Raises StackError that says to run `candor up`."""
    place = folder or home()
    try:
        values = json.loads((place / _DESCRIPTION).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StackError(f"No stack runs in {place}. Start one with `candor up` (or `make up`).") from None
    services = {name: ServiceAddress(**address) for name, address in values.pop("services").items()}
    description = StackDescription(services=services, **values)
    if not _runs(description):
        raise StackError(f"The stack in {place} was killed. Start it again with `candor up` (or `make up`).")
    return description


def _runs(description: StackDescription) -> bool:
    try:
        started: float = psutil.Process(description.pid).create_time()
    except psutil.NoSuchProcess:
        return False
    return abs(started - description.started) < 1
