"""Which RPC is which handler or query."""

from collections.abc import AsyncIterator

from candor.refutation.v1 import service_pb2
from candor.rights.v1 import holder_pb2
from candor_kit.api import Api
from candor_kit.query import Query

from candor_refutation.handlers import Handlers
from candor_refutation.queries import Queries


def refutation_api(handlers: Handlers, queries: Queries) -> Api:
    """Return the RPCs of RefutationService."""
    return Api(
        service_pb2.DESCRIPTOR.services_by_name["RefutationService"],
        commands={
            "RegisterClaim": handlers.register_claim,
            "RecordVerdict": handlers.record_verdict,
            "NominateSpread": handlers.nominate_spread,
        },
        queries={
            "GetClaim": queries.get_claim,
            "ListClaims": queries.list_claims,
            "GetNotice": queries.get_notice,
        },
    )


def holder_api() -> Api:
    """Return the RPCs of DataHolderService."""
    return Api(holder_pb2.DESCRIPTOR.services_by_name["DataHolderService"], streams={"Export": export})


async def export(_query: Query, _request: holder_pb2.ExportRequest) -> AsyncIterator[holder_pb2.ExportResponse]:
    """Return everything held about a person: nothing; see `handlers.carry_out`."""
    nothing: tuple[holder_pb2.ExportResponse, ...] = ()
    for item in nothing:
        yield item
