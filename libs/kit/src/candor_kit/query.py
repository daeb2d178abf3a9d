"""What a question may use: a connection to read from, the instant, and who asks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from candor_kit.database import Connection
from candor_kit.transaction import Caller


@dataclass(frozen=True)
class Query:
    """Handed to every query and server stream. The connection commits by itself and must only be read from."""

    connection: Connection
    now: datetime
    caller: Caller
