"""The main job, chapter by chapter. Each step is observed through a public interface or the story fails."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from candor_cli.demo import acts, incident, labels, people, proof, rumour, setting
from candor_cli.demo.pager import PhoneOfOnCall
from candor_cli.demo.traffic import GenerationInput, Post, records
from candor_cli.session import Session

__all__ = ["Story", "StoryError"]

from candor.generation.v1 import facts_pb2 as generation_facts
from candor.generation.v1 import service_pb2 as generation_pb2
from candor.generation.v1 import service_pb2_grpc as generation_grpc

from candor_cli.demo.telling import Telling
from candor_cli.demo.traffic import StoryError

_CHUNK = 500
_PATIENCE_PER_RECORD = 0.05


@dataclass
class Story:
    """What is fed, and what is learnt on the way."""

    generations: list[GenerationInput]
    posts: list[Post]
    recorded: list[generation_pb2.RecordRequest] = field(default_factory=list)

    @classmethod
    def about(cls, generations: list[GenerationInput], posts: list[Post]) -> Story:
        """Make the story of this traffic."""
        return cls(generations, posts)

    async def tell(self, session: Session, phone: PhoneOfOnCall, telling: Telling, folder: Path) -> None:
        """Tell it all.

        Raises:
            StoryError: something was not as promised.
            TimeoutError: something did not come in time.
        """
        telling.chapter("Setting up: purposes, a notice, a feature library, refuted claims")
        await setting.consent(session, telling)
        await setting.features(session, telling)
        claims = await rumour.refute(session, telling, self.posts)

        telling.chapter("Consents, and generations from a backend that has nothing but a Kafka client")
        await people.agree(session, telling)
        await self._record(session, telling)

        telling.chapter("The outside auditor verifies a record, with no access to the database")
        witness = await proof.before(session, telling, folder, self._of_the_person())
        await labels.read_back(session, telling, self._of_the_person(), witness.log_index)

        telling.chapter("A refuted rumour spreads through outputs")
        spread = await rumour.spread(session, telling, self.posts, claims)

        telling.chapter("One person withdraws training consent, asks for a copy, and asks for deletion")
        await people.withdraw(session, telling)
        await people.copy(session, telling, len([item for item in self.recorded if item.subject == people.PERSON]))
        await people.delete(session, telling)

        telling.chapter("The log after the erasure")
        await proof.after(session, telling, folder, witness)

        telling.chapter("Incidents: clocks, pages, reports, receipts")
        await incident.of_the_spread(session, telling, spread)
        await incident.leak(session, telling, phone)

        telling.chapter("The log of acts: what the services did is proven as their records are")
        await acts.logged(session, telling, folder)

    async def _record(self, session: Session, telling: Telling) -> None:
        """Feed every generation through the intake topic but the last, which goes by gRPC."""
        self.recorded = list(records(self.generations, datetime.now(UTC)))
        *by_topic, by_call = self.recorded
        with telling.progress() as progress:
            task = progress.add_task("emitted", total=len(by_topic))
            for start in range(0, len(by_topic), _CHUNK):
                chunk = by_topic[start : start + _CHUNK]
                await session.emit_many("generation", list(chunk))
                progress.advance(task, len(chunk))
            stub = generation_grpc.GenerationServiceStub(session.channel("generation", "backend"))
            answer = await stub.Record(by_call)
            recorded = await self._until_recorded(session, telling)
        wanted = {item.command_id for item in self.recorded}
        if recorded != wanted:
            raise StoryError(f"{len(wanted - recorded)} generations were accepted and not recorded")
        telling.ok(
            f"{len(recorded)} generations logged, each with one log index; the last one's label: {answer.label.json}"
        )
        telling.figure("generations logged", len(recorded))

    async def _until_recorded(self, session: Session, telling: Telling) -> set[str]:
        wanted = {item.command_id for item in self.recorded}
        with telling.progress() as progress:
            task = progress.add_task("recorded", total=len(wanted))
            step = max(len(wanted) // 20, 1)
            for count in [*range(step, len(wanted), step), len(wanted)]:
                facts = await session.facts(
                    "generation",
                    generation_facts.GenerationRecorded,
                    lambda fact: fact.generation_id in wanted,
                    count=count,
                    timeout=60 + step * _PATIENCE_PER_RECORD,
                )
                progress.update(task, completed=len(facts))
        indices = [fact.log_index for fact in facts]
        if len({fact.generation_id for fact in facts}) != len(set(indices)):
            raise StoryError("a log index was given twice")
        return {fact.generation_id for fact in facts}

    def _of_the_person(self) -> generation_pb2.RecordRequest:
        return next(item for item in self.recorded if item.subject == people.PERSON)
