"""Recording a generation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from candor.generation.v1.service_pb2 import RecordRequest, RecordResponse
from candor_kit import log, metrics
from candor_kit.keys import SubjectKeys, new_key
from candor_kit.transaction import Tx

from candor_generation import codec, sealing
from candor_generation.domain import generation, label, leaf
from candor_generation.domain.generation import Decision, Meta, Payload, Verdict
from candor_generation.domain.label import Label
from candor_generation.domain.record import Record
from candor_generation.handlers.screener import Screener
from candor_generation.store import records

_LOG = log.get(__name__)
_DISCARDED = metrics.counter(
    "generation_discarded", "Records that came after the erasure of what they belong to, and were not stored."
)


@dataclass(frozen=True)
class Labelling:
    """What every label of this deployment has in common."""

    provider_code: str
    explicit: bool

    def of(self, meta: Meta, integrity: str) -> Label:
        """The label of one generation."""
        return label.make(
            meta.generation_id, self.provider_code, meta.locale, integrity=integrity, explicit=self.explicit
        )


@dataclass(frozen=True)
class Recording:
    """The Record command."""

    keys: SubjectKeys
    screener: Screener
    labelling: Labelling
    wake_sequencer: Callable[[], None]

    async def record(self, tx: Tx, command: RecordRequest) -> RecordResponse:
        """Screen, seal, label and store one generation; its place in the log follows.

        Raises:
            Refused: TIME_IN_FUTURE.
        """
        meta, payload = codec.meta_of(command), codec.payload_of(command)
        generation.check_time(meta.occurred_at, tx.now)
        verdict = await self.screener.screen(tx, payload)
        subject_key = await self._subject_key(tx, meta, payload.subject)
        if subject_key is None:
            return await self._discard(tx, meta, verdict)
        made = await self._store(tx, meta, payload, verdict, subject_key)
        if verdict.decision is not Decision.ALLOW:
            await tx.publish(codec.flagged(meta, payload.subject, verdict), key=meta.generation_id)
        tx.after_commit(self.wake_sequencer)
        return codec.record_response(meta.generation_id, made.label, verdict)

    async def _subject_key(self, tx: Tx, meta: Meta, subject: str) -> bytes | None:
        """The subject's key, locked against an erasure; None where this generation was erased before it came.

        The key comes first: having it locks erasures out, so none can happen after the look.
        """
        key = await self.keys.key(tx.connection, subject)
        if generation.made_before_erasure(meta.occurred_at, await self.keys.erased_at(tx.connection, subject)):
            return None
        return key

    async def _store(self, tx: Tx, meta: Meta, payload: Payload, verdict: Verdict, subject_key: bytes) -> Record:
        record_key = new_key()
        commitments = leaf.commit(leaf.commitment_key(record_key), payload)
        made_label = self.labelling.of(meta, commitments.output.hex())
        entry = leaf.encode(leaf.make(meta, made_label.label, verdict.decision, verdict.library_digest, commitments))
        personal = sealing.seal_record(subject_key, record_key, meta.generation_id, payload)
        record = Record(meta, made_label, verdict, entry, None, personal)
        await records.insert(tx.connection, record, personal, tx.now)
        return record

    async def _discard(self, tx: Tx, meta: Meta, verdict: Verdict) -> RecordResponse:
        """Store nothing, count it, and answer as ever: the content still has to carry its label (PIPL 47)."""
        await records.count_discarded(tx.connection, tx.now)
        tx.after_commit(_DISCARDED.inc)
        _LOG.info("record discarded", reason="made before the erasure of its subject")
        return codec.record_response(meta.generation_id, self.labelling.of(meta, ""), verdict.without_hits())
