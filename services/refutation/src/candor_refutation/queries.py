"""The questions: claims, their steps, their notices."""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from candor.refutation.v1 import service_pb2
from candor_kit.errors import EDGE
from candor_kit.query import Query

from candor_refutation import codec, store
from candor_refutation.domain.claim import Claim, Spreading
from candor_refutation.domain.notice import claim_review, notice_url
from candor_refutation.domain.refusal import Refused

MATCHER = "candor.refutation.matcher"
_PAGE = 50


@dataclass(frozen=True)
class Queries:
    """The questions.

    Attributes:
        notice_base: base address of the public notices.
        publisher: the organisation that publishes them.
    """

    notice_base: str
    publisher: str

    async def get_claim(self, query: Query, request: service_pb2.GetClaimRequest) -> service_pb2.GetClaimResponse:
        """Return a claim with its steps. Refuses CLAIM_UNKNOWN."""
        spreading = await store.find_spreading(query.connection, request.claim_id, query.now)
        if spreading is None:
            raise _unknown()
        steps = await store.steps(query.connection, request.claim_id, MATCHER)
        return service_pb2.GetClaimResponse(
            claim=codec.claim_to(spreading), steps=[codec.step_to(step) for step in steps]
        )

    async def list_claims(self, query: Query, request: service_pb2.ListClaimsRequest) -> service_pb2.ListClaimsResponse:
        """Return a page of claims, the one with the latest spread in front."""
        size = request.page_size or _PAGE
        after = _position(request.page_token) if request.page_token else None
        found = await store.list_spreading(
            query.connection, query.now, spreading_only=request.spreading_only, after=after, size=size + 1
        )
        page = found[:size]
        return service_pb2.ListClaimsResponse(
            claims=[codec.claim_to(spreading) for spreading in page],
            next_page_token=_token(page[-1]) if len(found) > size else "",
        )

    async def get_notice(self, query: Query, request: service_pb2.GetNoticeRequest) -> service_pb2.GetNoticeResponse:
        """Return the refutation of a claim as JSON-LD. Refuses CLAIM_UNKNOWN, NOT_REFUTED."""
        claim = await store.find_claim(query.connection, request.claim_id)
        if claim is None:
            raise _unknown()
        return service_pb2.GetNoticeResponse(json_ld=self.notice(claim))

    def notice(self, claim: Claim) -> str:
        """Return the notice of a claim as JSON. Refuses NOT_REFUTED."""
        review = claim_review(claim, url=notice_url(self.notice_base, claim.claim_id), publisher=self.publisher)
        return json.dumps(review, ensure_ascii=False)


def _unknown() -> Refused:
    return Refused("CLAIM_UNKNOWN", "no claim has this id", field="claim_id")


def _token(last: Spreading) -> str:
    return base64.urlsafe_b64encode(f"{last.since.isoformat()}/{last.claim.claim_id}".encode()).decode()


def _position(token: str) -> store.Position:
    try:
        since, _, claim_id = base64.urlsafe_b64decode(token.encode("ascii")).decode("ascii").partition("/")
        return store.Position(datetime.fromisoformat(since).astimezone(UTC), str(UUID(claim_id)))
    except (ValueError, OverflowError, binascii.Error) as error:
        raise EDGE.refusal("INVALID_FIELD", "page_token must be one that an answer gave", field="page_token") from error
