"""The escalation service: incidents, legal clocks, pages, reports."""

from collections.abc import Callable
from datetime import timedelta

from candor.escalation.v1 import reasons_pb2
from candor_kit import log
from candor_kit.errors import ConfigError
from candor_kit.service import Service, run
from candor_kit.stop import Wake
from candor_packs import pack
from candor_packs.pack import PackError

from candor_escalation import oncall
from candor_escalation.api import disposal_api, escalation_api, holder_api
from candor_escalation.disposal_queries import DisposalQueries
from candor_escalation.disposal_sweeper import DisposalSweeper
from candor_escalation.domain.disposal import Patience
from candor_escalation.domain.paging import Contact
from candor_escalation.domain.refusal import Refused
from candor_escalation.dsa import PublicSender
from candor_escalation.handlers.asking import Asking
from candor_escalation.handlers.clocks import Clocks
from candor_escalation.handlers.complaints import Complaints
from candor_escalation.handlers.disposal_due import DisposalDue
from candor_escalation.handlers.disposals import Disposals
from candor_escalation.handlers.pages import Pages
from candor_escalation.handlers.proposals import Proposals
from candor_escalation.handlers.reports import Reports
from candor_escalation.handlers.signals import Signals
from candor_escalation.handlers.tasks import Tasks
from candor_escalation.http import AckPages, ComplaintProcedure
from candor_escalation.pager import Pager
from candor_escalation.policy import Policy
from candor_escalation.queries import Queries
from candor_escalation.sealing import Sealing
from candor_escalation.settings import Settings
from candor_escalation.stream import consumers, disposal_consumers
from candor_escalation.sweeper import Sweeper

_LOG = log.get(__name__)


async def compose(settings: Settings) -> Service:
    """Build the service.

    Raises:
        ConfigError: A pack or the on-call chain is wrong; file, line and field are named.
    """
    policy = _policy(settings)
    service = Service(
        "escalation",
        settings,
        package="candor_escalation",
        refused=Refused,
        reasons=reasons_pb2.DESCRIPTOR.enum_types_by_name["Reason"],
    )

    def link_key() -> bytes:
        return service.ring.derive("escalation-ack-link")

    wake = Wake()
    pages = Pages(_chain(settings), wake.set)
    clocks = Clocks(policy, pages)
    signals = Signals(clocks)
    service.serve(escalation_api(signals, pages, Reports(policy, clocks), Queries(policy)))
    for consumer in consumers(signals):
        service.consume(consumer)
    service.http(*AckPages(service, pages, link_key).routes())
    service.background("sweeper", Sweeper(service, clocks, pages).run)
    pager = Pager(
        service,
        pages,
        wake,
        key=link_key,
        base=settings.link_base,
        valid=timedelta(hours=settings.ack_link_hours),
        timeout=settings.page_timeout_seconds,
    )
    service.background("pager", pager.run)
    _compose_disposals(service, settings)
    return service


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


def _policy(settings: Settings) -> Policy:
    try:
        packs = pack.load(settings.packs_dir)
    except PackError as error:
        raise ConfigError(str(error)) from error
    if not packs:
        raise ConfigError(f"CANDOR_PACKS_DIR {settings.packs_dir}: holds no policy pack")
    profile = {name: tuple(value) if isinstance(value, list) else value for name, value in settings.profile.items()}
    return Policy(packs, profile)


def _chain(settings: Settings) -> tuple[Contact, ...]:
    if settings.oncall_file is None:
        if not settings.local_mode:
            raise ConfigError("CANDOR_ONCALL_FILE is not set: nobody would be paged")
        _LOG.warning("nobody is on call")
        return ()
    try:
        return oncall.load(settings.oncall_file)
    except PackError as error:
        raise ConfigError(f"CANDOR_ONCALL_FILE {error}") from error


def main() -> None:
    """Run the service from the command line."""
    run(compose, Settings)


if __name__ == "__main__":
    main()
