"""Notices: taken in, looked into, decided by a person, answered by the backend that runs the form."""

from dataclasses import replace

from candor.escalation.v1 import facts_pb2, notice_pb2
from candor_kit.transaction import Tx

from candor_escalation import codec, notice_codec
from candor_escalation.domain import content_notice as rules
from candor_escalation.domain.content_notice import Notice
from candor_escalation.domain.incident import refuse_future
from candor_escalation.domain.refusal import Refused
from candor_escalation.handlers.signals import Signals
from candor_escalation.sealing import Held, Sealing, seal_words
from candor_escalation.store import complaints, disposals, notices
from candor_escalation.store.notices import StoredNotice


class Notices:
    """The commands about notices, and what the generation service says of what they name."""

    def __init__(self, sealing: Sealing, signals: Signals) -> None:
        self._sealing = sealing
        self._signals = signals

    async def submit_notice(self, tx: Tx, request: notice_pb2.SubmitNoticeRequest) -> notice_pb2.SubmitNoticeResponse:
        """Take a notice in: from now on the provider knows, and every clock that counts from that runs."""
        received_at = codec.instant(request.received_at) if request.HasField("received_at") else tx.now
        refuse_future(received_at, tx.now, "the receipt")
        rules.refuse_category(notice_codec.forms(request), request.category)
        held = await self._taken(tx, request)
        notice = notice_codec.notice(request, tx.new_id(), min(received_at, tx.now))
        words = vars(notice_codec.words(request))
        wrapped, _ = await self._sealing.notices.close(tx, notice.notice_id, words, held)
        opened = [(await self._signals.take(tx, signal))[0].incident_id for signal in rules.signals(notice)]
        notice = replace(notice, incident_ids=tuple(opened))
        await notices.insert(tx.connection, notice, wrapped)
        message = notice_codec.notice_message(notice)
        await tx.publish(facts_pb2.NoticeReceived(notice=message), key=notice.notice_id)
        return notice_pb2.SubmitNoticeResponse(notice_id=notice.notice_id, received_at=message.received_at)

    async def decide_notice(self, tx: Tx, request: notice_pb2.DecideNoticeRequest) -> notice_pb2.DecideNoticeResponse:
        """Decide on a notice; who gave it is told why."""
        stored = await _locked(tx, request.notice_id)
        decided = rules.decide(
            stored.notice,
            notice_codec.outcome(request.outcome),
            notice_codec.basis(request.basis),
            tx.caller.name,
            tx.now,
            len(await notices.disposals_of(tx.connection, request.notice_id)),
            automated=request.automated_means,
            unfounded=request.manifestly_unfounded,
        )
        await notices.update(tx.connection, decided)
        key = await self._sealing.notices.key_of(tx.connection, decided.notice_id, stored.wrapped)
        if key is not None:
            sealed = seal_words(key, decided.notice_id, "reasons", request.reasons, "notice")
            await notices.keep_reasons(tx.connection, decided.notice_id, sealed)
        pseudonym = stored.wrapped.pseudonym
        if decided.manifestly_unfounded and pseudonym is not None:
            await complaints.add_unfounded(tx.connection, pseudonym, decided.notice_id, tx.caller.name, tx.now)
        message = notice_codec.notice_message(decided)
        await tx.publish(facts_pb2.NoticeDecided(notice=message), key=decided.notice_id)
        await self._note(tx, decided)
        return notice_pb2.DecideNoticeResponse(decided_at=message.decided_at)

    async def acknowledge_notice(
        self, tx: Tx, request: notice_pb2.AcknowledgeNoticeRequest
    ) -> notice_pb2.AcknowledgeNoticeResponse:
        """Take a backend's word that who gave a notice was sent the confirmation or the answer."""
        notice = (await _locked(tx, request.notice_id)).notice
        sent_at = codec.instant(request.sent_at)
        refuse_future(sent_at, tx.now, "the sending")
        told = rules.acknowledge(notice, notice_codec.text(request.text), sent_at)
        if told != notice:
            await notices.update(tx.connection, told)
            fact = facts_pb2.NoticeAcknowledged(notice_id=told.notice_id, text=request.text, sent_at=request.sent_at)
            await tx.publish(fact, key=told.notice_id)
            await self._note(tx, told)
        return notice_pb2.AcknowledgeNoticeResponse()

    async def next_look(self, tx: Tx, lease_seconds: float) -> Notice | None:
        """The notice whose generation is to be looked for, claimed for a while; None when there is none."""
        stored = await notices.lease_look(tx.connection, lease_seconds)
        return stored.notice if stored else None

    async def looked(self, tx: Tx, notice_id: str, content: str) -> None:
        """Keep what generation said: a record that is not there may still arrive, so it is looked for again."""
        stored = await _locked(tx, notice_id)
        waits = content == rules.UNKNOWN and not stored.notice.outcome
        again = rules.look_again_after(stored.looks) if waits else None
        await notices.looked(tx.connection, notice_id, content, again)
        if content != stored.notice.content:
            await self._note(tx, replace(stored.notice, content=content))

    async def _taken(self, tx: Tx, request: notice_pb2.SubmitNoticeRequest) -> Held | None:
        """Who gave the notice, locked; None where nobody is named."""
        if not request.notifier:
            return None
        held = await self._sealing.take(tx, request.notifier, request.command_id, "notifier")
        history = await disposals.sanctions_of(tx.connection, held.pseudonym)
        rules.refuse_suspended(notice_codec.forms(request), history, tx.now)
        return held

    async def _note(self, tx: Tx, notice: Notice) -> None:
        for incident_id in notice.incident_ids:
            await self._signals.note(tx, incident_id, rules.known_of(notice), rules.SOURCE)


async def _locked(tx: Tx, notice_id: str) -> StoredNotice:
    """A notice, locked until the transaction ends.

    Raises:
        Refused: NOTICE_UNKNOWN.
    """
    stored = await notices.lock(tx.connection, notice_id)
    if stored is None:
        raise Refused("NOTICE_UNKNOWN", "there is no such notice", field="notice_id")
    return stored
