"""The gRPC edge: who calls, what the call says, how long it may take, and one typed error out.

Every call passes the same steps: 1 trace, 2 authenticate, 3 role, 4 decode, 5 constraints, 6 deadline, 7 handler,
8 the view of a person's data on record, 9 the refusal translated.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc
from google.protobuf.message import DecodeError, Message
from opentelemetry import trace

from candor_kit import log, metrics, tracing, validation
from candor_kit.api import Api, ExchangeHandler, Method
from candor_kit.auth import Authenticator
from candor_kit.commands import Commands
from candor_kit.database import is_away
from candor_kit.errors import EDGE, STATUS_DETAILS_KEY, Refusal, Unavailable
from candor_kit.exchange import Exchange
from candor_kit.query import Query
from candor_kit.transaction import Caller, Transactions
from candor_kit.views import Views

_STREAM_DEADLINE_SECONDS = 3600.0
_LOG = log.get(__name__)
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


@dataclass(frozen=True)
class Edge:
    """What every call of a service needs."""

    authenticator: Authenticator
    commands: Commands
    transactions: Transactions
    views: Views
    default_deadline_seconds: float

    def generic_handler(self, api: Api) -> grpc.GenericRpcHandler:
        """Return the handler of one gRPC service, to be added to the server."""
        handlers = {method.name: self._method_handler(api, method) for method in api.methods()}
        return grpc.method_handlers_generic_handler(api.descriptor.full_name, handlers)

    def _method_handler(self, api: Api, method: Method) -> grpc.RpcMethodHandler[Any, Any]:
        if method.name in api.streams:
            return grpc.unary_stream_rpc_method_handler(self._stream(method, api.streams[method.name]))
        if method.name in api.exchanges:
            return grpc.stream_stream_rpc_method_handler(self._exchange(method, api.exchanges[method.name]))
        if method.name in api.commands or method.name in api.batches:
            return grpc.unary_unary_rpc_method_handler(self._unary(method, self._command))
        question = api.queries[method.name]

        async def ask(request: Message, caller: Caller) -> Message:
            async with self.transactions.pool.connection() as connection:
                return await question(Query(connection, self.transactions.clock.now(), caller), request)

        return grpc.unary_unary_rpc_method_handler(self._unary(method, ask))

    async def _command(self, request: Message, caller: Caller) -> Message:
        return await self.commands.run(self.transactions, request, caller)

    def _unary(
        self, method: Method, work: Callable[[Any, Caller], Awaitable[Message]]
    ) -> Callable[[bytes, Context], Awaitable[bytes]]:
        async def call(raw: bytes, context: Context) -> bytes:
            started = time.monotonic()
            with _span(method, context):
                try:
                    reply = await self._answer(method, work, raw, context)
                except asyncio.CancelledError:
                    _done(method, "CANCELLED", started)
                    raise
                except Exception as error:  # noqa: BLE001 - translated, never swallowed
                    refusal = self._refusal(error, method)
                else:
                    _done(method, "OK", started)
                    return reply.SerializeToString()
                _done(method, refusal.reason, started)
                await _abort(context, refusal)
                raise AssertionError  # abort has raised

        return call

    async def _answer(
        self,
        method: Method,
        work: Callable[[Any, Caller], Awaitable[Message]],
        raw: bytes,
        context: Context,
    ) -> Message:
        caller, request = self._admit(method, raw, context)
        try:
            async with asyncio.timeout(self._seconds(context, self.default_deadline_seconds)):
                reply = await work(request, caller)
        except Exception as error:
            if method.views_person:
                await self.views.record(method, request, caller, self._refusal(error, method).reason)
            raise
        if method.views_person:
            await self.views.record(method, request, caller, "OK")
        return reply

    def _stream(
        self, method: Method, work: Callable[[Query, Any], AsyncIterator[Message]]
    ) -> Callable[[bytes, Context], AsyncIterator[bytes]]:
        async def replies(raw: bytes, context: Context) -> AsyncIterator[Message]:
            async for reply in self._replies(method, work, raw, context):
                yield reply

        return self._streaming(method, replies)

    def _exchange(
        self, method: Method, work: ExchangeHandler
    ) -> Callable[[AsyncIterator[bytes], Context], AsyncIterator[bytes]]:
        async def replies(raws: AsyncIterator[bytes], context: Context) -> AsyncIterator[Message]:
            caller = self._caller(method, context)
            if method.views_person:
                await self.views.record(method, method.request(), caller, "OK")

            async def requests() -> AsyncIterator[Message]:
                async for raw in raws:
                    yield _decoded(method, raw)

            exchange = Exchange(caller, self.transactions, self.carry_out)
            async with asyncio.timeout(self._seconds(context, _STREAM_DEADLINE_SECONDS)):
                async for reply in work(exchange, requests()):
                    yield reply

        return self._streaming(method, replies)

    async def carry_out(self, commands: Sequence[Message], caller: Caller) -> list[Message | Refusal]:
        """Carry out validated commands of one batched type in one transaction; a reply or a refusal for each."""
        return await self.commands.run_many(self.transactions, commands, caller)

    def _streaming(
        self, method: Method, replies: Callable[[Any, Context], AsyncIterator[Message]]
    ) -> Callable[[Any, Context], AsyncIterator[bytes]]:
        async def call(asked: Any, context: Context) -> AsyncIterator[bytes]:  # noqa: ANN401 - one request or many
            started = time.monotonic()
            with _span(method, context):
                try:
                    async for reply in replies(asked, context):
                        yield reply.SerializeToString()
                except (asyncio.CancelledError, GeneratorExit):
                    _done(method, "CANCELLED", started)
                    raise
                except Exception as error:  # noqa: BLE001 - translated, never swallowed
                    refusal = self._refusal(error, method)
                else:
                    _done(method, "OK", started)
                    return
                _done(method, refusal.reason, started)
                await _abort(context, refusal)

        return call

    async def _replies(
        self,
        method: Method,
        work: Callable[[Query, Any], AsyncIterator[Message]],
        raw: bytes,
        context: Context,
    ) -> AsyncIterator[Message]:
        caller, request = self._admit(method, raw, context)
        # A stream's view is on record before its first piece leaves: it may break off, but it was seen.
        if method.views_person:
            await self.views.record(method, request, caller, "OK")
        async with asyncio.timeout(self._seconds(context, _STREAM_DEADLINE_SECONDS)):
            async with self.transactions.pool.connection() as connection:
                async for reply in work(Query(connection, self.transactions.clock.now(), caller), request):
                    yield reply

    def _admit(self, method: Method, raw: bytes, context: Context) -> tuple[Caller, Message]:
        return self._caller(method, context), _decoded(method, raw)

    def _caller(self, method: Method, context: Context) -> Caller:
        metadata = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
        caller = self.authenticator.caller(metadata.get("authorization"))
        if not caller.roles & method.roles:
            wanted = " or ".join(sorted(method.roles)) or "nobody"
            raise EDGE.refusal("WRONG_ROLE", f"{method.path} admits {wanted}")
        return caller

    @staticmethod
    def _seconds(context: Context, default: float) -> float:
        remaining = context.time_remaining()
        return default if remaining is None else remaining

    def _refusal(self, error: Exception, method: Method) -> Refusal:
        known = self.commands.translate(error)
        if known is not None:
            return known
        if isinstance(error, TimeoutError):
            return EDGE.refusal("DEADLINE_EXCEEDED", "the deadline passed; a repeat with the same command id is safe")
        if isinstance(error, Unavailable):
            return EDGE.refusal("UNAVAILABLE", f"{error}; nothing was changed, try again")
        if is_away(error):
            return EDGE.refusal("UNAVAILABLE", "the database does not answer; try again with the same command id")
        _LOG.error("an RPC failed", method=method.path, exc_info=error)
        return EDGE.refusal("INTERNAL", "a fault of ours; the log has it under the trace id")


def _decoded(method: Method, raw: bytes) -> Message:
    try:
        request = method.request.FromString(raw)
    except DecodeError as error:
        raise EDGE.refusal("MALFORMED", f"the body is not a {method.request_type}") from error
    validation.check(request)
    return request


def _span(method: Method, context: Context) -> Any:  # noqa: ANN401 - an agnostic context manager
    metadata = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
    return tracing.tracer().start_as_current_span(
        method.path.removeprefix("/"),
        context=tracing.extract(metadata),
        kind=trace.SpanKind.SERVER,
        attributes={"rpc.system": "grpc", "rpc.method": method.path},
    )


def _done(method: Method, result: str, started: float) -> None:
    metrics.RPCS.labels(method.path, result).inc()
    metrics.RPC_SECONDS.labels(method.path).observe(time.monotonic() - started)


async def _abort(context: Context, refusal: Refusal) -> None:
    details = ((STATUS_DETAILS_KEY, refusal.to_status().SerializeToString()),)
    await context.abort(refusal.status, refusal.message, details)
