"""Tasks of the rights service. An incident names no person in this service, so there is nothing to act on.

Promise 4: whatever names a person is erased with them. What is kept here is the kind of an incident, its instants and
what officers state of it, never the subject of a generation; a fact that names one is not stored.
"""

from candor.rights.v1 import facts_pb2, model_pb2
from candor_kit.holding import nothing_held
from candor_kit.transaction import Tx


async def carry_out(tx: Tx, _fact: facts_pb2.TaskAsked) -> model_pb2.Proof:
    """Prove that nothing is held, whichever right is exercised."""
    return nothing_held(tx.now)
