"""Listening: what the other four services announce, as far as a duty may arise from it.

Not listened to: erasures, for no incident holds anything of a person; grants and withdrawals of consent, which start no
incident's clock; what is only recorded, matched or labelled.
"""

from datetime import datetime

from candor.generation.v1 import facts_pb2 as generation_pb2
from candor.generation.v1 import model_pb2 as generation_model_pb2
from candor.refutation.v1 import facts_pb2 as refutation_pb2
from candor.refutation.v1 import model_pb2 as refutation_model_pb2
from candor.rights.v1 import facts_pb2 as rights_pb2
from candor.rights.v1 import model_pb2 as rights_model_pb2
from candor_kit.transaction import Tx
from google.protobuf.timestamp_pb2 import Timestamp

from candor_escalation import codec, store
from candor_escalation.domain import signals as rules
from candor_escalation.handlers.signals import Signals
from candor_escalation.store import evidence, incidents, requests
from candor_escalation.store.requests import Awaited

_AT_ONCE = 100


class Listening:
    """The facts of the other services, and requests whose time has passed."""

    def __init__(self, signals: Signals) -> None:
        self._signals = signals

    async def on_generation_flagged(self, tx: Tx, fact: generation_pb2.GenerationFlagged) -> None:
        """Report an output that screening blocked. What a person should only look at is not illegal yet.

        The subject that the fact names is not stored: no incident holds a person in this service (promise 4).
        """
        if fact.verdict.decision != generation_model_pb2.DECISION_BLOCK:
            return
        categories = [hit.category for hit in fact.verdict.hits if hit.category]
        at = await _no_later(tx, fact.occurred_at if fact.HasField("occurred_at") else None)
        await self._signals.take(tx, rules.illegal_content(fact.product, at, fact.generation_id, categories))

    async def on_review_decided(self, tx: Tx, fact: generation_pb2.ReviewDecided) -> None:
        """Note what a person decided about a blocked output; what only a person found illegal is reported now."""
        upheld = fact.outcome == generation_model_pb2.REVIEW_OUTCOME_UPHELD
        incident_id = await incidents.of_reference(tx.connection, "illegal_content", fact.generation_id)
        if incident_id is None and not upheld:
            return
        if incident_id is None:
            at = await _no_later(tx, fact.decided_at if fact.HasField("decided_at") else None)
            signal = rules.illegal_content(fact.product, at, fact.generation_id, fact.categories, "a person confirmed")
            incident_id = (await self._signals.take(tx, signal))[0].incident_id
        await incidents.lock(tx.connection, incident_id)
        decided = await evidence.decide(tx.connection, incident_id, fact.generation_id, upheld=upheld)
        await self._signals.note(tx, incident_id, rules.reviewed(*decided), "generation-review")

    async def on_feature_mode_changed(self, tx: Tx, fact: generation_pb2.FeatureModeChanged) -> None:
        """Tell a person that the flood guard took a feature out of force; what people change they know."""
        to_shadow = fact.feature.mode == generation_model_pb2.FEATURE_MODE_SHADOW
        if not to_shadow or not fact.HasField("flood"):
            return
        at = await _no_later(tx, fact.flood.until if fact.flood.HasField("until") else None)
        signal = rules.feature_flood(fact.feature.feature_id, fact.flood.hits, fact.flood.screened, at)
        await self._signals.take(tx, signal)

    async def on_spread_detected(self, tx: Tx, fact: refutation_pb2.SpreadDetected) -> None:
        """Report a refuted claim that spreads."""
        at = await _no_later(tx, fact.window_end if fact.HasField("window_end") else None)
        await self._signals.take(tx, rules.rumour_spread(fact.claim_id, fact.level, fact.matches, at))

    async def on_refutation_published(self, tx: Tx, fact: refutation_pb2.RefutationPublished) -> None:
        """Note on a spread's incident that the refutation can be read."""
        incident_id = await incidents.of_reference(tx.connection, "rumour_spread", fact.claim_id)
        if incident_id is not None:
            await self._signals.note(tx, incident_id, {"refutation_url": fact.url}, "refutation")

    async def on_verdict_recorded(self, tx: Tx, fact: refutation_pb2.VerdictRecorded) -> None:
        """Note on a spread's incident that the verdict on its claim changed."""
        incident_id = await incidents.of_reference(tx.connection, "rumour_spread", fact.claim_id)
        if incident_id is not None:
            verdict = refutation_model_pb2.Verdict.Name(fact.verdict).removeprefix("VERDICT_").lower()
            await self._signals.note(tx, incident_id, {"verdict": verdict}, "refutation")

    async def on_request_opened(self, tx: Tx, fact: rights_pb2.RequestOpened) -> None:
        """Watch the time that a person's request has."""
        if not fact.HasField("strict_due"):
            return
        right = rights_model_pb2.Right.Name(fact.right).removeprefix("RIGHT_").lower()
        regime = rights_model_pb2.Regime.Name(fact.regime).removeprefix("REGIME_").lower()
        await requests.opened(tx.connection, Awaited(fact.request_id, right, regime, codec.instant(fact.strict_due)))

    async def on_request_closed(self, tx: Tx, fact: rights_pb2.RequestClosed) -> None:
        """The request is answered."""
        await self._answered(tx, fact.request_id)

    async def on_request_refused(self, tx: Tx, fact: rights_pb2.RequestRefused) -> None:
        """The request is refused, which is an answer."""
        await self._answered(tx, fact.request_id)

    async def find_overdue(self, tx: Tx, grace: float) -> int:
        """Report every request whose time has passed, heard of ``grace`` seconds ago at least; how many there were."""
        late = await requests.overdue(tx.connection, _AT_ONCE, grace)
        for awaited in late:
            signal = rules.rights_overdue(awaited.request_id, awaited.right, awaited.regime, awaited.strict_due)
            await self._signals.take(tx, signal)
        return len(late)

    async def _answered(self, tx: Tx, request_id: str) -> None:
        if await requests.answered(tx.connection, request_id):
            incident_id = await incidents.of_reference(tx.connection, "rights_overdue", request_id)
            if incident_id is not None:
                await self._signals.note(tx, incident_id, {"answered": True}, "rights")


async def _no_later(tx: Tx, told: Timestamp | None) -> datetime:
    """When it was found: a backend's clock that is ahead of ours must not keep a duty from arising."""
    now = await store.now(tx.connection)
    return min(codec.instant(told), now) if told else now
