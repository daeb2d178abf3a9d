"""Sign-in at an identity provider (a stand-in, over HTTP), and calls over gRPC with the person's own token."""

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import grpc
import httpx
import oidc_provider_mock
import pytest
from candor.rights.v1 import service_pb2 as rights
from candor_console import app, main, rpcs
from candor_console.calls import GrpcCalls
from candor_console.console import Console
from candor_console.settings import Settings
from cryptography.fernet import Fernet

CONSOLE = "https://console.example"


@dataclass
class Rights:
    """Answers ListRequests and remembers the tokens that came."""

    tokens: list[str] = field(default_factory=list)

    def handler(self) -> grpc.GenericRpcHandler:
        method = grpc.unary_unary_rpc_method_handler(
            self._list_requests,
            request_deserializer=rights.ListRequestsRequest.FromString,
            response_serializer=rights.ListRequestsResponse.SerializeToString,
        )
        return grpc.method_handlers_generic_handler("candor.rights.v1.RightsService", {"ListRequests": method})

    async def _list_requests(self, _request: rights.ListRequestsRequest, context: Any) -> rights.ListRequestsResponse:
        metadata = dict(context.invocation_metadata())
        self.tokens.append(metadata["authorization"].removeprefix("Bearer "))
        return rights.ListRequestsResponse()


@dataclass
class Site:
    """A browser on a console that trusts one provider."""

    browser: httpx.AsyncClient
    provider: httpx.AsyncClient
    rights: Rights
    console: Console

    def access_token(self) -> str:
        """What the session holds."""
        sealed = self.console.cookies.read(dict(self.browser.cookies))
        session = self.console.seal.open(sealed, self.console.clock.now())
        assert session is not None
        assert session.tokens is not None
        return session.tokens.access

    async def begin(self, target: str = "/requests") -> str:
        """Go to a page without a session; the provider's address that the console sends to."""
        answer = await self.browser.get(target)
        answer = await self.browser.get(answer.headers["location"])
        link = re.search(r'href="(/sign-in/begin[^"]*)"', answer.text)
        assert link is not None
        answer = await self.browser.get(link.group(1))
        return answer.headers["location"]

    async def agree(self, address: str, sub: str = "wang") -> str:
        """Sign in at the provider; the address it sends back to."""
        answer = await self.provider.post(address, data={"sub": sub})
        return answer.headers["location"]


def settings(folder: Path, issuer: str, rights_address: str) -> Settings:
    key = folder / "session.key"
    key.write_text(Fernet.generate_key().decode())
    values: dict[str, object] = {
        "kafka_bootstrap_servers": "127.0.0.1:1",
        "jwks_file": folder / "jwks.json",
        "rights_address": rights_address,
        "console_url": CONSOLE,
        "session_key_file": key,
        "oidc_issuer": issuer,
        "oidc_client_id": "console",
        "oidc_client_secret": "secret",
    }
    return Settings(**values)  # type: ignore[arg-type]


@pytest.fixture(params=[timedelta(hours=1)])
def provider_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A provider; its tokens last as long as the test asks for."""
    users = [
        oidc_provider_mock.User(sub="wang", claims={"roles": ["privacy_officer"]}),
        oidc_provider_mock.User(sub="li", claims={"roles": "privacy_officer"}),  # not a list
    ]
    with oidc_provider_mock.run_server_in_thread(
        require_nonce=True, access_token_max_age=request.param, user_claims=users
    ) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
async def site(provider_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    servicer = Rights()
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((servicer.handler(),))
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    read = settings(tmp_path, provider_url, address)
    calls = GrpcCalls({service: getattr(read, f"{service}_address") for service in rpcs.SERVICES})
    async with httpx.AsyncClient() as client, httpx.AsyncClient() as provider:
        console = main.compose(read, calls, client)
        transport = httpx.ASGITransport(app.application(console))
        async with httpx.AsyncClient(transport=transport, base_url=CONSOLE) as browser:
            yield Site(browser, provider, servicer, console)
    await calls.close()
    await server.stop(None)


async def test_who_signs_in_at_the_provider_is_known_with_name_and_roles(site: Site) -> None:
    address = await site.begin("/requests?all=1")
    asked = parse_qs(urlsplit(address).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["code_challenge"][0]) == 43  # SHA-256, base64url (RFC 7636, 4.2)
    assert asked["redirect_uri"] == [f"{CONSOLE}/sign-in/return"]
    answer = await site.browser.get(await site.agree(address))
    assert answer.headers["location"] == "/requests?all=1"
    page = await site.browser.get("/requests")
    assert page.status_code == 200
    assert "wang" in page.text
    assert "privacy officer" in page.text


async def test_services_get_the_persons_own_access_token(site: Site, provider_url: str) -> None:
    await site.browser.get(await site.agree(await site.begin()))
    await site.browser.get("/requests")
    [token] = site.rights.tokens
    answer = await site.provider.get(f"{provider_url}/userinfo", headers={"Authorization": f"Bearer {token}"})
    assert answer.json()["sub"] == "wang"


async def test_an_answer_to_a_flow_that_was_not_begun_here_is_refused(site: Site) -> None:
    foreign = await site.agree(await site.begin())
    site.browser.cookies.clear()
    assert (await site.browser.get(foreign)).status_code == 403
    await site.begin()
    assert (await site.browser.get(foreign)).status_code == 403  # another state
    assert (await site.browser.get("/")).status_code == 303


async def test_an_answer_counts_once(site: Site) -> None:
    back = await site.agree(await site.begin())
    assert (await site.browser.get(back)).status_code == 303
    assert (await site.browser.get(back)).status_code == 403


async def test_an_answer_needs_the_state_that_was_sent(site: Site) -> None:
    back = await site.agree(await site.begin())
    state = parse_qs(urlsplit(back).query)["state"][0]
    changed = back.replace(state, state[::-1])
    assert changed != back
    assert (await site.browser.get(changed)).status_code == 403
    assert (await site.browser.get("/")).status_code == 303


async def test_a_flow_is_used_up_by_its_first_answer(site: Site) -> None:
    back = await site.agree(await site.begin())
    state = parse_qs(urlsplit(back).query)["state"][0]
    assert (await site.browser.get(f"/sign-in/return?code=guessed&state={state}")).status_code == 403
    assert (await site.browser.get(back)).status_code == 403


async def test_a_refusal_at_the_provider_is_told(site: Site) -> None:
    address = await site.begin()
    state = parse_qs(urlsplit(address).query)["state"][0]
    answer = await site.browser.get(f"/sign-in/return?error=access_denied&state={state}")
    assert answer.status_code == 403
    assert "Sign in again" in answer.text


async def test_a_code_that_the_provider_does_not_know_is_refused(site: Site) -> None:
    state = parse_qs(urlsplit(await site.begin()).query)["state"][0]
    assert (await site.browser.get(f"/sign-in/return?code=guessed&state={state}")).status_code == 403


@pytest.mark.parametrize("sub", ["li", "somebody"])
async def test_who_has_no_roles_sees_nothing_of_the_services(site: Site, sub: str) -> None:
    await site.browser.get(await site.agree(await site.begin(), sub))
    assert (await site.browser.get("/requests")).status_code == 403
    assert site.rights.tokens == []


@pytest.mark.parametrize("provider_url", [timedelta(seconds=5)], indirect=True)
async def test_a_token_that_is_about_to_end_is_renewed(site: Site) -> None:
    await site.browser.get(await site.agree(await site.begin()))
    before = site.access_token()
    await site.browser.get("/requests")
    assert site.rights.tokens == [site.access_token()]
    assert before not in site.rights.tokens


@pytest.mark.parametrize("provider_url", [timedelta(seconds=5)], indirect=True)
async def test_who_was_signed_out_at_the_provider_signs_in_again(site: Site, provider_url: str) -> None:
    await site.browser.get(await site.agree(await site.begin()))
    await site.provider.post(f"{provider_url}/users/wang/revoke-tokens")
    answer = await site.browser.get("/requests")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2Frequests")
    assert site.rights.tokens == []


@pytest.mark.parametrize("path", ["", "/elsewhere"])
async def test_a_provider_that_is_away_is_named(tmp_path: Path, provider_url: str, path: str) -> None:
    issuer = f"{provider_url}{path}" if path else "http://127.0.0.1:1"
    read = settings(tmp_path, issuer, "127.0.0.1:1")
    calls = GrpcCalls({})
    async with httpx.AsyncClient() as client:
        transport = httpx.ASGITransport(app.application(main.compose(read, calls, client)))
        async with httpx.AsyncClient(transport=transport, base_url=CONSOLE) as browser:
            answer = await browser.get("/sign-in/begin")
    assert answer.status_code == 503
    assert "identity provider is not answering" in answer.text
