"""The feature library: propose, review, admit, set the mode, retire (Deep Synthesis 10).

An act may be about many features at once. Then those that it cannot be done to are listed in the answer, and it is done
to the rest; all of them make one version of the library.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from candor.generation.v1 import facts_pb2
from candor.generation.v1.service_pb2 import (
    AdmitFeatureRequest,
    AdmitFeatureResponse,
    FeatureRefused,
    ProposeFeatureRequest,
    ProposeFeatureResponse,
    RetireFeatureRequest,
    RetireFeatureResponse,
    ReviewFeatureRequest,
    ReviewFeatureResponse,
    SetFeatureModeRequest,
    SetFeatureModeResponse,
)
from candor_kit.transaction import Tx

from candor_generation import library_codec as codec
from candor_generation import matcher
from candor_generation.corpus import Corpus
from candor_generation.domain import feature
from candor_generation.domain.feature import Ceilings, Estimate, Feature, Kind
from candor_generation.domain.refusal import Refused
from candor_generation.handlers.benign import count_hits
from candor_generation.store import library

_Answer = TypeVar("_Answer", AdmitFeatureResponse, SetFeatureModeResponse, RetireFeatureResponse)


class _Act(Protocol):
    """A command about one feature or several."""

    @property
    def feature_id(self) -> str: ...
    @property
    def also(self) -> Sequence[str]: ...


@dataclass
class _Done:
    """The features as they were and as they became, and those that were refused."""

    before: list[Feature] = field(default_factory=list)
    after: list[Feature] = field(default_factory=list)
    refused: list[FeatureRefused] = field(default_factory=list)
    library: tuple[int, bytes] = (0, b"")


async def establish(tx: Tx) -> None:
    """Put the library on record as a version where it is not; once at every start, before anything is screened."""
    await library.lock(tx.connection)
    screening = await library.mend_digests(tx.connection)
    await library.renew(tx.connection, screening, tx.now)


@dataclass(frozen=True)
class Features:
    """The library's commands.

    Attributes:
        corpus: the benign texts that a feature is held against before it is admitted.
        ceilings: in how many of them it may be found.
    """

    corpus: Corpus
    ceilings: Ceilings

    async def propose_feature(self, tx: Tx, command: ProposeFeatureRequest) -> ProposeFeatureResponse:
        """Propose a feature; it screens nothing until other people have reviewed and admitted it.

        Raises:
            Refused: PATTERN_INVALID, VALUE_TOO_LONG, VALIDITY_INVALID, FEATURE_EXISTS.
        """
        proposed = codec.feature_of(command, tx.caller.name, tx.now)
        await propose(tx, proposed)
        return ProposeFeatureResponse(feature=codec.feature_message(proposed))

    async def review_feature(self, tx: Tx, command: ReviewFeatureRequest) -> ReviewFeatureResponse:
        """Hold proposed features against the admission standard.

        Raises:
            Refused: FEATURE_UNKNOWN, FEATURE_STATE, SAME_PERSON.
        """

        def rule(item: Feature) -> Feature:
            return feature.review(
                item,
                tx.caller.name,
                tx.now,
                approved=command.approved,
                standard=command.standard,
                reason=command.reason,
            )

        done = await _act(tx, command, "reviewed" if command.approved else "rejected", rule)
        messages = [codec.feature_message(item) for item in done.after]
        for message in messages:
            await tx.publish(facts_pb2.FeatureReviewed(feature=message), key=message.feature_id)
        return ReviewFeatureResponse(features=messages, refused=done.refused)

    async def admit_feature(self, tx: Tx, command: AdmitFeatureRequest) -> AdmitFeatureResponse:
        """Let reviewed features screen, in shadow unless the command says otherwise and the benign run allows it.

        Raises:
            Refused: FEATURE_UNKNOWN, FEATURE_STATE, SAME_PERSON, HIT_RATE_TOO_HIGH, VALIDITY_INVALID.
        """
        estimates = await self._estimates(tx, command)

        def rule(item: Feature) -> Feature:
            return feature.admit(
                item,
                tx.caller.name,
                tx.now,
                estimate=estimates.get(item.feature_id, Estimate(0, 0)),
                ceilings=self.ceilings,
                mode=codec.mode_of(command.mode),
                reason=command.reason,
            )

        done = await _act(tx, command, "admitted", rule)
        version, digest = done.library
        for item in done.after:
            message = codec.feature_message(item)
            fact = facts_pb2.FeatureAdmitted(feature=message, library_digest=digest, library_version=version)
            await tx.publish(fact, key=item.feature_id)
        return _fill(AdmitFeatureResponse(), command.feature_id, done)

    async def set_feature_mode(self, tx: Tx, command: SetFeatureModeRequest) -> SetFeatureModeResponse:
        """Let admitted features decide, be counted only, or rest.

        Raises:
            Refused: FEATURE_UNKNOWN, FEATURE_STATE, SAME_PERSON, HIT_RATE_TOO_HIGH.
        """
        mode, by = codec.mode_of(command.mode), tx.caller.name

        def rule(item: Feature) -> Feature:
            return feature.set_mode(item, mode, by, tx.now, ceilings=self.ceilings, reason=command.reason)

        done = await _act(tx, command, mode.value, rule)
        for before, item in zip(done.before, done.after, strict=True):
            await tx.publish(codec.mode_changed(item, before.mode, done.library, by), key=item.feature_id)
        return _fill(SetFeatureModeResponse(), command.feature_id, done)

    async def retire_feature(self, tx: Tx, command: RetireFeatureRequest) -> RetireFeatureResponse:
        """Let admitted features screen no more.

        Raises:
            Refused: FEATURE_UNKNOWN, FEATURE_STATE.
        """
        done = await _act(tx, command, "retired", lambda item: feature.retire(item, tx.now, reason=command.reason))
        version, digest = done.library
        for item in done.after:
            message = codec.feature_message(item)
            fact = facts_pb2.FeatureRetired(feature=message, library_digest=digest, library_version=version)
            await tx.publish(fact, key=item.feature_id)
        return _fill(RetireFeatureResponse(), command.feature_id, done)

    async def _estimates(self, tx: Tx, command: AdmitFeatureRequest) -> dict[str, Estimate]:
        """How often each reviewed feature is found in the benign texts.

        The library is not locked meanwhile: what is looked for never changes once it is proposed.
        """
        found = await library.find(tx.connection, [command.feature_id, *command.also])
        texts = [item for item in found.values() if item.kind is not Kind.IMAGE_HASH]
        counts = await asyncio.to_thread(count_hits, texts, self.corpus)
        size, digest = len(self.corpus.texts), self.corpus.digest
        return {item.feature_id: Estimate(counts[item.feature_id], size, digest) for item in texts}


async def propose(tx: Tx, proposed: Feature) -> None:
    """Put a proposal on record, with its fact.

    Raises:
        Refused: PATTERN_INVALID, VALUE_TOO_LONG, VALIDITY_INVALID, FEATURE_EXISTS.
    """
    feature.check_proposal(proposed, tx.now)
    await asyncio.to_thread(matcher.check, proposed)
    if not await library.insert(tx.connection, proposed):
        raise Refused("FEATURE_EXISTS", "the feature id is taken; a changed feature gets a new id", field="feature_id")
    message = codec.feature_message(proposed)
    await tx.publish(facts_pb2.FeatureProposed(feature=message), key=proposed.feature_id)


async def _act(tx: Tx, command: _Act, step: str, rule: Callable[[Feature], Feature]) -> _Done:
    """Do one act to the features it is about, with the library locked: its digest is that of all of them.

    Raises:
        Refused: the act is about one feature only and cannot be done to it.
    """
    wanted = list(dict.fromkeys([command.feature_id, *command.also]))
    await library.lock(tx.connection)
    done = _apply(wanted, await library.find(tx.connection, wanted), rule, alone=not command.also)
    await library.update(tx.connection, done.after, step, tx.caller.name)
    if any(item.screens for item in (*done.before, *done.after)):
        done.library = await library.renew(tx.connection, [item.feature_id for item in done.after], tx.now)
    else:
        done.library = await library.in_force(tx.connection)
    return done


def _apply(
    wanted: Iterable[str], found: dict[str, Feature], rule: Callable[[Feature], Feature], *, alone: bool
) -> _Done:
    done = _Done()
    for feature_id in wanted:
        try:
            before = _known(found, feature_id)
            after = rule(before)
        except Refused as refused:
            if alone:
                raise
            named = FeatureRefused(feature_id=feature_id, reason=refused.reason, message=refused.message)
            done.refused.append(named)
        else:
            done.before.append(before)
            done.after.append(after)
    return done


def _known(found: dict[str, Feature], feature_id: str) -> Feature:
    if feature_id not in found:
        raise Refused("FEATURE_UNKNOWN", "there is no feature of this id", field="feature_id")
    return found[feature_id]


def _fill(answer: _Answer, feature_id: str, done: _Done) -> _Answer:
    answer.library_version, answer.library_digest = done.library
    answer.refused.extend(done.refused)
    for item in done.after:
        message = codec.feature_message(item)
        if item.feature_id == feature_id:
            answer.feature.CopyFrom(message)
        else:
            answer.also.append(message)
    return answer
