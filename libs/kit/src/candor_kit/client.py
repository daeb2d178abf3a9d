"""Calling another service: its channel carries this service's token and the present trace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc

from candor_kit import tracing
from candor_kit.errors import ConfigError

_LARGEST_MESSAGE = 16 * 1024 * 1024


class TokenFile:
    """A bearer token in a file, read again when the file changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._changed = -1
        self._token = ""

    def __call__(self) -> str:
        """Return the token.

        Raises:
            ConfigError: the file cannot be read.
        """
        try:
            changed = self._path.stat().st_mtime_ns
            if changed != self._changed:
                self._token = self._path.read_text(encoding="ascii").strip()
                self._changed = changed
        except OSError as error:
            msg = f"CANDOR_TOKEN_FILE {self._path}: {type(error).__name__}; it must hold this service's bearer token"
            raise ConfigError(msg) from error
        return self._token


def channel(address: str, token_file: Path | None) -> grpc.aio.Channel:
    """Return a channel to a service; use it with the generated stubs and close it in the end."""
    return channel_with(address, TokenFile(token_file) if token_file else None)


def channel_with(address: str, token: Callable[[], str] | None) -> grpc.aio.Channel:
    """Return a channel whose calls carry the token that `token` returns at that moment."""
    return grpc.aio.insecure_channel(
        address,
        options=[
            ("grpc.max_receive_message_length", _LARGEST_MESSAGE),
            # By default a service that was away for a while is tried again only after minutes.
            ("grpc.max_reconnect_backoff_ms", 2000),
        ],
        interceptors=[_Unary(token), _Stream(token), _Upload(token), _Exchange(token)],
    )


class _Metadata:
    def __init__(self, token: Callable[[], str] | None) -> None:
        self._token = token

    def _with_metadata(self, details: grpc.aio.ClientCallDetails) -> grpc.aio.ClientCallDetails:
        metadata = grpc.aio.Metadata(*(details.metadata or ()))
        if self._token is not None:
            metadata.add("authorization", f"Bearer {self._token()}")
        for key, value in tracing.inject().items():
            metadata.add(key, value)
        return grpc.aio.ClientCallDetails(
            details.method, details.timeout, metadata, details.credentials, details.wait_for_ready
        )


class _Unary(_Metadata, grpc.aio.UnaryUnaryClientInterceptor):
    async def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:  # noqa: ANN401 - grpc's
        return await continuation(self._with_metadata(details), request)


class _Stream(_Metadata, grpc.aio.UnaryStreamClientInterceptor):
    async def intercept_unary_stream(self, continuation: Any, details: Any, request: Any) -> Any:  # noqa: ANN401 - grpc's
        return await continuation(self._with_metadata(details), request)


class _Upload(_Metadata, grpc.aio.StreamUnaryClientInterceptor):
    async def intercept_stream_unary(self, continuation: Any, details: Any, requests: Any) -> Any:  # noqa: ANN401 - grpc's
        return await continuation(self._with_metadata(details), requests)


class _Exchange(_Metadata, grpc.aio.StreamStreamClientInterceptor):
    async def intercept_stream_stream(self, continuation: Any, details: Any, requests: Any) -> Any:  # noqa: ANN401 - grpc's
        return await continuation(self._with_metadata(details), requests)
