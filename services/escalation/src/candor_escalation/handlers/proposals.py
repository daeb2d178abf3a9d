"""Proposals: an upheld review suggests what to do about content and user; nothing happens before a person decides."""

from candor.escalation.v1 import disposal_pb2, facts_pb2
from candor.generation.v1 import facts_pb2 as generation_pb2
from candor.generation.v1 import model_pb2 as generation_model_pb2
from candor_kit.transaction import Tx

from candor_escalation import codec, disposal_codec
from candor_escalation.domain import ladder
from candor_escalation.domain.disposal import Disposal, Measure
from candor_escalation.domain.refusal import Refused
from candor_escalation.sealing import Held, Sealing
from candor_escalation.store import complaints, disposals
from candor_escalation.store.complaints import Proposal


class Proposals:
    """Keeps what is proposed and what became of it."""

    def __init__(self, sealing: Sealing) -> None:
        self._sealing = sealing

    async def on_review_decided(self, tx: Tx, fact: generation_pb2.ReviewDecided) -> None:
        """Propose a disposal where a person upheld what screening had blocked; withdraw it where it was released.

        Source: Generative AI Measures 14; Deep Synthesis 10
        """
        if fact.outcome == generation_model_pb2.REVIEW_OUTCOME_RELEASED:
            await complaints.withdraw_proposal(tx.connection, fact.generation_id, tx.caller.name, tx.now)
        elif fact.outcome == generation_model_pb2.REVIEW_OUTCOME_UPHELD:
            await self._propose(tx, fact)

    async def dismiss_proposal(
        self, tx: Tx, request: disposal_pb2.DismissDisposalProposalRequest
    ) -> disposal_pb2.DismissDisposalProposalResponse:
        """Decide that nothing follows."""
        proposal = await self._open(tx, request.proposal_id)
        await complaints.settle_proposal(tx.connection, proposal.proposal_id, "dismissed", tx.caller.name, tx.now)
        return disposal_pb2.DismissDisposalProposalResponse()

    async def follow(self, tx: Tx, proposal_id: str, disposal: Disposal, held: Held | None) -> None:
        """Note that a disposal follows a proposal; a second one may, for content and user are proposed together.

        Raises:
            Refused: PROPOSAL_UNKNOWN, also when it is about another person or generation.
        """
        if not proposal_id:
            return
        proposal = await complaints.lock_proposal(tx.connection, proposal_id)
        if proposal is None or not _fits(proposal, disposal, held):
            message = "there is no such proposal about this person or generation"
            raise Refused("PROPOSAL_UNKNOWN", message, field="grounds.proposal_id")
        await complaints.settle_proposal(tx.connection, proposal_id, "followed", tx.caller.name, tx.now)

    async def _propose(self, tx: Tx, fact: generation_pb2.ReviewDecided) -> None:
        pseudonym, sanction = None, ""
        if fact.subject and not await self._is_erased(tx, fact):
            held = await self._sealing.take(tx, fact.subject)
            history = await disposals.sanctions_of(tx.connection, held.pseudonym)
            pseudonym = held.pseudonym
            sanction = ladder.propose(history, serious=False, now=tx.now).measure.value
        proposal = Proposal(
            proposal_id=tx.new_id(),
            generation_id=fact.generation_id,
            product=fact.product,
            categories=tuple(fact.categories),
            disposal=Measure.STOP_TRANSMISSION.value,
            sanction=sanction,
            proposed_at=tx.now,
            state="open",
            pseudonym=pseudonym,
        )
        if await complaints.insert_proposal(tx.connection, proposal):
            said = facts_pb2.DisposalProposed(proposal=disposal_codec.proposal_message(proposal))
            await tx.publish(said, key=proposal.proposal_id)

    async def _is_erased(self, tx: Tx, fact: generation_pb2.ReviewDecided) -> bool:
        """Whether the decision is older than the person's erasure: then it names nobody here."""
        erased_at = await self._sealing.subjects.erased_at(tx.connection, fact.subject)
        decided_at = codec.instant(fact.decided_at) if fact.HasField("decided_at") else tx.now
        return erased_at is not None and decided_at <= erased_at

    @staticmethod
    async def _open(tx: Tx, proposal_id: str) -> Proposal:
        proposal = await complaints.lock_proposal(tx.connection, proposal_id)
        if proposal is None or proposal.state != "open":
            raise Refused("PROPOSAL_UNKNOWN", "there is no such proposal that is open", field="proposal_id")
        return proposal


def _fits(proposal: Proposal, disposal: Disposal, held: Held | None) -> bool:
    if disposal.generation_id:
        return disposal.generation_id == proposal.generation_id
    return held is not None and held.pseudonym == proposal.pseudonym
