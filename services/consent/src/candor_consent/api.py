"""Which RPC is which handler or question."""

from __future__ import annotations

from candor.consent.v1 import service_pb2
from candor.rights.v1 import holder_pb2
from candor_kit.api import Api

from candor_consent.handlers import Handlers
from candor_consent.queries import Queries


def consent_api(handlers: Handlers, queries: Queries) -> Api:
    """Return the RPCs of the registry."""
    return Api(
        service_pb2.DESCRIPTOR.services_by_name["ConsentService"],
        commands={
            "DefinePurpose": handlers.define_purpose,
            "PublishNotice": handlers.publish_notice,
            "GrantConsent": handlers.grant_consent,
            "WithdrawConsent": handlers.withdraw_consent,
            "RefuseTraining": handlers.refuse_training,
        },
        queries={
            "CheckConsent": queries.check_consent,
            "CheckTraining": queries.check_training,
            "ListConsentHistory": queries.list_consent_history,
            "ListPurposes": queries.list_purposes,
        },
    )


def holder_api(queries: Queries) -> Api:
    """Return the RPCs that every holder of personal data offers."""
    return Api(holder_pb2.DESCRIPTOR.services_by_name["DataHolderService"], streams={"Export": queries.export})
