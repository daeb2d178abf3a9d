"""A service's channel carries its token in calls of every kind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from candor_kit import client


class Listener:
    """Answers what it is told, and remembers who told it."""

    def __init__(self) -> None:
        self.heard: list[str | bytes | None] = []

    def _hear(self, context: Any) -> None:
        self.heard.append(dict(context.invocation_metadata()).get("authorization"))

    async def one(self, request: bytes, context: Any) -> bytes:
        self._hear(context)
        return request

    async def many(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        self._hear(context)
        yield request

    async def gathered(self, requests: AsyncIterator[bytes], context: Any) -> bytes:
        self._hear(context)
        return b"".join([request async for request in requests])

    async def echoed(self, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        self._hear(context)
        async for request in requests:
            yield request

    def handler(self) -> grpc.GenericRpcHandler:
        rpcs: dict[str, Any] = {
            "One": grpc.unary_unary_rpc_method_handler(self.one),
            "Many": grpc.unary_stream_rpc_method_handler(self.many),
            "Gathered": grpc.stream_unary_rpc_method_handler(self.gathered),
            "Echoed": grpc.stream_stream_rpc_method_handler(self.echoed),
        }
        return grpc.method_handlers_generic_handler("test.Listener", rpcs)


@pytest.fixture
async def listener() -> AsyncIterator[tuple[Listener, str]]:
    server, made = grpc.aio.server(), Listener()
    server.add_generic_rpc_handlers([made.handler()])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield made, f"127.0.0.1:{port}"
    await server.stop(None)


async def told() -> AsyncIterator[bytes]:
    yield b"a"
    yield b"b"


async def test_every_kind_of_call_carries_the_token_of_that_moment(listener: tuple[Listener, str]) -> None:
    made, address = listener
    tokens = iter(["1", "2", "3", "4", "5"])
    channel: Any = client.channel_with(address, lambda: next(tokens))
    assert await channel.unary_unary("/test.Listener/One")(b"ab") == b"ab"
    assert [part async for part in channel.unary_stream("/test.Listener/Many")(b"ab")] == [b"ab"]
    assert await channel.stream_unary("/test.Listener/Gathered")(told()) == b"ab"
    assert await channel.stream_unary("/test.Listener/Gathered")(iter([b"a", b"b"])) == b"ab"
    assert [part async for part in channel.stream_stream("/test.Listener/Echoed")(told())] == [b"a", b"b"]
    assert made.heard == [f"Bearer {number}" for number in range(1, 6)]
    await channel.close()
