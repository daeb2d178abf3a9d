"""Questions to the registry. Nothing is locked: an answer is what stood when it was asked."""

from __future__ import annotations

from collections.abc import AsyncIterator

from candor.consent.v1 import service_pb2
from candor.rights.v1 import holder_pb2
from candor_kit.keys import SubjectKeys
from candor_kit.query import Query

from candor_consent import codec
from candor_consent.domain.consent import standing
from candor_consent.domain.refusal import Refused
from candor_consent.domain.training import eligibility
from candor_consent.store import record, register


class Queries:
    """The questions that the consent service answers."""

    def __init__(self, keys: SubjectKeys) -> None:
        self._keys = keys

    async def check_consent(
        self, query: Query, request: service_pb2.CheckConsentRequest
    ) -> service_pb2.CheckConsentResponse:
        """Say whether a purpose may be served for a person at an instant; now when none is given.

        Raises:
            Refused: PURPOSE_UNKNOWN.
        """
        at = codec.instant(request.at) if request.HasField("at") else query.now
        versions = await register.versions_of(query.connection, request.purpose_id)
        if not versions:
            raise Refused("PURPOSE_UNKNOWN", f"there is no purpose {request.purpose_id}", field="purpose_id")
        pseudonym = self._keys.pseudonym(request.subject)
        acts = await record.acts_on(query.connection, pseudonym, request.purpose_id)
        return codec.wire_standing(standing(acts, versions, at))

    async def check_training(
        self, query: Query, request: service_pb2.CheckTrainingRequest
    ) -> service_pb2.CheckTrainingResponse:
        """Say whether a person's data may be used for training at an instant; now when none is given."""
        at = codec.instant(request.at) if request.HasField("at") else query.now
        purposes = await register.training_versions(query.connection)
        acts = await record.acts_of(query.connection, self._keys.pseudonym(request.subject))
        return codec.wire_eligibility(eligibility(acts, purposes, at))

    async def list_consent_history(
        self, query: Query, request: service_pb2.ListConsentHistoryRequest
    ) -> service_pb2.ListConsentHistoryResponse:
        """List every act on record for a person, oldest first.

        Raises:
            Refused: SUBJECT_UNKNOWN.
        """
        if not await record.is_known(query.connection, self._keys.pseudonym(request.subject)):
            raise Refused("SUBJECT_UNKNOWN", "nothing is on record of this person", field="subject")
        acts = await record.history(query.connection, *await self._opening(query, request.subject))
        oldest_first = sorted(acts, key=lambda act: act.at)
        return service_pb2.ListConsentHistoryResponse(acts=[codec.wire_act(act) for act in oldest_first])

    async def list_purposes(
        self, query: Query, _request: service_pb2.ListPurposesRequest
    ) -> service_pb2.ListPurposesResponse:
        """List the purposes in their present version."""
        purposes = await register.all_versions(query.connection)
        return service_pb2.ListPurposesResponse(
            purposes=[codec.wire_purpose(versions[-1]) for versions in purposes.values()]
        )

    async def export(self, query: Query, request: holder_pb2.ExportRequest) -> AsyncIterator[holder_pb2.ExportResponse]:
        """Give everything that is held about a person, oldest first; nothing when there is nothing."""
        acts = await record.history(query.connection, *await self._opening(query, request.subject))
        for act in sorted(acts, key=lambda act: act.at):
            yield codec.export_of(act)

    async def _opening(self, query: Query, subject: str) -> tuple[bytes, bytes | None]:
        """Return the pseudonym and the key of a person."""
        return self._keys.pseudonym(subject), await self._keys.find(query.connection, subject)
