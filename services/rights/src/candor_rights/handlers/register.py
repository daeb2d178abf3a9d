"""RegisterHolder, and the service holders that are in the register from the start."""

from candor.rights.v1 import service_pb2
from candor_kit.transaction import Tx

from candor_rights import codec
from candor_rights.domain.holder import SERVICE_HOLDERS, Holder, register
from candor_rights.store import holders


async def register_holder(tx: Tx, command: service_pb2.RegisterHolderRequest) -> service_pb2.RegisterHolderResponse:
    """Put a holder into the register, or change it. What stands there already is no news."""
    wanted = Holder(
        command.holder_id,
        command.name,
        codec.holder_kind_of(command.kind),
        frozenset(codec.right_of(right) for right in command.rights),
        command.address,
    )
    await _put(tx, wanted)
    return service_pb2.RegisterHolderResponse(holder=codec.wire_holder(wanted))


async def register_services(tx: Tx) -> None:
    """Put the services of this deployment into the register, before anything is served."""
    for holder in SERVICE_HOLDERS:
        await _put(tx, holder)


async def _put(tx: Tx, wanted: Holder) -> None:
    registered = await holders.lock(tx.connection, wanted.holder_id)
    holder = register(registered, wanted)
    if holder == registered:
        return
    if registered is not None:
        await holders.update(tx.connection, holder)
    elif not await holders.insert(tx.connection, holder, tx.now):
        await _put(tx, wanted)  # another transaction was first; now it stands there to be locked
        return
    await tx.publish(codec.holder_registered(holder), key=holder.holder_id)
