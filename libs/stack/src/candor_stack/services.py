"""What each service is given when it runs locally: addresses, keys, tokens, folders, as environment variables."""

import base64
import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from candor_stack.issuer import LocalIssuer, issuer_key_file, write_whole
from candor_stack.ports import LOOPBACK, Ports
from candor_stack.process import Command
from candor_stack.topics import SERVICES

CONSOLE = "console"
ALL = (*SERVICES, CONSOLE)
TOKEN_TTL = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a service listens, each "host:port"; the console has no gRPC (empty)."""

    grpc: str
    http: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """All that is the same for every service of one local stack."""

    folder: Path
    packs: Path
    bootstrap_servers: str
    database_urls: Mapping[str, str]
    addresses: Mapping[str, Address]
    jwks_file: Path


_PROCESS = {
    "PYTHONUNBUFFERED": "1",
    # glibc gives threads heaps of their own, which hold on to memory; here most wait for the interpreter's lock anyway.
    "MALLOC_ARENA_MAX": "1",
}


def database_name(service: str) -> str:
    """The name of a service's own database."""
    return f"candor_{service}"


def choose_addresses(ports: Ports) -> dict[str, Address]:
    """An address for every service and the console; the same at every start where the ports are free."""
    names = [f"{name}-{kind}" for name in ALL for kind in ("grpc", "http") if (name, kind) != (CONSOLE, "grpc")]
    chosen = ports.choose(names)
    return {
        name: Address(
            grpc="" if name == CONSOLE else f"{LOOPBACK}:{chosen[f'{name}-grpc']}",
            http=f"{LOOPBACK}:{chosen[f'{name}-http']}",
        )
        for name in ALL
    }


def environment(name: str, around: Surroundings) -> dict[str, str]:
    """The CANDOR_ variables of one service. Settings ignore what they do not know, so all get the same set."""
    own = around.addresses[name]
    values = {
        "CANDOR_LOCAL_MODE": "true",
        "CANDOR_KAFKA_BOOTSTRAP_SERVERS": around.bootstrap_servers,
        "CANDOR_HTTP_LISTEN": own.http,
        "CANDOR_JWKS_FILE": str(around.jwks_file),
        "CANDOR_TOKEN_FILE": str(token_file(name, around.folder)),
        "CANDOR_KEK_FILE": str(kek_file(name, around.folder)),
        "CANDOR_DATA_DIR": str(data_folder(name, around.folder)),
        "CANDOR_PACKS_DIR": str(around.packs),
        "CANDOR_CONSOLE_URL": f"http://{around.addresses[CONSOLE].http}",
        "CANDOR_GENERATION_HTTP_ADDRESS": around.addresses["generation"].http,
        "CANDOR_LOCAL_ISSUER_KEY_FILE": str(issuer_key_file(around.folder)),
    }
    if name in around.database_urls:
        values["CANDOR_DATABASE_URL"] = around.database_urls[name]
    if own.grpc:
        values["CANDOR_GRPC_LISTEN"] = own.grpc
    for service in SERVICES:
        values[f"CANDOR_{service.upper()}_ADDRESS"] = around.addresses[service].grpc
    return values


def command(name: str, around: Surroundings, extra: Mapping[str, str] | None = None) -> Command:
    """How a service is run: its module under this interpreter, unbuffered so that logs are timely.

    `extra` overrides variables (a test's fault injection, for one). A CANDOR_ variable of the caller that the stack
    does not set itself reaches the services.
    """
    env = {**os.environ, **environment(name, around), **_PROCESS, **(extra or {})}
    return Command([sys.executable, "-m", f"candor_{name}.main"], env)


def prepare(name: str, folder: Path) -> None:
    """Make a service's folder and its key-encryption key (32 random bytes, base64), once."""
    data_folder(name, folder).mkdir(parents=True, exist_ok=True)
    kek = kek_file(name, folder)
    if not kek.exists():
        kek.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_whole(kek, base64.b64encode(secrets.token_bytes(32)).decode() + "\n")


def renew_tokens(issuer: LocalIssuer, folder: Path) -> None:
    """Write a fresh token for every service. Readers read the files again when they change."""
    for name in ALL:
        write_whole(token_file(name, folder), issuer.token(name, _service_roles(name), TOKEN_TTL) + "\n")


def token_file(name: str, folder: Path) -> Path:
    """The service's own bearer token, for calling others."""
    return folder / "keys" / f"{name}.token"


def kek_file(name: str, folder: Path) -> Path:
    """The service's key-encryption key."""
    return folder / "keys" / f"{name}.kek"


def data_folder(name: str, folder: Path) -> Path:
    """The service's own folder."""
    return folder / "services" / name


def _service_roles(name: str) -> tuple[str, ...]:
    # Only refutation may read texts of generations (ReadOutputs).
    return ("service", "matcher") if name == "refutation" else ("service",)
