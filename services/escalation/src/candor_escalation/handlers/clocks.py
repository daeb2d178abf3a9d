"""Clocks: started, counted anew, fallen, stopped; and the incident closed when nothing runs any more."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from candor.escalation.v1 import facts_pb2
from candor_kit.transaction import Tx
from google.protobuf.message import Message

from candor_escalation import codec, store
from candor_escalation.domain import clock as clock_rules
from candor_escalation.domain import drill as drill_rules
from candor_escalation.domain import evidence as evidence_rules
from candor_escalation.domain import incident as incident_rules
from candor_escalation.domain.clock import Change, Clock, Duty
from candor_escalation.domain.history import Revision, revision_of
from candor_escalation.domain.incident import Incident
from candor_escalation.domain.milestone import HALF, PAGING, Milestone, schedule
from candor_escalation.domain.question import Question
from candor_escalation.domain.refusal import Refused
from candor_escalation.handlers import drill_result
from candor_escalation.handlers.pages import Pages
from candor_escalation.handlers.picture import Picture, picture_of
from candor_escalation.handlers.questions import Questions
from candor_escalation.handlers.waking import Waking
from candor_escalation.policy import Policy
from candor_escalation.store import clocks, evidence, incidents, milestones, questions

# Why a clock changed, in its history.
STARTED = "started"
FACTS = "facts"
REPORTED = "anchor_reported"
CORRECTED = "anchor_corrected"
DISPUTED = "anchor_disputed"
RECEIPT = "receipt"
PACKS = "packs"

_SIX_MONTHS = 183
_AT_ONCE = 100
"""Milestones that one transaction reaches at most."""


@dataclass(frozen=True)
class Matter:
    """A clock with its incident, both locked."""

    incident: Incident
    clock: Clock


@dataclass(frozen=True)
class Known:
    """The clocks of an incident and its open questions, as they are on record."""

    clocks: Sequence[Clock] = ()
    asked: Sequence[Question] = ()


@dataclass(frozen=True)
class Why:
    """Why clocks change, when, and by whom."""

    cause: str
    reason: str
    now: datetime
    by: str

    def revision(self, clock: Clock) -> Revision:
        """A clock as it is now, for its history."""
        return revision_of(clock, self.cause, self.reason, self.now, self.by)


class Clocks:
    """The legal clocks of an incident under the packs that are loaded. ``kept_days``: how long evidence outlasts it."""

    def __init__(self, policy: Policy, pages: Pages, kept_days: int = _SIX_MONTHS) -> None:
        self._policy = policy
        self._pages = pages
        self._waking = Waking(pages)
        self._questions = Questions(policy)
        self._kept_days = kept_days

    async def locked(self, tx: Tx, clock_id: str) -> Matter:
        """A clock with its incident, both locked.

        Raises:
            Refused: CLOCK_UNKNOWN.
        """
        incident_id = await clocks.incident_of(tx.connection, clock_id)
        incident = await incidents.lock(tx.connection, incident_id) if incident_id else None
        if incident is None:
            raise Refused("CLOCK_UNKNOWN", "there is no such clock", field="clock_id")
        found = await clocks.of_incident(tx.connection, incident.incident_id)
        return Matter(incident, next(clock for clock in found if clock.clock_id == clock_id))

    async def reassess(self, tx: Tx, incident: Incident, cause: str = FACTS, reason: str = "") -> Change:
        """Hold what is known of a locked incident against the packs; what that changed.

        ``cause`` and ``reason`` say in the clocks' history why they changed.
        """
        if incident.drill and not incident.is_open:
            return Change()  # it is timed and on record: nothing starts again, whatever follows a report
        picture = await picture_of(tx, incident)
        known = await clocks.of_incident(tx.connection, incident.incident_id)
        asked = await questions.open_of_incident(tx.connection, incident.incident_id)
        why = Why(cause, reason, picture.now, tx.caller.name)
        return await self._assess(tx, incident, picture, Known(known, asked), why)

    async def begin(self, tx: Tx, incident: Incident, picture: Picture) -> Change:
        """Hold what is told of an incident that was opened in this transaction against the packs."""
        return await self._assess(tx, incident, picture, Known(), Why(FACTS, "", picture.now, tx.caller.name))

    async def _assess(self, tx: Tx, incident: Incident, picture: Picture, known: Known, why: Why) -> Change:
        duties = self._policy.duties(incident, picture.facts, picture.anchors, picture.disputed)
        fallen = self._fallen(incident, picture, duties, known.clocks)
        change = clock_rules.assess(
            duties, known.clocks, _new_ids(tx), incident.incident_id, picture.now, fallen, drill=incident.drill
        )
        incident = await self._reopen(tx, incident, change)
        await self._apply(tx, incident, change, why)
        left = change.after(known.clocks)
        incident = await self._close_if_over(tx, incident, left, duties, picture.now)
        await self._questions.refresh(tx, incident, picture, known.asked, duties, left)
        return change

    async def stop(self, tx: Tx, matter: Matter, state: str) -> Clock:
        """Stop a clock, its milestones and its pages; what depends on it is counted anew, and what is over closed.

        Raises:
            Refused: CLOCK_STOPPED.
        """
        now = await store.now(tx.connection)
        clock = clock_rules.stop(matter.clock, state, now)
        await self._stopped(tx, clock, Why(state, "", now, tx.caller.name))
        await self.reassess(tx, matter.incident, RECEIPT)
        await self._waking.hand_on(tx, matter.incident)
        return clock

    async def close(self, tx: Tx, incident: Incident, reason: str) -> Incident:
        """Close a locked incident in which nothing runs, as a person decided.

        Raises:
            Refused: INCIDENT_CLOSED, CLOCK_RUNNING.
        """
        incident_rules.refuse_closed(incident)
        clock_rules.refuse_running(await clocks.of_incident(tx.connection, incident.incident_id))
        return await self._close(tx, incident, await picture_of(tx, incident), reason)

    async def end_drill(self, tx: Tx, incident: Incident, reason: str) -> Incident:
        """End a locked drill, as a person decided: the clocks that run fall, and nobody is paged any more.

        Raises:
            Refused: NOT_A_DRILL, DRILL_ENDED.
        """
        drill_rules.refuse_ended(incident)
        picture = await picture_of(tx, incident)
        why = Why(drill_rules.CAUSE, reason, picture.now, tx.caller.name)
        for clock in await clocks.of_incident(tx.connection, incident.incident_id):
            if clock.is_running:
                await self._stopped(tx, clock_rules.stop(clock, clock_rules.FALLEN, picture.now), why)
        return await self._close(tx, incident, picture, reason)

    async def may_rise(self, tx: Tx, incident: Incident) -> bool:
        """Whether a clock of the incident fell, so that other facts can let it rise again. A drill rises no more."""
        if incident.drill:
            return False
        found = await clocks.of_incident(tx.connection, incident.incident_id)
        return any(clock.state == clock_rules.FALLEN for clock in found)

    async def reach_milestones(self, tx: Tx) -> int:
        """Reach every milestone that is due: the fact, and the page where it pages; how many there were."""
        reached = await milestones.reach(tx.connection, _AT_ONCE)
        for milestone in reached:
            await tx.publish(codec.milestone_reached(milestone), key=milestone.incident_id)
            if milestone.kind in PAGING:
                await self._pages.begin(tx, milestone.incident_id, milestone.clock_id, milestone.kind)
        await self._waking.half_gone(tx, {one.incident_id for one in reached if one.kind == HALF})
        return len(reached)

    def _fallen(
        self, incident: Incident, picture: Picture, duties: Sequence[Duty], known: Sequence[Clock]
    ) -> frozenset[str]:
        # A fact in dispute proves nothing: as long as one assumption holds the duty up, it is among the duties.
        return self._policy.fallen(incident, picture.facts, picture.anchors, duties, known)

    async def _apply(self, tx: Tx, incident: Incident, change: Change, why: Why) -> None:
        await clocks.insert(tx.connection, change.started)
        for clock in (*change.restarted, *(moved.after for moved in change.moved), *change.clarified):
            await clocks.update(tx.connection, clock)
        for moved in change.moved:
            await milestones.cancel(tx.connection, moved.after.clock_id)
        plans = {clock.clock_id: schedule(clock, why.now) for clock in change.planned}
        await milestones.insert(tx.connection, [milestone for plan in plans.values() for milestone in plan])
        await clocks.add_revisions(tx.connection, _revisions(change, why))
        for fact, incident_id in _facts(change, plans, why.cause):
            await tx.publish(fact, key=incident_id)
        await self._waking.begun(tx, incident, (*change.started, *change.restarted), why.now)
        for clock in change.fallen:
            await self._stopped(tx, clock, why)
        if change.fallen:
            await self._waking.hand_on(tx, incident)

    async def _stopped(self, tx: Tx, clock: Clock, why: Why) -> None:
        await clocks.update(tx.connection, clock)
        await clocks.add_revisions(tx.connection, [why.revision(clock)])
        await milestones.cancel(tx.connection, clock.clock_id)
        await self._pages.cancel(tx, clock.clock_id)
        fact = facts_pb2.ClockStopped(
            incident_id=clock.incident_id,
            clock_id=clock.clock_id,
            state=codec.clock_state(clock.state),
            stopped_at=codec.timestamp(clock.stopped_at),
            drill=clock.drill,
        )
        await tx.publish(fact, key=clock.incident_id)

    async def _reopen(self, tx: Tx, incident: Incident, change: Change) -> Incident:
        if incident.is_open or not change.begins:
            return incident
        if incident.correlation_key:
            other = await incidents.lock_open(tx.connection, incident.kind, incident.correlation_key)
            if other is not None:
                raise Refused(
                    "INCIDENT_CLOSED", f"incident {other.incident_id} is open under the same key; tell it there"
                )
        incident = incident_rules.reopened(incident)
        await incidents.update(tx.connection, incident)
        await evidence.reopen(tx.connection, incident.incident_id, tx.new_id())
        fact = facts_pb2.IncidentReopened(incident=codec.incident_message(incident))
        await tx.publish(fact, key=incident.incident_id)
        return incident

    async def _close_if_over(
        self, tx: Tx, incident: Incident, known: Sequence[Clock], duties: list[Duty], now: datetime
    ) -> Incident:
        waiting = [] if incident.drill else duties  # in a drill, what would have to happen first never does
        if not incident.is_open or not clock_rules.may_close(known, waiting):
            return incident
        incident = incident_rules.closed(incident, now)
        await self._closed(tx, incident)
        return incident

    async def _close(self, tx: Tx, incident: Incident, picture: Picture, reason: str) -> Incident:
        incident = incident_rules.closed(incident, picture.now, tx.caller.name, reason)
        await self._closed(tx, incident)
        asked = await questions.open_of_incident(tx.connection, incident.incident_id)
        await self._questions.refresh(tx, incident, picture, asked, [], [])
        return incident

    async def _closed(self, tx: Tx, incident: Incident) -> None:
        await incidents.update(tx.connection, incident)
        if incident.closed_at is not None:
            release_at = evidence_rules.release_at(incident.closed_at, self._kept_days)
            await evidence.close(tx.connection, incident.incident_id, release_at)
        fact = facts_pb2.IncidentClosed(
            incident_id=incident.incident_id,
            closed_at=codec.timestamp(incident.closed_at),
            closed_by=incident.closed_by,
            drill=incident.drill,
        )
        await tx.publish(fact, key=incident.incident_id)
        if incident.drill:
            await drill_result.record(tx, incident)


def _revisions(change: Change, why: Why) -> list[Revision]:
    """What a change adds to the history of the clocks that run on."""
    started = replace(why, cause=STARTED)
    others = (*change.restarted, *(moved.after for moved in change.moved), *change.clarified)
    return [*map(started.revision, change.started), *map(why.revision, others)]


def _facts(change: Change, plans: Mapping[str, list[Milestone]], cause: str) -> Iterator[tuple[Message, str]]:
    """What is published of the clocks that are counted, each with its key."""
    for clock in change.started:
        message = codec.clock_message(clock, plans[clock.clock_id])
        yield facts_pb2.ClockStarted(clock=message), clock.incident_id
    for clock in change.restarted:
        message = codec.clock_message(clock, plans[clock.clock_id])
        yield facts_pb2.ClockRestarted(clock=message), clock.incident_id
    for before, after in ((moved.before, moved.after) for moved in change.moved):
        fact = facts_pb2.ClockReanchored(
            clock=codec.clock_message(after, plans[after.clock_id]),
            cause=cause,
            previous_anchor=codec.anchor_message(before),
            previous_strict_due=codec.timestamp(before.strict_due),
            previous_legal_latest=codec.timestamp(before.legal_latest),
        )
        yield fact, after.incident_id


def _new_ids(tx: Tx) -> Iterator[str]:
    while True:
        yield tx.new_id()
