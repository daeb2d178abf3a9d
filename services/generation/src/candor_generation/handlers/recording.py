"""Recording generations, many at a time: one screening, one addition to the log, one COPY for each batch.

This is the hottest path there is, so it works on plain values and bytes; what they mean is said by the domain, whose
functions give the same (tests compare them).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from uuid import UUID

from candor.generation.v1.service_pb2 import RecordRequest, RecordResponse
from candor_kit import log as logging
from candor_kit import metrics
from candor_kit.api import Outcome
from candor_kit.errors import EDGE
from candor_kit.ids import milliseconds_of
from candor_kit.keys import IngestKeys, SubjectKey
from candor_kit.transaction import Tx
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from candor_generation import codec, sealing
from candor_generation.domain import fact, generation, label, leaf
from candor_generation.domain.generation import Decision, Verdict
from candor_generation.domain.label import Label
from candor_generation.domain.record import Record
from candor_generation.handlers.reviews import open_reviews
from candor_generation.handlers.screener import Screener
from candor_generation.periods import Periods
from candor_generation.sealing import Sealer
from candor_generation.store import logs, records
from candor_generation.store.logs import Log
from candor_generation.store.records import IdTakenError, Stored

_LOG = logging.get(__name__)
_DISCARDED = metrics.counter(
    "generation_discarded", "Records that came after the erasure of what they belong to, and were not stored."
)
_RECORDED = metrics.counter("generation_recorded", "Records stored.")
_SECONDS = 4096  # whose text is remembered
_MOST_TEMPLATES = 64  # of one addition; who reports more kinds at once than that has facts kept one by one


@dataclass(frozen=True)
class Labels:
    """What every label of this deployment has in common.

    Attributes:
        provider_code: 27 characters.
        explicit: whether answers carry a text to show.
        sign: the producer's own protection (ReservedCode1) for a generation id; asked for only where a label is given
            out, as a signature costs more than all the rest of recording.
    """

    provider_code: str
    explicit: bool
    sign: Callable[[str], str]

    def of(self, generation_id: str, locale: str) -> Label:
        """The label of one generation, unsigned as it is kept."""
        return label.make(generation_id, self.provider_code, locale, integrity="", explicit=self.explicit)

    def signed(self, made: Label) -> Label:
        """The label as it is given out."""
        return replace(made, reserved_code1=self.sign(made.produce_id))


@dataclass(slots=True)
class Taken:
    """A command that is to be recorded, with what was found out about it on the way."""

    command: RecordRequest
    identifier: str
    made_ms: int
    micros: int
    verdict: Verdict | None = None
    discarded: bool = False
    repeats: Stored | Taken | None = None


@dataclass(frozen=True)
class Recording:
    """The Record command, for a batch of any size."""

    keys: IngestKeys
    screener: Screener
    labels: Labels
    periods: Periods
    wake_sequencer: Callable[[], None]

    async def record(self, tx: Tx, commands: Sequence[RecordRequest]) -> list[Outcome]:
        """Screen, seal, label and store generations; their places in the log follow.

        Returns:
            For each the refusal (TIME_IN_FUTURE, COMMAND_ID_REUSED) or its response.
        """
        # 1. What is refused for what it says, and what repeats an earlier one of the same batch.
        taken, outcomes = self._taken(tx, commands)
        # 2. What the texts are found to hold.
        for item, verdict in zip(taken, await self._screened(tx, taken), strict=True):
            item.verdict = verdict
        # 3. What its subject had erased is not stored. Having the keys keeps erasures out, so none can follow the look.
        keys = await self.keys.take_many(tx.connection, {item.command.subject for item in taken}, first=True)
        for item in taken:
            if (erased_at := keys[item.command.subject].erased_at) is not None:
                item.discarded = generation.made_before_erasure(_moment(item.micros), erased_at)
        # 4. The rest, log by log.
        for log, items in (await self._by_log(tx, taken)).items():
            await self._store(tx, log, items, keys)
        await self._tell(tx, taken)
        answers = {id(item.command): self._outcome(item, keys) for item in taken}
        return [outcome or answers[id(command)] for command, outcome in zip(commands, outcomes, strict=True)]

    def _taken(self, tx: Tx, commands: Sequence[RecordRequest]) -> tuple[list[Taken], list[Outcome | None]]:
        taken: list[Taken] = []
        outcomes: list[Outcome | None] = []
        first: dict[str, Taken] = {}
        latest = _micros(generation.latest(tx.now))
        for command in commands:
            at, identifier = command.occurred_at, command.command_id.lower()
            item = Taken(command, identifier, milliseconds_of(identifier), at.seconds * 1_000_000 + at.nanos // 1000)
            if item.micros > latest or item.made_ms * 1000 > latest:
                field = "occurred_at" if item.micros > latest else "command_id"
                outcomes.append(generation.in_future(field))
                continue
            if (earlier := first.setdefault(identifier, item)) is not item:
                item.repeats = earlier
            taken.append(item)
            outcomes.append(None)
        return taken, outcomes

    async def _screened(self, tx: Tx, taken: Sequence[Taken]) -> Sequence[Verdict]:
        return await self.screener.screen_many(tx, [(item.command.prompt, item.command.output) for item in taken])

    async def _by_log(self, tx: Tx, taken: Sequence[Taken]) -> dict[Log, list[Taken]]:
        """What is to be stored, by the log that takes it: that of the time its id was made at.

        A repeat has the same id, so it comes to the same log and is known there.
        """
        found: dict[Log, list[Taken]] = {}
        of_log: list[Taken] = []
        starts = ends = 0
        for item in taken:
            if item.discarded or item.repeats is not None:
                continue
            if not starts <= item.made_ms < ends:
                log = await self.periods.covering(tx.connection, logs.GENERATION, _moment(item.made_ms * 1000))
                if log is None:
                    raise LookupError("no log covers the present")
                of_log = found.setdefault(log, [])
                starts, ends = (_micros(at) // 1000 for at in (log.period.starts_at, log.period.ends_at))
            of_log.append(item)
        return found

    async def _store(self, tx: Tx, log: Log, items: list[Taken], keys: Mapping[str, SubjectKey]) -> None:
        """Store new records. Where an id turns out to be taken, its record is found and the others are stored."""
        while items:
            assembler = Assembler(self.labels, keys, len(items))
            rows, entries = assembler.assemble(items)
            try:
                async with tx.savepoint():
                    addition = await logs.add(tx.connection, log.log_id, entries, tx.now, assembler.templates())
                    await records.insert(tx.connection, addition, rows)
            except IdTakenError:
                there = await records.find_many(tx.connection, [UUID(item.identifier) for item in items])
                for item in items:
                    item.repeats = there.get(item.identifier)
                items = [item for item in items if item.repeats is None]
            else:
                tx.after_commit(self.wake_sequencer)
                tx.after_commit(partial(_RECORDED.inc, len(items)))
                return

    async def _tell(self, tx: Tx, taken: Sequence[Taken]) -> None:
        stored = [item for item in taken if not item.discarded and item.repeats is None]
        flagged = [
            (codec.flagged(item.command, item.verdict), item.identifier)
            for item in stored
            if item.verdict is not None and item.verdict.decision is not Decision.ALLOW
        ]
        if flagged:
            for fact, key in flagged:
                await tx.publish(fact, key=key)
            await open_reviews(tx, [(item.identifier, item.verdict) for item in stored if item.verdict is not None])
        discarded = sum(item.discarded for item in taken)
        if discarded:
            await records.count_discarded(tx.connection, tx.now, discarded)
            tx.after_commit(partial(_DISCARDED.inc, discarded))
            _LOG.info("records discarded", count=discarded, reason="made before the erasure of their subject")

    def _outcome(self, item: Taken, keys: Mapping[str, SubjectKey]) -> Outcome:
        if isinstance(item.repeats, Taken):
            if isinstance(item.repeats.repeats, Stored):
                # What is on record decides, not which of the repeats came first.
                return self._repeated(item, item.repeats.repeats, keys[item.command.subject].key)
            if item.command != item.repeats.command:
                return _reused()
            return self._outcome(item.repeats, keys)
        if item.repeats is not None:
            return self._repeated(item, item.repeats, keys[item.command.subject].key)
        return lambda: self._response(item)

    def _response(self, item: Taken) -> RecordResponse:
        """The answer. What is discarded is answered as ever: the content still has to carry its label (PIPL 47)."""
        verdict = item.verdict or Verdict(Decision.ALLOW, (), b"")
        made = self.labels.signed(self.labels.of(item.identifier, item.command.locale))
        return codec.record_response(item.identifier, made, verdict.without_hits() if item.discarded else verdict)

    def _repeated(self, item: Taken, stored: Stored, subject_key: bytes) -> Outcome:
        """A record of this id is there. What it says can be compared as long as it is not erased."""
        record = codec.record_of(stored)
        if not _same(item, record, subject_key):
            return _reused()
        return lambda: codec.record_response(item.identifier, self.labels.signed(record.label), record.verdict)


@dataclass(slots=True)
class Kind:
    """What rows and facts of one kind have in common: the columns, the model, and the templates' number, if any."""

    columns: bytes
    decision: str
    modality: str
    templated: bool


class Assembler:
    """Makes rows and log entries of one addition."""

    def __init__(self, labels: Labels, keys: Mapping[str, SubjectKey], count: int) -> None:
        self._labels = labels
        self._keys = keys
        self._sealer = Sealer(count)
        self._kinds: dict[tuple[object, ...], Kind] = {}
        self._templates: list[bytes] = []

    def templates(self) -> bytes:
        """The templates of the facts of what was assembled."""
        return fact.bundle(self._templates)

    def assemble(self, items: Sequence[Taken]) -> tuple[list[bytes], list[bytes]]:
        """The records' rows and their entries."""
        rows: list[bytes] = []
        entries: list[bytes] = []
        for ordinal, item in enumerate(items):
            row, entry = self._assembled(ordinal, item)
            rows.append(row)
            entries.append(entry)
        return rows, entries

    def _assembled(self, ordinal: int, item: Taken) -> tuple[bytes, bytes]:
        command, verdict, identifier = item.command, item.verdict, item.identifier
        if verdict is None:
            raise ValueError("the record has not been screened")
        person, model = command.subject, command.model
        name, subject = identifier.encode(), person.encode()
        prompt, output = command.prompt.encode(), command.output.encode()
        kind = self._kind(command, verdict, model)
        sealer = self._sealer
        key = sealer.new_key()
        entry = leaf.generation_entry(
            identifier,
            _written(item.micros),
            model,
            kind.modality,
            label.IS_GENERATED,
            kind.decision,
            _hex(verdict.library_digest),
            leaf.commit_to(leaf.commitment_key(key), subject, prompt, output),
        )
        row = records.row(
            bytes.fromhex(identifier.replace("-", "")),
            ordinal,
            item.micros,
            kind.columns,
            None if kind.templated else self._told(command, identifier, verdict) + fact.occurred(item.micros),
            subject,
            sealer.payload(key, name, prompt, output),
            sealer.wrap(AESGCM(self._keys[person].key), key, name),
        )
        return row, entry

    def _kind(self, command: RecordRequest, verdict: Verdict, model: str) -> Kind:
        """But for hits, facts of one kind differ in id and time only."""
        whole = bool(verdict.hits)
        named = (command.provider, model, command.product, command.locale, command.modality, verdict.decision, whole)
        kind = self._kinds.get(named)
        if kind is None:
            number = None
            if not whole and len(self._templates) < _MOST_TEMPLATES:
                number = len(self._templates)
                self._templates.append(self._told(command, fact.NOBODY, verdict))
            kind = self._kinds[named] = Kind(
                records.kind(int(verdict.decision), command.product, model, number),
                _DECISIONS[verdict.decision],
                codec.MODALITY_OF[command.modality].value,
                number is not None,
            )
        return kind

    def _told(self, command: RecordRequest, identifier: str, verdict: Verdict) -> bytes:
        return codec.fact_of(command, identifier, self._labels.of(identifier, command.locale), verdict)


_DECISIONS = {decision: decision.name.lower() for decision in Decision}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _same(item: Taken, record: Record, subject_key: bytes) -> bool:
    meta = record.meta
    if codec.meta_of(item.command) != meta:
        return False
    if record.personal is None:
        return True
    if record.personal.subject != item.command.subject:
        return False
    key = sealing.unwrap(subject_key, record.personal.wrapped_key, item.identifier)
    return sealing.open_payload(key, item.identifier, record.personal) == codec.payload_of(item.command)


def _reused() -> Exception:
    return EDGE.refusal("COMMAND_ID_REUSED", "this command_id was used before with another body", field="command_id")


def _micros(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


def _moment(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


def _written(micros: int) -> str:
    seconds, rest = divmod(micros, 1_000_000)
    return f"{_second(seconds)}.{rest:06d}Z"


@lru_cache(maxsize=_SECONDS)
def _second(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")


@lru_cache(maxsize=16)
def _hex(digest: bytes) -> str:
    return digest.hex()
