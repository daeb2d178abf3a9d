"""The printable file of an incident: every act in order, and for each its proof in the log of compliance acts."""

import asyncio
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from candor.escalation.v1 import act_pb2 as act
from candor.escalation.v1 import service_pb2 as escalation
from candor.generation.v1 import service_pb2 as generation
from candor_kit.errors import Refusal, Unavailable
from google.protobuf import json_format
from starlette.responses import Response

from candor_console import proofs, rpcs
from candor_console.pages import incidents
from candor_console.pages.file_entries import Entry, entries
from candor_console.rendering import when
from candor_console.visit import Visit

# One part of a file: each act's proof is one question to the log.
PART = 250
AT_ONCE = 8
_ALWAYS = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
_NOT_YET = frozenset({"ACT_UNKNOWN", "NOT_INTEGRATED"})


@dataclass(frozen=True, slots=True)
class Proof:
    """What is known of an act's proof: `state` names a text; `evidence` is what the log answered."""

    state: str
    proven: proofs.Proven | None = None
    evidence: generation.GetActEvidenceResponse | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Acts of an incident, and from when to when what is recorded beside them belongs to this part."""

    acts: Sequence[act.IncidentAct]
    begin: datetime
    end: datetime
    next_page: str


async def show(visit: Visit) -> Response:
    """The file, or its part."""
    found, notes, part = await asyncio.gather(
        visit.call(rpcs.GET_INCIDENT, escalation.GetIncidentRequest(incident_id=_incident(visit))),
        visit.call(rpcs.LIST_NOTES, act.ListNotesRequest(incident_id=_incident(visit))),
        _part(visit),
    )
    may_prove = visit.may(rpcs.GET_ACT_EVIDENCE)
    proven = await prove(visit, part.acts) if may_prove else {}
    zone = _zone(visit)
    return visit.render(
        "file.html",
        found=found,
        duties=incidents.duties_of(found),
        entries=_within(part, entries(notes.notes, found.facts, part.acts)),
        proofs=proven,
        may_prove=may_prove,
        proved=sum(proof.state == "proved" for proof in proven.values()),
        acts=len(part.acts),
        part=visit.request.query_params.get("page", ""),
        next_page=part.next_page,
        zone=str(zone),
        local=lambda at: local(at, zone),
    )


async def bundle(visit: Visit) -> Response:
    """The proof files as one archive: each is what `candor verify` takes."""
    found, part = await asyncio.gather(
        visit.call(rpcs.GET_INCIDENT, escalation.GetIncidentRequest(incident_id=_incident(visit))), _part(visit)
    )
    proven = await prove(visit, part.acts)
    name = f"incident-{found.incident.incident_id}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(packed(visit, found, part.acts, proven), media_type="application/zip", headers=headers)


async def prove(visit: Visit, acts: Sequence[act.IncidentAct]) -> dict[str, Proof]:
    """The proofs of acts by their fact ids. The log records each question as a view."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one(item: act.IncidentAct) -> Proof:
        question = generation.GetActEvidenceRequest(fact_id=item.fact_id, source=proofs.SOURCE)
        async with places:
            try:
                answer = await visit.call(rpcs.GET_ACT_EVIDENCE, question)
                return Proof("proved", proofs.check(item.fact_id, item.type, answer), answer)
            except proofs.ProofWrong:
                return Proof("wrong")
            except Unavailable:
                return Proof("away")
            except Refusal as error:
                return Proof("not_yet" if error.reason in _NOT_YET else "away")

    found = await asyncio.gather(*(one(item) for item in acts))
    return {item.fact_id: proof for item, proof in zip(acts, found, strict=True)}


def packed(
    visit: Visit,
    found: escalation.GetIncidentResponse,
    acts: Sequence[act.IncidentAct],
    proven: Mapping[str, Proof],
) -> bytes:
    """A ZIP archive: a file for each act that is proved, the record they belong to, and how to check them."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:

        def put(name: str, text: str) -> None:
            entry = zipfile.ZipInfo(name, date_time=visit.now.timetuple()[:6])
            archive.writestr(entry, text.encode(), zipfile.ZIP_DEFLATED)

        put("README.txt", visit.text("file.readme", acts=len(acts), log=visit.console.log_url))
        put("incident.json", json_format.MessageToJson(found))
        put("acts.json", json_format.MessageToJson(act.ListActsResponse(acts=acts)))
        for number, item in enumerate(acts, 1):
            evidence = proven[item.fact_id].evidence
            if evidence is not None:
                kind = item.type.rpartition(".")[2]
                put(f"proofs/{number:04}-{kind}-{item.fact_id}.json", json_format.MessageToJson(evidence))
    return body.getvalue()


def local(at: datetime, zone: tzinfo) -> str:
    """An instant to the second in UTC and in a zone: `2026-11-22 13:30:05 UTC · 2026-11-22 21:30:05 +0800`."""
    there = at.astimezone(zone)
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC · {there:%Y-%m-%d %H:%M:%S %z}"


async def _part(visit: Visit) -> Part:
    incident_id, page = _incident(visit), visit.request.query_params.get("page", "")
    question = act.ListActsRequest(incident_id=incident_id, page_size=PART, page_token=page)
    answer = await visit.call(rpcs.LIST_ACTS, question)
    begin, end = _ALWAYS
    if page and answer.acts:
        begin = when(answer.acts[0].recorded_at)
    if answer.next_page_token:
        question = act.ListActsRequest(incident_id=incident_id, page_size=1, page_token=answer.next_page_token)
        following = await visit.call(rpcs.LIST_ACTS, question)
        end = when(following.acts[0].recorded_at) if following.acts else end
    return Part(answer.acts, begin, end, answer.next_page_token)


def _within(part: Part, found: Sequence[Entry]) -> list[Entry]:
    return [entry for entry in found if entry.kind == "act" or part.begin <= entry.at < part.end]


def _incident(visit: Visit) -> str:
    return str(visit.request.path_params["incident_id"])


def _zone(visit: Visit) -> tzinfo:
    """The zone that is asked for (`?zone=Europe/Berlin`), else the deployment's."""
    wish = visit.request.query_params.get("zone", "")
    try:
        return ZoneInfo(wish) if wish else visit.console.zone
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder of zones is no zone
        return visit.console.zone
