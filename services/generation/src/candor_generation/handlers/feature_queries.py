"""The questions about the feature library: what it holds, what it held, and all of it as a file."""

from __future__ import annotations

from collections.abc import AsyncIterator

from candor.generation.v1.service_pb2 import (
    ExportFeaturesRequest,
    ExportFeaturesResponse,
    GetLibraryRequest,
    GetLibraryResponse,
    ListFeaturesRequest,
    ListFeaturesResponse,
)
from candor_kit.query import Query

from candor_generation import exchange
from candor_generation import library_codec as codec
from candor_generation.codec import timestamp
from candor_generation.domain.feature import Feature
from candor_generation.domain.refusal import Refused
from candor_generation.store import library, versions
from candor_generation.store.library import Condition
from candor_generation.store.versions import Version

_PAGE = 100
_PIECE = 500


async def list_features(query: Query, request: ListFeaturesRequest) -> ListFeaturesResponse:
    """Features that meet the conditions, by id, and the library in force. A page's token is its last id."""
    condition = Condition(
        codec.states_of(request.states),
        codec.modes_of(request.modes),
        codec.kinds_of(request.kinds),
        request.category,
    )
    size = request.page_size or _PAGE
    found = await library.page(query.connection, condition, request.page_token, size)
    version, digest = await library.in_force(query.connection)
    return ListFeaturesResponse(
        features=map(codec.feature_message, found),
        library_digest=digest,
        library_version=version,
        next_page_token=_next(found, size),
    )


async def get_library(query: Query, request: GetLibraryRequest) -> GetLibraryResponse:
    """A library as it was in force: exactly what its digest covers.

    Raises:
        Refused: LIBRARY_UNKNOWN.
    """
    version = await _version(query, request)
    size = request.page_size or _PAGE
    found = await versions.page(query.connection, version.number, request.page_token, size)
    return GetLibraryResponse(
        version=version.number,
        library_digest=version.digest,
        since=timestamp(version.since),
        size=await versions.size(query.connection, version.number),
        features=map(codec.feature_message, found),
        next_page_token=_next(found, size),
    )


async def export_features(query: Query, request: ExportFeaturesRequest) -> AsyncIterator[ExportFeaturesResponse]:
    """Features as a file in pieces; however large the library, a piece is in memory at a time."""
    condition = Condition(codec.states_of(request.states), category=request.category)
    writer = exchange.writer(request.format, query.now)
    yield ExportFeaturesResponse(content=writer.begin())
    after = ""
    while True:
        found = await library.page(query.connection, condition, after, _PIECE)
        if found:
            yield ExportFeaturesResponse(content=writer.rows(found))
        if len(found) < _PIECE:
            break
        after = found[-1].feature_id
    yield ExportFeaturesResponse(content=writer.end())


async def _version(query: Query, request: GetLibraryRequest) -> Version:
    if request.WhichOneof("which") == "library_digest":
        found = await versions.find_by_digest(query.connection, request.library_digest)
    else:
        number = request.version or (await library.in_force(query.connection))[0]
        found = await versions.find(query.connection, number)
    if found is None:
        raise Refused("LIBRARY_UNKNOWN", "the library never had this version or digest")
    return found


def _next(found: list[Feature], size: int) -> str:
    return found[-1].feature_id if len(found) == size else ""
