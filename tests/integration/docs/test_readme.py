"""What the documents say is run: every example of the README against real services, every name that can go stale."""

from __future__ import annotations

import asyncio
import json
import os
import pkgutil
import queue
import re
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import httpx
import pytest
from candor.escalation.v1 import facts_pb2 as escalation_facts
from candor.escalation.v1 import model_pb2 as escalation_model
from candor.escalation.v1 import service_pb2 as escalation_pb2
from candor.escalation.v1 import service_pb2_grpc as escalation_grpc
from candor.generation.v1 import facts_pb2 as generation_facts
from candor.rights.v1 import facts_pb2 as rights_facts
from candor_cli.session import command_id
from candor_escalation import message, oncall
from candor_escalation.domain.clock import RUNNING, Clock
from candor_escalation.domain.incident import OPEN, Anchor, Incident
from candor_escalation.domain.paging import QUEUED, Page
from candor_escalation.domain.roster import Contact
from candor_escalation.handlers.pages import Outgoing
from candor_generation.domain.policy import parse_policy
from candor_generation.otlp.identity import generation_id as otlp_id
from candor_generation.settings import Settings
from candor_generation.witness import check_witnesses
from deployment import Deployment

ROOT = Path(__file__).resolve().parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LABELS = (ROOT / "docs" / "labels.md").read_text(encoding="utf-8")
PAGES = [
    ROOT / "README.md",
    ROOT / "ARCHITECTURE.md",
    *sorted(page for page in (ROOT / "docs").rglob("*.md") if page.name != "controls.md"),
]
FENCE = re.compile(r"(?:<!-- example: (\w+) -->\n)?^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
EXAMPLES = {name: code for name, _language, code in FENCE.findall(README) if name}
LABEL_EXAMPLES = {name: code for name, _language, code in FENCE.findall(LABELS) if name}
INSTRUMENTED = """
import uuid
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter()))
with provider.get_tracer("an instrumentation").start_as_current_span("chat acme-7b") as span:
    span.set_attributes({
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "acme", "gen_ai.request.model": "acme-7b",
        "user.id": f"account-{uuid.uuid4()}",
        "gen_ai.input.messages": '[{"role": "user", "parts": [{"type": "text", "content": "Why is the sky blue?"}]}]',
        "gen_ai.output.messages": '[{"role": "assistant", "parts": [{"type": "text", "content": "It scatters."}]}]',
    })
    print(span.get_span_context().trace_id, span.get_span_context().span_id, span.start_time)
provider.shutdown()
"""
HOLDERS = {"consent", "escalation", "generation", "refutation"}
PATIENCE = 60


@dataclass
class Reader:
    """Somebody who copies an example out of the README and runs it in a folder of their own."""

    deployment: Deployment
    folder: Path

    async def run(self, example: str, *roles: str, **environment: str) -> str:
        """Run a Python example with what the README says to export; return what it printed."""
        (self.folder / "ids.py").write_text(EXAMPLES["ids"], encoding="utf-8")
        script = self.folder / f"example_{example}.py"
        script.write_text(EXAMPLES[example], encoding="utf-8")
        exported = {"KAFKA_BOOTSTRAP_SERVERS": self.deployment.kafka, **self._addresses()}
        if roles:
            exported["CANDOR_TOKEN"] = self.deployment.token(*roles, name="reader")
        return await self._spawn([sys.executable, str(script)], exported | environment)

    async def shell(self, line: str, **environment: str) -> str:
        """Run one line of a shell example, with `candor` on the path."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return await self._spawn(["sh", "-c", line], {"PATH": path, **environment})

    async def recorded(self, generation_id: str) -> generation_facts.GenerationRecorded:
        """Wait for the fact that a generation has its place in the log."""
        kind = generation_facts.GenerationRecorded
        facts = await self.deployment.facts(
            "generation", kind, lambda fact: fact.generation_id == generation_id, timeout=PATIENCE
        )
        return facts[0]

    def _addresses(self) -> dict[str, str]:
        services = self.deployment.description.services
        return {f"CANDOR_{name.upper()}_ADDRESS": address.grpc for name, address in services.items()}

    async def _spawn(self, argv: list[str], environment: dict[str, str]) -> str:
        process = await asyncio.create_subprocess_exec(
            *argv,
            cwd=self.folder,
            env={**os.environ, **environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(PATIENCE):
            said, complaints = await process.communicate()
        assert process.returncode == 0, said.decode() + complaints.decode()
        return said.decode().strip()


class Pager:
    """A channel that takes pages, as the README's contacts have one."""

    def __init__(self) -> None:
        self._taken: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        taken = self._taken

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                taken.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_arguments: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def about(self, incident_id: str) -> dict[str, Any]:
        """The first page about an incident; raises queue.Empty when none comes."""
        while (page := self._taken.get(timeout=PATIENCE))["incident_id"] != incident_id:
            pass
        return page


@pytest.fixture
async def reader(deployment: Deployment, tmp_path: Path) -> Reader:
    return Reader(deployment, tmp_path)


@pytest.fixture
def pager() -> Iterator[Pager]:
    pager = Pager()
    thread = threading.Thread(target=pager.server.serve_forever)
    thread.start()
    yield pager
    pager.server.shutdown()
    thread.join()
    pager.server.server_close()


@pytest.fixture
async def paged(deployment: Deployment, pager: Pager, tmp_path: Path) -> AsyncIterator[Pager]:
    """The escalation service with the README's on-call chain, whose channel is ours."""
    (chain,) = (code for _name, language, code in FENCE.findall(README) if language == "yaml")
    address = f"http://127.0.0.1:{pager.server.server_port}"
    file = tmp_path / "oncall.yaml"
    file.write_text(chain.replace("https://pager.example.com", address), encoding="utf-8")
    assert [contact.name for contact in oncall.load(file).roster.contacts] == ["chen", "mueller"]
    (profile,) = re.findall(r'`(\{"jurisdictions".*?\})`', README)
    environment = {"CANDOR_ONCALL_FILE": str(file), "CANDOR_PROFILE": profile}
    await asyncio.to_thread(deployment.runner.restart_service, "escalation", environment)
    yield pager
    await asyncio.to_thread(deployment.runner.restart_service, "escalation")


def test_every_python_example_has_a_name_and_a_test() -> None:
    named = [name for name, language, _code in FENCE.findall(README) if language == "python"]
    assert named == ["ids", "kafka", "grpc", "portal", "oncall", "evidence"]


async def test_a_backend_emits_json_by_kafka_and_it_is_recorded(reader: Reader) -> None:
    fact = await reader.recorded(await reader.run("kafka"))
    assert (fact.provider, fact.model, fact.locale) == ("acme", "acme-7b", "en")


async def test_a_backend_calls_grpc_and_gets_label_and_verdict(reader: Reader) -> None:
    said = await reader.run("grpc", "backend")
    parts = re.fullmatch(r"(\S+) (.*) (\w+)", said)
    assert parts is not None, said
    generation_id, label, decision = parts.groups()
    given = json.loads(label)["AIGC"]
    assert given["ProduceID"] == generation_id
    assert decision == "DECISION_ALLOW"
    # A label is signed where it is given out; the fact tells it without.
    told = json.loads((await reader.recorded(generation_id)).label.json)["AIGC"]
    assert given["ReservedCode1"]
    assert told == given | {"ReservedCode1": ""}


async def test_a_portal_opens_a_request_and_every_holder_is_asked_and_proves(reader: Reader) -> None:
    request_id, due, *citation, tasks = (await reader.run("portal", "backend")).split()
    assert datetime.fromisoformat(due) > datetime.now(UTC)
    assert citation
    assert int(tasks) >= len(HOLDERS)
    kind = rights_facts.TaskAnswered
    answers = await reader.deployment.facts(
        "rights", kind, lambda fact: fact.request_id == request_id, count=len(HOLDERS), timeout=PATIENCE
    )
    assert {answer.holder_id for answer in answers} >= HOLDERS


async def test_on_call_acknowledges_reports_and_the_receipt_stops_the_clock(reader: Reader, paged: Pager) -> None:
    reported = await _leak(reader.deployment)
    page = await asyncio.to_thread(paged.about, reported.incident_id)
    (reader.folder / "page.json").write_text(json.dumps(page), encoding="utf-8")
    said = await reader.run("oncall", "on_call")
    assert "still missing:" in said
    assert said.endswith("CLOCK_STATE_RECEIPTED")
    stopped = await reader.deployment.facts(
        "escalation", escalation_facts.ClockStopped, lambda fact: fact.clock_id == page["clock_id"], timeout=PATIENCE
    )
    assert stopped[0].state == escalation_model.CLOCK_STATE_RECEIPTED


def test_a_page_is_what_the_readme_shows() -> None:
    shown = json.loads(EXAMPLES["page"])
    base, _, _token = shown["ack_url"].rpartition("/ack/")
    assert base
    assert message.body(_outgoing(shown), shown["ack_url"]) == shown


async def test_an_instrumented_backend_changes_its_endpoint_and_is_recorded(reader: Reader) -> None:
    (reader.folder / "instrumented.py").write_text(INSTRUMENTED, encoding="utf-8")
    address = reader.deployment.description.services["generation"].grpc
    said = await reader.shell(
        f"{EXAMPLES['otlp']}\n{sys.executable} instrumented.py",
        CANDOR_GENERATION_ADDRESS=address,
        CANDOR_TOKEN=reader.deployment.token("backend", name="reader"),
    )
    trace_id, span_id, started = map(int, said.split())
    fact = await reader.recorded(otlp_id(started, trace_id.to_bytes(16) + span_id.to_bytes(8)))
    assert (fact.provider, fact.model) == ("acme", "acme-7b")


async def test_an_auditor_verifies_a_record_and_the_whole_log(reader: Reader) -> None:
    generation_id = await reader.run("kafka")
    await reader.recorded(generation_id)
    await reader.run("evidence", "auditor", GENERATION_ID=generation_id)
    origin = json.loads((reader.folder / "evidence.json").read_text(encoding="utf-8"))["origin"]
    candor = reader.deployment.http("generation")
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        listed = (await http.get(f"{candor}/log")).raise_for_status().json()["logs"]
        (described,) = (item for item in listed if item["origin"] == origin)
        log = f"{candor}/{described['path']}"
        vkey = (await http.get(f"{log}/vkey")).raise_for_status().text
    assert vkey.strip() == described["vkey"]
    assert {item["kind"] for item in listed} == {"generation", "acts"}
    (reader.folder / "log.vkey").write_text(vkey, encoding="utf-8")
    for line in EXAMPLES["verify"].splitlines():
        said = await reader.shell(line, LOG=log)
        assert said.startswith("ok "), line
        assert "FAILED" not in said


async def test_a_file_is_labelled_found_and_read(reader: Reader) -> None:
    said = await reader.run("grpc", "backend")
    generation_id, rest = said.split(" ", 1)
    (reader.folder / "label.json").write_text(rest.rsplit(" ", 1)[0], encoding="utf-8")
    (reader.folder / "sky.md").write_text("# The sky\n", encoding="utf-8")
    await reader.shell(LABEL_EXAMPLES["write"])
    found = await reader.shell(LABEL_EXAMPLES["read"], CANDOR=reader.deployment.http("generation"))
    assert found.endswith(f"signature: holds\nlog: candor.local/log\ngeneration id: {generation_id}")
    assert "artificial intelligence (AI)" in (reader.folder / "labelled.md").read_text(encoding="utf-8")


def test_the_witnesses_shown_are_a_policy() -> None:
    found = parse_policy(EXAMPLES["witnesses"].encode())
    check_witnesses(found)
    assert len(found.witnesses) == 2


def test_every_setting_that_is_named_exists() -> None:
    named = set(re.findall(r"`CANDOR_([A-Z_]+)`", README[README.index("| setting of the generation service") :]))
    named |= set(re.findall(r"`CANDOR_([A-Z_]+)`", LABELS)) - {"CANDOR"}
    assert named
    assert {name.lower() for name in named} <= set(Settings.model_fields)


def test_every_command_and_target_that_is_named_exists() -> None:
    shells = "\n".join(code for _name, language, code in FENCE.findall(README + LABELS) if language == "sh")
    commands = set(re.findall(r"\bcandor ([a-z]+)", shells))
    assert commands
    assert commands <= {command.name for command in entry_points(group="candor.commands")}
    targets = set(re.findall(r"^make ([a-z-]+)", shells, re.MULTILINE)) | set(re.findall(r"`make ([a-z-]+)", README))
    assert targets
    assert targets <= set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_and_name_of_the_code_that_a_page_mentions_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text) if "://" not in link]
    files = re.findall(r"`((?:libs|services|protos|packs|docs|tests)/[\w./-]*)`", text)
    missing = [link for link in links if not (page.parent / link).exists()]
    missing += [file for file in files if not (ROOT / file).exists()]
    missing += [name for name in re.findall(r"`(candor_[a-z]+\.[\w.]+)`", text) if not _is_there(name)]
    assert not missing


def _is_there(name: str) -> bool:
    """Whether a dotted name is a module, or something in one."""
    try:
        pkgutil.resolve_name(name)
    except (ImportError, AttributeError):
        return False
    return True


async def _leak(deployment: Deployment) -> escalation_pb2.ReportSignalResponse:
    stub = escalation_grpc.EscalationServiceStub(deployment.channel("escalation", "backend"))
    request = escalation_pb2.ReportSignalRequest(
        command_id=command_id(), kind="pi_leak", title="A backup bucket was readable from outside", source="reader"
    )
    request.anchors.add(name="aware", evidence="an alert").at.GetCurrentTime()
    answer: escalation_pb2.ReportSignalResponse = await stub.ReportSignal(request)
    return answer


def _outgoing(shown: dict[str, Any]) -> Outgoing:
    """The page that the README shows, as the service has it before it is sent."""
    due = datetime.fromisoformat(shown["strict_due"])
    aware = due - timedelta(hours=72)
    pack, _, obligation = shown["duty"].partition("/")
    incident = Incident(shown["incident_id"], shown["kind"], shown["title"], "", OPEN, aware, 1)
    clock = Clock(
        clock_id=shown["clock_id"],
        incident_id=shown["incident_id"],
        pack_id=pack,
        pack_version="1",
        obligation_id=obligation,
        citation=shown["citation"],
        recipient=shown["recipient"],
        anchor_key="aware",
        missing=(),
        legal_number=shown["legal_number"],
        anchor=Anchor("aware", aware, ""),
        strict_due=due,
        legal_latest=datetime.fromisoformat(shown["legal_latest"]),
        provisional=False,
        state=RUNNING,
        revision=1,
        started_at=aware,
    )
    page = Page(
        shown["page_id"],
        shown["incident_id"],
        shown["clock_id"],
        shown["cause"],
        shown["contact"],
        shown["level"],
        shown["round"],
        QUEUED,
    )
    return Outgoing(page, incident, clock, Contact(shown["contact"], ("webhook",), timedelta(minutes=5)))
