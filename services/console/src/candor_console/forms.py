"""What a form brings: its fields, and the proof that our own page sent it.

Two checks stand on every POST (OWASP, Cross-Site Request Forgery Prevention): the session's token in the form, compared
in constant time, and the Origin header, which a foreign page cannot set.
"""

import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request

MOST_BYTES = 64 * 1024
MOST_FIELDS = 40


class FormRefused(Exception):
    """The form is not taken. `reason` names a text; `status` is the HTTP status."""

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


async def read(request: Request) -> Mapping[str, str]:
    """The fields of an urlencoded form, the first of each name. Raises FormRefused for any other body."""
    if request.headers.get("content-type", "").split(";")[0].strip() != "application/x-www-form-urlencoded":
        raise FormRefused("form.type", 415)
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            raise FormRefused("form.too_large", 413)
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError as error:  # not UTF-8, or too many fields
        raise FormRefused("form.malformed", 400) from error
    fields: dict[str, str] = {}
    for name, value in pairs:
        fields.setdefault(name, value)
    return fields


def origin_of(url: str) -> str:
    """The origin of a URL: scheme, host and port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def check_origin(request: Request, allowed: frozenset[str]) -> None:
    """Refuse a POST that another page sent. Browsers send Origin with every POST; one without it is not from a form."""
    if request.headers.get("origin", "") not in allowed:
        raise FormRefused("form.origin", 403)


def check_token(fields: Mapping[str, str], expected: str) -> None:
    """Refuse a form without this session's token."""
    if not hmac.compare_digest(fields.get("csrf", "").encode(), expected.encode()):
        raise FormRefused("form.csrf", 403)


def local_path(target: str) -> str:
    """Where to go after signing in: a path on this console, or the overview for anything else (open redirect)."""
    parts = urlsplit(target)
    hostile = "\\" in target or any(letter < " " for letter in target)  # browsers read '\' as '/'
    if hostile or parts.scheme or parts.netloc or not target.startswith("/") or target.startswith("//"):
        return "/"
    return target
