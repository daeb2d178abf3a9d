"""From an answer to records in the spool, whatever form the answer has."""

from __future__ import annotations

import asyncio
import inspect
import queue
import re
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias

from candor.generation.v1.service_pb2 import RecordRequest

from candor_client import command, schema
from candor_client.core import Core
from candor_client.errors import CandorError
from candor_client.openai.reading import Kind, Texts
from candor_client.openai.streams import AsyncStream, Stream
from candor_client.result import Modality

Said: TypeAlias = str | Callable[[Mapping[str, Any]], str]
_LONGEST_NAME = 128
_CLOSE_SECONDS = 5.0


@dataclass(frozen=True)
class Call:
    """What was called, and when."""

    kind: Kind
    arguments: Mapping[str, Any] = field(repr=False)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


class Recorder:
    """Records the answers of one client."""

    def __init__(self, core: Core, subject: Said, product: Said, locale: Said, provider: str) -> None:
        self._core = core
        self._subject = subject
        self._product = product
        self._locale = locale
        self._provider = _name(provider, r"[^A-Za-z0-9._/-]")
        self._dropped: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._worker: threading.Thread | None = None
        core.before_close.append(self._finish_dropped)
        core.in_a_child.append(self._no_worker)

    def observe(self, call: Call, answer: Any) -> Any:  # noqa: ANN401 - whatever the client answers with
        """Return the answer, recorded now or, where it is a stream, when it ends."""
        if inspect.isawaitable(answer):
            return self._observe_later(call, answer)
        if callable(getattr(answer, "parse", None)) and hasattr(answer, "http_response"):
            return self._observe_raw(call, answer)
        if hasattr(answer, "__anext__"):
            return AsyncStream(answer, *self._gathering(call))
        if hasattr(answer, "__next__"):
            return Stream(answer, *self._gathering(call))
        self.record(call, self._read(call, answer))
        return answer

    def record(self, call: Call, texts: Texts | None) -> None:
        """Keep what was generated. Whatever goes wrong is told to `on_error`, never to the caller."""
        try:
            for output in texts.outputs() if texts is not None else ():
                self._core.keep(self._request(call, texts.model if texts else "", output))
        except CandorError as error:
            self._core.failed(error)
        except Exception as error:  # noqa: BLE001 - told; the caller's call has gone well
            self._core.failed(_not_recorded(error))

    async def _observe_later(self, call: Call, answer: Awaitable[Any]) -> Any:  # noqa: ANN401 - as above
        got = await answer
        if hasattr(got, "__anext__"):
            return self.observe(call, got)
        if hasattr(got, "http_response"):
            return await asyncio.shield(asyncio.to_thread(self.observe, call, got))
        await kept(lambda: self.record(call, self._read(call, got)))
        return got

    def _observe_raw(self, call: Call, answer: Any) -> Any:  # noqa: ANN401 - as above
        """A raw answer is recorded when it is parsed: now, where that reads no stream."""
        parse = answer.parse
        first: list[Any] = []

        def observed(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the client's own
            if not first:
                first.append(self.observe(call, parse(*args, **kwargs)))
                return first[0]
            # A stream is one, however often it is asked for; what is whole may be parsed again into something else.
            return first[0] if isinstance(first[0], Stream | AsyncStream) else parse(*args, **kwargs)

        is_read = not hasattr(answer, "close")
        if is_read and not call.arguments.get("stream"):
            try:
                observed()
            except Exception as error:  # noqa: BLE001 - told; the caller meets it where it parses
                self._core.failed(_not_recorded(error))
        else:
            answer.parse = observed
            if not is_read:
                answer.close = self._closing(answer.close, first)
        return answer

    def _closing(self, close: Callable[[], Any], parsed: list[Any]) -> Callable[[], Any]:
        def closed() -> Any:  # noqa: ANN401 - the client's own
            if not parsed:
                self._core.failed(CandorError("a streaming response that was not read by parse() is not on record"))
            return close()

        return closed

    def _gathering(self, call: Call) -> tuple[Callable[[Any], None], Callable[[], None], Callable[[], None]]:
        """What a stream is given: to read a chunk, to record at its end, and the same where it was dropped."""
        texts = Texts()

        def read(chunk: Any) -> None:  # noqa: ANN401 - whatever the client streams
            try:
                call.kind.read(texts, chunk)
            except Exception as error:  # noqa: BLE001 - told; the caller's stream goes on
                self._core.failed(_not_recorded(error))

        def end() -> None:
            self.record(call, texts)

        def dropped() -> None:
            # A finalizer may run anywhere, in the middle of this package too: only this queue may be used there.
            self._dropped.put(end)

        self._at_work()
        return read, end, dropped

    def _read(self, call: Call, answer: Any) -> Texts | None:  # noqa: ANN401 - whatever the client answers with
        texts = Texts()
        try:
            call.kind.read(texts, answer)
        except Exception as error:  # noqa: BLE001 - told; the caller's call has gone well
            self._core.failed(_not_recorded(error))
            return None
        return texts

    def _request(self, call: Call, model: str, output: str) -> RecordRequest:
        return command.record_request(
            subject=_said(self._subject, call),
            provider=self._provider,
            model=_name(str(model or call.arguments.get("model") or "unknown"), r"[^A-Za-z0-9._:/-]"),
            product=_said(self._product, call),
            prompt=_fitting(call.kind.prompt(call.arguments), "prompt", keep_end=True),
            output=_fitting(output, "output", keep_end=False),
            locale=_said(self._locale, call),
            modality=Modality.TEXT,
            occurred_at=call.at,
            generation_id=None,
        )

    def _at_work(self) -> None:
        if self._worker is None:
            self._worker = threading.Thread(target=self._work, name="candor-dropped-streams", daemon=True)
            self._worker.start()

    def _no_worker(self) -> None:
        self._worker = None

    def _work(self) -> None:
        while True:
            self._dropped.get()()

    def _finish_dropped(self) -> None:
        if self._worker is not None:
            done = threading.Event()
            self._dropped.put(done.set)
            done.wait(_CLOSE_SECONDS)


async def kept(work: Callable[[], None]) -> None:
    """Do the work in a thread; a cancelled task does not undo it."""
    await asyncio.shield(asyncio.to_thread(work))


def _said(value: Said, call: Call) -> str:
    return value if isinstance(value, str) else value(call.arguments)


def _name(text: str, unfit: str) -> str:
    """A name in the characters that the schema allows: "@cf/acme" becomes "cf/acme"."""
    return re.sub(unfit, "_", text).lstrip("._:/-")[:_LONGEST_NAME] or "unknown"


def _fitting(text: str, name: str, *, keep_end: bool) -> str:
    """Text that the schema takes; where it is too long, one end of it and how much is left out.

    NUL, which no text in Candor may hold, and halves of surrogate pairs become U+FFFD.
    """
    raw = text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
    longest = schema.longest(RecordRequest, name)
    if len(raw) <= longest:
        return raw.decode()
    note = f"[{len(raw)} bytes; the rest is left out]"
    room = longest - len(note) - 1
    if keep_end:
        return f"{note}\n{raw[-room:].decode(errors='ignore')}"
    return f"{raw[:room].decode(errors='ignore')}\n{note}"


def _not_recorded(error: Exception) -> CandorError:
    """The message names no value: it goes to logs, and values are personal data."""
    told = CandorError(f"a generation is not on record: {type(error).__name__}")
    told.__cause__ = error
    return told
