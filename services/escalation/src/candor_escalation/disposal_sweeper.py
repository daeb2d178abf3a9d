"""The loop that does what falls due about disposals, and counts what a person must look after."""

from collections.abc import Awaitable, Callable

from candor_kit import log, metrics
from candor_kit.database import TRY_AGAIN, is_away
from candor_kit.service import Service
from candor_kit.stop import Stop
from candor_kit.transaction import Tx

from candor_escalation.handlers.disposal_due import DisposalDue

_POLL_SECONDS = 0.5
_COUNT_EVERY = 10
"""Rounds between two counts."""
_LOG = log.get(__name__)
_SWEPT = metrics.counter("disposals_swept", "What fell due about disposals and was done, by step.", ("step",))
_ATTENTION = metrics.gauge(
    "disposals_attention",
    "What waits for a person: late or failed asks, late complaints, unsent statements.",
    ("kind",),
)


class DisposalSweeper:
    """Any number of processes may sweep: what one holds, the others skip."""

    def __init__(self, service: Service, due: DisposalDue) -> None:
        self._service = service
        self._due = due
        self._steps: dict[str, Callable[[Tx], Awaitable[bool]]] = {
            "end": due.end_next,
            "late": due.note_next_late,
            "ask_again": due.ask_next_again,
            "let_go": due.let_next_go,
        }

    async def run(self, stop: Stop) -> None:
        """Sweep until the service stops."""
        rounds = 0
        while not stop.is_set():
            try:
                await self._sweep(stop)
                if rounds % _COUNT_EVERY == 0:
                    await self._count()
                rounds += 1
            except TRY_AGAIN as error:
                _LOG.info("sweeping goes on later", part="disposals", type=type(error).__name__)
            except Exception as error:
                if not is_away(error):
                    raise
                _LOG.warning("waiting for the database", part="disposals", type=type(error).__name__)
            await stop.wait(_POLL_SECONDS)

    async def _sweep(self, stop: Stop) -> None:
        for name, step in self._steps.items():
            while not stop.is_set() and await self._one(name, step):
                pass

    async def _one(self, name: str, step: Callable[[Tx], Awaitable[bool]]) -> bool:
        async with self._service.transaction("disposals") as tx:
            found = await step(tx)
        if found:
            _SWEPT.labels(name).inc()
        if found and name == "late":
            _LOG.error("an ask about a disposal was not answered in time; see ListDisposals(needs_attention)")
        return found

    async def _count(self) -> None:
        async with self._service.transaction("disposals") as tx:
            counts = await self._due.counts(tx)
        for kind, count in counts.items():
            _ATTENTION.labels(kind).set(count)
