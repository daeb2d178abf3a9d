"""The page that on-call opens: what is running out, in what order, and the one thing to do next about each."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from candor.escalation.v1 import model_pb2 as model
from candor.escalation.v1 import service_pb2 as escalation
from candor_kit.errors import Refusal
from starlette.responses import Response

from candor_console import moments, rpcs
from candor_console.pages import incidents
from candor_console.rendering import when
from candor_console.steps import Matter, Step, matter_of, next_step
from candor_console.visit import Visit

PATH = "/on-call"
MOST = 200
AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Case:
    """A clock on the page: what belongs to it, the next step, and whether the visitor may take it."""

    matter: Matter
    step: Step | None
    may: bool
    urgency: moments.Urgency


async def show(visit: Visit) -> Response:
    """What is running out, the most pressing in front."""
    done = visit.request.query_params.get("done", "")
    return await page(visit, done=done if done in incidents.DONE else "")


async def page(
    visit: Visit, *, done: str = "", refused: incidents.Refused | None = None, status: int = 200
) -> Response:
    """The page, with what was done or refused in front."""
    clocks, opened = await asyncio.gather(
        visit.call(rpcs.LIST_CLOCKS, escalation.ListClocksRequest(running_only=True, page_size=MOST)),
        visit.call(rpcs.LIST_INCIDENTS, escalation.ListIncidentsRequest(open_only=True, page_size=MOST)),
    )
    found = await _incidents(visit, clocks.clocks)
    cases = cases_of(visit, clocks.clocks, found)
    with_clock = {clock.incident_id for clock in clocks.clocks}
    return visit.render(
        "oncall.html",
        status=status,
        cases=cases,
        overdue=sum(case.urgency is moments.Urgency.OVERDUE for case in cases),
        more=bool(clocks.next_page_token),
        without=[incident for incident in opened.incidents if incident.incident_id not in with_clock],
        channels=incidents.CHANNELS,
        may_submit=visit.may(rpcs.RECORD_SUBMISSION),
        here=PATH,
        live=True,
        done=done,
        refused=refused,
    )


def cases_of(
    visit: Visit, clocks: Sequence[model.Clock], found: Mapping[str, escalation.GetIncidentResponse]
) -> list[Case]:
    """The clocks that run, as the page shows them; what is overdue stands first because it fell due first."""
    return [
        _case(visit, matter_of(clock, found[clock.incident_id]))
        for clock in sorted(clocks, key=lambda clock: (clock.strict_due.ToNanoseconds(), clock.clock_id))
        if clock.incident_id in found
    ]


def _case(visit: Visit, matter: Matter) -> Case:
    step = next_step(matter)
    clock = matter.clock
    urgency = moments.urgency(when(clock.strict_due), visit.now, when(clock.anchor.at))
    return Case(matter, step, step is not None and visit.may(step.rpc), urgency)


async def _incidents(visit: Visit, clocks: Sequence[model.Clock]) -> dict[str, escalation.GetIncidentResponse]:
    """The incidents of the clocks, a few at once. One that the service does not know any more is left out."""
    places = asyncio.Semaphore(AT_ONCE)

    async def read(incident_id: str) -> escalation.GetIncidentResponse | None:
        async with places:
            try:
                return await visit.call(rpcs.GET_INCIDENT, escalation.GetIncidentRequest(incident_id=incident_id))
            except Refusal:
                return None

    wanted = list(dict.fromkeys(clock.incident_id for clock in clocks))
    answers = await asyncio.gather(*(read(incident_id) for incident_id in wanted))
    return {incident_id: answer for incident_id, answer in zip(wanted, answers, strict=True) if answer is not None}
