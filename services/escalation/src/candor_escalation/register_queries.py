"""Questions about the registers, and what of them is public."""

from candor.escalation.v1 import register_pb2
from candor_kit.query import Query

from candor_escalation import register_codec
from candor_escalation.domain import register as rules
from candor_escalation.domain.refusal import Refused
from candor_escalation.handlers.registers import Registers
from candor_escalation.page_token import PAGE_SIZE, place, token
from candor_escalation.store import registers


class RegisterQueries:
    """Reads only."""

    def __init__(self, handlers: Registers) -> None:
        self._handlers = handlers

    async def check_release(
        self, query: Query, request: register_pb2.CheckReleaseRequest
    ) -> register_pb2.CheckReleaseResponse:
        """Every gate before a release, and what it still wants."""
        entries = await registers.of_product(query.connection, request.product)
        found = rules.gates(request.product, entries, self._handlers.public_opinion, query.now)
        return register_pb2.CheckReleaseResponse(
            gates=[register_codec.gate_message(gate) for gate in found],
            may_release=all(gate.passed for gate in found),
        )

    async def list_entries(
        self, query: Query, request: register_pb2.ListEntriesRequest
    ) -> register_pb2.ListEntriesResponse:
        """The entries of a register as they are now, the latest in front."""
        limit = request.page_size or PAGE_SIZE
        name = register_codec.register_name(request.register)
        found = await registers.latest(query.connection, name, limit + 1, place(request.page_token))
        shown = found[:limit]
        return register_pb2.ListEntriesResponse(
            entries=[register_codec.entry_message(entry) for entry in shown],
            next_page_token=token(shown[-1].recorded_at, shown[-1].entry_id) if len(found) > limit else "",
        )

    async def get_entry(self, query: Query, request: register_pb2.GetEntryRequest) -> register_pb2.GetEntryResponse:
        """An entry with every version of it."""
        found = await registers.versions(query.connection, request.entry_id)
        if not found:
            raise Refused("ENTRY_UNKNOWN", "there is no such entry", field="entry_id")
        return register_pb2.GetEntryResponse(versions=[register_codec.entry_message(entry) for entry in found])
