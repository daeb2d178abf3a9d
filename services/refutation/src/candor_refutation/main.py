"""The refutation service: claims with verdicts and sources, outputs that repeat them, spreads, notices."""

from candor.refutation.v1 import reasons_pb2
from candor_kit.client import channel
from candor_kit.holding import task_consumer
from candor_kit.service import Service, run

from candor_refutation.api import holder_api, refutation_api
from candor_refutation.domain.refusal import Refused
from candor_refutation.domain.spread import Levels
from candor_refutation.handlers import Handlers, carry_out
from candor_refutation.http import notice_route
from candor_refutation.queries import Queries
from candor_refutation.settings import Settings
from candor_refutation.stream.matching import Matcher, generations_consumer
from candor_refutation.stream.spread import SpreadView


async def compose(settings: Settings) -> Service:
    """Build everything and hand it over explicitly."""
    reasons = reasons_pb2.DESCRIPTOR.enum_types_by_name["Reason"]
    service = Service("refutation", settings, package="candor_refutation", refused=Refused, reasons=reasons)
    levels = Levels(settings.spread_levels)
    handlers = Handlers(levels, settings.notice_base)
    queries = Queries(settings.notice_base, settings.notice_publisher)
    matcher = Matcher(service.pool, channel(settings.generation_address, settings.token_file))
    view = SpreadView(settings, levels, service.clock)
    service.serve(refutation_api(handlers, queries), holder_api())
    service.consume(generations_consumer(matcher, handlers))
    service.consume(task_consumer("refutation", carry_out))
    service.background("spread", view.run)
    service.http(notice_route(service.pool, queries))
    return service


def main() -> None:
    """Run the service."""
    run(compose, Settings)


if __name__ == "__main__":
    main()
