"""The loop that has the generation service hold what incidents rest on, until it has answered, and let it go again."""

import grpc
from candor.generation.v1 import hold_pb2_grpc
from candor_kit import log, metrics
from candor_kit.database import AWAY
from candor_kit.errors import Refusal
from candor_kit.service import Service
from candor_kit.stop import Stop

from candor_escalation.handlers.keeping import Errand, Keeping

_POLL_SECONDS = 1.0
_PATIENCE_SECONDS = 20.0
_HOLD_ENDED = frozenset({"HOLD_STATE", "HOLD_UNKNOWN"})
_LOG = log.get(__name__)
_TOLD = metrics.counter("evidence_holds", "Legal holds that generation was told of, by result.", ("result",))


class Keeper:
    """Any number of processes may keep: an errand is leased to one. ``generation`` is a channel to that service."""

    def __init__(self, service: Service, keeping: Keeping, generation: grpc.aio.Channel) -> None:
        self._service = service
        self._keeping = keeping
        self._holds = hold_pb2_grpc.HoldServiceStub(generation)

    async def run(self, stop: Stop) -> None:
        """Keep until the service stops."""
        while not stop.is_set():
            try:
                busy = await self._round()
            except AWAY as error:
                _LOG.warning("waiting for the database", part="keeper", type=type(error).__name__)
                busy = False
            if not busy:
                await stop.wait(_POLL_SECONDS)

    async def _round(self) -> bool:
        async with self._service.transaction("keeper") as tx:
            errand = await self._keeping.next(tx, _PATIENCE_SECONDS * 2)
        if errand is None:
            return False
        try:
            await self._tell(errand)
        except grpc.aio.AioRpcError as error:
            await self._failed(errand, error)
            return True
        _TOLD.labels("released" if errand.until is None else "held").inc()
        async with self._service.transaction("keeper") as tx:
            await self._keeping.done(tx, errand)
        return True

    async def _tell(self, errand: Errand) -> None:
        if errand.place is not None:
            await self._holds.PlaceHold(errand.place, timeout=_PATIENCE_SECONDS)
        elif errand.release is not None:
            await self._holds.ReleaseHold(errand.release, timeout=_PATIENCE_SECONDS)

    async def _failed(self, errand: Errand, error: grpc.aio.AioRpcError) -> None:
        refusal = Refusal.from_rpc(error)
        reason = refusal.reason if refusal else error.code().name
        ended = reason in _HOLD_ENDED
        _TOLD.labels("ended" if ended else "failed").inc()
        _LOG.warning("evidence is not held yet", incident_id=errand.hold.incident_id, reason=reason)
        async with self._service.transaction("keeper") as tx:
            if ended and errand.place is not None:
                await self._keeping.renamed(tx, errand)
            elif ended:
                await self._keeping.done(tx, errand)  # it is released already
            else:
                await self._keeping.failed(tx, errand)
