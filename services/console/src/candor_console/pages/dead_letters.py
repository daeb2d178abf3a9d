"""Dead letters by service."""

from candor_kit.errors import Unavailable
from starlette.responses import Response

from candor_console.visit import Visit

MOST = 50


async def index(visit: Visit) -> Response:
    """The latest dead letters of every service, by their headers."""
    try:
        topics = await visit.console.dead_letters.latest(MOST)
    except Unavailable as error:
        return visit.render("dead_letters.html", status=503, topics=(), away=error.part)
    return visit.render("dead_letters.html", topics=topics, away="")
