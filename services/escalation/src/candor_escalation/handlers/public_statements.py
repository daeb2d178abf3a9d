"""The queue to the DSA Transparency Database: what is leased, received, refused, or tried again."""

from dataclasses import dataclass

from candor.escalation.v1 import facts_pb2
from candor_kit.transaction import Tx

from candor_escalation import codec
from candor_escalation.store import public_statements
from candor_escalation.store.public_statements import Public


@dataclass(frozen=True)
class Received:
    """The database has the statement; this is its receipt."""

    uuid: str
    permalink: str


@dataclass(frozen=True)
class Declined:
    """The database will not take the statement as it is; ``error`` is what it says."""

    error: str


@dataclass(frozen=True)
class Later:
    """Try again after so many seconds; ``away``: whatever else is sent meanwhile would fare no better."""

    error: str
    seconds: float
    away: bool = False


Result = Received | Declined | Later


async def lease(tx: Tx, most: int, seconds: float) -> list[Public]:
    """Take statements that are due."""
    return await public_statements.lease(tx.connection, most, seconds)


async def record(tx: Tx, disposal_id: str, result: Result) -> None:
    """Keep what the database said of a statement. A receipt is final and told once.

    Source: DSA 24
    """
    if isinstance(result, Later):
        await public_statements.later(tx.connection, disposal_id, result.error, result.seconds)
    elif isinstance(result, Declined):
        await public_statements.refused(tx.connection, disposal_id, result.error)
    elif await public_statements.received(tx.connection, disposal_id, result.uuid, result.permalink, tx.now):
        fact = facts_pb2.PublicStatementReceived(
            disposal_id=disposal_id,
            uuid=result.uuid,
            permalink=result.permalink,
            received_at=codec.timestamp(tx.now),
        )
        await tx.publish(fact, key=disposal_id)
