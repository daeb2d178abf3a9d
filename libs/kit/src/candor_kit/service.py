"""The frame of a service: builds the parts, starts them in order, stops them in order."""

from __future__ import annotations

import argparse
import asyncio
import gc
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any, TypeVar

import grpc
import uvloop
from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.message import Message
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from starlette.routing import BaseRoute

from candor_kit import database, http, log, tracing, validation
from candor_kit.api import Api
from candor_kit.auth import Authenticator
from candor_kit.clock import Clock, SystemClock
from candor_kit.commands import REMEMBERED, Commands
from candor_kit.consumer import Consumer, FactConsumer, Reader
from candor_kit.errors import EDGE, ConfigError, Reasons, Refusal, Unavailable
from candor_kit.keys import KeyRing, SubjectKeys, masters_of, open_ring
from candor_kit.outbox import Relay
from candor_kit.readers import FactReader, IntakeReader
from candor_kit.rpc import Edge
from candor_kit.settings import ServiceSettings
from candor_kit.stop import Stop, Wake
from candor_kit.transaction import Caller, Hear, Transactions, Tx
from candor_kit.views import Views

__all__ = ["Service", "Stop", "run"]

_GRACE_SECONDS = 5.0
_LEAST_MESSAGE_BYTES = 4 * 1024 * 1024
_HOUSEKEEPING_SECONDS = 600.0
_COLLECT_AFTER = (100_000, 20, 20)
_LOG = log.get(__name__)
S = TypeVar("S", bound=ServiceSettings)
T = TypeVar("T")
Background = Callable[[Stop], Coroutine[Any, Any, None]]


class Service:
    """One service: what it serves, consumes and does in the background. Nothing happens before `run`.

    Attributes:
        ring: the key ring, for the constructors of those who keep keys; it is open from the first step on.

    Raises:
        ConfigError: the settings name no master key.
    """

    def __init__(
        self,
        name: str,
        settings: ServiceSettings,
        *,
        package: str,
        refused: type[Exception],
        reasons: EnumDescriptor,
        clock: Clock | None = None,
    ) -> None:
        self.name = name
        self.settings = settings
        self.clock = clock or SystemClock()
        self.ring = KeyRing(masters_of(settings))
        self.pool = database.pool(settings.database_url.get_secret_value(), settings.pool_size)
        self.stop = Stop()
        self._package = package
        self._refused = refused
        self._reasons = Reasons(reasons)
        self._outbox = Wake()
        self._transactions = Transactions(name, self.pool, self.clock, self._outbox)
        self._apis: list[Api] = []
        self._facts: list[FactConsumer] = []
        self._backgrounds: list[tuple[str, Background]] = []
        self._at_start: list[tuple[str, Callable[[], Awaitable[None]]]] = []
        self._routes: list[BaseRoute] = []
        self._consumers: list[Consumer] = []
        self._relay = Relay(self.pool, settings.kafka_bootstrap_servers, f"candor.{name}", self._outbox)
        self._handlers: list[grpc.GenericRpcHandler] = []
        self._edge: Edge | None = None
        self._serving = False

    def serve(self, *apis: Api) -> None:
        """Serve gRPC services; their commands are taken from the intake topic as well."""
        self._apis.extend(apis)

    def consume(self, consumer: FactConsumer) -> None:
        """Consume facts of a public topic."""
        self._facts.append(consumer)

    def hear_own(self, hear: Hear) -> None:
        """Take what this service publishes, in the transaction that publishes it."""
        self._transactions.hear = hear

    def background(self, name: str, loop: Background) -> None:
        """Run a loop beside the service. It ends when `Stop` is set; a crash of it ends the process with code 1."""
        self._backgrounds.append((name, loop))

    def at_start(self, name: str, step: Callable[[], Awaitable[None]]) -> None:
        """Do something once, after migrations and before anything is served or consumed."""
        self._at_start.append((name, step))

    def http(self, *routes: BaseRoute) -> None:
        """Serve routes beside /livez, /readyz and /metrics."""
        self._routes.extend(routes)

    def transaction(self, caller: str) -> AbstractAsyncContextManager[Tx]:
        """Open a transaction outside an RPC, for a background loop or a first step."""
        return self._transactions.open(Caller(f"candor.{self.name}.{caller}"))

    async def in_transaction(self, caller: str, work: Callable[[Tx], Awaitable[T]]) -> T:
        """Do `work` in a transaction outside an RPC, again where another process's lock or change asks for it."""
        return await self._transactions.run(Caller(f"candor.{self.name}.{caller}"), work)

    def rpcs(self, *handlers: grpc.GenericRpcHandler) -> None:
        """Serve gRPC services of outside protocols; they call `caller_of` and `carry_out` by themselves."""
        self._handlers.extend(handlers)

    def caller_of(self, authorization: str | None, role: str) -> Caller:
        """Return who calls over an outside protocol.

        Raises:
            Refusal: no token, a foreign or expired one, or one without the role.
        """
        caller = self._built().authenticator.caller(authorization)
        if role not in caller.roles:
            raise EDGE.refusal("WRONG_ROLE", f"this admits {role}")
        return caller

    async def carry_out(self, commands: Sequence[Message], caller: Caller) -> list[Message | Refusal]:
        """Carry out commands of one batched type in one transaction; a reply or a refusal for each, in order.

        Raises:
            Unavailable: the database does not answer; nothing was changed.
        """
        edge = self._built()
        checked = [_check(command) for command in commands]
        right = [command for command, refusal in zip(commands, checked, strict=True) if refusal is None]
        try:
            carried = iter(await edge.carry_out(right, caller))
        except database.AWAY as error:
            raise Unavailable("the database") from error
        return [next(carried) if refusal is None else refusal for refusal in checked]

    def _built(self) -> Edge:
        if self._edge is None:
            raise Unavailable("the service, which is starting,")
        return self._edge

    async def run(self) -> None:
        """Wait for the database, migrate, start everything, and run until told to stop.

        Raises:
            ConfigError: the configuration or a migration is wrong.
            ExceptionGroup: a part crashed.
        """
        url = self.settings.database_url.get_secret_value()
        if not await database.wait_until_up(url, self.stop):
            return
        await database.migrate(url, {"kit": "candor_kit", self.name: self._package})
        await self.pool.open(wait=True)
        try:
            if not await open_ring(self.ring, self.pool, self.stop):
                return
            for _name, step in self._at_start:
                await step()
            await self._run_parts()
        finally:
            await self.pool.close()

    async def _run_parts(self) -> None:
        views = Views(self._transactions, SubjectKeys(self.ring))
        apis = [*self._apis, views.api()]
        commands = Commands(apis, self._refused, self._reasons, self.ring.derive("command-digest"))
        edge = Edge(
            Authenticator(self.settings.jwks_file, self.settings.token_audience),
            commands,
            self._transactions,
            views,
            self.settings.default_deadline_seconds,
        )
        self._edge = edge
        self._consumers = [
            self._consumer(FactReader(consumer, commands.translate), consumer.most) for consumer in self._facts
        ]
        if commands.by_type and self.settings.intake:
            self._consumers.append(self._consumer(IntakeReader(self.name, commands, self.settings.max_record_bytes)))
        server = self._grpc_server(edge, apis)
        async with asyncio.TaskGroup() as parts:
            parts.create_task(self._relay.run(self.stop))
            for consumer in self._consumers:
                parts.create_task(consumer.run(self.stop))
            for _name, loop in self._backgrounds:
                parts.create_task(loop(self.stop))
            parts.create_task(self._housekeeping())
            parts.create_task(self._serve_grpc(server))
            app = http.application(self._readiness, self._routes)
            parts.create_task(http.serve(app, self.settings.http_listen, self.stop))
            _LOG.info("started", grpc=self.settings.grpc_listen, http=self.settings.http_listen)

    def _consumer(self, reader: Reader, most: int | None = None) -> Consumer:
        return Consumer(
            reader,
            self._transactions,
            self.settings.kafka_bootstrap_servers,
            batch=min(self.settings.batch_size, most or self.settings.batch_size),
            max_failures=self.settings.max_failures,
            retention_seconds=self.settings.intake_retention_seconds,
        )

    def _grpc_server(self, edge: Edge, apis: list[Api]) -> grpc.aio.Server:
        # 4 MiB are the least that OTLP's exporters may send.
        largest = max(self.settings.max_record_bytes + 65_536, _LEAST_MESSAGE_BYTES)
        server = grpc.aio.server(options=[("grpc.max_receive_message_length", largest), ("grpc.so_reuseport", 0)])
        server.add_generic_rpc_handlers([edge.generic_handler(api) for api in apis] + self._handlers)
        health_servicer = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(health_servicer, server)
        names = [api.descriptor.full_name for api in apis]
        reflection.enable_server_reflection([*names, health.SERVICE_NAME, reflection.SERVICE_NAME], server)
        self._health = health_servicer
        self._health_names = ["", *names]
        if server.add_insecure_port(self.settings.grpc_listen) == 0:
            msg = f"CANDOR_GRPC_LISTEN {self.settings.grpc_listen} cannot be bound; is another process there?"
            raise ConfigError(msg)
        return server

    async def _serve_grpc(self, server: grpc.aio.Server) -> None:
        await server.start()
        await self._set_health(health_pb2.HealthCheckResponse.SERVING)
        self._serving = True
        await self.stop.wait()
        self._serving = False
        await self._set_health(health_pb2.HealthCheckResponse.NOT_SERVING)
        await server.stop(_GRACE_SECONDS)

    async def _set_health(self, status: health_pb2.HealthCheckResponse.ServingStatus) -> None:
        for name in self._health_names:
            await self._health.set(name, status)

    async def _readiness(self) -> dict[str, str]:
        parts = {"grpc": "ok" if self._serving else "starting", "database": await self._database_state()}
        parts["broker"] = "ok" if self._relay.healthy else "does not answer"
        for consumer in self._consumers:
            parts[f"consumer {consumer.group}"] = "ok" if consumer.state == "running" else consumer.state
        return parts

    async def _database_state(self) -> str:
        try:
            async with self.pool.connection(timeout=2) as connection:
                await connection.execute("SELECT 1")
        except database.AWAY:
            return "does not answer"
        return "ok"

    async def _housekeeping(self) -> None:
        """Forget command ids that would be refused as too old, and facts older than any topic keeps."""
        while not self.stop.is_set():
            try:
                async with self.transaction("housekeeping") as tx:
                    limit = tx.now - REMEMBERED - timedelta(days=1)
                    await tx.connection.execute("DELETE FROM kit_command WHERE made_at < %s", (limit,))
                    await tx.connection.execute("DELETE FROM kit_seen WHERE seen_at < %s", (limit,))
            except database.AWAY as error:
                _LOG.warning("waiting for the database", part="housekeeping", type=type(error).__name__)
            await self.stop.wait(_HOUSEKEEPING_SECONDS)


def _check(command: Message) -> Refusal | None:
    try:
        validation.check(command)
    except Refusal as refusal:
        return refusal
    return None


def run(compose: Callable[[S], Awaitable[Service]], settings: type[S]) -> None:
    """Run a service from its command line; what `main` calls.

    Raises:
        SystemExit: 0 when it was stopped, 1 when a part crashed, 2 when the configuration is wrong.
    """
    arguments = _arguments(compose, settings)
    try:
        read = settings()
    except ValidationError as error:
        _refuse_config("\n".join(_setting_error(settings, item) for item in error.errors()))
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            raise SystemExit(runner.run(_main(compose, read, only_check=arguments.check_config)))
    except ConfigError as error:
        _refuse_config(str(error))
    except BaseExceptionGroup as group:
        config = group.subgroup(ConfigError)
        if config is not None:
            _refuse_config("\n".join(str(leaf) for leaf in config.exceptions))
        for leaf in group.exceptions:
            _LOG.error("a part crashed", exc_info=leaf)
        raise SystemExit(1) from group


async def _main(compose: Callable[[S], Awaitable[Service]], settings: S, *, only_check: bool) -> int:
    name = _name_of(compose)
    log.configure(name, settings.log_level)
    tracing.configure(name)
    service = await compose(settings)
    Authenticator(settings.jwks_file, settings.token_audience)
    if only_check:
        print("the configuration is right")  # noqa: T201 - asked for by a person
        return 0
    _spare_collections()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, service.stop.set)
    await service.run()
    _LOG.info("stopped")
    return 0


def _spare_collections() -> None:
    """Keep the garbage collector from what is there now, which stays, and from looking during every batch.

    A batch makes objects by the hundred thousand that reference counts free; a collection in its midst finds none.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)


def _name_of(compose: Callable[..., object]) -> str:
    """Return "consent" for a `compose` in candor_consent.main, however that module was started."""
    spec = sys.modules[compose.__module__].__spec__
    module = spec.name if spec else compose.__module__
    return module.split(".")[0].removeprefix("candor_")


def _settings_help(settings: type[ServiceSettings]) -> str:
    lines = [f"  CANDOR_{name.upper():<28} {field.description or ''}" for name, field in settings.model_fields.items()]
    return "environment:\n" + "\n".join(lines)


def _arguments(compose: Callable[[S], Awaitable[Service]], settings: type[S]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=sys.modules[compose.__module__].__doc__,
        epilog=_settings_help(settings),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--check-config", action="store_true", help="say what is wrong with the configuration and exit")
    return parser.parse_args()


def _setting_error(settings: type[ServiceSettings], item: ErrorDetails) -> str:
    name = str(item["loc"][0]) if item["loc"] else ""
    field = settings.model_fields.get(name)
    described = f" ({field.description})" if field and field.description else ""
    return f"CANDOR_{name.upper()}: {item['msg']}{described}"


def _refuse_config(text: str) -> None:
    print(f"the configuration is wrong:\n{text}", file=sys.stderr)  # noqa: T201 - asked for by a person
    raise SystemExit(2)
