"""The generation service of Candor: every output labelled, screened, logged. Configured by environment variables."""

from __future__ import annotations

from datetime import timedelta

from candor.generation.v1 import reasons_pb2
from candor_kit.errors import ConfigError
from candor_kit.holding import task_consumer
from candor_kit.keys import SubjectKeys
from candor_kit.service import Service, run
from candor_kit.stop import Wake

from candor_generation import corpus
from candor_generation.api import generation_api, holder_api
from candor_generation.domain.feature import Ceilings
from candor_generation.domain.flood import Limits
from candor_generation.domain.note import NoteError
from candor_generation.domain.refusal import Refused
from candor_generation.files import LogFiles
from candor_generation.guard import Guard
from candor_generation.handlers import features
from candor_generation.handlers.features import Features
from candor_generation.handlers.holding import Holding
from candor_generation.handlers.queries import Queries
from candor_generation.handlers.recording import Labelling, Recording
from candor_generation.handlers.screener import Screener
from candor_generation.http import LogHttp
from candor_generation.sequencer import Sequencer
from candor_generation.settings import Settings
from candor_generation.signing import LogKey


async def compose(settings: Settings) -> Service:
    """Build the service out of its parts; nothing is started and no file is made."""
    service = Service(
        "generation",
        settings,
        package="candor_generation",
        refused=Refused,
        reasons=reasons_pb2.DESCRIPTOR.enum_types_by_name["Reason"],
    )
    keys = SubjectKeys(service.ring)
    key = LogKey(settings.key_file, settings.log_origin)
    files = LogFiles(settings.log_folder)
    wake = Wake()
    holding = Holding(keys, timedelta(seconds=settings.intake_retention_seconds))
    labelling = Labelling(settings.provider_code, settings.explicit_label)
    sequencer = Sequencer(
        lambda: service.transaction("sequencer"),
        settings.database_url.get_secret_value(),
        files,
        key,
        wake,
        settings.sequencer_batch,
    )

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
        async with service.transaction("start") as tx:
            await features.establish(tx)

    async def have_key() -> None:
        try:
            _ = key.signer
        except (NoteError, OSError) as error:
            raise ConfigError(f"the log's key: {error}") from error

    service.serve(
        generation_api(
            Recording(keys, Screener(), labelling, wake.set), Queries(keys, files, settings.log_origin), library
        ),
        holder_api(holding),
    )
    service.consume(task_consumer("generation", holding.carry_out))
    service.http(*LogHttp(files, key).routes())
    service.at_start("log key", have_key)
    service.at_start("library", have_library)
    service.background("sequencer", sequencer.run)
    service.background("flood guard", guard.run)
    return service


def main() -> None:
    """Run the service."""
    run(compose, Settings)


if __name__ == "__main__":
    main()
