"""Record what a client of OpenAI's kind generates, without changing the code that uses it.

    client = candor_client.openai.recorded(OpenAI(), candor, subject=current_account, product="chat", locale="zh-CN")
    client.chat.completions.create(model="acme-7b", messages=[…])     # as ever; and it is on record

Recorded are `chat.completions` (create, parse, stream), `responses` (create, parse, stream) and `completions.create`;
of threads and of tasks, whole and streamed, with_raw_response and with_options too. What a stream showed is what is
recorded: to its end, up to where it was closed, or up to where it broke. Every choice of an answer is a generation of
its own. Other calls (images, audio, batches, realtime) pass through unrecorded: record those with `candor.record`.

A record goes to the spool first, so the call waits for one fsync and never for Candor. A failure to record never
reaches the caller: `on_error` of the Candor client and the log "candor_client" are told.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, TypeVar

from candor_client.client import AsyncCandor, Candor
from candor_client.openai import reading
from candor_client.openai.recorder import Call, Recorder, Said

__all__ = ["recorded"]

C = TypeVar("C")
_RESOURCES = {
    "chat.completions": (reading.CHAT, ("create", "parse")),
    "beta.chat.completions": (reading.CHAT, ("create", "parse")),
    "responses": (reading.RESPONSES, ("create", "parse")),
    "completions": (reading.COMPLETIONS, ("create",)),
}
_COPIES = ("copy", "with_options")


def recorded(
    client: C,
    candor: Candor | AsyncCandor,
    *,
    subject: Said,
    product: Said,
    locale: Said,
    provider: str | None = None,
) -> C:
    """Return a client like the one given, whose generations are recorded. The one given stays as it is.

    Args:
        client: `OpenAI`, `AsyncOpenAI`, or what has the same methods.
        candor: with a spool.
        subject: the account id, or what returns it from the arguments of a call: `lambda call: call["user"]`, or a
            function that looks into a context variable.
        product: as of `Candor.record`; text, or a function as for `subject`.
        locale: of the outputs; text, or a function as for `subject`.
        provider: who runs the model; the host of the client's base_url, where it is not given.

    Raises:
        ValueError: `candor` has no spool, or nothing says who the provider is.
    """
    if candor.core.options.spool is None:
        raise ValueError("a recorded client keeps every record on disk first: give Candor a spool= folder")
    named = provider or getattr(getattr(client, "base_url", None), "host", None)
    if not named:
        raise ValueError("the client has no base_url that names the provider: give provider=")
    return _wrapped(client, Recorder(candor.core, subject, product, locale, named))


def _wrapped(client: C, recorder: Recorder) -> C:
    new = _like(client)
    for path, (kind, methods) in _RESOURCES.items():
        resource = _own(new, path.split("."))
        for name in methods if resource is not None else ():
            method = getattr(resource, name, None)
            if method is not None:
                setattr(resource, name, _observed(method, kind, recorder))
    for name in _COPIES:
        make = getattr(client, name, None)
        if callable(make):
            setattr(new, name, _copying(make, recorder))
    return new


def _own(owner: Any, path: list[str]) -> Any | None:  # noqa: ANN401 - whatever the client is made of
    """The resource at a path, where every part of the way is the new client's own; None where it has none."""
    for name in path:
        part = owner.__dict__.get(name)
        if not hasattr(part, _MARK):
            part = getattr(owner, name, None)
            if part is None:
                return None
            part = _like(part)
            setattr(owner, name, part)
        owner = part
    return owner


_MARK = "_recorded_by_candor"


def _like(thing: C) -> C:
    """A copy that shares everything but its attributes; views of the original that it had made are made anew."""
    new = copy.copy(thing)
    for name in ("with_raw_response", "with_streaming_response"):
        new.__dict__.pop(name, None)
    new.__dict__[_MARK] = True
    return new


def _observed(method: Callable[..., Any], kind: reading.Kind, recorder: Recorder) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the client's own
        return recorder.observe(Call(kind, kwargs), method(*args, **kwargs))

    return call


def _copying(make: Callable[..., Any], recorder: Recorder) -> Callable[..., Any]:
    def copied(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the client's own
        return _wrapped(make(*args, **kwargs), recorder)

    return copied
