"""The feature library: what screening looks for, and who answers for it."""

from candor.generation.v1 import model_pb2 as model
from candor.generation.v1 import service_pb2 as generation
from starlette.responses import Response

from candor_console import rpcs
from candor_console.visit import Visit

PAGE_SIZE = 100
STATES = ("proposed", "reviewed", "admitted", "retired", "rejected")


async def index(visit: Visit) -> Response:
    """Features by id, of one state or of all."""
    state = visit.request.query_params.get("state", "")
    wanted = [model.FeatureState.Value(f"FEATURE_STATE_{state.upper()}")] if state in STATES else []
    question = generation.ListFeaturesRequest(
        states=wanted, page_size=PAGE_SIZE, page_token=visit.request.query_params.get("page", "")
    )
    answer = await visit.call(rpcs.LIST_FEATURES, question)
    return visit.render(
        "features.html",
        features=answer.features,
        library=answer,
        states=STATES,
        shown=state if wanted else "",
        next_page=answer.next_page_token,
    )
