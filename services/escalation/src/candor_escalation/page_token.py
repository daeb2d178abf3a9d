"""Where the next page of a list goes on: after an instant and an id."""

import base64
from datetime import datetime
from uuid import UUID

from candor_kit.errors import EDGE

PAGE_SIZE = 100
"""Items of a page where the caller names no number."""


def token(at: datetime, identifier: str) -> str:
    """The token after the item of an instant and an id."""
    return base64.urlsafe_b64encode(f"{at.isoformat()} {identifier}".encode()).decode()


def place(given: str) -> tuple[datetime, str] | None:
    """The instant and the id of a token; None of an empty one.

    Raises:
        Refusal: INVALID_FIELD, it is no token of ours.
    """
    if not given:
        return None
    try:
        at, identifier = base64.urlsafe_b64decode(given.encode()).decode().split(" ")
        found = datetime.fromisoformat(at), str(UUID(identifier))
    except ValueError as error:
        raise _not_ours() from error
    if found[0].tzinfo is None:
        raise _not_ours()
    return found


def _not_ours() -> Exception:
    return EDGE.refusal("INVALID_FIELD", "is no token that this service gave", field="page_token")
