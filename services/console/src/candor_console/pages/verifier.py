"""A proof checked in the browser: the page brings the program, and what is pasted into it never leaves the browser."""

import base64
import hashlib
from importlib import resources

from starlette.responses import Response

from candor_console.visit import Visit

_SAVED_AS = "candor-verifier.html"


async def show(visit: Visit) -> Response:
    """The verifier on a page of the console."""
    return visit.render("verifier.html")


async def save(visit: Visit) -> Response:
    """The verifier as one file that works without the console.

    Its own policy lets it run the two texts it carries, by their hashes, and lets it reach no address at all.
    """
    style, script = _text("console.css"), _text("verifier.js")
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; base-uri 'none'; form-action 'none'"
    )
    response = visit.render(
        "verifier_page.html",
        policy=policy,
        style=style,
        script=script,
    )
    response.headers["Content-Disposition"] = f'attachment; filename="{_SAVED_AS}"'
    return response


def _text(name: str) -> str:
    return (resources.files("candor_console") / "static" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """What a content security policy names an inline text by (CSP Level 3, 2.3.1)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"
