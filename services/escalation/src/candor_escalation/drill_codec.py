"""Protobuf to domain and back: drills."""

from datetime import datetime, timedelta

from candor.escalation.v1 import drill_pb2

from candor_escalation import codec, report_codec
from candor_escalation.domain import drill as drills
from candor_escalation.domain import drill_times as times
from candor_escalation.domain.drill import Drill, Instant, Scenario
from candor_escalation.domain.drill_times import ClockTimes, Result, Step
from candor_escalation.domain.incident import Incident

_STATES = {
    drills.RUNNING: drill_pb2.DRILL_STATE_RUNNING,
    drills.COMPLETED: drill_pb2.DRILL_STATE_COMPLETED,
    drills.ENDED: drill_pb2.DRILL_STATE_ENDED,
}
_STEPS = {
    times.PAGED: drill_pb2.DRILL_STEP_KIND_PAGED,
    times.ACKNOWLEDGED: drill_pb2.DRILL_STEP_KIND_ACKNOWLEDGED,
    times.DRAFTED: drill_pb2.DRILL_STEP_KIND_DRAFTED,
    times.APPROVED: drill_pb2.DRILL_STEP_KIND_APPROVED,
    times.SUBMITTED: drill_pb2.DRILL_STEP_KIND_SUBMITTED,
    times.RECEIPTED: drill_pb2.DRILL_STEP_KIND_RECEIPTED,
}


def scenario(request: drill_pb2.StartDrillRequest) -> Scenario:
    """The scenario that is told."""
    told = request.told
    return Scenario(
        name=request.scenario,
        kind=told.kind,
        title=told.title,
        facts=codec.facts(told.facts),
        instants=tuple(Instant(one.name, timedelta(minutes=one.minutes_ago), one.evidence) for one in told.anchors),
    )


def scenario_message(told: Scenario) -> drill_pb2.DrillScenario:
    """A scenario as it is told."""
    return drill_pb2.DrillScenario(
        kind=told.kind,
        title=told.title,
        facts=codec.values(told.facts),
        anchors=[
            drill_pb2.DrillAnchor(name=one.name, minutes_ago=_minutes(one.before), evidence=one.evidence)
            for one in told.instants
        ],
    )


def drill_message(incident: Incident, drill: Drill, now: datetime, found: Result | None = None) -> drill_pb2.Drill:
    """A drill on the wire, with its times where they are wanted."""
    return drill_pb2.Drill(
        incident_id=incident.incident_id,
        scenario=drill.scenario,
        kind=incident.kind,
        title=incident.title,
        state=_STATES[drills.state(incident)],
        started_at=codec.timestamp(incident.opened_at),
        started_by=drill.started_by,
        ended_at=codec.timestamp(incident.closed_at),
        ended_by=incident.closed_by,
        reason=incident.close_reason,
        seconds=_seconds((incident.closed_at or now) - incident.opened_at),
        clocks=[_clock(one) for one in found.clocks] if found else [],
        steps=[_step(step) for step in found.steps] if found else [],
        not_done=[_STEPS[kind] for kind in found.not_done] if found else [],
        entry_id=drill.entry_id,
    )


def _clock(found: ClockTimes) -> drill_pb2.DrillClock:
    clock = found.clock
    return drill_pb2.DrillClock(
        clock_id=clock.clock_id,
        pack_id=clock.pack_id,
        obligation_id=clock.obligation_id,
        citation=clock.citation,
        state=codec.clock_state(clock.state),
        strict_due=codec.timestamp(clock.strict_due),
        legal_latest=codec.timestamp(clock.legal_latest),
        steps=[_step(step) for step in found.steps],
        not_done=[_STEPS[kind] for kind in found.not_done],
    )


def _step(step: Step) -> drill_pb2.DrillStep:
    return drill_pb2.DrillStep(
        kind=_STEPS[step.kind],
        at=codec.timestamp(step.at),
        seconds=_seconds(step.after),
        seconds_left=_seconds(step.left),
        punctuality=report_codec.punctuality(step.punctuality),
    )


def _minutes(span: timedelta) -> int:
    return int(span / timedelta(minutes=1))


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())
