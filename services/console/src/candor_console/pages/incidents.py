"""One incident: what is known, its clocks, who was paged, what was drafted and sent, and the acts that change it."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from candor.escalation.v1 import model_pb2 as model
from candor.escalation.v1 import service_pb2 as escalation
from candor_kit.errors import Refusal
from starlette.responses import RedirectResponse, Response

from candor_console import incident_forms, rpcs
from candor_console.problems import Problem, as_problem
from candor_console.visit import View, Visit

CHANNELS = ("portal", "phone", "email", "fax", "letter", "api")
DONE = frozenset({"acknowledged", "drafted", "submitted", "receipted", "decided"})


@dataclass(frozen=True, slots=True)
class Duty:
    """A clock with what belongs to it: the drafts of the latest revision, and what was sent."""

    clock: model.Clock
    revision: int
    drafts: Sequence[model.Draft]
    submissions: Sequence[model.Submission]


@dataclass(frozen=True, slots=True)
class Refused:
    """What the page says in front when an act was refused."""

    text: str
    reason: str
    fields: Sequence[object]


async def detail(visit: Visit) -> Response:
    """The incident as it stands."""
    done = visit.request.query_params.get("done", "")
    return await _page(visit, done=done if done in DONE else "")


async def _page(visit: Visit, *, done: str = "", refused: Refused | None = None, status: int = 200) -> Response:
    question = escalation.GetIncidentRequest(incident_id=visit.request.path_params["incident_id"])
    found = await visit.call(rpcs.GET_INCIDENT, question)
    return visit.render(
        "incident.html",
        status=status,
        found=found,
        duties=duties_of(found),
        channels=CHANNELS,
        done=done,
        refused=refused,
        may_acknowledge=visit.may(rpcs.ACKNOWLEDGE_PAGE),
        may_draft=visit.may(rpcs.DRAFT_REPORT),
        may_submit=visit.may(rpcs.RECORD_SUBMISSION),
        may_receipt=visit.may(rpcs.RECORD_RECEIPT),
        may_decide=visit.may(rpcs.DECIDE_NOT_TO_REPORT),
    )


def duties_of(found: escalation.GetIncidentResponse) -> list[Duty]:
    """The clocks, the one that falls due first in front, each with its latest drafts and its submissions."""
    clocks = sorted(
        found.clocks, key=lambda clock: (clock.state != model.CLOCK_STATE_RUNNING, clock.strict_due.seconds)
    )
    return [_duty(clock, found) for clock in clocks]


def _duty(clock: model.Clock, found: escalation.GetIncidentResponse) -> Duty:
    drafts = [draft for draft in found.drafts if draft.clock_id == clock.clock_id]
    revision = max((draft.revision for draft in drafts), default=0)
    latest = sorted((draft for draft in drafts if draft.revision == revision), key=lambda draft: draft.locale)
    submissions = [submission for submission in found.submissions if submission.clock_id == clock.clock_id]
    return Duty(clock, revision, latest, submissions)


async def acknowledge(visit: Visit) -> Response:
    """Acknowledge a page."""
    await visit.call(rpcs.ACKNOWLEDGE_PAGE, incident_forms.acknowledge(visit.fields))
    return _back(visit, "acknowledged")


async def draft(visit: Visit) -> Response:
    """Draft the report from what is known now."""
    await visit.call(rpcs.DRAFT_REPORT, incident_forms.draft(visit.fields))
    return _back(visit, "drafted")


async def submission(visit: Visit) -> Response:
    """Record that a draft was sent."""
    await visit.call(rpcs.RECORD_SUBMISSION, incident_forms.submission(visit.fields))
    return _back(visit, "submitted")


async def receipt(visit: Visit) -> Response:
    """Record the authority's receipt, which stops the clock."""
    await visit.call(rpcs.RECORD_RECEIPT, incident_forms.receipt(visit.fields))
    return _back(visit, "receipted")


async def decision(visit: Visit) -> Response:
    """Record the decision not to report, which stops the clock."""
    await visit.call(rpcs.DECIDE_NOT_TO_REPORT, incident_forms.decision(visit.fields))
    return _back(visit, "decided")


def act(view: View) -> View:
    """An act that is refused shows the incident again, with the reason in front and fresh forms.

    The fresh forms carry a new command id: the refused one belongs to the body that was refused.
    """

    async def attempt(visit: Visit) -> Response:
        try:
            return await view(visit)
        except incident_forms.WrongField as error:
            refused = Refused(
                visit.text("form.field", field=visit.text(f"field.{error.field}", default=error.field)), "", ()
            )
            return await _page(visit, refused=refused, status=400)
        except Refusal as error:
            problem: Problem = as_problem(error)
            refused = Refused(problem.text(visit.text), problem.reason, problem.fields)
            return await _page(visit, refused=refused, status=problem.status)

    return attempt


def _back(visit: Visit, done: str) -> Response:
    """To the incident by GET, so that loading the page again sends nothing again."""
    incident_id = quote(visit.request.path_params["incident_id"], safe="")
    return RedirectResponse(f"/incidents/{incident_id}?done={done}", status_code=303)
