"""Where parts of a call wait for each other: in the database, encrypted, for a time that is written beside them.

A part is stored before the export that brought it is answered, so an answer of success holds whatever stops. The key
is the service's, not the subject's: who the subject is stands on the span, which may not have come. What waits is
forgotten after `forget_after` at the latest, which is not longer than an intake topic keeps its copies, so a proof of
erasure that names the one covers the other; a record joined after the erasure of its subject is discarded by its time
like any other.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from candor_kit.database import Connection
from candor_kit.keys import open_sealed, seal
from cryptography.exceptions import InvalidTag

from candor_generation.otlp.pieces import SpanPiece, opened
from candor_generation.otlp.reasons import Unusable, Why
from candor_generation.otlp.translation import Piece

_ONE_JOINER = 0x4F544C50


@dataclass(frozen=True)
class Patience:
    """How long parts wait.

    Attributes:
        settle: after the last part of a call, before it is joined: exports may overtake each other.
        join: for the rest of a call, before what came is all that there is.
        forget_after: before a part is deleted, whatever became of it.
    """

    settle: timedelta = timedelta(seconds=5)
    join: timedelta = timedelta(minutes=10)
    forget_after: timedelta = timedelta(days=7)


@dataclass(frozen=True)
class Kept:
    """A part as it is kept; `piece` is None when it has been told already."""

    place: bytes
    digest: bytes
    state: str
    caller: str
    received_at: datetime
    join_by: datetime
    sealed: bytes | None


class Buffer:
    """The table of parts.

    Args:
        derive: gives the service's secret of 32 bytes for a purpose, as `KeyRing.derive` does once it is loaded.
        patience: how long parts wait.
    """

    def __init__(self, derive: Callable[[str], bytes], patience: Patience) -> None:
        self._derive = derive
        self.patience = patience

    @cached_property
    def _sealing_key(self) -> bytes:
        return self._derive("otlp-part")

    @cached_property
    def _hash_key(self) -> bytes:
        return self._derive("otlp-place")

    def place(self, piece: Piece) -> bytes:
        """Which call a piece belongs to, 32 bytes."""
        return self._hash(b"place:" + piece.name)

    async def keep(self, connection: Connection, pieces: Sequence[Piece], caller: str, now: datetime) -> None:
        """Store parts that wait; those that are stored already stay as they are."""
        rows = list(self._rows(pieces))
        await connection.execute(
            "INSERT INTO otlp_part"
            " (place, digest, kind, state, caller, received_at, look_at, join_by, forget_at, sealed)"
            " SELECT place, digest, kind, 'waiting', %s, %s, %s, %s, %s, sealed"
            " FROM unnest(%s::bytea[], %s::bytea[], %s::text[], %s::bytea[])"
            " WITH ORDINALITY AS part (place, digest, kind, sealed, number) ORDER BY number"
            " ON CONFLICT DO NOTHING",
            (
                caller,
                now,
                now + self.patience.settle,
                now + self.patience.join,
                now + self.patience.forget_after,
                *([row[column] for row in rows] for column in range(4)),
            ),
        )

    async def note_told(self, connection: Connection, pieces: Sequence[Piece], caller: str, now: datetime) -> None:
        """Remember spans that were recorded by themselves, so that their events are not recorded once more."""
        rows = list(self._rows(pieces))
        await connection.execute(
            "INSERT INTO otlp_part (place, digest, kind, state, caller, received_at, look_at, join_by, forget_at)"
            " SELECT place, digest, kind, 'told', %s, %s, %s, %s, %s"
            " FROM unnest(%s::bytea[], %s::bytea[], %s::text[]) AS part (place, digest, kind)"
            " ON CONFLICT DO NOTHING",
            (
                caller,
                now,
                now,
                now,
                now + self.patience.forget_after,
                *([row[column] for row in rows] for column in range(3)),
            ),
        )

    async def without_events(self, connection: Connection, pieces: Iterable[Piece]) -> int:
        """Count those of the pieces' calls of which no event has come yet."""
        places = {self.place(piece) for piece in pieces}
        cursor = await connection.execute(
            "SELECT count(DISTINCT place) AS calls FROM otlp_part WHERE place = ANY(%s) AND kind = 'event'",
            (list(places),),
        )
        row = await cursor.fetchone()
        return len(places) - (row["calls"] if row else 0)

    async def alone(self, connection: Connection) -> bool:
        """Take the joiner's lock until the transaction ends; False where another replica joins just now."""
        cursor = await connection.execute("SELECT pg_try_advisory_xact_lock(%s) AS mine", (_ONE_JOINER,))
        row = await cursor.fetchone()
        return bool(row and row["mine"])

    async def due(self, connection: Connection, now: datetime, most: int) -> dict[bytes, list[Kept]]:
        """Return the parts of at most `most` calls that should be looked at, each call's in the order of arrival."""
        cursor = await connection.execute(
            "SELECT place, digest, state, caller, received_at, join_by, sealed FROM otlp_part WHERE place IN ("
            " SELECT place FROM otlp_part WHERE state = 'waiting' AND look_at <= %s ORDER BY look_at LIMIT %s"
            ") ORDER BY arrival",
            (now, most),
        )
        found: dict[bytes, list[Kept]] = {}
        async for row in cursor:
            found.setdefault(row["place"], []).append(Kept(**row))
        return found

    def piece(self, kept: Kept) -> Piece:
        """Open a part.

        Raises:
            Unusable: UNREADABLE.
        """
        try:
            return opened(open_sealed(self._sealing_key, kept.sealed or b"", kept.place + kept.digest))
        except InvalidTag as error:
            raise Unusable(Why.UNREADABLE, "what was kept was encrypted under another key") from error

    async def look_again(self, connection: Connection, parts: Iterable[Kept], at: datetime) -> None:
        """Let parts wait on."""
        await _update(connection, "look_at = %s", at, parts)

    async def told(self, connection: Connection, parts: Iterable[Kept]) -> None:
        """Empty parts that are in a record or add nothing to one."""
        await _update(connection, "state = %s, reason = '', sealed = NULL", "told", parts)

    async def set_aside(self, connection: Connection, parts: Iterable[Kept], reason: str) -> None:
        """Keep parts of which no record can be made until they are forgotten; `retry` takes them up again."""
        await _update(connection, "state = 'set_aside', reason = %s", reason, parts)

    async def retry(self, connection: Connection) -> int:
        """Take up again all that was set aside: what is configured may have changed. Return how many parts."""
        cursor = await connection.execute(
            "UPDATE otlp_part SET state = 'waiting', reason = '' WHERE state = 'set_aside'"
        )
        return cursor.rowcount

    async def forget(self, connection: Connection, now: datetime) -> None:
        """Delete what has been kept long enough."""
        await connection.execute("DELETE FROM otlp_part WHERE forget_at <= %s", (now,))

    async def waiting(self, connection: Connection) -> int:
        """Count the parts that wait."""
        cursor = await connection.execute("SELECT count(*) AS parts FROM otlp_part WHERE state = 'waiting'")
        row = await cursor.fetchone()
        return int(row["parts"]) if row else 0

    async def set_aside_counts(self, connection: Connection) -> Mapping[str, int]:
        """Count what is set aside, by reason."""
        cursor = await connection.execute(
            "SELECT reason, count(*) AS parts FROM otlp_part WHERE state = 'set_aside' GROUP BY reason"
        )
        return {row["reason"]: row["parts"] for row in await cursor.fetchall()}

    def _rows(self, pieces: Iterable[Piece]) -> Iterable[tuple[bytes, bytes, str, bytes]]:
        """Give place, digest, kind, sealed bytes; equal parts of one export are counted, to be told apart."""
        seen: Counter[bytes] = Counter()
        for piece in pieces:
            kept, place = piece.kept(), self.place(piece)
            content = self._hash(b"part:" + kept)
            digest = self._hash(b"digest:%d:" % seen[content] + place + content)
            seen[content] += 1
            kind = "span" if isinstance(piece, SpanPiece) else "event"
            yield place, digest, kind, seal(self._sealing_key, kept, place + digest)

    def _hash(self, data: bytes) -> bytes:
        return hmac.digest(self._hash_key, data, hashlib.sha256)


async def _update(connection: Connection, change: str, value: object, parts: Iterable[Kept]) -> None:
    given = list(parts)
    if not given:
        return
    await connection.execute(
        f"UPDATE otlp_part SET {change}"  # noqa: S608 - our own text, not input
        " FROM unnest(%s::bytea[], %s::bytea[]) AS chosen (place, digest)"
        " WHERE otlp_part.place = chosen.place AND otlp_part.digest = chosen.digest",
        (value, [part.place for part in given], [part.digest for part in given]),
    )
