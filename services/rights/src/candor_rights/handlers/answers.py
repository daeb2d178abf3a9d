"""AnswerTask, and what follows from the last answer."""

from collections.abc import Callable

from candor.rights.v1 import service_pb2
from candor_kit.transaction import Caller, Tx

from candor_rights import codec
from candor_rights.domain.holder import Right
from candor_rights.domain.refusal import Refused
from candor_rights.domain.request import Request, State, all_answered, settle
from candor_rights.domain.task import Answerer, Task, answer
from candor_rights.handlers.erasure import Erasure
from candor_rights.store import packages, requests, tasks
from candor_rights.store.requests import Stored


def answerer(caller: Caller) -> Answerer:
    """Who answers; over a topic the name is only a claim, so none is taken."""
    name = "" if caller.by_topic else caller.name
    return Answerer(name, is_service="service" in caller.roles, is_backend="backend" in caller.roles)


class AnswerHandlers:
    """The answers of the holders."""

    def __init__(self, erasure: Erasure, wake_assembly: Callable[[], None]) -> None:
        self._erasure = erasure
        self._wake_assembly = wake_assembly

    async def answer_task(self, tx: Tx, command: service_pb2.AnswerTaskRequest) -> service_pb2.AnswerTaskResponse:
        """Take a holder's proof. The same proof again changes nothing."""
        stored, asked, task = await self._load(tx, command.task_id)
        proof = codec.proof_of(command.proof)
        answered = answer(task, command.holder_id, proof, answerer(tx.caller), tx.now)
        request = stored.request
        if answered is not task:
            await tasks.answered(tx.connection, answered, proof)
            await tx.publish(codec.task_answered(answered, proof), key=request.request_id)
            every = tuple(answered if other.task_id == task.task_id else other for other in asked)
            if all_answered(every):
                request = await self._settle(tx, stored, every)
        return service_pb2.AnswerTaskResponse(state=codec.wire_state(request.state))

    async def _load(self, tx: Tx, task_id: str) -> tuple[Stored, tuple[Task, ...], Task]:
        request_id = await tasks.request_of(tx.connection, task_id)
        stored = await requests.lock(tx.connection, request_id) if request_id is not None else None
        if stored is None:
            raise Refused("TASK_UNKNOWN", "there is no such task", field="task_id")
        asked = await tasks.of_request(tx.connection, stored.request.request_id)
        return stored, asked, next(task for task in asked if task.task_id == task_id.lower())

    async def _settle(self, tx: Tx, stored: Stored, every: tuple[Task, ...]) -> Request:
        deletes = stored.request.right is Right.DELETION
        own_copy_expires_at = await self._erasure.erase(tx, stored) if deletes else None
        request = settle(stored.request, every, own_copy_expires_at, tx.now)
        await requests.settled(tx.connection, request)
        if request.right is Right.ACCESS:
            await packages.add(tx.connection, request.request_id, tx.now)
            tx.after_commit(self._wake_assembly)
        if request.state is State.CLOSED:
            await tx.publish(codec.request_closed(request), key=request.request_id)
        if request.finished and request.forget and not deletes:
            await self._erasure.forget(tx, stored)
        return request
