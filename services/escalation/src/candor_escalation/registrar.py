"""The loop that tells in time of entries that cease to hold."""

from candor_kit import log
from candor_kit.database import AWAY
from candor_kit.service import Service
from candor_kit.stop import Stop

from candor_escalation.handlers.registers import Registers

_LOOK_SECONDS = 60.0
_LOG = log.get(__name__)


class Registrar:
    """Any number of processes may look: what one holds, the others skip."""

    def __init__(self, service: Service, registers: Registers) -> None:
        self._service = service
        self._registers = registers

    async def run(self, stop: Stop) -> None:
        """Look once a minute until the service stops."""
        while not stop.is_set():
            try:
                async with self._service.transaction("registrar") as tx:
                    told = await self._registers.run_out(tx)
            except AWAY as error:
                _LOG.warning("waiting for the database", part="registrar", type=type(error).__name__)
                told = 0
            if not told:
                await stop.wait(_LOOK_SECONDS)
