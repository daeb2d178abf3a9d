"""A person at the console of the deployment, and what the services hold for the person to see."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from candor.escalation.v1 import service_pb2 as escalation
from candor.escalation.v1 import service_pb2_grpc as escalation_grpc
from candor.generation.v1 import model_pb2 as generation_model
from candor.generation.v1 import service_pb2 as generation
from candor.generation.v1 import service_pb2_grpc as generation_grpc
from candor.rights.v1 import model_pb2 as rights_model
from candor.rights.v1 import service_pb2 as rights
from candor.rights.v1 import service_pb2_grpc as rights_grpc
from candor_cli.demo.traffic import GenerationInput, record
from candor_cli.session import command_id
from candor_stack import services
from deployment import Deployment
from google.protobuf.struct_pb2 import Value
from google.protobuf.timestamp_pb2 import Timestamp
from playwright.async_api import Browser, ConsoleMessage, Page, Response


@dataclass
class Desk:
    """Opens pages in a real browser. `complaints` is what the browser said against a page: errors, broken policy."""

    deployment: Deployment
    browser: Browser
    complaints: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.deployment.http("console")

    def password(self, user: str) -> str:
        file = services.data_folder(services.CONSOLE, self.deployment.runner.folder) / "users.txt"
        return dict(line.split() for line in file.read_text().splitlines())[user]

    async def page(self, **options: Any) -> Page:
        """A page of a browser of its own: nobody is signed in."""
        context = await self.browser.new_context(base_url=self.url, locale="en-GB", **options)
        page = await context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    async def signed_in(self, user: str, **options: Any) -> Page:
        """A page where a local user has signed in through the form."""
        page = await self.page(**options)
        await page.goto("/sign-in")
        await self.fill(page, user, self.password(user))
        await page.wait_for_selector(".person")
        return page

    async def fill(self, page: Page, user: str, password: str) -> Response | None:
        """Fill in the sign-in form and send it."""
        await page.fill("#name", user)
        await page.fill("#password", password)
        async with page.expect_navigation() as navigation:
            await page.click("main button")
        return await navigation.value

    def _hear(self, message: ConsoleMessage) -> None:
        # That a page was refused is what some tests are about; the browser says so as an error.
        if message.type == "error" and "the server responded with a status of" not in message.text:
            self.complaints.append(message.text)

    async def open_request(self, subject: str) -> rights.OpenRequestResponse:
        """A deletion request of a person's, received a moment ago."""
        stub = rights_grpc.RightsServiceStub(self.deployment.channel("rights", "backend"))
        return await stub.OpenRequest(
            rights.OpenRequestRequest(
                command_id=command_id(),
                subject=subject,
                right=rights_model.RIGHT_DELETION,
                regime=rights_model.REGIME_GDPR,
                received_at=ago(minutes=1),
                contact=f"{subject}@example.com",
            )
        )

    async def report_leak(self, title: str) -> escalation.ReportSignalResponse:
        """A leak of personal information that was noticed five minutes ago."""
        stub = escalation_grpc.EscalationServiceStub(self.deployment.channel("escalation", "on_call"))
        noticed = ago(minutes=5)
        anchors = [
            escalation.ReportedAnchor(name=name, at=noticed, evidence="test") for name in ("aware", "discovered")
        ]
        return await stub.ReportSignal(
            escalation.ReportSignalRequest(
                command_id=command_id(),
                kind="pi_leak",
                title=title,
                correlation_key=str(uuid4()),
                facts={"persons_affected": Value(number_value=1_200_000)},
                anchors=anchors,
                source="on-call",
            )
        )

    async def flag(self, feature_id: str, term: str, subject: str) -> str:
        """A record that screening flags for a term, which two persons have put into the library; its generation id."""
        proposer, officer = (
            generation_grpc.GenerationServiceStub(self.deployment.channel("generation", "operator", name=name))
            for name in ("proposer", "admitter")
        )
        named: dict[str, Any] = {"feature_id": feature_id, "reason": "test"}
        await proposer.ProposeFeature(
            generation.ProposeFeatureRequest(
                command_id=command_id(),
                kind=generation_model.FEATURE_KIND_TERM,
                value=term,
                category="test",
                decision=generation_model.DECISION_REVIEW,
                citation="Deep Synthesis 10",
                source="test",
                **named,
            )
        )
        await officer.ReviewFeature(
            generation.ReviewFeatureRequest(command_id=command_id(), approved=True, standard="standard 1", **named)
        )
        await officer.AdmitFeature(
            generation.AdmitFeatureRequest(command_id=command_id(), mode=generation_model.FEATURE_MODE_ACTIVE, **named)
        )
        said = GenerationInput("m", "en", "What did they say?", f"They said {term}.")
        made = record(subject, said, datetime.now(UTC))
        backend = generation_grpc.GenerationServiceStub(self.deployment.channel("generation", "backend"))
        answer = await backend.Record(made)
        assert answer.verdict.decision == generation_model.DECISION_REVIEW
        return made.command_id


def ago(**length: float) -> Timestamp:
    """An instant so long ago."""
    stamp = Timestamp()
    stamp.FromDatetime(datetime.now(UTC) - timedelta(**length))
    return stamp
