"""The rights service: requests of data subjects, tasks to every holder of their data, proofs, due dates."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import grpc
from candor.rights.v1 import reasons_pb2
from candor_kit.client import channel
from candor_kit.errors import ConfigError
from candor_kit.keys import SubjectKeys
from candor_kit.service import Service, run
from candor_packs.pack import PackError, load

from candor_rights.api import order_api, rights_api
from candor_rights.assembly import Assembler, Dial, Pace
from candor_rights.domain.holder import SERVICE_HOLDERS
from candor_rights.domain.refusal import Refused
from candor_rights.domain.task import BackOff
from candor_rights.duedates import DueDates
from candor_rights.handlers.answers import AnswerHandlers
from candor_rights.handlers.erasure import Erasure
from candor_rights.handlers.orders import OrderHandlers
from candor_rights.handlers.packaging import PackageHandlers, Source
from candor_rights.handlers.register import register_services
from candor_rights.handlers.requests import RequestHandlers
from candor_rights.handlers.sweeps import SweepHandlers
from candor_rights.queries import Queries
from candor_rights.settings import Settings
from candor_rights.stream import consumers
from candor_rights.sweeper import Sweeper

_POLL = timedelta(seconds=1)
_FOLDER_MODE = 0o700


async def compose(settings: Settings) -> Service:
    """Build everything and hand it over explicitly."""
    reasons = reasons_pb2.DESCRIPTOR.enum_types_by_name["Reason"]
    service = Service("rights", settings, package="candor_rights", refused=Refused, reasons=reasons)
    keys = SubjectKeys(service.ring)
    folder = _folder(settings.data_dir)
    erasure = Erasure(keys, timedelta(seconds=settings.intake_retention_seconds))
    asking = _back_off(settings.rights_ask_again_seconds, settings.rights_ask_again_longest_seconds)
    orders = OrderHandlers(asking)
    queries = Queries(keys, folder)
    assembler = _assembler(settings, service, keys, folder)
    sweeper = Sweeper(
        SweepHandlers(keys, erasure, asking, orders),
        service.transaction,
        folder,
        timedelta(seconds=settings.rights_sweep_seconds),
    )
    service.serve(
        rights_api(
            RequestHandlers(keys, _due_dates(settings.packs_dir), erasure, asking),
            AnswerHandlers(erasure, assembler.wake.set),
            queries,
        ),
        order_api(orders, queries),
    )
    for consumer in consumers(orders):
        service.consume(consumer)
    service.at_start("holders", _register_services(service))
    service.background("sweeper", sweeper.run)
    service.background("assembly", assembler.run)
    return service


def _assembler(settings: Settings, service: Service, keys: SubjectKeys, folder: Path) -> Assembler:
    lease = timedelta(seconds=settings.rights_assembly_lease_seconds)
    retry = _back_off(settings.rights_assembly_retry_seconds, settings.rights_assembly_retry_longest_seconds)
    pace = Pace(_POLL, timedelta(seconds=settings.rights_export_silence_seconds), lease)
    handlers = PackageHandlers(keys, lease, timedelta(days=settings.rights_package_days), retry)
    return Assembler(handlers, service.transaction, _dial(settings), folder, pace)


def _register_services(service: Service) -> Callable[[], Awaitable[None]]:
    async def register() -> None:
        async with service.transaction("register") as tx:
            await register_services(tx)

    return register


def _dial(settings: Settings) -> Dial:
    """Our services are called at the address of the settings with our own token; nobody else ever gets that token."""
    addresses = {holder.holder_id: getattr(settings, f"{holder.holder_id}_address") for holder in SERVICE_HOLDERS}

    def dial(source: Source) -> grpc.aio.Channel | None:
        holder_id = source.task.holder_id
        if holder_id in addresses:
            return channel(addresses[holder_id], settings.token_file)
        if not source.address:
            return None
        return channel(source.address, _token_of(settings.rights_holder_tokens_dir, holder_id))

    return dial


def _token_of(folder: Path | None, holder_id: str) -> Path | None:
    file = folder / holder_id if folder is not None else None
    return file if file is not None and file.is_file() else None


def _due_dates(folder: Path) -> DueDates:
    try:
        return DueDates(load(folder))
    except PackError as error:
        raise ConfigError(f"CANDOR_PACKS_DIR: {error}") from error


def _folder(data_dir: Path) -> Path:
    folder = data_dir / "packages"
    try:
        folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"CANDOR_DATA_DIR {data_dir}: {error.strerror}; packages are written there") from error
    return folder


def _back_off(first: int, longest: int) -> BackOff:
    return BackOff(timedelta(seconds=first), timedelta(seconds=longest))


def main() -> None:
    """Run the service."""
    run(compose, Settings)


if __name__ == "__main__":
    main()
