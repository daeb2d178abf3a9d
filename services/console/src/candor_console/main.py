"""The composition root of the console."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import httpx
from candor_kit import http, log, tracing
from candor_kit.clock import SystemClock
from candor_kit.deadletters import DeadLetterReader
from candor_kit.errors import ConfigError
from candor_kit.stop import Stop
from cryptography.fernet import Fernet
from pydantic import ValidationError

from candor_console import app, rendering, rpcs
from candor_console.calls import GrpcCalls
from candor_console.checkpoint import CheckpointReader
from candor_console.console import Console, Happenings
from candor_console.forms import origin_of
from candor_console.live import Live
from candor_console.pages.live import looking
from candor_console.sessions import Cookies, Seal
from candor_console.settings import Settings
from candor_console.signin import local_tokens, local_users
from candor_console.signin.door import Door, LocalDoor, OidcDoor
from candor_console.signin.failures import Failures
from candor_console.signin.oidc import Provider

_LOG = log.get(__name__)


def compose(settings: Settings, calls: GrpcCalls, client: httpx.AsyncClient) -> Console:
    """Build the console. Raises ConfigError naming the setting or file that is wrong."""
    url = settings.console_url.rstrip("/")
    log_url = f"http://{settings.generation_http_address}/log"
    return Console(
        clock=SystemClock(),
        calls=calls,
        checkpoints=CheckpointReader(client, log_url),
        dead_letters=DeadLetterReader(settings.kafka_bootstrap_servers, rpcs.SERVICES),
        seal=_seal(settings),
        cookies=Cookies(secure=not (settings.local_mode and url.startswith("http://"))),
        door=_door(settings, url),
        templates=rendering.environment(),
        origins=frozenset({origin_of(url)}),
        local=settings.local_mode,
        log_url=settings.log_url.rstrip("/") or log_url,
        live=Live(looking(calls)),
        zone=_zone(settings),
    )


def _zone(settings: Settings) -> ZoneInfo:
    try:
        return ZoneInfo(settings.time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigError(f"CANDOR_TIME_ZONE {settings.time_zone!r} is no IANA time zone") from error


def _seal(settings: Settings) -> Seal:
    file = settings.session_key_file
    if file is None and settings.local_mode:
        file = settings.data_dir / "session.key"
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            local_users.write_private(file, Fernet.generate_key().decode() + "\n")
    if file is None:
        raise ConfigError("CANDOR_SESSION_KEY_FILE must name a file of Fernet keys; make one with --new-session-key")
    keys = _read("CANDOR_SESSION_KEY_FILE", file).split()
    idle, longest = settings.session_idle, settings.session_longest
    try:
        return Seal(keys, idle=idle, longest=longest)
    except ValueError as error:
        raise ConfigError(f"CANDOR_SESSION_KEY_FILE {file}: {error}") from error


def _door(settings: Settings, url: str) -> Door:
    if settings.oidc_issuer:
        return _oidc_door(settings, url)
    if settings.local_mode:
        return _local_door(settings)
    raise ConfigError("CANDOR_OIDC_ISSUER must name the identity provider (local users exist only in local mode)")


def _oidc_door(settings: Settings, url: str) -> OidcDoor:
    if not settings.oidc_client_id:
        raise ConfigError("CANDOR_OIDC_CLIENT_ID must be the console's client id at the identity provider")
    provider = Provider(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret.get_secret_value(),
        scope=settings.oidc_scope,
        roles_claim=settings.oidc_roles_claim,
        name_claim=settings.oidc_name_claim,
    )
    return OidcDoor(provider, f"{url}/sign-in/return")


def _local_door(settings: Settings) -> LocalDoor:
    if settings.local_issuer_key_file is None:
        raise ConfigError("CANDOR_LOCAL_ISSUER_KEY_FILE must name the local issuer's key (PEM, PKCS 8)")
    file = settings.local_users_file or settings.data_dir / "users.json"
    try:
        users = local_users.load_or_create(file, file.with_suffix(".txt"))
        issuer = local_tokens.load(settings.local_issuer_key_file, settings.jwks_file)
    except (local_users.UsersError, local_tokens.IssuerError, OSError) as error:
        raise ConfigError(str(error)) from error
    return LocalDoor(users, Failures(), issuer)


def _read(setting: str, file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ConfigError(f"{setting} {file}: {type(error).__name__}") from error


async def serve(settings: Settings, *, only_check: bool) -> None:
    """Serve the page until told to stop. Raises ConfigError."""
    log.configure("console", settings.log_level)
    tracing.configure("console")
    stop = Stop()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    calls = GrpcCalls({service: getattr(settings, f"{service}_address") for service in rpcs.SERVICES})
    async with httpx.AsyncClient() as client:
        try:
            console = compose(settings, calls, client)
            if only_check:
                print("the configuration is right")
                return
            _LOG.info("started", http=settings.http_listen)
            async with asyncio.TaskGroup() as parts:
                parts.create_task(_close(console.live, stop))
                await http.serve(app.application(console), settings.http_listen, stop)
                stop.set()
            _LOG.info("stopped")
        finally:
            await calls.close()


async def _close(live: Happenings, stop: Stop) -> None:
    """End the open streams when the service stops: a server waits for the answers that are under way."""
    await stop.wait()
    live.close()


def main() -> None:
    """Run from the command line; exit code 2 when the configuration is wrong."""
    parser = argparse.ArgumentParser(prog="candor-console", description="The web page of Candor.")
    parser.add_argument("--check-config", action="store_true", help="say what is wrong with the configuration and exit")
    parser.add_argument("--new-session-key", action="store_true", help="print a key for CANDOR_SESSION_KEY_FILE")
    arguments = parser.parse_args()
    if arguments.new_session_key:
        print(Fernet.generate_key().decode())
        return
    try:
        asyncio.run(serve(Settings(), only_check=arguments.check_config))
    except ValidationError as error:
        wrong = [f"CANDOR_{str(item['loc'][0]).upper()}: {item['msg']}" for item in error.errors()]
        _refuse("\n".join(wrong))
    except ConfigError as error:
        _refuse(str(error))


def _refuse(text: str) -> None:
    print(f"the configuration is wrong:\n{text}", file=sys.stderr)
    raise SystemExit(2)


if __name__ == "__main__":
    main()
