"""What on-call does next about a clock: a table of steps, the first one that waits for somebody is next.

To add a step, add a line to `STEPS` in its place, a template `step_NAME.html` with its form, and the texts `step.NAME`
and `step.NAME.why`.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from candor.escalation.v1 import model_pb2 as model
from candor.escalation.v1 import service_pb2 as escalation
from google.protobuf.timestamp_pb2 import Timestamp

from candor_console import rpcs
from candor_console.calls import Rpc

_GAP = re.compile(r"【待补：(.+?)】|\[missing: (.+?)\]")


@dataclass(frozen=True, slots=True)
class Matter:
    """A clock with what belongs to it: its incident, its pages, the drafts of the latest revision, what was sent."""

    clock: model.Clock
    incident: model.Incident
    pages: Sequence[model.Page]
    drafts: Sequence[model.Draft]
    submissions: Sequence[model.Submission]

    @property
    def revision(self) -> int:
        """The latest revision; 0 while there is no draft."""
        return self.drafts[0].revision if self.drafts else 0

    @property
    def approved(self) -> bool:
        """Whether another person has approved the latest revision."""
        return bool(self.drafts) and bool(self.drafts[0].approved_by)

    @property
    def missing(self) -> Sequence[str]:
        """The facts that the report still wants, of all languages, in the order of the form."""
        return list(dict.fromkeys(name for draft in self.drafts for name in draft.missing))

    def label(self, name: str, language: str) -> str:
        """What a missing fact is called in the report, by the gaps of its text; its name where that is unclear."""
        for draft in sorted(self.drafts, key=lambda draft: draft.locale != language):
            gaps = list(dict.fromkeys(str(zh or en) for zh, en in _GAP.findall(draft.text)))
            if name in draft.missing and len(gaps) == len(draft.missing):
                return gaps[list(draft.missing).index(name)]
        return name

    @property
    def doubts(self) -> Sequence[str]:
        """The facts that are not known, for want of which the clock runs on the shortest assumption."""
        return list(self.clock.unknown)

    @property
    def unanswered(self) -> model.Page | None:
        """The latest page that went out and that nobody has acknowledged, nor a later one."""
        sent = [page for page in self.pages if page.HasField("sent_at")]
        waiting = [page for page in sent if not page.HasField("acknowledged_at")]
        answered = max((_nanos(page.acknowledged_at) for page in sent if page.HasField("acknowledged_at")), default=-1)
        return waiting[-1] if waiting and _nanos(waiting[-1].sent_at) > answered else None

    @property
    def unconfirmed(self) -> model.Submission | None:
        """The latest submission that has no receipt."""
        open_ones = [submission for submission in self.submissions if not submission.HasField("receipt")]
        return open_ones[-1] if open_ones else None


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a clock's way. `rpc` says who may take it; `waits`, whether the clock is at it."""

    name: str
    rpc: Rpc[Any, Any]
    waits: Callable[[Matter], bool]


STEPS: Sequence[Step] = (
    Step("acknowledge", rpcs.ACKNOWLEDGE_PAGE, lambda matter: matter.unanswered is not None),
    Step("receipt", rpcs.RECORD_RECEIPT, lambda matter: matter.unconfirmed is not None),
    Step("draft", rpcs.DRAFT_REPORT, lambda matter: not matter.drafts),
    Step("complete", rpcs.RECORD_FACTS, lambda matter: bool(matter.missing)),
    Step("approve", rpcs.APPROVE_REPORT, lambda matter: bool(matter.drafts) and not matter.approved),
    Step("submit", rpcs.RECORD_SUBMISSION, lambda matter: bool(matter.drafts)),
)


def next_step(matter: Matter) -> Step | None:
    """The one thing to do now; None for a clock that does not run."""
    if matter.clock.state != model.CLOCK_STATE_RUNNING:
        return None
    return next((step for step in STEPS if step.waits(matter)), None)


def matter_of(clock: model.Clock, found: escalation.GetIncidentResponse) -> Matter:
    """A clock with what its incident holds of it."""
    drafts = [draft for draft in found.drafts if draft.clock_id == clock.clock_id]
    revision = max((draft.revision for draft in drafts), default=0)
    return Matter(
        clock=clock,
        incident=found.incident,
        pages=[page for page in found.pages if page.clock_id == clock.clock_id],
        drafts=sorted((draft for draft in drafts if draft.revision == revision), key=lambda draft: draft.locale),
        submissions=[submission for submission in found.submissions if submission.clock_id == clock.clock_id],
    )


def _nanos(stamp: Timestamp) -> int:
    return stamp.ToNanoseconds()
