"""The escalation service: incidents, legal clocks, pages, reports."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from candor.escalation.v1 import reasons_pb2
from candor_kit import log
from candor_kit.client import channel
from candor_kit.errors import ConfigError
from candor_kit.service import Service, run
from candor_kit.stop import Wake
from candor_packs.pack import PackError
from candor_packs.reloading import Reloading

from candor_escalation import catalogue, directory, oncall
from candor_escalation.alerts import Reported
from candor_escalation.api import (
    act_api,
    disposal_api,
    escalation_api,
    holder_api,
    oncall_api,
    register_api,
    report_api,
)
from candor_escalation.directory import Directory
from candor_escalation.disposal_queries import DisposalQueries
from candor_escalation.disposal_sweeper import DisposalSweeper
from candor_escalation.domain.disposal import Patience
from candor_escalation.domain.refusal import Refused
from candor_escalation.domain.transfer import Item
from candor_escalation.dsa import PublicSender
from candor_escalation.filings_http import Filings
from candor_escalation.gathering import Gatherer
from candor_escalation.handlers import acts
from candor_escalation.handlers.asking import Asking
from candor_escalation.handlers.clocks import Clocks
from candor_escalation.handlers.complaints import Complaints
from candor_escalation.handlers.decisions import Decisions
from candor_escalation.handlers.disposal_due import DisposalDue
from candor_escalation.handlers.disposals import Disposals
from candor_escalation.handlers.intake import Intake, Taken
from candor_escalation.handlers.keeping import Keeping
from candor_escalation.handlers.listening import Listening
from candor_escalation.handlers.oncall import OnCallDesk
from candor_escalation.handlers.pages import Pages
from candor_escalation.handlers.proposals import Proposals
from candor_escalation.handlers.registers import Registers
from candor_escalation.handlers.reports import Reports
from candor_escalation.handlers.signals import Signals
from candor_escalation.handlers.submissions import Submissions
from candor_escalation.handlers.tasks import Tasks
from candor_escalation.handlers.throttling import Throttling
from candor_escalation.http import AckPages, ComplaintProcedure
from candor_escalation.intake import IntakeHttp
from candor_escalation.keeper import Keeper
from candor_escalation.oncall import OnCall
from candor_escalation.overdue import Overdue
from candor_escalation.packwatch import PackWatch
from candor_escalation.pager import Pager
from candor_escalation.policy import Policy, load
from candor_escalation.queries import Queries
from candor_escalation.register_queries import RegisterQueries
from candor_escalation.registrar import Registrar
from candor_escalation.report_queries import ReportQueries
from candor_escalation.sealing import Sealing
from candor_escalation.settings import Settings
from candor_escalation.skew import SkewAlarm
from candor_escalation.stream import consumers, disposal_consumers
from candor_escalation.sweeper import Sweeper

_LOG = log.get(__name__)


async def compose(settings: Settings) -> Service:
    """Build the service.

    Raises:
        ConfigError: A pack or the on-call chain is wrong; file, line and field are named.
    """
    packs, channels = _packs(settings), _directory(settings)
    policy = _policy(settings, packs)
    service = Service(
        "escalation",
        settings,
        package="candor_escalation",
        refused=Refused,
        reasons=reasons_pb2.DESCRIPTOR.enum_types_by_name["Reason"],
    )

    def link_key() -> bytes:
        return service.ring.derive("escalation-ack-link")

    def channel_key() -> bytes:
        return service.ring.derive("escalation-channel")

    wake = Wake()
    on_call = _on_call(settings)
    pages = Pages(on_call.roster, wake.set)
    clocks = Clocks(policy, pages, settings.evidence_days)
    signals = Signals(clocks)
    listening = Listening(signals)
    registers = Registers(signals, policy.profile, _catalogue(settings))
    reports, decisions = Reports(policy, clocks, signals), Decisions(clocks)
    service.serve(
        escalation_api(signals, pages, reports, Submissions(clocks), decisions, Queries(policy)),
        report_api(reports, decisions, ReportQueries(policy, channels)),
        register_api(registers, RegisterQueries(registers)),
        oncall_api(OnCallDesk(on_call.roster)),
    )
    for consumer in consumers(listening, registers):
        service.consume(consumer)
    service.http(*AckPages(service, pages, link_key, settings.console_url).routes())
    service.http(*Filings(service).routes())
    service.background("registrar", Registrar(service, registers).run)
    service.background("sweeper", Sweeper(service.transaction, clocks, pages).run)
    pager = Pager(
        service,
        pages,
        Throttling(on_call, channel_key),
        wake,
        key=link_key,
        base=settings.link_base,
        valid=timedelta(hours=settings.ack_link_hours),
        timeout=settings.page_timeout_seconds,
    )
    service.background("pager", pager.run)
    _watch(service, settings, PackWatch(service, policy, clocks, packs, settings.packs_poll_seconds), listening)
    _take_in(service, settings, Intake(signals))
    _compose_disposals(service, settings)
    service.serve(act_api())
    service.hear_own(acts.hear)
    return service


def _watch(service: Service, settings: Settings, packs: PackWatch, listening: Listening) -> None:
    """The loops that watch what an incident rests on: packs, evidence, requests, clocks."""
    service.background("packs", packs.run)
    generation = channel(settings.generation_address, settings.token_file)
    service.background("keeper", Keeper(service, Keeping(), generation).run)
    service.background("overdue", Overdue(service, listening, settings.overdue_grace_seconds).run)
    alarm = SkewAlarm(
        service,
        service.clock,
        settings.generation_http_address,
        settings.clock_skew_seconds,
        settings.clock_skew_poll_seconds,
    )
    service.background("skew", alarm.run)


def _take_in(service: Service, settings: Settings, intake: Intake) -> None:
    """Signals over HTTP."""

    async def take(caller: str, reported: Sequence[Reported]) -> list[Taken]:
        return await service.in_transaction(f"intake.{caller}", lambda tx: intake.take(tx, reported))

    gatherer = Gatherer(take)
    service.background("intake", gatherer.run)
    service.http(*IntakeHttp(service, gatherer, settings.max_record_bytes).routes())


def _compose_disposals(service: Service, settings: Settings) -> None:
    """Disposals, complaints, public statements, and this service as a holder of personal data."""
    sealing = Sealing(service.ring)
    patience = Patience(
        timedelta(minutes=settings.disposal_answer_minutes), timedelta(seconds=settings.disposal_ask_seconds)
    )
    asking, proposals, days = Asking(sealing, patience), Proposals(sealing), settings.complaint_answer_days
    queries = DisposalQueries(sealing, days)
    disposals = Disposals(sealing, asking, proposals, days)
    service.serve(disposal_api(disposals, Complaints(sealing, asking, days), proposals, queries), holder_api(queries))
    service.http(*ComplaintProcedure(days).routes())
    copies_last = timedelta(seconds=settings.intake_retention_seconds)
    for consumer in disposal_consumers(proposals, Tasks(sealing, settings.disposal_retention_months, copies_last)):
        service.consume(consumer)
    service.background("disposals", DisposalSweeper(service, DisposalDue(sealing, asking)).run)
    if settings.dsa_url:
        sender = PublicSender(
            service, url=settings.dsa_url, token=_dsa_token(settings), timeout=settings.dsa_timeout_seconds
        )
        service.background("dsa", sender.run)


def _dsa_token(settings: Settings) -> Callable[[], str]:
    """What gives the bearer token of the DSA Transparency Database.

    Raises:
        ConfigError: There is none.
    """
    file, secret = settings.dsa_token_file, settings.dsa_token
    if file is not None:
        return lambda: file.read_text("utf-8").strip()
    if secret is None:
        raise ConfigError("CANDOR_DSA_URL is set and neither CANDOR_DSA_TOKEN_FILE nor CANDOR_DSA_TOKEN")
    return secret.get_secret_value


def _packs(settings: Settings) -> Reloading:
    try:
        return Reloading(settings.packs_dir, load)
    except PackError as error:
        raise ConfigError(f"CANDOR_PACKS_DIR {error}") from error


def _policy(settings: Settings, packs: Reloading) -> Policy:
    profile = {name: tuple(value) if isinstance(value, list) else value for name, value in settings.profile.items()}
    return Policy(packs.packs, profile)


def _catalogue(settings: Settings) -> tuple[Item, ...]:
    try:
        return catalogue.load(settings.catalogue_file)
    except PackError as error:
        raise ConfigError(f"CANDOR_CATALOGUE_FILE {error}") from error


def _directory(settings: Settings) -> Directory:
    try:
        return directory.load(settings.packs_dir)
    except PackError as error:
        raise ConfigError(str(error)) from error


def _on_call(settings: Settings) -> OnCall:
    if settings.oncall_file is None:
        if not settings.local_mode:
            raise ConfigError("CANDOR_ONCALL_FILE is not set: nobody would be paged")
        _LOG.warning("nobody is on call")
        return OnCall()
    try:
        return oncall.load(settings.oncall_file)
    except PackError as error:
        raise ConfigError(f"CANDOR_ONCALL_FILE {error}") from error


def main() -> None:
    """Run the service from the command line."""
    run(compose, Settings)


if __name__ == "__main__":
    main()
