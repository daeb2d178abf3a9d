"""The questions: the register, lists without a person, one request with who asked, and its package."""

import asyncio
import base64
import binascii
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import datetime
from pathlib import Path
from uuid import UUID

from candor.rights.v1 import order_pb2, service_pb2
from candor_kit.errors import EDGE
from candor_kit.keys import SubjectKeys, open_sealed
from candor_kit.query import Query

from candor_rights import codec, identities
from candor_rights.domain.holder import Right
from candor_rights.domain.person import Person
from candor_rights.domain.refusal import Refused
from candor_rights.packages import context_of, read, wrap_context
from candor_rights.store import holders, orders, packages, requests, tasks
from candor_rights.store.packages import Package
from candor_rights.store.requests import Listed, Stored

_PAGE = 100


class Queries:
    """Reads only. `folder` is where the files of the packages lie."""

    def __init__(self, keys: SubjectKeys, folder: Path) -> None:
        self._keys = keys
        self._folder = folder

    async def list_model_deletions(
        self, query: Query, _request: order_pb2.ListModelDeletionsRequest
    ) -> order_pb2.ListModelDeletionsResponse:
        """Every order to delete a model, the latest in front."""
        found = await orders.latest(query.connection)
        return order_pb2.ListModelDeletionsResponse(deletions=[codec.wire_deletion(deletion) for deletion in found])

    async def list_holders(
        self, query: Query, _request: service_pb2.ListHoldersRequest
    ) -> service_pb2.ListHoldersResponse:
        """The register."""
        return service_pb2.ListHoldersResponse(holders=codec.holders(await holders.every(query.connection)))

    async def list_requests(
        self, query: Query, request: service_pb2.ListRequestsRequest
    ) -> service_pb2.ListRequestsResponse:
        """Requests without who asked, the one that falls due first in front."""
        size = request.page_size or _PAGE
        after = _position(request.page_token) if request.page_token else None
        found = await requests.page(query.connection, open_only=request.open_only, after=after, size=size)
        return service_pb2.ListRequestsResponse(
            requests=[codec.wire_summary(listed.request, listed.tasks, listed.tasks_answered) for listed in found],
            next_page_token=_token(found[-1]) if len(found) == size else "",
        )

    async def get_request(self, query: Query, request: service_pb2.GetRequestRequest) -> service_pb2.GetRequestResponse:
        """One request with who asked, its tasks and their proofs."""
        async with _snapshot(query):
            stored = await self._find(query, request.request_id)
            asked = await tasks.of_request(query.connection, request.request_id)
            person = await self._person(query, stored)
        answered = sum(task.proof is not None for task in asked)
        return service_pb2.GetRequestResponse(
            summary=codec.wire_summary(stored.request, len(asked), answered),
            subject=person.subject,
            contact=person.contact,
            tasks=[codec.wire_task(task) for task in asked],
            refusal_ground=stored.request.refusal_ground,
        )

    async def get_package(
        self, query: Query, request: service_pb2.GetPackageRequest
    ) -> AsyncIterator[service_pb2.GetPackageResponse]:
        """The JSON document, in pieces of at most 64 KiB, opened one by one."""
        async with _snapshot(query):
            stored = await self._find(query, request.request_id)
            claim_id, key = await self._package_key(query, stored)
        with closing(read(self._folder / claim_id, key, context_of(stored.request.request_id, claim_id))) as pieces:
            while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
                yield service_pb2.GetPackageResponse(chunk=piece)

    async def _find(self, query: Query, request_id: str) -> Stored:
        stored = await requests.find(query.connection, request_id)
        if stored is None:
            raise Refused("REQUEST_UNKNOWN", "there is no such request", field="request_id")
        return stored

    async def _person(self, query: Query, stored: Stored) -> Person:
        if stored.person is None:
            return Person("")
        return await identities.reveal(query.connection, self._keys, stored.person, stored.request.request_id)

    async def _package_key(self, query: Query, stored: Stored) -> tuple[str, bytes]:
        """The name of the package's file and its key."""
        request_id = stored.request.request_id
        if stored.request.right is not Right.ACCESS:
            raise Refused("PACKAGE_NOT_READY", "only a request for access has a package", field="request_id")
        package = await packages.find(query.connection, request_id)
        if package is None or package.state == "PENDING":
            raise Refused("PACKAGE_NOT_READY", "the package is not complete yet", field="request_id")
        claim_id, wrapped = _still_there(package, query.now)
        if stored.person is None:
            raise Refused("PACKAGE_GONE", "the person was erased since", field="request_id")
        key = await identities.key_of(query.connection, self._keys, stored.person)
        return claim_id, open_sealed(key, wrapped, wrap_context(request_id, claim_id))


def _still_there(package: Package, now: datetime) -> tuple[str, bytes]:
    expired = package.expires_at is None or package.expires_at <= now
    if expired or package.claim_id is None or package.wrapped_key is None:
        raise Refused("PACKAGE_GONE", "the package has expired; open a new request", field="request_id")
    return package.claim_id, package.wrapped_key


@asynccontextmanager
async def _snapshot(query: Query) -> AsyncIterator[None]:
    """Let all that is read be of one instant: an erasure must not pass between a row and the key that opens it."""
    async with query.connection.transaction():
        await query.connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def _token(last: Listed) -> str:
    position = [last.request.due.strict.isoformat(), last.request.request_id]
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode()


def _position(token: str) -> tuple[datetime, str]:
    try:
        due, request_id = json.loads(base64.urlsafe_b64decode(token.encode("ascii")))
        return datetime.fromisoformat(due), str(UUID(request_id))
    except (ValueError, TypeError, AttributeError, binascii.Error) as error:
        raise EDGE.refusal("INVALID_FIELD", "page_token must be one that an answer gave", field="page_token") from error
