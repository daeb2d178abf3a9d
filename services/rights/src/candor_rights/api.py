"""Which RPC of RightsService is which handler or question."""

from candor.rights.v1 import order_pb2, service_pb2
from candor_kit.api import Api

from candor_rights.handlers.answers import AnswerHandlers
from candor_rights.handlers.orders import OrderHandlers
from candor_rights.handlers.register import register_holder
from candor_rights.handlers.requests import RequestHandlers
from candor_rights.queries import Queries


def rights_api(requests: RequestHandlers, answers: AnswerHandlers, queries: Queries) -> Api:
    """Cover candor.rights.v1.RightsService."""
    return Api(
        service_pb2.DESCRIPTOR.services_by_name["RightsService"],
        commands={
            "OpenRequest": requests.open_request,
            "VerifyIdentity": requests.verify_identity,
            "AnswerTask": answers.answer_task,
            "RegisterHolder": register_holder,
        },
        queries={
            "ListHolders": queries.list_holders,
            "ListRequests": queries.list_requests,
            "GetRequest": queries.get_request,
        },
        streams={"GetPackage": queries.get_package},
    )


def order_api(orders: OrderHandlers, queries: Queries) -> Api:
    """Cover candor.rights.v1.OrderService."""
    return Api(
        order_pb2.DESCRIPTOR.services_by_name["OrderService"],
        commands={"AnswerModelDeletion": orders.answer_model_deletion},
        queries={"ListModelDeletions": queries.list_model_deletions},
    )
