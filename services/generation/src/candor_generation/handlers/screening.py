"""Screening before an answer is shown. Nothing that comes in is stored (Deep Synthesis 10)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import TYPE_CHECKING

from candor.generation.v1.screening_pb2 import (
    Pdq,
    ScreenImageRequest,
    ScreenImageResponse,
    ScreenRequest,
    ScreenResponse,
    ScreenStreamRequest,
    ScreenStreamResponse,
)
from candor_kit.query import Query

from candor_generation import codec, matcher
from candor_generation.handlers.screener import Library, Screener, aside
from candor_generation.matcher import ScreenedStream

if TYPE_CHECKING:
    from candor_kit.exchange import Exchange

# A streamed character costs about so many times what one of a whole text does.
_CHARACTER = 50


class Screening:
    """Screening by RPC, with the library that this process holds."""

    def __init__(self, screener: Screener) -> None:
        self._screener = screener

    async def screen(self, query: Query, request: ScreenRequest) -> ScreenResponse:
        """The verdict on a prompt, an output, or both.

        Source: Deep Synthesis 10
        """
        library = self._screener.library
        verdict = await aside(
            len(request.prompt) + len(request.output),
            lambda: library.matcher.screen(request.prompt, request.output, query.now),
        )
        return ScreenResponse(verdict=codec.verdict_message(verdict), library_version=library.version)

    async def screen_stream(
        self, exchange: Exchange, requests: AsyncIterator[ScreenStreamRequest]
    ) -> AsyncIterator[ScreenStreamResponse]:
        """The verdict on a text while it arrives; the last answer is the verdict on all of it.

        Raises:
            Refused: TEXT_TOO_LONG.

        Source: Deep Synthesis 10
        """
        library = self._screener.library
        stream: ScreenedStream | None = None
        async for request in requests:
            if stream is None:
                stream = ScreenedStream(library.matcher, in_prompt=request.in_prompt, at=exchange.now)
            await aside(_CHARACTER * len(request.chunk), partial(stream.push, request.chunk))
            yield _answer(library, stream)
        if stream is None:
            stream = ScreenedStream(library.matcher, at=exchange.now)
        await aside(stream.length, stream.finish)
        yield _answer(library, stream, final=True)

    async def screen_image(self, query: Query, request: ScreenImageRequest) -> ScreenImageResponse:
        """The verdict on an image, or on its perceptual hash.

        Raises:
            Refused: IMAGE_INVALID.

        Source: Deep Synthesis 10
        """
        library = self._screener.library
        if request.HasField("pdq"):
            hashed = matcher.Pdq(bytes.fromhex(request.pdq.hash), request.pdq.quality)
        else:
            # Decoding takes milliseconds, so it is never done where other calls wait.
            hashed = await asyncio.to_thread(matcher.pdq_of_file, request.image)
        review = library.matcher.screen_image(hashed, query.now)
        return ScreenImageResponse(
            verdict=codec.verdict_message(review.verdict),
            library_version=library.version,
            pdq=Pdq(hash=hashed.value.hex(), quality=hashed.quality),
        )


def _answer(library: Library, stream: ScreenedStream, *, final: bool = False) -> ScreenStreamResponse:
    return ScreenStreamResponse(
        verdict=codec.verdict_message(stream.review.verdict),
        library_version=library.version,
        clear_until=stream.clear_until,
        final=final,
    )
