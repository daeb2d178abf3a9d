"""Questions to the duty officer: asked when something unknown matters, ended when it is known or matters no longer."""

from collections.abc import Sequence

from candor.escalation.v1 import facts_pb2
from candor_kit.transaction import Tx

from candor_escalation import incident_codec as codec
from candor_escalation.domain import question as rules
from candor_escalation.domain.clock import Clock, Duty
from candor_escalation.domain.drill import EN, ZH
from candor_escalation.domain.incident import Incident
from candor_escalation.domain.question import Question, Topic
from candor_escalation.handlers.picture import Picture
from candor_escalation.policy import Policy
from candor_escalation.store import questions


class Questions:
    """Keeps the open questions of an incident in step with what its duties hang on."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    async def refresh(
        self,
        tx: Tx,
        incident: Incident,
        picture: Picture,
        asked: Sequence[Question],
        duties: Sequence[Duty],
        clocks: Sequence[Clock],
    ) -> None:
        """Ask what has to be found out and end what of the open questions is known; a closed incident asks nothing."""
        wanted = rules.topics(incident, duties, clocks, picture.anchors) if incident.is_open else []
        known = rules.Known(
            frozenset(name for name, value in picture.facts.items() if value is not None) - picture.disputed.keys(),
            picture.anchors,
        )
        ended, new = rules.settle(asked, wanted, known, picture.now, tx.caller.name)
        for question in ended:
            await questions.end(tx.connection, question)
            await self._tell(tx, facts_pb2.QuestionAnswered(question=codec.question_message(question)), question)
        opened = [self._asked(topic, incident, tx.new_id(), picture) for topic in new]
        await questions.insert(tx.connection, opened)
        for question in opened:
            await self._tell(tx, facts_pb2.QuestionAsked(question=codec.question_message(question)), question)

    def _asked(self, topic: Topic, incident: Incident, question_id: str, picture: Picture) -> Question:
        kind, name = topic
        zh, en = _titled(
            kind, *(self._policy.label(name) if kind in {rules.FACT, rules.CONTRADICTION} else (name, name))
        )
        if incident.drill:
            zh, en = f"【{ZH}】{zh}", f"[{EN}] {en}"
        return Question(question_id, incident.incident_id, kind, name, zh, en, rules.OPEN, picture.now)

    @staticmethod
    async def _tell(tx: Tx, fact: facts_pb2.QuestionAsked | facts_pb2.QuestionAnswered, question: Question) -> None:
        await tx.publish(fact, key=question.incident_id)


def _titled(kind: str, zh: str, en: str) -> tuple[str, str]:
    """The question in words."""
    return {
        rules.FACT: (zh, en),
        rules.CONTRADICTION: (f"来源说法不一：{zh}", f"Sources disagree: {en}"),
        rules.ANCHOR: (f"起算时点：{zh}", f"The instant the law counts from: {en}"),
        rules.DISPUTE: (f"起算时点有争议：{zh}", f"The instant is disputed: {en}"),
        rules.TRIAGE: (f"没有规则适用：{zh}", f"No pack finds a duty: {en}"),
    }[kind]
