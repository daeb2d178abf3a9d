"""The generation service of Candor: every output labelled, screened, logged. Configured by environment variables."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import cast

from candor.generation.v1 import reasons_pb2
from candor.generation.v1.service_pb2 import RecordRequest, RecordResponse
from candor_kit import log as logging
from candor_kit.consumer import FactConsumer
from candor_kit.errors import ConfigError, Refusal
from candor_kit.holding import task_consumer
from candor_kit.keys import HoldKeys, IngestKeys
from candor_kit.service import Service, run
from candor_kit.stop import Stop, Wake
from candor_kit.transaction import Caller

from candor_generation import corpus, identity
from candor_generation.api import generation_api, hold_api, holder_api, label_api, review_api, screening_api
from candor_generation.carriers.base import CarrierError
from candor_generation.credentials import Credentials
from candor_generation.domain.feature import Ceilings
from candor_generation.domain.flood import Limits
from candor_generation.domain.note import NoteError
from candor_generation.domain.policy import PolicyError, parse_policy
from candor_generation.domain.refusal import Refused
from candor_generation.files import LogBrokenError, LogStore, StoreAwayError, bucket
from candor_generation.files.folder import FolderStore
from candor_generation.guard import Guard
from candor_generation.handlers import features
from candor_generation.handlers.acts import Acts
from candor_generation.handlers.erasures import Erasures
from candor_generation.handlers.features import Features
from candor_generation.handlers.holding import Holding
from candor_generation.handlers.holds import Holds
from candor_generation.handlers.labelling import Labelling
from candor_generation.handlers.leaves import Leaves
from candor_generation.handlers.proofs import Proofs
from candor_generation.handlers.queries import Queries
from candor_generation.handlers.recording import Labels, Recording
from candor_generation.handlers.restricting import Restricting
from candor_generation.handlers.reviews import Reviews
from candor_generation.handlers.screener import Screener
from candor_generation.handlers.screening import Screening
from candor_generation.handlers.under_review import UnderReview
from candor_generation.handlers.unlabelled import Unlabelled
from candor_generation.http import LogHttp
from candor_generation.label_http import LabelKeyHttp
from candor_generation.labelkey import LabelKey
from candor_generation.labelling import spoken
from candor_generation.marks.pcm import AudibleLabel
from candor_generation.otlp import rpc as otlp_rpc
from candor_generation.otlp.buffer import Buffer, Patience
from candor_generation.otlp.exports import Exports
from candor_generation.otlp.http import OtlpHttp
from candor_generation.otlp.joiner import Joiner
from candor_generation.otlp.mapping import Names
from candor_generation.periods import Periods
from candor_generation.retention import Policy, Retention
from candor_generation.sequencer import Sequencer, Unwitnessed, Witnessing, check_published
from candor_generation.settings import Settings
from candor_generation.signing import LogKey
from candor_generation.teller import Teller
from candor_generation.witness import WitnessClient, Witnesses, check_witnesses

_LOG = logging.get(__name__)
_OTHERS = ("consent", "rights", "refutation", "escalation")


@dataclass(frozen=True)
class Parts:
    """What several parts of the service share."""

    service: Service
    settings: Settings
    keys: IngestKeys
    log_key: LogKey
    label_key: LabelKey
    periods: Periods
    proofs: Proofs
    wake: Wake
    screener: Screener
    hold_wake: Wake

    @property
    def leaves(self) -> Leaves:
        """Adds to the generation log what is no generation."""
        return Leaves(self.periods, self.wake.set)

    @property
    def holds(self) -> Holds:
        """The legal holds."""
        return Holds(self.keys, HoldKeys(self.service.ring), self.leaves, self.hold_wake)


async def compose(settings: Settings) -> Service:
    """Build the service out of its parts; nothing is started and no file is made."""
    service = Service(
        "generation",
        settings,
        package="candor_generation",
        refused=Refused,
        reasons=reasons_pb2.DESCRIPTOR.enum_types_by_name["Reason"],
    )
    log_key = LogKey(settings.key_file, settings.log_origin)
    label_key = LabelKey(settings.data_dir / "label.key", settings.data_dir / "label-certificates", log_key)
    periods = Periods(settings.log_origin, settings.log_period_months, service.clock.now)
    proofs = Proofs(_store(settings), log_key, periods)
    keys = IngestKeys(service.ring)
    parts = Parts(service, settings, keys, log_key, label_key, periods, proofs, Wake(), Screener(), Wake())
    _keep_logs(parts)
    _record(parts)
    _label(parts)
    _review(parts)
    _hold(parts)
    _take_otlp(parts)
    if settings.sequencer:
        _write_logs(parts)
    return service


def _record(parts: Parts) -> None:
    """Recording, the library it is screened with, and the questions about what is recorded."""
    service, settings = parts.service, parts.settings
    labels = Labels(settings.provider_code, settings.explicit_label, parts.label_key.sign)
    acts = Acts(parts.keys, lambda: service.ring.derive("acts"), parts.periods, parts.proofs, parts.wake.set)
    library = Features(
        corpus.load(settings.benign_corpus), Ceilings(settings.admission_ceiling, settings.activation_ceiling)
    )
    guard = Guard(
        lambda: service.transaction("guard"),
        Limits(settings.flood_multiple, settings.flood_least, settings.flood_floor),
        timedelta(seconds=settings.flood_window_seconds),
        settings.flood_every_seconds,
    )

    async def have_library() -> None:
        await service.in_transaction("start", features.establish)

    async def follow_library(stop: Stop) -> None:
        await parts.screener.follow(service.pool, stop)

    recording = Recording(parts.keys, parts.screener, labels, parts.periods, parts.wake.set)
    service.serve(
        generation_api(recording, Queries(parts.keys, parts.proofs, labels.signed), acts, library),
        screening_api(Screening(parts.screener)),
    )
    # What this service publishes itself is logged where it is published: its topic is mostly what the log told.
    service.hear_own(acts.hear)
    for name in _OTHERS:
        service.consume(FactConsumer(f"acts-{name}", f"candor.{name}.v1", hear=acts.hear))
    service.at_start("library", have_library)
    service.background("library", follow_library)
    service.background("flood guard", guard.run)
    service.background("erased keys", parts.keys.forgetting(service.pool))


def _label(parts: Parts) -> None:
    """Labels in files, and content that is delivered without a visible one."""
    service, settings = parts.service, parts.settings

    @cache
    def credentials() -> Credentials | None:
        return _credentials(settings, service.clock.now())

    async def have_credentials() -> None:
        credentials()

    labelling = Labelling(
        parts.label_key,
        settings.provider_code,
        parts.proofs.known,
        settings.label_max_bytes,
        settings.spool_folder,
        settings.label_font_file,
        _audible(settings),
        credentials,
    )
    service.at_start("content credentials", have_credentials)
    unlabelled = Unlabelled(parts.keys, settings.unlabelled_duties_version, settings.unlabelled_retention_months)
    service.serve(label_api(labelling, unlabelled))


def _audible(settings: Settings) -> AudibleLabel | None:
    notice = settings.spoken_notice_file
    try:
        return None if notice is None else spoken(notice)
    except (CarrierError, OSError) as error:
        raise ConfigError(f"CANDOR_SPOKEN_NOTICE_FILE {notice}: {error}") from error


def _credentials(settings: Settings, now: datetime) -> Credentials | None:
    """What signs content, made where a machine runs on its own; None where nobody is named.

    Raises:
        ConfigError: certificates and key cannot be read, or do not belong together.
    """
    chain, key = settings.c2pa_chain_file, settings.c2pa_key_file
    try:
        if chain is not None and key is not None:
            signer = identity.load(chain, key)
        elif settings.local_mode:
            signer = identity.load_or_make(settings.data_dir, "Candor local", now)
        else:
            return None
        return Credentials(signer, time_authority=settings.c2pa_time_authority)
    except (ValueError, OSError) as error:
        raise ConfigError(f"CANDOR_C2PA_CHAIN_FILE and CANDOR_C2PA_KEY_FILE: {error}") from error


def _review(parts: Parts) -> None:
    """People's decisions on what machines flag."""
    parts.service.serve(review_api(Reviews(UnderReview(parts.keys), parts.leaves.add)))


def _hold(parts: Parts) -> None:
    """What is held about persons: told, erased, and kept where a legal hold covers it."""
    service, leaves = parts.service, parts.leaves
    copies_last = timedelta(seconds=parts.settings.intake_retention_seconds)
    restricting = Restricting(parts.keys, HoldKeys(service.ring), leaves)
    holding = Holding(parts.keys, copies_last, leaves, restricting)
    holds = parts.holds

    async def end_holds(stop: Stop) -> None:
        await holds.run(lambda: service.transaction("holds"), stop)

    service.serve(holder_api(holding), hold_api(holds, Erasures(copies_last, leaves, restricting)))
    service.consume(task_consumer("generation", holding.carry_out))
    service.background("holds", end_holds)


def _take_otlp(parts: Parts) -> None:
    """Telemetry of instrumented backends."""
    service, settings = parts.service, parts.settings
    names = Names(locale=settings.otlp_locale)
    buffer = Buffer(service.ring.derive, Patience())

    async def record(commands: Sequence[RecordRequest], caller: Caller) -> list[RecordResponse | Refusal]:
        # Record answers with nothing else.
        return cast("list[RecordResponse | Refusal]", await service.carry_out(commands, caller))

    joiner = Joiner(lambda: service.transaction("otlp"), buffer, record, names)
    exports = Exports(
        lambda authorization: service.caller_of(authorization, "backend"),
        record,
        lambda: service.transaction("otlp"),
        buffer,
        joiner,
        names,
    )
    service.http(*OtlpHttp(exports).routes())
    service.rpcs(*otlp_rpc.generic_handlers(exports))
    service.background("otlp", joiner.run)


def _keep_logs(parts: Parts) -> None:
    """What every process does for the logs: it knows them, and serves them."""
    service, settings = parts.service, parts.settings

    async def first_look() -> None:
        try:
            _ = parts.log_key.signer, parts.label_key.signer
        except (NoteError, OSError) as error:
            raise ConfigError(f"the logs' key or the label key: {error}") from error
        async with service.transaction("periods") as tx:
            await parts.periods.open_ahead(tx)
        await _belong_together(parts)

    async def open_periods(stop: Stop) -> None:
        await parts.periods.run(lambda: service.transaction("periods"), stop)

    policy = Policy(timedelta(days=settings.log_retention_days))
    log_http = LogHttp(service.pool, parts.proofs.store, parts.log_key, parts.periods, policy)
    service.http(*LabelKeyHttp(parts.label_key).routes(), *log_http.routes())
    service.at_start("logs", first_look)
    service.background("periods", open_periods)


async def _belong_together(parts: Parts) -> None:
    """Refuse to start with a key, files and a database of different logs, or a database that was put back.

    Raises:
        ConfigError: they do not belong together.
    """
    async with parts.service.pool.connection() as connection:
        for log in await parts.periods.look(connection):
            if log.dropped_at is not None:
                continue
            files, signer = parts.proofs.store.of(log.kind, log.period.name), parts.log_key.signer_of(log.origin)
            try:
                await check_published(connection, log, files, signer)
            except LogBrokenError as error:
                raise ConfigError(str(error)) from error
            except StoreAwayError as error:
                # Services start in any order. Whoever writes the logs looks again.
                _LOG.warning("the logs' files were not looked at", reason=str(error), origin=log.origin)


def _write_logs(parts: Parts) -> None:
    """What the one writer of the logs does; where several may, each waits for its turn."""
    service, settings = parts.service, parts.settings
    sequencer = Sequencer(
        lambda: service.transaction("sequencer"),
        settings.database_url.get_secret_value(),
        parts.proofs.store,
        parts.log_key,
        parts.wake,
        settings.sequencer_batch,
        _witnesses(settings),
    )
    teller = Teller(
        service.pool, lambda: service.transaction("teller"), settings.kafka_bootstrap_servers, service.clock
    )
    policy = Policy(timedelta(days=settings.log_retention_days))
    retention = Retention(lambda: service.transaction("retention"), parts.proofs.store, policy, parts.holds.defers)
    service.background("sequencer", sequencer.run)
    service.background("teller", teller.run)
    service.background("retention", retention.run)


def _store(settings: Settings) -> LogStore:
    if not settings.log_store:
        return FolderStore(settings.log_folder)
    try:
        return bucket.open_store(settings.log_store, os.environ)
    except ValueError as error:
        raise ConfigError(f"CANDOR_LOG_STORE {settings.log_store}: {error}") from error


def _witnesses(settings: Settings) -> Witnessing:
    if settings.witness_policy_file is None:
        return Unwitnessed()
    try:
        policy = parse_policy(settings.witness_policy_file.read_bytes())
        check_witnesses(policy)
    except (PolicyError, ValueError, OSError) as error:
        raise ConfigError(f"CANDOR_WITNESS_POLICY_FILE {settings.witness_policy_file}: {error}") from error
    return Witnesses(WitnessClient(policy, hold=settings.witness_hold))


def main() -> None:
    """Run the service."""
    run(compose, Settings)


if __name__ == "__main__":
    main()
