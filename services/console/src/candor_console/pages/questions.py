"""What the duty officer has to find out, which clocks run on the shortest assumption meanwhile, and the answers."""

from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

from candor.escalation.v1 import model_pb2 as model
from candor.escalation.v1 import service_pb2 as escalation
from candor_kit.errors import Refusal
from starlette.responses import RedirectResponse, Response

from candor_console import question_forms, rpcs
from candor_console.incident_forms import WrongField
from candor_console.pages import oncall
from candor_console.problems import as_problem
from candor_console.questions import Asked, News, asked_about, news_of, news_told, order, told_of
from candor_console.schema_forms import Rejected
from candor_console.visit import Visit

PATH = "/questions"
PAGE_SIZE = 100


async def index(visit: Visit) -> Response:
    """Open questions, those in front on which the earliest clock hangs; `?incident=`: of one."""
    return await page(visit)


async def page(visit: Visit, *, rejected: Rejected | None = None) -> Response:
    """The page, with what was answered or refused in front."""
    incident_id = visit.request.path_params.get("incident_id", "") or visit.request.query_params.get("incident", "")
    question = escalation.ListQuestionsRequest(
        incident_id=incident_id,
        open_only=True,
        page_size=PAGE_SIZE,
        page_token=visit.request.query_params.get("page", ""),
    )
    answer = await visit.call(rpcs.LIST_QUESTIONS, question)
    answered = visit.request.query_params.get("of", "")
    wanted = [*(one.incident_id for one in answer.questions), *([answered] if answered else [])]
    found = await oncall.incidents_of(visit, wanted)
    return visit.render(
        "questions.html",
        rejected=rejected,
        live=True,
        done=visit.done,
        news=news_told(visit.request.query_params, found[answered]) if answered in found else News(),
        asked=_listed(answer.questions, found),
        next_page=answer.next_page_token,
        here=PATH,
        may_answer=visit.may(rpcs.RECORD_FACTS),
    )


def _listed(questions: Iterable[model.Question], found: Mapping[str, escalation.GetIncidentResponse]) -> list[Asked]:
    asked = [asked_about(one, found[one.incident_id]) for one in questions if one.incident_id in found]
    return sorted(asked, key=order)


async def answer(visit: Visit) -> Response:
    """Record an answer; the page then says which clocks arose, fell or moved by it."""
    incident_id = visit.request.path_params["incident_id"]
    question = escalation.GetIncidentRequest(incident_id=incident_id)
    before = await visit.call(rpcs.GET_INCIDENT, question)
    try:
        rpc, command = question_forms.answer(visit.fields, incident_id)
        await visit.call(rpc, command)
    except WrongField as error:
        label = visit.text(f"field.{error.field}", default=error.field)
        text = visit.text("form.field", field=label)
        return await page(visit, rejected=_rejected(visit, {error.field: text}, text, "", 400))
    except Refusal as error:
        problem = as_problem(error)
        errors = {violation.field.partition("[")[0]: violation.description for violation in problem.fields}
        text = problem.what_to_do(visit.text)
        return await page(visit, rejected=_rejected(visit, errors, text, problem.reason, problem.status))
    after = await visit.call(rpcs.GET_INCIDENT, question)
    told = told_of(news_of(before.clocks, after.clocks))
    return RedirectResponse(f"{_back(visit)}?{urlencode({'done': 'answered', 'of': incident_id, **told})}", 303)


def _rejected(visit: Visit, errors: Mapping[str, str], text: str, reason: str, status: int) -> Rejected:
    return Rejected(visit.fields.get("question_id", ""), visit.fields, errors, text, reason, status)


def _back(visit: Visit) -> str:
    """To the page that the form stood on."""
    of_incident = f"/incidents/{visit.request.path_params['incident_id']}"
    return of_incident if visit.fields.get("back", "") == of_incident else PATH
