"""The review queue: what screening would not simply allow, and people's decisions on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from candor.generation.v1 import model_pb2 as model
from candor.generation.v1 import review_pb2 as review
from candor_kit.errors import Refusal
from starlette.responses import RedirectResponse, Response

from candor_console import rpcs
from candor_console.problems import as_problem
from candor_console.visit import Visit

PAGE_SIZE = 100
DONE = frozenset({"review_assigned", "review_decided"})
WAITING = frozenset({model.REVIEW_STATE_OPEN, model.REVIEW_STATE_RELEASE_PROPOSED, model.REVIEW_STATE_APPEALED})
OUTCOMES = {"upheld": model.REVIEW_OUTCOME_UPHELD, "released": model.REVIEW_OUTCOME_RELEASED}
REASONS = {
    "confirmed": model.REVIEW_REASON_CONFIRMED,
    "false_hit": model.REVIEW_REASON_FALSE_HIT,
    "lawful_context": model.REVIEW_REASON_LAWFUL_CONTEXT,
    "judgement": model.REVIEW_REASON_JUDGEMENT,
}


@dataclass(frozen=True, slots=True)
class Refused:
    """What the page says in front when an act was refused."""

    text: str
    reason: str
    fields: Sequence[object]


async def index(visit: Visit) -> Response:
    """The queue in its order, or what is decided."""
    decided = visit.request.query_params.get("decided") == "1"
    question = review.ListReviewsRequest(
        states=[model.REVIEW_STATE_DECIDED] if decided else [],
        page_size=PAGE_SIZE,
        page_token=visit.request.query_params.get("page", ""),
    )
    answer = await visit.call(rpcs.LIST_REVIEWS, question)
    return visit.render(
        "reviews.html",
        reviews=answer.reviews,
        next_page=answer.next_page_token,
        decided=decided,
        may_open=visit.may(rpcs.GET_REVIEW),
    )


async def detail(visit: Visit) -> Response:
    """One review with the texts it is about; the service records the look."""
    done = visit.request.query_params.get("done", "")
    return await _page(visit, done=done if done in DONE else "")


async def assign(visit: Visit) -> Response:
    """Give the review to who asks, or back to everybody."""
    assignee = visit.session.name if visit.fields.get("to") == "me" else ""
    command = review.AssignReviewRequest(
        command_id=visit.fields.get("command_id", ""), generation_id=_id(visit), assignee=assignee
    )
    try:
        await visit.call(rpcs.ASSIGN_REVIEW, command)
    except Refusal as error:
        return await _refused(visit, error)
    return _back(visit, "review_assigned")


async def decide(visit: Visit) -> Response:
    """Record what the person decides. A field that is missing is the service's to refuse."""
    command = review.DecideReviewRequest(
        command_id=visit.fields.get("command_id", ""),
        generation_id=_id(visit),
        outcome=OUTCOMES.get(visit.fields.get("outcome", ""), model.REVIEW_OUTCOME_UNSPECIFIED),
        reason=REASONS.get(visit.fields.get("why", ""), model.REVIEW_REASON_UNSPECIFIED),
        note=visit.fields.get("note", "").strip(),
    )
    try:
        await visit.call(rpcs.DECIDE_REVIEW, command)
    except Refusal as error:
        return await _refused(visit, error)
    return _back(visit, "review_decided")


async def _page(visit: Visit, *, done: str = "", refused: Refused | None = None, status: int = 200) -> Response:
    found = await visit.call(rpcs.GET_REVIEW, review.GetReviewRequest(generation_id=_id(visit)))
    waiting = found.review.state in WAITING and found.HasField("text")
    free = found.review.assignee in {"", visit.session.name}
    return visit.render(
        "review.html",
        status=status,
        found=found,
        reasons=REASONS,
        done=done,
        refused=refused,
        may_assign=waiting and visit.may(rpcs.ASSIGN_REVIEW),
        may_decide=waiting and free and visit.may(rpcs.DECIDE_REVIEW),
    )


async def _refused(visit: Visit, error: Refusal) -> Response:
    """The review again, with the reason in front and fresh forms: the refused command id belongs to its body."""
    problem = as_problem(error)
    refused = Refused(problem.text(visit.text), problem.reason, problem.fields)
    return await _page(visit, refused=refused, status=problem.status)


def _id(visit: Visit) -> str:
    return str(visit.request.path_params["generation_id"])


def _back(visit: Visit, done: str) -> Response:
    """To the review by GET, so that loading the page again sends nothing again."""
    return RedirectResponse(f"/reviews/{quote(_id(visit), safe='')}?done={done}", status_code=303)
