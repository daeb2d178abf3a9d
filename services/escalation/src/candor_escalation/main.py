"""The escalation service: incidents, legal clocks, pages, reports."""

from datetime import timedelta

from candor.escalation.v1 import reasons_pb2
from candor_kit import log
from candor_kit.errors import ConfigError
from candor_kit.service import Service, run
from candor_kit.stop import Wake
from candor_packs import pack
from candor_packs.pack import PackError

from candor_escalation import oncall
from candor_escalation.api import act_api, escalation_api, holder_api
from candor_escalation.domain.paging import Contact
from candor_escalation.domain.refusal import Refused
from candor_escalation.handlers import acts
from candor_escalation.handlers.clocks import Clocks
from candor_escalation.handlers.pages import Pages
from candor_escalation.handlers.reports import Reports
from candor_escalation.handlers.signals import Signals
from candor_escalation.http import AckPages
from candor_escalation.pager import Pager
from candor_escalation.policy import Policy
from candor_escalation.queries import Queries
from candor_escalation.settings import Settings
from candor_escalation.stream import consumers
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
    service.serve(escalation_api(signals, pages, Reports(policy, clocks), Queries(policy)), holder_api())
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
    service.serve(act_api())
    service.hear_own(acts.hear)
    return service


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
