"""Who is on call, and who stands in for whom."""

from dataclasses import replace
from datetime import datetime, timedelta

from candor.escalation.v1 import facts_pb2, oncall_pb2
from candor_kit.query import Query
from candor_kit.transaction import Tx

from candor_escalation import codec, oncall_codec, store
from candor_escalation.domain import roster as rules
from candor_escalation.domain import rotation
from candor_escalation.domain.refusal import Refused
from candor_escalation.domain.roster import Roster
from candor_escalation.store import overrides

_FURTHEST = timedelta(days=3660)
_LONGEST = timedelta(days=92)


class OnCallDesk:
    """Questions about the roster, and the overrides of its schedules."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster

    async def who_is_on_call(
        self, query: Query, request: oncall_pb2.WhoIsOnCallRequest
    ) -> oncall_pb2.WhoIsOnCallResponse:
        """Who is on call, level by level."""
        now = await store.now(query.connection)
        at = codec.instant(request.at) if request.HasField("at") else now
        _refuse_far(at, now, "at")
        made = await overrides.between(query.connection, at, at)
        return oncall_codec.levels_message(self._roster.on_call(made, at), self._roster, at)

    async def list_shifts(self, query: Query, request: oncall_pb2.ListShiftsRequest) -> oncall_pb2.ListShiftsResponse:
        """The shifts of a schedule, and the overrides that made them what they are."""
        schedule = self._roster.schedule(request.schedule)
        start, end = codec.instant(request.starts_at), codec.instant(request.ends_at)
        _refuse_far(start, await store.now(query.connection), "starts_at")
        if not start < end <= start + _LONGEST:
            message = f"must lie after starts_at, by at most {_LONGEST.days} days"
            raise Refused("PERIOD_INVALID", message, field="ends_at")
        found = await overrides.between(query.connection, start, end)
        made = [override for override in found if override.schedule == schedule.name]
        listed = rotation.shifts(schedule, made, start, end, self._roster.names)
        return oncall_pb2.ListShiftsResponse(
            shifts=[oncall_codec.shift_message(shift) for shift in listed],
            overrides=[oncall_codec.override_message(override) for override in made],
        )

    async def override_on_call(
        self, tx: Tx, request: oncall_pb2.OverrideOnCallRequest
    ) -> oncall_pb2.OverrideOnCallResponse:
        """Put somebody else on call for a time."""
        override = rules.checked(self._roster, oncall_codec.override(request, tx), await store.now(tx.connection))
        await overrides.insert(tx.connection, override)
        fact = facts_pb2.OnCallOverridden(override=oncall_codec.override_message(override))
        await tx.publish(fact, key=override.override_id)
        return oncall_pb2.OverrideOnCallResponse(override_id=override.override_id)

    async def end_override(self, tx: Tx, request: oncall_pb2.EndOverrideRequest) -> oncall_pb2.EndOverrideResponse:
        """End an override before its time."""
        override = await overrides.lock(tx.connection, request.override_id)
        if override is None:
            raise Refused("OVERRIDE_UNKNOWN", "there is no such override", field="override_id")
        now = await store.now(tx.connection)
        rules.refuse_ended(override, now)
        ended = replace(override, ended_at=now, ended_by=tx.caller.name)
        await overrides.end(tx.connection, ended)
        fact = facts_pb2.OnCallOverrideEnded(override=oncall_codec.override_message(ended))
        await tx.publish(fact, key=ended.override_id)
        return oncall_pb2.EndOverrideResponse(ended_at=codec.timestamp(now))


def _refuse_far(at: datetime, now: datetime, field: str) -> None:
    """Refuse what lies further away than anybody plans or remembers: turns are counted one by one."""
    if abs(at - now) > _FURTHEST:
        message = f"must lie within {_FURTHEST.days} days of now"
        raise Refused("PERIOD_INVALID", message, field=field)
