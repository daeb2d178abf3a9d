"""Entries of the registers, kept and told."""

from candor.escalation.v1 import facts_pb2
from candor_kit.transaction import Tx

from candor_escalation import register_codec
from candor_escalation.domain.register import Entry
from candor_escalation.store import registers


async def append(tx: Tx, entry: Entry) -> Entry:
    """Keep a version of an entry and tell of it."""
    await registers.insert(tx.connection, entry)
    fact = facts_pb2.RegisterEntryRecorded(entry=register_codec.entry_message(entry))
    await tx.publish(fact, key=entry.entry_id)
    return entry
