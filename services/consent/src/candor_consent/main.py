"""Candor consent: who agreed to what, under which notice, for which purpose."""

from __future__ import annotations

from datetime import timedelta

from candor.consent.v1 import reasons_pb2
from candor_kit.holding import task_consumer
from candor_kit.keys import SubjectKeys
from candor_kit.service import Service, run

from candor_consent.api import consent_api, holder_api
from candor_consent.domain.refusal import Refused
from candor_consent.handlers import Handlers
from candor_consent.people import People
from candor_consent.queries import Queries
from candor_consent.settings import Settings
from candor_consent.sweeper import Sweeper
from candor_consent.tasks import Tasks


async def compose(settings: Settings) -> Service:
    """Build the service from its parts."""
    service = Service(
        "consent",
        settings,
        package="candor_consent",
        refused=Refused,
        reasons=reasons_pb2.DESCRIPTOR.enum_types_by_name["Reason"],
    )
    keys = SubjectKeys(service.ring)
    people = People(keys)
    handlers = Handlers(people)
    queries = Queries(keys)
    tasks = Tasks(keys, people, timedelta(seconds=settings.intake_retention_seconds))
    service.serve(consent_api(handlers, queries), holder_api(queries))
    service.consume(task_consumer("consent", tasks.carry_out))
    service.background("sweeper", Sweeper(service.transaction, handlers).run)
    return service


def main() -> None:
    """Run the service."""
    run(compose, Settings)


if __name__ == "__main__":
    main()
