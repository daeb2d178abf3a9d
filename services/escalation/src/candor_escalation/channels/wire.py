"""HTTP to the providers: one request, the start of its answer, nothing followed."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

_LARGEST_ANSWER = 65_536


class NoAnswer(Exception):
    """Nothing came back in time; the message says what happened, without any address."""


@dataclass(frozen=True)
class Answer:
    """What a provider answered; ``headers`` by lower-case name."""

    status: int
    headers: Mapping[str, str]
    body: str


class Wire:
    """Posts to providers. ``timeout`` is for the whole of a request, in seconds."""

    def __init__(self, client: httpx.AsyncClient, timeout: float) -> None:
        self._client = client
        self.timeout = timeout

    async def post(
        self,
        url: str,
        body: object,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Answer:
        """Post JSON; ``query`` is added to what the address already has.

        Raises:
            NoAnswer: The provider cannot be reached or does not answer in time.
        """
        try:
            address = httpx.URL(url).copy_merge_params(dict(query or {}))
            async with asyncio.timeout(self.timeout):
                request = self._client.stream("POST", address, json=body, headers=dict(headers or {}))
                async with request as answer:
                    told = {name.lower(): value for name, value in answer.headers.items()}
                    return Answer(answer.status_code, told, await _start_of(answer))
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, UnicodeError) as error:
            raise NoAnswer(type(error).__name__) from None  # the error's own message may hold the address


async def _start_of(answer: httpx.Response) -> str:
    """The answer's body as far as it is of interest."""
    body = b""
    async for chunk in answer.aiter_bytes():
        body += chunk
        if len(body) >= _LARGEST_ANSWER:
            break
    return body[:_LARGEST_ANSWER].decode(errors="replace")
