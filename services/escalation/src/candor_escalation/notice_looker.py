"""The loop that asks the generation service what it knows of the generations that notices name."""

import grpc
from candor.generation.v1 import model_pb2, service_pb2, service_pb2_grpc
from candor_kit import log
from candor_kit.database import AWAY
from candor_kit.errors import Refusal
from candor_kit.service import Service
from candor_kit.stop import Stop

from candor_escalation.domain.content_notice import ERASED, KNOWN, UNKNOWN
from candor_escalation.handlers.notices import Notices

_POLL_SECONDS = 1.0
_PATIENCE_SECONDS = 20.0
_LOG = log.get(__name__)


class NoticeLooker:
    """Any number of processes may look: a notice is leased to one. ``generation`` is a channel to that service."""

    def __init__(self, service: Service, notices: Notices, generation: grpc.aio.Channel) -> None:
        self._service = service
        self._notices = notices
        self._generations = service_pb2_grpc.GenerationServiceStub(generation)

    async def run(self, stop: Stop) -> None:
        """Look until the service stops."""
        while not stop.is_set():
            try:
                busy = await self._round()
            except AWAY as error:
                _LOG.warning("waiting for the database", part="notices", type=type(error).__name__)
                busy = False
            if not busy:
                await stop.wait(_POLL_SECONDS)

    async def _round(self) -> bool:
        async with self._service.transaction("notices") as tx:
            notice = await self._notices.next_look(tx, _PATIENCE_SECONDS * 2)
        if notice is None:
            return False
        try:
            content = await self._ask(notice.generation_id)
        except grpc.aio.AioRpcError as error:
            # The claim runs out and it is asked again.
            _LOG.warning("generation does not answer", part="notices", code=error.code().name)
            return True
        async with self._service.transaction("notices") as tx:
            await self._notices.looked(tx, notice.notice_id, content)
        return True

    async def _ask(self, generation_id: str) -> str:
        request = service_pb2.GetGenerationRequest(generation_id=generation_id)
        try:
            answer = await self._generations.GetGeneration(request, timeout=_PATIENCE_SECONDS)
        except grpc.aio.AioRpcError as error:
            refusal = Refusal.from_rpc(error)
            if refusal is not None and refusal.reason == "GENERATION_UNKNOWN":
                return UNKNOWN
            raise
        return ERASED if answer.generation.state == model_pb2.GENERATION_STATE_ERASED else KNOWN
