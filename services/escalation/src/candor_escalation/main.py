"""The escalation service: incidents, legal clocks, pages, reports."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from candor.escalation.v1 import reasons_pb2
from candor_kit import log
from candor_kit.client import channel
from candor_kit.errors import ConfigError
from candor_kit.service import Service, run
from candor_kit.stop import Wake
from candor_packs.pack import PackError
from candor_packs.reloading import Reloading

from candor_escalation import catalogue, directory, oncall, scenarios
from candor_escalation.alerts import Reported
from candor_escalation.api import (
    act_api,
    disposal_api,
    drill_api,
    escalation_api,
    holder_api,
    notice_api,
    oncall_api,
    register_api,
    report_api,
)
from candor_escalation.disposal_queries import DisposalQueries
from candor_escalation.disposal_sweeper import DisposalSweeper
from candor_escalation.domain.disposal import Patience
from candor_escalation.domain.refusal import Refused
from candor_escalation.dsa import PublicSender
from candor_escalation.filings_http import Filings
from candor_escalation.gathering import Gatherer
from candor_escalation.handlers import acts
from candor_escalation.handlers.asking import Asking
from candor_escalation.handlers.attention import Attention
from candor_escalation.handlers.clocks import Clocks
from candor_escalation.handlers.complaints import Complaints
from candor_escalation.handlers.decisions import Decisions
from candor_escalation.handlers.disposal_due import DisposalDue
from candor_escalation.handlers.disposals import Disposals
from candor_escalation.handlers.drills import Drills
from candor_escalation.handlers.intake import Intake, Taken
from candor_escalation.handlers.keeping import Keeping
from candor_escalation.handlers.listening import Listening
from candor_escalation.handlers.notice_keeping import NoticeKeeping
from candor_escalation.handlers.notices import Notices
from candor_escalation.handlers.oncall import OnCallDesk
from candor_escalation.handlers.page_events import PageEvents
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
from candor_escalation.notice_looker import NoticeLooker
from candor_escalation.notice_queries import NoticeQueries
from candor_escalation.oncall import OnCall
from candor_escalation.overdue import Overdue
from candor_escalation.packwatch import PackWatch
from candor_escalation.pager import Pager
from candor_escalation.pagerduty_http import PagerDutyHooks
from candor_escalation.policy import Policy, load
from candor_escalation.queries import Queries
from candor_escalation.register_queries import RegisterQueries
from candor_escalation.registrar import Registrar
from candor_escalation.report_queries import ReportQueries
from candor_escalation.sealing import Sealing
from candor_escalation.settings import Settings
from candor_escalation.skew import SkewAlarm
from candor_escalation.stream import consumers, disposal_consumers, register_consumer
from candor_escalation.sweeper import Sweeper

_LOG = log.get(__name__)
T = TypeVar("T")


@dataclass(frozen=True)
class Parts:
    """What several areas of the service share."""

    service: Service
    settings: Settings
    packs: Reloading
    policy: Policy
    on_call: OnCall
    to_page: Wake
    pages: Pages
    clocks: Clocks
    signals: Signals


async def compose(settings: Settings) -> Service:
    """Build the service.

    Raises:
        ConfigError: A pack or the on-call chain is wrong; file, line and field are named.
    """
    parts = _parts(settings)
    _handle_incidents(parts)
    _listen(parts)
    _page(parts)
    _register(parts)
    _watch(parts)
    _take_in(parts)
    _dispose(parts)
    _tell_public(parts)
    return parts.service


def _parts(settings: Settings) -> Parts:
    packs, on_call, to_page = _packs(settings), _on_call(settings), Wake()
    policy = _policy(settings, packs)
    service = Service(
        "escalation",
        settings,
        package="candor_escalation",
        refused=Refused,
        reasons=reasons_pb2.DESCRIPTOR.enum_types_by_name["Reason"],
    )
    pages = Pages(on_call.roster, to_page.set)
    clocks = Clocks(policy, pages, settings.evidence_days)
    return Parts(service, settings, packs, policy, on_call, to_page, pages, clocks, Signals(clocks))


def _handle_incidents(parts: Parts) -> None:
    """Incidents, their clocks, their reports, the decisions not to report, and the record of who did what."""
    service, policy, clocks, signals = parts.service, parts.policy, parts.clocks, parts.signals
    reports, decisions = Reports(policy, clocks, signals), Decisions(clocks)
    channels = _read("CANDOR_PACKS_DIR", lambda: directory.load(parts.settings.packs_dir))
    service.serve(
        escalation_api(signals, parts.pages, reports, Submissions(clocks), decisions, Queries(policy)),
        report_api(reports, decisions, ReportQueries(policy, channels)),
        act_api(),
        drill_api(Drills(clocks, signals, scenarios.shipped())),
    )
    service.hear_own(acts.hear)
    service.http(*Filings(service).routes())
    service.background("sweeper", Sweeper(service.transaction, clocks, parts.pages).run)


def _listen(parts: Parts) -> None:
    """What other services tell, and what they should have told by now."""
    service, listening = parts.service, Listening(parts.signals)
    for consumer in consumers(listening):
        service.consume(consumer)
    service.background("overdue", Overdue(service, listening, parts.settings.overdue_grace_seconds).run)


def _page(parts: Parts) -> None:
    """Who is on call, and the calls to them."""
    service, settings = parts.service, parts.settings

    def link_key() -> bytes:
        return service.ring.derive("escalation-ack-link")

    def channel_key() -> bytes:
        return service.ring.derive("escalation-channel")

    pager = Pager(
        service,
        parts.pages,
        Throttling(parts.on_call, channel_key),
        parts.to_page,
        key=link_key,
        base=settings.link_base,
        valid=timedelta(hours=settings.ack_link_hours),
        timeout=settings.page_timeout_seconds,
    )
    service.serve(oncall_api(OnCallDesk(parts.on_call.roster)))
    service.http(*AckPages(service, parts.pages, link_key, settings.console_url).routes())
    service.background("pager", pager.run)
    secrets = _pagerduty_secrets(settings)
    if secrets is not None:
        service.http(*PagerDutyHooks(service, PageEvents(parts.pages), secrets).routes())


def _register(parts: Parts) -> None:
    """The registers: filings, releases, transfers of technology, orders."""
    service = parts.service
    items = _read("CANDOR_CATALOGUE_FILE", lambda: catalogue.load(parts.settings.catalogue_file))
    registers = Registers(parts.signals, parts.policy.profile, items)
    service.serve(register_api(registers, RegisterQueries(registers)))
    service.consume(register_consumer(registers))
    service.background("registrar", Registrar(service, registers).run)


def _watch(parts: Parts) -> None:
    """The loops that watch what an incident rests on: packs, evidence, clocks."""
    service, settings = parts.service, parts.settings
    packs = PackWatch(service, parts.policy, parts.clocks, parts.packs, settings.packs_poll_seconds)
    keeper = Keeper(service, Keeping(), channel(settings.generation_address, settings.token_file))
    alarm = SkewAlarm(
        service,
        service.clock,
        settings.generation_http_address,
        settings.clock_skew_seconds,
        settings.clock_skew_poll_seconds,
    )
    service.background("packs", packs.run)
    service.background("keeper", keeper.run)
    service.background("skew", alarm.run)


def _take_in(parts: Parts) -> None:
    """Signals over HTTP."""
    service, intake = parts.service, Intake(parts.signals)

    async def take(caller: str, reported: Sequence[Reported]) -> list[Taken]:
        return await service.in_transaction(f"intake.{caller}", lambda tx: intake.take(tx, reported))

    gatherer = Gatherer(take)
    service.background("intake", gatherer.run)
    service.http(*IntakeHttp(service, gatherer, parts.settings.max_record_bytes).routes())


def _dispose(parts: Parts) -> None:
    """Disposals, complaints, notices, and this service as a holder of personal data."""
    service, settings = parts.service, parts.settings
    sealing, days, months = Sealing(service.ring), settings.complaint_answer_days, settings.disposal_retention_months
    patience = Patience(
        timedelta(minutes=settings.disposal_answer_minutes), timedelta(seconds=settings.disposal_ask_seconds)
    )
    asking, proposals = Asking(sealing, patience, Attention(parts.signals)), Proposals(sealing)
    given, noticed = Notices(sealing, parts.signals), NoticeQueries(sealing)
    queries = DisposalQueries(sealing, noticed, days)
    disposals = Disposals(sealing, asking, proposals, days)
    copies_last = timedelta(seconds=settings.intake_retention_seconds)
    service.serve(disposal_api(disposals, Complaints(sealing, asking, days), proposals, queries), holder_api(queries))
    service.serve(notice_api(given, noticed))
    generation = channel(settings.generation_address, settings.token_file)
    service.background("notices", NoticeLooker(service, given, generation).run)
    service.http(*ComplaintProcedure(days).routes())
    for consumer in disposal_consumers(proposals, Tasks(sealing, months, copies_last)):
        service.consume(consumer)
    due = DisposalDue(sealing, asking, NoticeKeeping(sealing, months))
    service.background("disposals", DisposalSweeper(service, due).run)


def _tell_public(parts: Parts) -> None:
    """Statements of reasons to the DSA Transparency Database, where its address is set."""
    service, settings = parts.service, parts.settings
    if settings.dsa_url:
        sender = PublicSender(
            service, url=settings.dsa_url, token=_dsa_token(settings), timeout=settings.dsa_timeout_seconds
        )
        service.background("dsa", sender.run)


def _pagerduty_secrets(settings: Settings) -> Callable[[], Sequence[str]] | None:
    """What gives the signing secrets of PagerDuty's webhooks; None where none is set."""
    file, secret = settings.pagerduty_secret_file, settings.pagerduty_secret
    if file is not None:
        return lambda: [line.strip() for line in file.read_text("utf-8").splitlines() if line.strip()]
    return None if secret is None else lambda: [secret.get_secret_value()]


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
    return _read("CANDOR_PACKS_DIR", lambda: Reloading(settings.packs_dir, load))


def _policy(settings: Settings, packs: Reloading) -> Policy:
    profile = {name: tuple(value) if isinstance(value, list) else value for name, value in settings.profile.items()}
    return Policy(packs.packs, profile)


def _on_call(settings: Settings) -> OnCall:
    file = settings.oncall_file
    if file is not None:
        return _read("CANDOR_ONCALL_FILE", lambda: oncall.load(file))
    if not settings.local_mode:
        raise ConfigError("CANDOR_ONCALL_FILE is not set: nobody would be paged")
    _LOG.warning("nobody is on call")
    return OnCall()


def _read(setting: str, load_it: Callable[[], T]) -> T:
    """What the file or folder of a setting holds.

    Raises:
        ConfigError: It is wrong.
    """
    try:
        return load_it()
    except PackError as error:
        raise ConfigError(f"{setting} {error}") from error


def main() -> None:
    """Run the service from the command line."""
    run(compose, Settings)


if __name__ == "__main__":
    main()
