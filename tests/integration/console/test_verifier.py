"""The verifier in a real Chromium: on the console, and as a saved file without any server."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from candor.generation.v1 import service_pb2 as generation
from candor.generation.v1 import service_pb2_grpc as generation_grpc
from candor.rights.v1.facts_pb2 import RequestOpened
from candor_generation.domain import act, merkle, note
from candor_generation.domain.generation import Payload
from candor_generation.domain.leaf import commit, commitment_key
from candor_generation.domain.note import Checkpoint
from candor_generation.domain.proof_file import ProofFile
from candor_generation.signing import Signer, signer_of
from google.protobuf import json_format
from playwright.async_api import Browser, Page, expect
from witness import Witness

from .desk import Desk

# transparency-dev/tessera v1.0.4, testdata/log.
GOLDEN = signer_of("PRIVATE+KEY+example.com/log/testdata+33d7b496+AeymY/SZAX0jZcJ8enZ5FY1Dz+wTML2yWSkK+9DSF3eg")
KEY = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
ENTRIES = b"one two three four five six seven eit nain ten ileven twelf threeten fourten fivten".split()
RECORD_KEY = bytes(range(32))
PAYLOAD = Payload("acct-7", "你好\nworld", "hello 🌍")
ALL = ["vkey", "policy", "file", "checkpoint", "witnesses", "inclusion", "opening"]


def proof(entries: list[bytes], index: int, signer: Signer = GOLDEN, cosigners: tuple[Witness, ...] = ()) -> ProofFile:
    leaves = [merkle.leaf_hash(entry) for entry in entries]
    text = Checkpoint(signer.vkey.name, len(leaves), merkle.tree_hash(leaves)).text
    signed = signer.sign(text) + "".join(item.line(text) for item in cosigners)
    spans = merkle.inclusion_spans(index, len(leaves))
    return ProofFile(index, tuple(merkle.tree_hash(leaves[start:end]) for start, end in spans), signed, entries[index])


def committing_entry(**fields: Any) -> bytes:
    commitments = commit(commitment_key(RECORD_KEY), PAYLOAD)
    told = {name: getattr(commitments, name).hex() for name in ("output", "prompt", "subject")}
    return json.dumps({"commitments": told, "id": "g-1", "v": 1, **fields}, sort_keys=True).encode()


def evidence(entry: bytes, opening: Payload | None) -> dict[str, Any]:
    made = proof([*ENTRIES, entry], len(ENTRIES))
    answer = generation.GetEvidenceResponse(
        origin=GOLDEN.vkey.name,
        log_index=made.index,
        entry=entry,
        inclusion_proof=made.hashes,
        checkpoint=made.checkpoint,
    )
    if opening is not None:
        answer.opening.commitment_key = commitment_key(RECORD_KEY)
        answer.opening.subject, answer.opening.prompt = opening.subject, opening.prompt
        answer.opening.output = opening.output
    found: dict[str, Any] = json.loads(json_format.MessageToJson(answer))
    return found


async def check(
    page: Page, text: str, key: str = KEY, policy: str = "", opening: Mapping[str, str] | None = None
) -> None:
    """Fill the fields in as a person does, and press the button."""
    await page.fill("#verify-proof", text)
    await page.fill("#verify-key", key)
    for name, value in {"policy": policy, "opening-key": "", "opening-output": "", **(opening or {})}.items():
        await page.evaluate(
            "([id, value]) => { document.getElementById(id).value = value; }", [f"verify-{name}", value]
        )
    await page.evaluate("document.getElementById('verify-result').replaceChildren()")
    await page.click("#verify-check")
    await expect(page.locator("#verify-result > *").first).to_be_visible()


async def failed(page: Page) -> str:
    """The check that does not hold; empty where everything does."""
    rows = await page.locator("#verify-result [data-check]").all()
    found = [(await row.get_attribute("data-check") or "", await row.get_attribute("data-holds")) for row in rows]
    assert all(holds == "true" for _, holds in found[:-1])
    name, holds = found[-1]
    assert holds == "false" or [check for check, _ in found] == ALL
    return "" if holds == "true" else name


@pytest.fixture
async def saved(desk: Desk, tmp_path: Path) -> Path:
    """The page as an auditor saves it by its link."""
    page = await desk.signed_in("auditor")
    await page.goto("/verifier")
    async with page.expect_download() as downloading:
        await page.get_by_role("link", name="Save this page as a file").click()
    download = await downloading.value
    assert download.suggested_filename == "candor-verifier.html"
    await download.save_as(tmp_path / "verifier.html")
    return tmp_path / "verifier.html"


@pytest.fixture
async def alone(browser: Browser, desk: Desk, saved: Path) -> Page:
    """The saved file in a browser without a network."""
    context = await browser.new_context(offline=True, locale="en-GB")
    page = await context.new_page()
    page.on("console", desk._hear)
    page.on("pageerror", lambda error: desk.complaints.append(str(error)))
    await page.goto(saved.as_uri())
    return page


@pytest.mark.clause("C2SP tlog-proof")
async def test_an_auditor_verifies_a_proof_and_nothing_is_sent(desk: Desk) -> None:
    page = await desk.signed_in("auditor")
    await page.get_by_role("link", name="Verifier").click()
    await expect(page.get_by_role("heading", name="Verify a proof")).to_be_visible()
    await page.wait_for_load_state("networkidle")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    for index in range(len(ENTRIES)):
        await check(page, proof(ENTRIES, index).text)
        assert await failed(page) == ""
    result = page.locator("#verify-result")
    await expect(result).to_contain_text("Everything holds.")
    await expect(result).to_contain_text("entry 14 is in the tree of 15")
    await expect(result).to_contain_text("aca6c38a90af86e5f5199ee0e4105ef2c03a05b27b8daff59e4e36eefdfcddcb")
    await expect(result).to_contain_text("example.com/log/testdata+33d7b496")
    assert sent == []


async def test_a_record_of_this_log_verifies_with_its_opening(desk: Desk, tmp_path: Path) -> None:
    from ..generation.backend import Backend  # noqa: TID252 - the same backend as the generation service's tests

    backend = Backend(desk.deployment, tmp_path)
    generation_id = await backend.record()
    await backend.recorded(generation_id)
    stub = generation_grpc.GenerationServiceStub(desk.deployment.channel("generation", "auditor"))
    answer = await stub.GetEvidence(generation.GetEvidenceRequest(generation_id=generation_id))
    page = await desk.signed_in("auditor")
    await page.goto("/verifier?lang=zh")
    await check(page, json_format.MessageToJson(answer), await backend.vkey())
    assert await failed(page) == ""
    await expect(page.locator("#verify-result")).to_contain_text("与日志条目的承诺一致")
    await expect(page.locator("#verify-result")).to_contain_text(generation_id)
    await page.goto("/verifier?lang=en")


async def test_an_act_of_this_log_verifies_with_the_fact_that_it_opens_to(desk: Desk, tmp_path: Path) -> None:
    from ..system.auditor import Auditor, logs  # noqa: TID252 - the auditor of the system's tests

    opened = await desk.open_request(f"acct-{uuid4()}")
    await desk.deployment.facts("rights", RequestOpened, lambda fact: fact.request_id == opened.request_id)
    fact = next(fact for fact in await desk.deployment.published("rights") if opened.request_id.encode() in fact.value)
    auditor = Auditor(desk.deployment, tmp_path)
    answer = await auditor.act(fact)
    (vkey,) = [log["vkey"] for log in logs(desk.deployment) if log["origin"] == answer.origin]
    page = await desk.signed_in("auditor")
    await page.goto("/verifier")
    await check(page, json_format.MessageToJson(answer), vkey)
    assert await failed(page) == ""
    result = page.locator("#verify-result")
    await expect(result).to_contain_text("candor.rights.v1.RequestOpened is what the entry commits to")
    await expect(result).to_contain_text(fact.fact_id)
    answer.fact += b"\x00"
    await check(page, json_format.MessageToJson(answer), vkey)
    assert await failed(page) == "opening"


async def test_the_page_is_the_auditors(desk: Desk) -> None:
    page = await desk.signed_in("oncall")
    await expect(page.get_by_role("link", name="Verifier")).to_have_count(0)
    for path in ("/verifier", "/verifier/page"):
        answer = await page.goto(path)
        assert answer is not None
        assert answer.status == 403


@pytest.mark.clause("C2SP tlog-proof")
async def test_the_saved_file_finds_what_is_wrong_without_any_server(alone: Page) -> None:
    good = proof(ENTRIES, 2)
    await check(alone, good.text)
    assert await failed(alone) == ""
    other = Signer(GOLDEN.vkey.name, bytes(32))
    cases: list[tuple[str, str, str]] = [
        (replace(good, extra=b"thref").text, KEY, "inclusion"),
        (replace(good, index=3).text, KEY, "inclusion"),
        (replace(good, index=99).text, KEY, "inclusion"),
        (replace(good, hashes=good.hashes[:-1]).text, KEY, "inclusion"),
        (replace(good, hashes=(*good.hashes, bytes(32))).text, KEY, "inclusion"),
        (replace(good, checkpoint=proof(ENTRIES[:9], 2).checkpoint).text, KEY, "inclusion"),
        (good.text.replace("\n15\n", "\n16\n"), KEY, "checkpoint"),
        (proof(ENTRIES, 2, other).text, KEY, "checkpoint"),
        (good.text, other.vkey.text, "checkpoint"),
        (good.text, KEY.replace("33d7b496", "33d7b497"), "vkey"),
        (good.text, "no key", "vkey"),
        (replace(good, extra=None).text, KEY, "file"),
        (good.text.replace("index 2", "index 02"), KEY, "file"),
        (good.text.replace("extra dGhyZWU=", "extra dGhyZWV="), KEY, "file"),
        (good.text.replace("@v1", "@v2"), KEY, "file"),
        ("{", KEY, "file"),
        ("null", KEY, "file"),
        ("[]", KEY, "checkpoint"),
    ]
    for text, key, step in cases:
        await check(alone, text, key)
        assert await failed(alone) == step, text
    # What is copied from a terminal has lost its last line feed, or has brought blanks along.
    await check(alone, f"\n {good.text.rstrip()}")
    assert await failed(alone) == ""


async def test_a_change_of_any_letter_is_found(alone: Page) -> None:
    good = proof(ENTRIES, 2).text
    chance = random.Random(6962)  # noqa: S311 - the same places each time
    places = chance.sample(range(1, len(good) - 1), 80)
    for at in places:
        letter = chance.choice([other for other in "A0+= \n—é1Zz" if other != good[at]])
        await check(alone, good[:at] + letter + good[at + 1 :])
        await expect(alone.locator("#verify-result")).to_contain_text("It does not hold.")


@pytest.mark.clause("C2SP tlog-policy", "C2SP tlog-cosignature")
async def test_who_cosigned_is_shown_and_the_quorum_is_asked_for(alone: Page, tmp_path: Path) -> None:
    one, two = (Witness(f"w{at}.example", bytes([at]) * 32, [], tmp_path / "state", clock=at * 10**9) for at in (1, 2))
    text = proof(ENTRIES, 2, cosigners=(one,)).text
    lines = f"witness one {one.vkey.text}\nwitness two {two.vkey.text} https://w\n"
    lines += "group both all one two\ngroup any 1 both\n"
    for quorum, step in (("one", ""), ("none", ""), ("two", "witnesses"), ("both", "witnesses"), ("any", "witnesses")):
        await check(alone, text, policy=f"# ours\n{lines}\nquorum {quorum}\n")
        assert await failed(alone) == step, quorum
    await check(alone, text, policy=one.vkey.text)
    assert await failed(alone) == ""
    await expect(alone.locator("#verify-result")).to_contain_text("at 2001-09-09T01:46:40Z")
    await check(alone, text)
    await expect(alone.locator("#verify-result")).to_contain_text("unknown key, ignored")
    forged = text.replace(text.splitlines()[-1], proof(ENTRIES[:9], 2, cosigners=(one,)).text.splitlines()[-1])
    await check(alone, forged, policy=one.vkey.text)
    assert await failed(alone) == "witnesses"
    for wrong in (
        lines,
        f"{lines}quorum three",
        f"{lines}group x 3 two\nquorum x",
        f"{lines}{lines}quorum one",
        "constructor",
    ):
        await check(alone, text, policy=wrong)
        assert await failed(alone) == "policy", wrong


@pytest.mark.clause("GDPR 17(1)", "PIPL 47")
async def test_the_opening_is_what_the_entry_commits_to(alone: Page) -> None:
    entry = committing_entry()
    await check(alone, json.dumps(evidence(entry, PAYLOAD)))
    assert await failed(alone) == ""
    await expect(alone.locator("#verify-result")).to_contain_text(
        "subject, prompt, output is what the entry commits to"
    )
    await check(alone, json.dumps(evidence(entry, replace(PAYLOAD, output="hello"))))
    assert await failed(alone) == "opening"
    await expect(alone.locator("#verify-result")).to_contain_text("output is not what the entry commits to")
    await check(alone, json.dumps(evidence(entry, None)))
    assert await failed(alone) == ""
    await expect(alone.locator("#verify-result")).to_contain_text("as for an erased record")
    # By hand, beside a proof file.
    made = proof([*ENTRIES, entry], len(ENTRIES)).text
    secret = commitment_key(RECORD_KEY)
    fields = {"opening-subject": PAYLOAD.subject, "opening-prompt": PAYLOAD.prompt, "opening-output": PAYLOAD.output}
    for text in (secret.hex(), base64.b64encode(secret).decode()):
        await check(alone, made, opening={"opening-key": text, **fields})
        assert await failed(alone) == ""
    await check(alone, made, opening={"opening-key": bytes(32).hex(), **fields})
    assert await failed(alone) == "opening"
    await check(alone, json.dumps({**evidence(entry, PAYLOAD), "origin": "example.com/other"}))
    assert await failed(alone) == "checkpoint"


@pytest.mark.clause("GDPR 17(1)", "PIPL 47")
async def test_the_fact_of_an_act_is_what_the_entry_commits_to(alone: Page) -> None:
    kind, fact, key = "candor.consent.v1.ConsentGranted", b"\x0a\x04fact", commitment_key(RECORD_KEY)
    at = datetime(2026, 11, 22, tzinfo=UTC)
    entry = act.encode(act.Act("candor.consent", "f-1", kind, at, act.commit(key, kind, fact)))
    good = evidence(entry, None)

    def told(key: bytes, fact: bytes, entry: dict[str, Any] = good) -> str:
        return json.dumps({**entry, "commitmentKey": note.to_base64(key), "fact": note.to_base64(fact)})

    await check(alone, told(key, fact))
    assert await failed(alone) == ""
    await expect(alone.locator("#verify-result")).to_contain_text(f"{kind} is what the entry commits to")
    for text in (told(key, b"fact"), told(bytes(32), fact), told(key, fact, evidence(committing_entry(), None))):
        await check(alone, text)
        assert await failed(alone) == "opening"
    await check(alone, json.dumps(good))
    assert await failed(alone) == ""
    await expect(alone.locator("#verify-result")).to_contain_text("as for an erased record")


async def test_a_hostile_entry_is_text_and_the_page_reaches_nobody(alone: Page) -> None:
    hostile = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    await check(alone, proof([*ENTRIES, committing_entry(model=hostile)], len(ENTRIES)).text)
    assert await failed(alone) == ""
    await expect(alone.locator("#verify-result")).to_contain_text(hostile)
    assert await alone.locator("#verify-result img, #verify-result script").count() == 0
    policy = await alone.locator("meta[http-equiv='Content-Security-Policy']").get_attribute("content")
    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    content = await alone.content()
    assert "http://127.0.0.1" not in content
    assert "csrf" not in content


async def test_a_file_is_taken_as_well(alone: Page, tmp_path: Path) -> None:
    (tmp_path / "three.tlog-proof").write_text(proof(ENTRIES, 2).text, encoding="utf-8")
    await alone.fill("#verify-key", KEY)
    await alone.set_input_files("#verify-file", tmp_path / "three.tlog-proof")
    await expect(alone.locator("#verify-result")).to_contain_text("Everything holds.")
    assert note.to_base64(b"three") in await alone.input_value("#verify-proof")


async def test_an_entry_that_is_not_proven_is_not_shown(alone: Page) -> None:
    good = proof([*ENTRIES, committing_entry(model="proven-7b")], len(ENTRIES))
    await check(alone, good.text)
    await expect(alone.locator("#verify-result")).to_contain_text("proven-7b")
    await check(alone, replace(good, index=3).text)
    assert await failed(alone) == "inclusion"
    assert "proven-7b" not in await alone.inner_text("#verify-result")


@pytest.mark.parametrize(
    ("lacking", "told"),
    [
        (
            "SubtleCrypto.prototype.importKey = () => Promise.reject(new DOMException('', 'NotSupportedError'))",
            "This browser knows no Ed25519.",
        ),
        (
            "Object.defineProperty(Crypto.prototype, 'subtle', { value: undefined })",
            "gives no cryptography to this page",
        ),
    ],
    ids=["no Ed25519", "no WebCrypto"],
)
async def test_a_browser_that_cannot_verify_says_so(browser: Browser, saved: Path, lacking: str, told: str) -> None:
    context = await browser.new_context(offline=True)
    await context.add_init_script(lacking)
    page = await context.new_page()
    await page.goto(saved.as_uri())
    await check(page, proof(ENTRIES, 2).text)
    await expect(page.locator("#verify-result")).to_contain_text(told)
    await expect(page.locator("#verify-result")).not_to_contain_text("Everything holds")
