"""On-call on the wire."""

from collections.abc import Iterable
from datetime import datetime

from candor.escalation.v1 import model_pb2, oncall_pb2
from candor_kit.transaction import Tx

from candor_escalation import codec
from candor_escalation.codec import instant, timestamp
from candor_escalation.domain.dispatch import Dispatch
from candor_escalation.domain.paging import Page
from candor_escalation.domain.roster import OnDuty, Roster
from candor_escalation.domain.rotation import Override, Shift


def override(request: oncall_pb2.OverrideOnCallRequest, tx: Tx) -> Override:
    """The override that a command asks for."""
    return Override(
        override_id=tx.new_id(),
        schedule=request.schedule,
        contact=request.contact,
        starts_at=instant(request.starts_at),
        ends_at=instant(request.ends_at),
        made_at=tx.now,
        made_by=tx.caller.name,
        reason=request.reason,
    )


def override_message(made: Override) -> oncall_pb2.OnCallOverride:
    """An override on the wire."""
    return oncall_pb2.OnCallOverride(
        override_id=made.override_id,
        schedule=made.schedule,
        contact=made.contact,
        starts_at=timestamp(made.starts_at),
        ends_at=timestamp(made.ends_at),
        made_at=timestamp(made.made_at),
        made_by=made.made_by,
        reason=made.reason,
        ended_at=timestamp(made.ended_at),
        ended_by=made.ended_by,
    )


def levels_message(on_duty: tuple[OnDuty, ...], roster: Roster, at: datetime) -> oncall_pb2.WhoIsOnCallResponse:
    """Who is on call, level by level, on the wire."""
    answer = oncall_pb2.WhoIsOnCallResponse(at=timestamp(at))
    for number, level in enumerate(on_duty, 1):
        contact = roster.contact(level.contact)
        answer.levels.add(
            level=number,
            contact=level.contact,
            schedule=level.schedule,
            override_id=level.override_id,
            channels=contact.channels if contact else (),
        )
    return answer


def shift_message(shift: Shift) -> oncall_pb2.Shift:
    """A shift on the wire."""
    return oncall_pb2.Shift(
        contact=shift.contact,
        starts_at=timestamp(shift.starts_at),
        ends_at=timestamp(shift.ends_at),
        override_id=shift.override_id,
    )


def page_message(page: Page, dispatches: Iterable[Dispatch]) -> model_pb2.Page:
    """A page on the wire, with what came of every channel that was tried."""
    message = codec.page_message(page)
    message.dispatches.extend(_dispatch_message(dispatch) for dispatch in dispatches)
    return message


def _dispatch_message(dispatch: Dispatch) -> model_pb2.Dispatch:
    return model_pb2.Dispatch(
        channel=dispatch.channel,
        state=dispatch.state,
        tries=dispatch.tries,
        provider_id=dispatch.provider_id,
        error=dispatch.error,
        answered_at=timestamp(dispatch.answered_at),
    )
