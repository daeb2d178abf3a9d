"""What falls due by itself: asks that wait too long, deletions whose last copy is gone, packages that have expired."""

from candor_kit.keys import SubjectKeys
from candor_kit.transaction import Tx

from candor_rights import codec, identities
from candor_rights.domain.request import close
from candor_rights.domain.task import BackOff, ask_again
from candor_rights.handlers.erasure import Erasure
from candor_rights.handlers.orders import OrderHandlers
from candor_rights.store import packages, requests, tasks


class SweepHandlers:
    """Each takes one row that is due and returns whether there was one."""

    def __init__(self, keys: SubjectKeys, erasure: Erasure, back_off: BackOff, orders: OrderHandlers) -> None:
        self.ask_for_model_again = orders.ask_next_again
        self._keys = keys
        self._erasure = erasure
        self._back_off = back_off

    async def ask_next_again(self, tx: Tx) -> bool:
        """Ask a holder once more that has not answered: a new fact, the same task."""
        task = await tasks.next_unanswered(tx.connection, tx.now)
        if task is None:
            return False
        stored = await requests.find(tx.connection, task.request_id)
        if stored is None or stored.person is None:
            raise LookupError(f"task {task.task_id} is unanswered and nobody asked for it")
        person = await identities.reveal(tx.connection, self._keys, stored.person, task.request_id)
        asked = ask_again(task, self._back_off, tx.now)
        await tasks.asked(tx.connection, asked)
        await tx.publish(codec.task_asked(asked, stored.request, person.subject), key=task.request_id)
        return True

    async def close_next(self, tx: Tx) -> bool:
        """Close a deletion whose last copy is gone."""
        due = await requests.next_to_close(tx.connection, tx.now)
        if due is None:
            return False
        closed = close(due, tx.now)
        await requests.settled(tx.connection, closed)
        await tx.publish(codec.request_closed(closed), key=closed.request_id)
        return True

    async def expire_next(self, tx: Tx) -> bool:
        """Destroy the key of a package that has expired."""
        request_id = await packages.next_expired(tx.connection, tx.now)
        stored = await requests.lock(tx.connection, request_id) if request_id is not None else None
        if stored is None:
            return False
        await packages.gone(tx.connection, stored.request.request_id)
        if stored.request.forget and stored.person is not None:
            await self._erasure.forget(tx, stored)
        return True
