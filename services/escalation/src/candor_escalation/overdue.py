"""The loop that reports requests of persons whose time has passed unanswered."""

from candor_kit import log
from candor_kit.database import TRY_AGAIN, is_away
from candor_kit.service import Service
from candor_kit.stop import Stop

from candor_escalation.handlers.listening import Listening

_POLL_SECONDS = 5.0
_LOG = log.get(__name__)


class Overdue:
    """Any number of processes may look. ``grace``: seconds after which an unanswered request counts as such."""

    def __init__(self, service: Service, listening: Listening, grace: float) -> None:
        self._service = service
        self._listening = listening
        self._grace = grace

    async def run(self, stop: Stop) -> None:
        """Look until the service stops."""
        while not stop.is_set():
            if not await self._look():
                await stop.wait(min(_POLL_SECONDS, self._grace or _POLL_SECONDS))

    async def _look(self) -> int:
        try:
            async with self._service.transaction("overdue") as tx:
                return await self._listening.find_overdue(tx, self._grace)
        except TRY_AGAIN:
            return 0
        except Exception as error:
            if not is_away(error):
                raise
            _LOG.warning("waiting for the database", part="overdue", type=type(error).__name__)
            return 0
