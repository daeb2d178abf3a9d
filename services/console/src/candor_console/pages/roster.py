"""Who is on call: now, next, and who stands in for whom."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from itertools import chain

from candor.escalation.v1 import oncall_pb2 as oncall
from google.protobuf.timestamp_pb2 import Timestamp
from starlette.responses import Response

from candor_console import rpcs, specs
from candor_console.pages.recording import acting
from candor_console.rendering import when
from candor_console.schema_forms import Rejected
from candor_console.visit import Visit

PATH = "/roster"
AHEAD = timedelta(days=14)


async def show(visit: Visit) -> Response:
    """The roster as it stands."""
    return await page(visit)


async def page(visit: Visit, *, rejected: Rejected | None = None) -> Response:
    """The levels of the chain, and for each schedule its shifts and who stands in."""
    now = await visit.call(rpcs.WHO_IS_ON_CALL, oncall.WhoIsOnCallRequest())
    names = list(dict.fromkeys(level.schedule for level in now.levels if level.schedule))
    answers = await asyncio.gather(*(_shifts(visit, name) for name in names))
    people = {level.contact for level in now.levels} | {
        shift.contact for shift in chain.from_iterable(answer.shifts for answer in answers)
    }
    return visit.render(
        "roster.html",
        done=visit.done,
        rejected=rejected,
        levels=now.levels,
        schedules=dict(zip(names, answers, strict=True)),
        holding=lambda overrides: _holding(visit, overrides),
        form=specs.OVERRIDE,
        values={"schedule": names[0] if len(names) == 1 else "", "starts_at": f"{visit.now:%Y-%m-%dT%H:%M}"},
        suggested={"schedule": names, "contact": sorted(people - {""})},
        may_override=bool(names) and visit.may(rpcs.OVERRIDE_ON_CALL),
        may_end=visit.may(rpcs.END_OVERRIDE),
    )


async def _shifts(visit: Visit, schedule: str) -> oncall.ListShiftsResponse:
    begin, end = Timestamp(), Timestamp()
    begin.FromDatetime(visit.now)
    end.FromDatetime(visit.now + AHEAD)
    return await visit.call(rpcs.LIST_SHIFTS, oncall.ListShiftsRequest(schedule=schedule, starts_at=begin, ends_at=end))


def _holding(visit: Visit, overrides: Sequence[oncall.OnCallOverride]) -> list[oncall.OnCallOverride]:
    """The overrides that can still be ended."""
    return [one for one in overrides if not one.HasField("ended_at") and when(one.ends_at) > visit.now]


override = acting(specs.OVERRIDE, page, lambda _visit, _answer: f"{PATH}?done=overridden")
end = acting(
    specs.END_OVERRIDE,
    page,
    lambda _visit, _answer: f"{PATH}?done=override_ended",
    lambda visit: {"override_id": visit.request.path_params["override_id"]},
)
