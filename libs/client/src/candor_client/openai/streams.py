"""A stream that is recorded when it ends: read to its end, closed before, broken, or dropped."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any, Self


class _Observed:
    """Stands for the client's own stream: has its attributes, and is an instance of its class.

    Args:
        inner: the client's stream.
        read: is given every chunk before the caller is.
        end: records what was read.
        dropped: the same from a finalizer.
    """

    def __init__(
        self,
        inner: Any,  # noqa: ANN401 - the client's own
        read: Callable[[Any], None],
        end: Callable[[], None],
        dropped: Callable[[], None],
    ) -> None:
        self._inner = inner
        self._read = read
        self._end = end
        self._dropped = dropped
        self._ended = False
        self._begin()

    def _begin(self) -> None:
        raise NotImplementedError

    @property  # type: ignore[misc]
    def __class__(self) -> type:  # the caller may ask for it
        return type(self._inner)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - the client's own
        return getattr(self._inner, name)

    def __del__(self) -> None:
        # Not initialised when the constructor failed.
        if not self.__dict__.get("_ended", True):
            self._ended = True
            self._dropped()

    def _is_first_end(self) -> bool:
        first, self._ended = not self._ended, True
        return first


class Stream(_Observed):
    """A stream for threads."""

    def _begin(self) -> None:
        self._chunks = iter(self._inner)
        _hook(getattr(self._inner, "response", None), "close", weakref.WeakMethod(self._after))

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:  # noqa: ANN401 - the client's own
        try:
            chunk = next(self._chunks)
        except BaseException:
            self._finish()
            raise
        self._read(chunk)
        return chunk

    def __enter__(self) -> Self:
        if hasattr(self._inner, "__enter__"):
            self._inner.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the client's stream, and record what it gave."""
        try:
            self._inner.close()
        finally:
            self._finish()

    def _after(self, close: Callable[[], Any]) -> Any:  # noqa: ANN401 - the client's own
        try:
            return close()
        finally:
            self._finish()

    def _finish(self) -> None:
        if self._is_first_end():
            self._end()


class AsyncStream(_Observed):
    """A stream for tasks."""

    def _begin(self) -> None:
        self._chunks = aiter(self._inner)
        _hook(getattr(self._inner, "response", None), "aclose", weakref.WeakMethod(self._after))

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:  # noqa: ANN401 - the client's own
        try:
            chunk = await anext(self._chunks)
        except BaseException:
            await self._finish()
            raise
        self._read(chunk)
        return chunk

    async def __aenter__(self) -> Self:
        if hasattr(self._inner, "__aenter__"):
            await self._inner.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the client's stream, and record what it gave."""
        try:
            await self._inner.close()
        finally:
            await self._finish()

    async def aclose(self) -> None:
        """Close it, by the other name."""
        await self.close()

    async def _after(self, close: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401 - the client's own
        try:
            return await close()
        finally:
            await self._finish()

    async def _finish(self) -> None:
        if self._is_first_end():
            # In a thread, for it waits for the disk; a task that is cancelled meanwhile does not undo it.
            await asyncio.shield(asyncio.to_thread(self._end))


def _hook(response: Any, name: str, after: weakref.WeakMethod[Any]) -> None:  # noqa: ANN401 - the client's
    """Be told when the response below a stream is closed past the stream, as `.stream()` of the client does.

    The response does not hold the stream: one that is dropped is to be told at once, by its finalizer.
    """
    close = getattr(response, name, None)
    if close is None:
        return

    def closed() -> Any:  # noqa: ANN401 - the client's own
        stream = after()
        return close() if stream is None else stream(close)

    # A response that takes no attributes still tells by the stream's own end.
    with suppress(AttributeError):
        setattr(response, name, closed)
