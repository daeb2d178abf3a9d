"""The feature library: propose, admit, retire, list (Deep Synthesis 10)."""

from __future__ import annotations

import asyncio

from candor.generation.v1 import facts_pb2
from candor.generation.v1.service_pb2 import (
    AdmitFeatureRequest,
    AdmitFeatureResponse,
    ListFeaturesRequest,
    ListFeaturesResponse,
    ProposeFeatureRequest,
    ProposeFeatureResponse,
    RetireFeatureRequest,
    RetireFeatureResponse,
)
from candor_kit.query import Query
from candor_kit.transaction import Tx

from candor_generation import codec, matcher
from candor_generation.domain import feature
from candor_generation.domain.feature import Feature
from candor_generation.domain.refusal import Refused
from candor_generation.store import library


async def propose_feature(tx: Tx, command: ProposeFeatureRequest) -> ProposeFeatureResponse:
    """Propose a feature; it screens nothing until another person admits it.

    Raises:
        Refused: PATTERN_INVALID, FEATURE_EXISTS.
    """
    proposed = codec.feature_of(command, tx.caller.name, tx.now)
    await asyncio.to_thread(matcher.check, proposed.kind, proposed.value)
    if not await library.insert(tx.connection, proposed):
        raise Refused("FEATURE_EXISTS", "the feature id is taken; a changed feature gets a new id", field="feature_id")
    message = codec.feature_message(proposed)
    await tx.publish(facts_pb2.FeatureProposed(feature=message), key=proposed.feature_id)
    return ProposeFeatureResponse(feature=message)


async def admit_feature(tx: Tx, command: AdmitFeatureRequest) -> AdmitFeatureResponse:
    """Let a proposed feature screen.

    Raises:
        Refused: FEATURE_UNKNOWN, FEATURE_STATE, SAME_PERSON.
    """
    admitted = feature.admit(await _locked(tx, command.feature_id), tx.caller.name, tx.now)
    digest = await _save(tx, admitted)
    message = codec.feature_message(admitted)
    await tx.publish(facts_pb2.FeatureAdmitted(feature=message, library_digest=digest), key=admitted.feature_id)
    return AdmitFeatureResponse(feature=message, library_digest=digest)


async def retire_feature(tx: Tx, command: RetireFeatureRequest) -> RetireFeatureResponse:
    """Let an admitted feature screen no more.

    Raises:
        Refused: FEATURE_UNKNOWN, FEATURE_STATE.
    """
    retired = feature.retire(await _locked(tx, command.feature_id), tx.now)
    digest = await _save(tx, retired)
    message = codec.feature_message(retired)
    await tx.publish(facts_pb2.FeatureRetired(feature=message, library_digest=digest), key=retired.feature_id)
    return RetireFeatureResponse(feature=message, library_digest=digest)


async def list_features(query: Query, _request: ListFeaturesRequest) -> ListFeaturesResponse:
    """Every feature, and the digest of those admitted."""
    found = await library.every(query.connection)
    return ListFeaturesResponse(
        features=map(codec.feature_message, found), library_digest=feature.library_digest(found)
    )


async def _locked(tx: Tx, feature_id: str) -> Feature:
    """The feature, with the library locked: its digest is that of all features, so changes go one after the other."""
    await library.lock(tx.connection)
    found = await library.find(tx.connection, feature_id)
    if found is None:
        raise Refused("FEATURE_UNKNOWN", "there is no feature of this id", field="feature_id")
    return found


async def _save(tx: Tx, changed: Feature) -> bytes:
    await library.update_state(tx.connection, changed)
    digest = feature.library_digest(await library.admitted(tx.connection))
    await library.set_digest(tx.connection, digest)
    return digest
