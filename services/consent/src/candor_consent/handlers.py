"""Commands: one transaction each, the person's row locked first, then what is decided is saved and published."""

from __future__ import annotations

from datetime import datetime

from candor.consent.v1 import facts_pb2, service_pb2
from candor_kit.transaction import Tx

from candor_consent import codec
from candor_consent.domain.act import must_outlast_erasure
from candor_consent.domain.consent import grant
from candor_consent.domain.ending import expire, refuse_training, withdraw
from candor_consent.domain.notice import publish
from candor_consent.domain.purpose import define
from candor_consent.domain.refusal import Refused
from candor_consent.people import Held, People
from candor_consent.store import record, register

# Persons whose consents run out are taken in bites, so that nobody's lock is held for long.
_BITE = 100


class Handlers:
    """The commands of the consent service."""

    def __init__(self, people: People) -> None:
        self._people = people

    async def define_purpose(
        self, tx: Tx, command: service_pb2.DefinePurposeRequest
    ) -> service_pb2.DefinePurposeResponse:
        """Define a purpose, or change it."""
        await register.lock_purposes(tx.connection)
        versions = await register.versions_of(tx.connection, command.purpose_id)
        defined = define(versions, codec.definition_of(command), tx.now)
        purpose = codec.wire_purpose(defined.purpose)
        if defined.changed:
            await register.add_purpose(tx.connection, defined.purpose)
            fact = facts_pb2.PurposeDefined(purpose=purpose, fresh_consent_needed=defined.fresh_consent_needed)
            await tx.publish(fact, key=command.purpose_id)
        return service_pb2.DefinePurposeResponse(purpose=purpose, fresh_consent_needed=defined.fresh_consent_needed)

    async def publish_notice(
        self, tx: Tx, command: service_pb2.PublishNoticeRequest
    ) -> service_pb2.PublishNoticeResponse:
        """Publish a version of a notice."""
        await register.lock_notices(tx.connection)
        notices = await register.notices_of(tx.connection, command.notice_id)
        purposes = await register.versions_by_purpose(tx.connection, [ref.purpose_id for ref in command.purposes])
        published = publish(notices, codec.publication_of(command), purposes)
        await register.add_notice(tx.connection, published)
        notice = codec.wire_notice(published)
        await tx.publish(facts_pb2.NoticePublished(notice=notice), key=command.notice_id)
        return service_pb2.PublishNoticeResponse(notice=notice)

    async def grant_consent(self, tx: Tx, command: service_pb2.GrantConsentRequest) -> service_pb2.GrantConsentResponse:
        """Record that a person agreed."""
        asked = codec.grant_of(command)
        held = await self._take(tx, command.subject, asked.given_at)
        versions = await register.versions_of(tx.connection, asked.purpose_id)
        notices = await register.notices_of(tx.connection, asked.notice_id)
        acts = await record.acts_on(tx.connection, held.pseudonym, asked.purpose_id)
        act = grant(asked, acts, versions, notices, tx.now, (tx.new_id(), tx.new_id()))
        await self._people.save(tx, held, [act])
        return service_pb2.GrantConsentResponse(consent_id=act.consent_id)

    async def withdraw_consent(
        self, tx: Tx, command: service_pb2.WithdrawConsentRequest
    ) -> service_pb2.WithdrawConsentResponse:
        """Record that a person took consent back."""
        withdrawn_at = codec.instant(command.withdrawn_at)
        held = await self._take(tx, command.subject, withdrawn_at)
        if held.person.is_new:
            raise Refused("SUBJECT_UNKNOWN", "nothing is on record of this person", field="subject")
        versions = await register.versions_of(tx.connection, command.purpose_id)
        if not versions:
            raise Refused("PURPOSE_UNKNOWN", f"there is no purpose {command.purpose_id}", field="purpose_id")
        acts = await record.acts_on(tx.connection, held.pseudonym, command.purpose_id)
        act = withdraw(acts, versions, withdrawn_at, tx.now, tx.new_id())
        await self._people.save(tx, held, [act])
        return service_pb2.WithdrawConsentResponse(consent_id=act.consent_id)

    async def refuse_training(
        self, tx: Tx, command: service_pb2.RefuseTrainingRequest
    ) -> service_pb2.RefuseTrainingResponse:
        """Record that a person refuses the training of models on their data."""
        refused_at = codec.instant(command.refused_at)
        held = await self._take(tx, command.subject, refused_at)
        purposes = await register.training_versions(tx.connection)
        acts = await record.acts_of(tx.connection, held.pseudonym)
        refusal = refuse_training(acts, purposes, refused_at, tx.now, tx.new_id)
        await self._people.save(tx, held, [refusal.act, *refusal.withdrawals])
        return service_pb2.RefuseTrainingResponse(
            withdrawn_consent_ids=[withdrawal.consent_id for withdrawal in refusal.withdrawals]
        )

    async def expire_due(self, tx: Tx) -> int:
        """Put on record that consents have run out; return how many persons were looked at.

        Persons that another process is at work on are left to it, or to the next time.
        """
        due = await self._people.take_due(tx, _BITE)
        for held in due:
            await self._expire(tx, held)
        return len(due)

    async def _expire(self, tx: Tx, held: Held) -> None:
        for consent_id, purpose_id in await record.pop_due(tx.connection, held.person.person_id, tx.now):
            versions = await register.versions_of(tx.connection, purpose_id)
            acts = await record.acts_on(tx.connection, held.pseudonym, purpose_id)
            act = expire(acts, versions, consent_id, tx.now, tx.new_id())
            await self._people.save(tx, held, [act] if act else [])

    async def _take(self, tx: Tx, subject: str, at: datetime) -> Held:
        """Lock the person; refuse what was done before they were erased.

        Raises:
            Refused: SUBJECT_ERASED.
        """
        held = await self._people.take(tx, subject)
        must_outlast_erasure(at, held.erased_at)
        return held
