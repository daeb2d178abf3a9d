"""The result of a drill: read from what is on record, and kept in the register when the drill is over."""

from dataclasses import replace
from datetime import datetime

from candor.escalation.v1 import facts_pb2
from candor_kit.transaction import Tx

from candor_escalation import drill_codec, store
from candor_escalation.domain import drill_times as rules
from candor_escalation.domain.drill import CAUSE
from candor_escalation.domain.drill_times import Record, Result
from candor_escalation.domain.incident import Incident
from candor_escalation.handlers.entries import append
from candor_escalation.store import Connection, clocks, drills, pages, reports, submissions


async def read(connection: Connection, incident: Incident, now: datetime) -> Result:
    """The times of a drill, from what is on record of it."""
    identifier = incident.incident_id
    history = await clocks.revisions(connection, identifier)
    record = Record(
        clocks=await clocks.of_incident(connection, identifier),
        pages=await pages.of_incident(connection, identifier),
        drafts=await reports.drafts_of_incident(connection, identifier),
        approvals=await reports.approvals_of_incident(connection, identifier),
        submissions=await submissions.submissions_of_incident(connection, identifier),
        cut=frozenset(revision.clock_id for revision in history if revision.cause == CAUSE),
    )
    return rules.result(incident, record, now)


async def record(tx: Tx, incident: Incident) -> None:
    """Put the result of a drill that is over into the register, and tell of it. The incident is closed and locked."""
    known = await drills.find(tx.connection, incident.incident_id)
    if known is None:
        raise AssertionError("a drill is kept with its incident")
    held = replace(known, entry_id=tx.new_id())
    now = await store.now(tx.connection)
    found = await read(tx.connection, incident, now)
    await append(tx, rules.entry(incident, held, found, now))
    await drills.ended(tx.connection, held)
    fact = facts_pb2.DrillEnded(drill=drill_codec.drill_message(incident, held, now, found))
    await tx.publish(fact, key=incident.incident_id)
