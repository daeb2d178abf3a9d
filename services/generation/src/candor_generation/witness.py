"""The client side of the tlog-witness protocol: a signed checkpoint goes out, and comes back cosigned.

Each witness is told the size that it cosigned last and gets the proof that the log has only grown since. Where that
size is not known, or another replica has been there meanwhile, the witness says it (409) and is asked again from there.
Whatever a witness does, it costs no more than the time-out and some kilobytes, and it never stops the log.

Source: C2SP tlog-witness
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import httpx2
from candor_kit import log as logs
from candor_kit import metrics

from candor_generation.domain import merkle, note
from candor_generation.domain.cosignature import Cosignature
from candor_generation.domain.note import Note
from candor_generation.domain.policy import Policy, Witness, satisfied, shown
from candor_generation.domain.tiles import TileReader
from candor_generation.domain.witnessing import (
    ALARMING,
    MAX_HASHES,
    Answer,
    Outcome,
    WitnessError,
    read_answer,
    request,
)
from candor_generation.signing import holds

MAX_ANSWER_BYTES = 64 * 1024
_TRIES = 4
_LONGEST_REST_SECONDS = 60.0
_HEADERS = {"Content-Type": "text/plain; charset=utf-8", "Accept-Encoding": "identity"}
_LOG = logs.get(__name__)
_ANSWERS = metrics.counter(
    "generation_witness_answers", "What asking a witness for a cosignature came to.", ("witness", "outcome")
)
_MISSING = metrics.gauge(
    "generation_witness_missing", "1 while a log's latest checkpoint lacks its quorum of witnesses.", ("origin",)
)

Prove = Callable[[int, int], Sequence[bytes]]
"""`(old size, new size)` to the consistency proof, 32 bytes a hash (RFC 6962 2.1.2); called in a thread."""


@dataclass(frozen=True)
class Cosigned:
    """A checkpoint with what its witnesses said.

    Attributes:
        checkpoint: the signed note with every cosignature that holds.
        witnesses: the policy's names of those that have cosigned it.
        outcomes: what came of asking, for each witness that was waited for.
        quorum: whether the policy's quorum is met.
        publish: whether the checkpoint may be published; false only where a missing quorum holds publication.
    """

    checkpoint: str
    witnesses: frozenset[str]
    outcomes: Mapping[str, Outcome]
    quorum: bool
    publish: bool


@dataclass
class _Known:
    """What is remembered of a witness for one log: the size it cosigned last, and how it fails."""

    size: int = 0
    failures: int = 0
    rests_until: float = 0.0


class WitnessClient:
    """Asks the witnesses of one policy, for any number of logs.

    Args:
        policy: its witnesses are asked; `check_witnesses` says whether they can be.
        hold: whether a checkpoint without quorum may not be published; by default it may, and the alarm says so.
        timeout: seconds for one witness, all its tries together.
        grace: seconds that the others still get once the quorum is met.
        client: the connections; by default made here, with TLS verified by the system's trust store, no redirects.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        hold: bool = False,
        timeout: float = 3.0,
        grace: float = 0.2,
        client: httpx2.AsyncClient | None = None,
    ) -> None:
        self._policy = policy
        self._hold = hold
        self._timeout = timeout
        self._grace = grace
        self._client = client or httpx2.AsyncClient(follow_redirects=False, timeout=timeout)
        self._known: dict[tuple[str, str], _Known] = {}
        self._lacking: set[str] = set()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def cosign(self, checkpoint: str, size: int, prove: Prove) -> Cosigned:
        """Collect cosignatures on a checkpoint of our own, which the log has signed.

        All witnesses are asked at once. It ends when each has answered, or shortly after the quorum is met.

        Args:
            checkpoint: the signed note.
            size: its tree size.
            prove: gives consistency proofs up to that size.

        Raises:
            NoteError: the checkpoint is none.

        Source: C2SP tlog-witness; C2SP tlog-policy
        """
        signed = note.parse_note(checkpoint)
        origin = note.parse_checkpoint(signed.text).origin
        outcomes, found = await self._gather(_Ask(checkpoint, signed, origin, size, _Proofs(prove, size)))
        quorum = satisfied(self._policy, found)
        self._tell(origin, size, outcomes, quorum=quorum)
        lines = tuple(found[name].signature for name in sorted(found))
        return Cosigned(
            Note(signed.text, signed.signatures + lines).signed,
            frozenset(found),
            outcomes,
            quorum,
            publish=quorum or not self._hold,
        )

    async def _gather(self, ask: _Ask) -> tuple[dict[str, Outcome], dict[str, Cosignature]]:
        outcomes: dict[str, Outcome] = {}
        found: dict[str, Cosignature] = {}
        waiting = {asyncio.create_task(self._outcome(ask, item)): item.name for item in self._policy.witnesses}
        now = asyncio.get_running_loop().time
        end: float | None = None
        try:
            while waiting:
                if end is None and satisfied(self._policy, found):
                    end = now() + self._grace
                patience = None if end is None else max(0.0, end - now())
                done, _ = await asyncio.wait(waiting, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
                if not done:
                    break
                for task in done:
                    name = waiting.pop(task)
                    outcomes[name], cosigned = task.result()
                    if cosigned is not None:
                        found[name] = cosigned
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        return outcomes, found

    async def _outcome(self, ask: _Ask, witness: Witness) -> tuple[Outcome, Cosignature | None]:
        known = self._known.setdefault((ask.origin, witness.name), _Known())
        now = asyncio.get_running_loop().time
        if now() < known.rests_until:
            return _count(witness, Outcome.RESTING), None
        try:
            async with asyncio.timeout(self._timeout):
                found = await self._ask(ask, witness, known)
        except (WitnessError, TimeoutError, httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as error:
            known.size = 0  # it says its size when it is asked again
            known.failures += 1
            known.rests_until = now() + min(2.0 ** (known.failures - 1), _LONGEST_REST_SECONDS)
            return _failed(ask, witness, error), None
        known.failures = 0
        return _count(witness, Outcome.COSIGNED), found

    async def _ask(self, ask: _Ask, witness: Witness, known: _Known) -> Cosignature:
        """Ask from the size that is known, and again from the one that the witness names."""
        if known.size > ask.size:
            raise WitnessError(Outcome.AHEAD, f"it has cosigned {known.size} leaves")
        for _ in range(_TRIES):
            old = known.size
            body = request(old, await ask.proofs.get(old), ask.checkpoint)
            told = read_answer(await self._post(witness, body), ask.signed, old, ask.size, witness, holds)
            if isinstance(told, Cosignature):
                known.size = ask.size
                return told
            known.size = told
        raise WitnessError(Outcome.REFUSED, "it names another size each time")

    async def _post(self, witness: Witness, body: bytes) -> Answer:
        """Send one request and read its answer as far as an answer can reach; what is compressed is not unpacked."""
        url = f"{(witness.url or '').rstrip('/')}/add-checkpoint"
        async with self._client.stream("POST", url, content=body, headers=_HEADERS) as response:
            content = b""
            async for chunk in response.aiter_raw():
                content += chunk
                if len(content) > MAX_ANSWER_BYTES:
                    raise WitnessError(Outcome.MALFORMED, "the answer is longer than any answer of the protocol")
            return Answer(response.status_code, response.headers.get("content-type", ""), content)

    def _tell(self, origin: str, size: int, outcomes: Mapping[str, Outcome], *, quorum: bool) -> None:
        """Raise the alarm when a log begins to lack its quorum, and end it when it has one again."""
        _MISSING.labels(origin).set(0 if quorum else 1)
        if quorum and origin in self._lacking:
            self._lacking.discard(origin)
            _LOG.info("the log has its quorum of witnesses again", origin=origin, size=size)
        if not quorum and origin not in self._lacking:
            self._lacking.add(origin)
            missing = ", ".join(f"{shown(name)} {outcome}" for name, outcome in sorted(outcomes.items()))
            result = "held" if self._hold else "published without"
            _LOG.error(
                "a checkpoint lacks its quorum of witnesses", origin=origin, size=size, name=missing, result=result
            )


@dataclass(frozen=True)
class _Ask:
    """One checkpoint on its way to all witnesses."""

    checkpoint: str
    signed: Note
    origin: str
    size: int
    proofs: _Proofs


class _Proofs:
    """Consistency proofs up to one size, each made once however many witnesses need it."""

    def __init__(self, prove: Prove, size: int) -> None:
        self._prove = prove
        self._size = size
        self._made: dict[int, Sequence[bytes]] = {}
        self._lock = asyncio.Lock()

    async def get(self, old: int) -> Sequence[bytes]:
        """The proof from a size; none is needed from zero or from the size itself."""
        if old in (0, self._size):
            return ()
        async with self._lock:
            if old not in self._made:
                self._made[old] = await self._make(old)
        return self._made[old]

    async def _make(self, old: int) -> Sequence[bytes]:
        try:
            proof = await asyncio.to_thread(self._prove, old, self._size)
        except (OSError, ValueError) as error:
            raise WitnessError(Outcome.UNPROVEN, f"no proof from {old}: {type(error).__name__}") from error
        if len(proof) > MAX_HASHES:
            raise WitnessError(Outcome.UNPROVEN, "the proof is longer than any proof")
        return proof


def _failed(ask: _Ask, witness: Witness, error: Exception) -> Outcome:
    outcome = _outcome_of(error)
    write = _LOG.error if outcome in ALARMING else _LOG.warning
    write(
        "a witness has not cosigned",
        name=shown(witness.name),
        origin=ask.origin,
        size=ask.size,
        result=str(outcome),
        reason=str(error) if isinstance(error, WitnessError) else type(error).__name__,
    )
    return _count(witness, outcome)


def _outcome_of(error: Exception) -> Outcome:
    if isinstance(error, WitnessError):
        return error.outcome
    return Outcome.SLOW if isinstance(error, (TimeoutError, httpx2.TimeoutException)) else Outcome.AWAY


def _count(witness: Witness, outcome: Outcome) -> Outcome:
    _ANSWERS.labels(shown(witness.name), outcome).inc()
    return outcome


class Witnesses:
    """What the logs' writer asks before it publishes: a client that proves from the log's tiles.

    Args:
        client: asks the witnesses.
    """

    def __init__(self, client: WitnessClient) -> None:
        self._client = client

    async def cosign(self, checkpoint: str, reader: TileReader) -> str | None:
        """The checkpoint with its cosignatures; None where the policy holds it back for lack of them.

        An empty tree is not shown to anybody: nothing can be proven from it.
        """
        size = note.parse_checkpoint(note.parse_note(checkpoint).text).size
        if size == 0:
            return checkpoint

        def prove(old: int, new: int) -> Sequence[bytes]:
            return reader.proof(merkle.consistency_spans(old, new))

        cosigned = await self._client.cosign(checkpoint, size, prove)
        return cosigned.checkpoint if cosigned.publish else None


def check_witnesses(policy: Policy) -> None:
    """Check that every witness can be asked.

    Raises:
        ValueError: one has no URL of http or https, so its cosignature could never be had.
    """
    for witness in policy.witnesses:
        if not (witness.url or "").startswith(("https://", "http://")):
            raise ValueError(f"the witness {shown(witness.name)} has no URL of http or https")
