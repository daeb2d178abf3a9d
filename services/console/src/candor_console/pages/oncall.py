"""The page that on-call opens: what is running out, in what order, and the one thing to do next about each."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

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
MOST = 1000  # clocks, as many as one answer holds
MOST_INCIDENTS = 200
AT_ONCE = 8
FEW = 3
"""So many lines more are not worth folding away."""
PRESSING = timedelta(hours=1)
"""What falls due sooner is never folded away."""


@dataclass(frozen=True, slots=True)
class Case:
    """A clock on the page: what belongs to it, the next step, and whether the visitor may take it.

    `pressing`: it is overdue or falls due within the hour.
    """

    matter: Matter
    step: Step | None
    may: bool
    urgency: moments.Urgency
    pressing: bool


@dataclass(frozen=True, slots=True)
class Group:
    """An incident with its clocks that run: those in sight, the most urgent in front, and the rest in order."""

    incident: model.Incident
    shown: Sequence[Case]
    rest: Sequence[Case]
    questions: int

    @property
    def cases(self) -> Sequence[Case]:
        """All of them, in order."""
        return [*self.shown, *self.rest]


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
        visit.call(rpcs.LIST_INCIDENTS, escalation.ListIncidentsRequest(open_only=True, page_size=MOST_INCIDENTS)),
    )
    with_clock = list(dict.fromkeys(clock.incident_id for clock in clocks.clocks))
    found = await incidents_of(visit, with_clock[:MOST_INCIDENTS])
    groups = groups_of(visit, found.values())
    real = [case for group in groups if not group.incident.drill for case in group.cases]
    return visit.render(
        "oncall.html",
        status=status,
        groups=groups,
        count=len(real),
        overdue=sum(case.urgency is moments.Urgency.OVERDUE for case in real),
        more=bool(clocks.next_page_token) or len(with_clock) > MOST_INCIDENTS,
        without=[incident for incident in opened.incidents if incident.incident_id not in with_clock],
        channels=incidents.CHANNELS,
        may_submit=visit.may(rpcs.RECORD_SUBMISSION),
        here=PATH,
        live=True,
        done=done,
        refused=refused,
    )


def groups_of(visit: Visit, found: Iterable[escalation.GetIncidentResponse]) -> list[Group]:
    """The incidents in which a clock runs, that of the earliest clock in front."""
    groups = [_group(visit, incident) for incident in found]
    return sorted((group for group in groups if group.shown), key=lambda group: order(group.shown[0].matter.clock))


def _group(visit: Visit, found: escalation.GetIncidentResponse) -> Group:
    running = sorted((clock for clock in found.clocks if clock.state == model.CLOCK_STATE_RUNNING), key=order)
    cases = [_case(visit, matter_of(clock, found)) for clock in running]
    pressing = max(1, sum(case.pressing for case in cases))
    shown = pressing if len(cases) - pressing > FEW else len(cases)
    asked = sum(question.state == model.QUESTION_STATE_OPEN for question in found.questions)
    return Group(found.incident, cases[:shown], cases[shown:], asked)


def order(clock: model.Clock) -> tuple[int, str]:
    """What falls due first stands first, so what is overdue stands before all else."""
    return clock.strict_due.ToNanoseconds(), clock.clock_id


def _case(visit: Visit, matter: Matter) -> Case:
    step = next_step(matter)
    due = when(matter.clock.strict_due)
    urgency = moments.urgency(due, visit.now, when(matter.clock.anchor.at))
    may = step is not None and visit.may(step.rpc)
    return Case(matter, step, may, urgency, due <= visit.now + PRESSING)


async def incidents_of(visit: Visit, wanted: Iterable[str]) -> dict[str, escalation.GetIncidentResponse]:
    """Incidents, a few at once. One that the service does not know any more is left out."""
    places = asyncio.Semaphore(AT_ONCE)

    async def read(incident_id: str) -> escalation.GetIncidentResponse | None:
        async with places:
            try:
                return await visit.call(rpcs.GET_INCIDENT, escalation.GetIncidentRequest(incident_id=incident_id))
            except Refusal:
                return None

    identifiers = list(dict.fromkeys(wanted))
    answers = await asyncio.gather(*(read(incident_id) for incident_id in identifiers))
    return {name: answer for name, answer in zip(identifiers, answers, strict=True) if answer is not None}
