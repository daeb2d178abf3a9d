"""The log of compliance acts: that consent was given, a person erased, a claim refuted, a report handed in.

Every public fact of every service becomes a leaf, but `GenerationRecorded`, which tells of a leaf already, and the
checkpoints of this very log, which would never end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from candor.consent.v1 import facts_pb2 as consent_facts
from candor.escalation.v1 import facts_pb2 as escalation_facts
from candor.generation.v1 import facts_pb2 as generation_facts
from candor.generation.v1.facts_pb2 import CheckpointPublished, GenerationRecorded
from candor.generation.v1.service_pb2 import GetActEvidenceRequest, GetActEvidenceResponse
from candor.refutation.v1 import facts_pb2 as refutation_facts
from candor.rights.v1 import facts_pb2 as rights_facts
from candor_kit.envelope import Heard
from candor_kit.keys import SubjectKeys, new_key, open_sealed, seal
from candor_kit.query import Query
from candor_kit.transaction import Tx
from candor_kit.validation import parts
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from candor_generation.domain import act as rules
from candor_generation.domain import leaf
from candor_generation.domain.refusal import Refused
from candor_generation.handlers.proofs import Proofs
from candor_generation.periods import Periods
from candor_generation.store import acts, logs
from candor_generation.store.acts import Act

_SEALED = b"candor.generation.act:"
_KEY = b"candor.generation.act-key:"
_RECORDED = GenerationRecorded.DESCRIPTOR.full_name
_CHECKPOINT = CheckpointPublished.DESCRIPTOR.full_name
_TYPES = {
    descriptor.full_name: GetMessageClass(descriptor)
    for module in (consent_facts, escalation_facts, generation_facts, refutation_facts, rights_facts)
    for descriptor in module.DESCRIPTOR.message_types_by_name.values()
}
"""The facts of every service: whom one names can be told of these only."""


@dataclass(frozen=True)
class Known:
    """What is known of the subjects that a batch of facts names: when they were last erased, and their keys."""

    erased: Mapping[str, datetime]
    keys: dict[str, bytes]


@dataclass(frozen=True)
class Acts:
    """Logs facts, and proves them.

    Attributes:
        keys: the subjects' keys.
        own_key: 32 bytes that wrap the keys of facts that name nobody; asked for once the service has started.
        periods: the logs.
        proofs: reads the logs' files.
        wake_sequencer: called when something waits for its place.
    """

    keys: SubjectKeys
    own_key: Callable[[], bytes]
    periods: Periods
    proofs: Proofs
    wake_sequencer: Callable[[], None]

    async def hear(self, tx: Tx, heard: Sequence[Heard]) -> None:
        """Log the facts of a batch that are not logged yet."""
        wanted = {(item.head.source, item.head.id): item for item in heard if not self._is_passed(item)}
        there = await acts.known(tx.connection, wanted)
        fresh = [item for identifier, item in wanted.items() if identifier not in there]
        if not fresh:
            return
        log = await self.periods.covering(tx.connection, logs.ACTS, tx.now)
        if log is None:
            raise LookupError("no log covers the present")
        named = [subject_of(item.head.type, item.value) for item in fresh]
        known = await self._known(tx, {subject for subject in named if subject is not None})
        made = [
            self._made(item, subject, await self._wrapping(tx, known, subject, _time_of(item)))
            for item, subject in zip(fresh, named, strict=True)
        ]
        addition = await logs.add(tx.connection, log.log_id, [entry for _, entry in made], tx.now)
        await acts.insert(tx.connection, addition, [act for act, _ in made])
        tx.after_commit(self.wake_sequencer)

    def _is_passed(self, item: Heard) -> bool:
        if item.head.type == _RECORDED:
            return True
        if item.head.type != _CHECKPOINT:
            return False
        return f"/{logs.ACTS}/" in CheckpointPublished.FromString(item.value).origin

    async def _known(self, tx: Tx, subjects: set[str]) -> Known:
        return Known(
            await self.keys.erased_many(tx.connection, subjects) if subjects else {},
            await self.keys.find_many(tx.connection, subjects) if subjects else {},
        )

    def _made(self, item: Heard, subject: str | None, wrapping: bytes | None) -> tuple[Act, bytes]:
        head, key, at = item.head, new_key(), _time_of(item)
        name = f"{head.source} {head.id}".encode()
        commitment = rules.commit(leaf.commitment_key(key), head.type, item.value)
        entry = rules.encode(rules.Act(head.source, head.id, head.type, at, commitment))
        if wrapping is None:
            return Act(head.source, head.id, None, None, None), entry
        pseudonym = None if subject is None else self.keys.pseudonym(subject)
        sealed = seal(key, item.value, _SEALED + name)
        return Act(head.source, head.id, pseudonym, sealed, seal(wrapping, key, _KEY + name)), entry

    async def _wrapping(self, tx: Tx, known: Known, subject: str | None, at: datetime) -> bytes | None:
        """The key of whom a fact names; None where it is of before their erasure, or would bring them back."""
        if subject is None:
            return self.own_key()
        erased_at = known.erased.get(subject)
        if erased_at is not None and at <= erased_at:
            return None
        if subject not in known.keys and erased_at is None:
            known.keys[subject] = await self.keys.key(tx.connection, subject)
        return known.keys.get(subject)

    async def evidence(self, query: Query, request: GetActEvidenceRequest) -> GetActEvidenceResponse:
        """What an auditor needs to check one act.

        Raises:
            Refused: ACT_UNKNOWN, NOT_INTEGRATED.
        """
        async with logs.snapshot(query.connection):
            found = await acts.find(query.connection, request.source, request.fact_id)
            if found is None:
                raise Refused("ACT_UNKNOWN", "no fact of this id was logged", field="fact_id")
            act, place = found
            opened = await self._opened(query, act)
        proven = await self.proofs.of(query.connection, place)
        return GetActEvidenceResponse(
            origin=place.origin,
            log_index=proven.index,
            entry=proven.entry,
            inclusion_proof=proven.inclusion_proof,
            checkpoint=proven.checkpoint,
            commitment_key=opened[0],
            fact=opened[1],
        )

    async def _opened(self, query: Query, act: Act) -> tuple[bytes, bytes]:
        """The commitment key and the fact; both empty once whom it names is erased."""
        if act.sealed is None or act.wrapped_key is None:
            return b"", b""
        wrapping: bytes | None = self.own_key()
        if act.pseudonym is not None:
            wrapping = await self.keys.find_by_pseudonym(query.connection, act.pseudonym)
        if wrapping is None:
            return b"", b""
        name = f"{act.source} {act.fact_id}".encode()
        key = open_sealed(wrapping, act.wrapped_key, _KEY + name)
        return leaf.commitment_key(key), open_sealed(key, act.sealed, _SEALED + name)


def _time_of(item: Heard) -> datetime:
    """When the fact was published; the broker's time where the header says none."""
    try:
        at = datetime.fromisoformat(item.head.time)
    except ValueError:
        return datetime.fromtimestamp(item.timestamp / 1000, UTC)
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def subject_of(kind: str, value: bytes) -> str | None:
    """Whom a fact names, wherever in it; a fact of a type that is newer than this service names nobody it knows of."""
    known = _TYPES.get(kind)
    if known is None:
        return None
    try:
        return next(_subjects(known.FromString(value)), None)
    except DecodeError:
        return None


def _subjects(message: Message) -> Iterator[str]:
    for field, value in message.ListFields():
        if field.name == "subject" and isinstance(value, str):
            yield value
        elif field.message_type is not None:
            for part in parts(field, value):
                if isinstance(part, Message) and part.DESCRIPTOR.full_name.startswith("candor."):
                    yield from _subjects(part)
