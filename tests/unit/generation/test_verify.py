"""`candor verify` on files alone: proofs, evidence, keys, policies of witnesses."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from candor.generation.v1.service_pb2 import GetActEvidenceResponse
from candor_generation import codec, verify
from candor_generation.domain import act, leaf, merkle, note, proof_file
from candor_generation.domain.act import Act
from candor_generation.domain.evidence import Evidence, Opening
from candor_generation.domain.generation import Decision, Meta, Modality, Payload
from candor_generation.domain.note import Checkpoint
from candor_generation.domain.proof_file import ProofFile
from candor_generation.signing import Signer, signer_of
from google.protobuf import json_format
from typer.testing import CliRunner
from witness import Witness

# transparency-dev/tessera v1.0.4, testdata/log.
GOLDEN = signer_of("PRIVATE+KEY+example.com/log/testdata+33d7b496+AeymY/SZAX0jZcJ8enZ5FY1Dz+wTML2yWSkK+9DSF3eg")
ENTRIES = b"one two three four five six seven eit nain ten ileven twelf threeten fourten fivten".split()
RECORD_KEY = bytes(range(32))
PAYLOAD = Payload("acct-7", "你好", "hello")
Lay = Callable[[str, str], Path]
CLI = typer.Typer()
CLI.command()(verify.app)


@dataclass(frozen=True)
class Ran:
    code: int
    text: str

    @property
    def failed(self) -> str:
        return next((line for line in self.text.splitlines() if line.startswith("FAILED")), "")


def run(*arguments: object) -> Ran:
    ran = CliRunner().invoke(CLI, [str(item) for item in arguments])
    return Ran(ran.exit_code, ran.output)


def proof(entries: list[bytes], index: int, signer: Signer, cosigners: tuple[Witness, ...] = ()) -> ProofFile:
    leaves = [merkle.leaf_hash(entry) for entry in entries]
    spans = merkle.inclusion_spans(index, len(leaves))
    text = Checkpoint(signer.vkey.name, len(leaves), merkle.tree_hash(leaves)).text
    signed = signer.sign(text) + "".join(item.line(text) for item in cosigners)
    return ProofFile(index, tuple(merkle.tree_hash(leaves[start:end]) for start, end in spans), signed, entries[index])


@pytest.fixture
def lay(tmp_path: Path) -> Lay:
    def write(name: str, content: str) -> Path:
        (tmp_path / name).write_text(content, encoding="utf-8", newline="")
        return tmp_path / name

    return write


@pytest.mark.clause("C2SP tlog-proof")
def test_a_proof_of_the_golden_log_needs_nothing_but_the_key(lay: Lay) -> None:
    file = lay("three.tlog-proof", proof(ENTRIES, 2, GOLDEN).text)
    for option in ("--key", "--vkey"):
        ran = run(file, option, GOLDEN.vkey.text)
        assert ran.code == 0, ran.text
        assert [line.split()[0] for line in ran.text.splitlines()] == ["ok"] * 4
        assert "ok     entry: three" in ran.text
        assert "index 2 is in the tree" in ran.text
    key = lay("log.vkey", f"{GOLDEN.vkey.text}\n")
    report = json.loads(run(file, "--key", key, "--json").text)
    assert report["verified"] is True
    assert [check["name"] for check in report["checks"]] == ["verifier key", "entry", "checkpoint", "inclusion"]


@pytest.mark.clause("C2SP tlog-proof")
def test_a_proof_fails_at_the_step_it_breaks(lay: Lay) -> None:
    good = proof(ENTRIES, 2, GOLDEN)
    cases = [
        (replace(good, extra=b"thref"), "inclusion"),
        (replace(good, index=3), "inclusion"),
        (replace(good, extra=None), "entry"),
        (replace(good, checkpoint=good.checkpoint.replace("\n15\n", "\n16\n")), "checkpoint"),
        (replace(good, checkpoint=proof(ENTRIES[:9], 2, GOLDEN).checkpoint), "inclusion"),
        (proof(ENTRIES, 2, Signer(GOLDEN.vkey.name, bytes(32))), "checkpoint"),
    ]
    for changed, step in cases:
        ran = run(lay("changed.tlog-proof", changed.text), "--key", GOLDEN.vkey.text)
        assert ran.code == 1
        assert ran.failed.startswith(f"FAILED {step}:"), ran.text


@pytest.mark.clause("C2SP tlog-policy")
def test_a_policy_asks_for_its_witnesses(lay: Lay, tmp_path: Path) -> None:
    one, two = (Witness(f"w{at}.example", bytes([at]) * 32, [], tmp_path / "state", clock=at * 10**9) for at in (1, 2))
    lines = f"witness one {one.vkey.text}\nwitness two {two.vkey.text}\ngroup both all one two\n"
    both, either = lay("both", f"{lines}quorum both\n"), lay("one", f"{lines}quorum one\n")
    with_log = lay("log", f"log {GOLDEN.vkey.text}\n{lines}quorum one\n")
    file = lay("p.tlog-proof", proof(ENTRIES, 2, GOLDEN, (one,)).text)
    ran = run(file, "--key", GOLDEN.vkey.text, "--policy", both)
    assert ran.code == 1
    assert "the quorum both is not met: cosigned by one" in ran.failed
    ran = run(file, "--key", GOLDEN.vkey.text, "--policy", either)
    assert ran.code == 0, ran.text
    assert "cosigned by one at 2001-09-09T01:46:40Z" in ran.text
    ran = run(file, "--policy", with_log)
    assert ran.code == 0, ran.text
    assert "told by the log itself" not in ran.text
    assert run(file, "--policy", either).code == 2
    assert run(file, "--key", Signer(GOLDEN.vkey.name, bytes(32)).vkey.text, "--policy", with_log).code == 1


def evidence(opening: Opening | None) -> Evidence:
    meta = Meta(
        "01a20387-f5b9-703f-937d-3280cbb75ead", datetime(2026, 11, 22, tzinfo=UTC), "p", "m", "x", "zh", Modality.TEXT
    )
    commitments = leaf.commit(leaf.commitment_key(RECORD_KEY), PAYLOAD)
    entry = leaf.encode(leaf.make(meta, "1", Decision.ALLOW, bytes(32), commitments))
    made = proof([*ENTRIES, entry], 15, GOLDEN)
    return Evidence(GOLDEN.vkey.name, made.index, entry, made.hashes, made.checkpoint, opening)


def as_json(item: Evidence) -> str:
    return json_format.MessageToJson(codec.evidence_response(item))


@pytest.mark.clause("GDPR 17(1)", "PIPL 47")
def test_evidence_with_and_without_its_opening(lay: Lay, tmp_path: Path) -> None:
    item = evidence(Opening(leaf.commitment_key(RECORD_KEY), PAYLOAD))
    key = GOLDEN.vkey.text
    ran = run(lay("evidence.json", as_json(item)), "--key", key)
    assert ran.code == 0, ran.text
    assert "subject, prompt and output are what the entry commits to" in ran.text
    ran = run(lay("erased.json", as_json(replace(item, opening=None))), "--key", key)
    assert ran.code == 0
    assert "as for an erased record" in ran.text
    other = Opening(leaf.commitment_key(RECORD_KEY), replace(PAYLOAD, output="hallo"))
    assert (
        "FAILED opening: the entry commits to another output"
        in run(lay("other.json", as_json(replace(item, opening=other))), "--key", key).text
    )
    strange = run(lay("origin.json", as_json(replace(item, origin="example.com/other"))), "--key", key)
    assert strange.failed.startswith("FAILED checkpoint: the checkpoint is of the log")
    stranger = Witness("w.example", bytes(32), [], tmp_path / "state")
    policy = lay("policy", f"witness w {stranger.vkey.text}\nquorum w\n")
    assert (
        "the quorum w is not met" in run(lay("evidence.json", as_json(item)), "--key", key, "--policy", policy).failed
    )


FACT, FACT_TYPE = b"\x0a\x04fact", "candor.consent.v1.ConsentGranted"


def act_evidence(fact: bytes = FACT, **changed: str) -> str:
    """What GetActEvidence answers, as JSON; `changed` replaces parts of the leaf."""
    key = leaf.commitment_key(RECORD_KEY)
    at = datetime(2026, 11, 22, 17, 30, tzinfo=UTC)
    told = Act("candor.consent", "01a20387-f5b9", FACT_TYPE, at, act.commit(key, FACT_TYPE, FACT))
    entry = act.encode(replace(told, **changed))  # type: ignore[arg-type]
    made = proof([*ENTRIES, entry], 15, GOLDEN)
    answer = GetActEvidenceResponse(
        origin=GOLDEN.vkey.name,
        log_index=made.index,
        entry=entry,
        inclusion_proof=made.hashes,
        checkpoint=made.checkpoint,
        commitment_key=key if fact else b"",
        fact=fact,
    )
    return json_format.MessageToJson(answer)


@pytest.mark.clause("GDPR 17(1)", "PIPL 47")
def test_an_act_is_opened_by_its_fact_and_still_stands_without_it(lay: Lay) -> None:
    key = ("--key", GOLDEN.vkey.text)
    ran = run(lay("act.json", act_evidence()), *key)
    assert ran.code == 0, ran.text
    assert f"entry: {FACT_TYPE} 01a20387-f5b9 of candor.consent, 2026-11-22T17:30:00Z" in ran.text
    assert f"the 6 bytes of {FACT_TYPE} are what the entry commits to" in ran.text
    ran = run(lay("erased.json", act_evidence(b"")), *key)
    assert ran.code == 0, ran.text
    assert "nothing is opened" in ran.text


def test_an_act_fails_at_the_step_it_breaks(lay: Lay) -> None:
    good = json.loads(act_evidence())
    other_key = json.loads(act_evidence())["commitmentKey"][::-1]
    cases = [
        (act_evidence(b"\x0a\x04fake"), "opening"),
        (act_evidence(type="candor.consent.v1.ConsentWithdrawn"), "opening"),
        (json.dumps({**good, "commitmentKey": other_key}), "opening"),
        (json.dumps({**good, "logIndex": "3"}), "inclusion"),
        (json.dumps({**good, "entry": json.loads(act_evidence(source="candor.rights"))["entry"]}), "inclusion"),
        (json.dumps({**good, "origin": "example.com/other"}), "checkpoint"),
        (json.dumps({**good, "checkpoint": good["checkpoint"].replace("\n16\n", "\n17\n")}), "checkpoint"),
    ]
    for changed, step in cases:
        ran = run(lay("changed.json", changed), "--key", GOLDEN.vkey.text)
        assert ran.code == 1
        assert ran.failed.startswith(f"FAILED {step}:"), ran.text


def test_what_calls_itself_an_act_and_is_none_is_no_entry(lay: Lay) -> None:
    deep = b"[" * 100_000
    for entry in (b'{"kind":"act"}', b'{"kind": "act", "v": 1}', deep):
        good = {**json.loads(act_evidence(b"")), "entry": note.to_base64(entry)}
        ran = run(lay("no-act.json", json.dumps(good)), "--key", GOLDEN.vkey.text)
        assert ran.code == 1
        assert ran.failed.startswith("FAILED entry:"), ran.text
    # The answer of the one question is not taken for the answer of the other.
    record = json.loads(as_json(evidence(Opening(leaf.commitment_key(RECORD_KEY), PAYLOAD))))
    mixed = {**json.loads(act_evidence()), "opening": record["opening"]}
    assert run(lay("mixed.json", json.dumps(mixed)), "--key", GOLDEN.vkey.text).code == 2


def test_nothing_of_an_act_reaches_the_terminal_as_a_control_character(lay: Lay) -> None:
    ran = run(lay("escape.json", act_evidence(b"", type="\x1b[31mred")), "--key", GOLDEN.vkey.text)
    assert ran.code == 0
    assert "\x1b" not in ran.text


def test_a_proof_of_a_record_shows_its_entry(lay: Lay) -> None:
    item = evidence(None)
    file = lay("record.tlog-proof", ProofFile(item.log_index, item.inclusion_proof, item.checkpoint, item.entry).text)
    ran = run(file, "--key", GOLDEN.vkey.text)
    assert ran.code == 0
    assert f"ok     entry: {item.entry.decode()}" in ran.text
    raw = proof([*ENTRIES, b"\x1b[31m\xff"], 15, GOLDEN)
    ran = run(lay("raw.tlog-proof", raw.text), "--key", GOLDEN.vkey.text)
    assert ran.code == 0
    assert "\x1b" not in ran.text
    assert "entry: 6 bytes, leaf hash" in ran.text


def test_wrong_usage_is_told_with_its_own_code(lay: Lay, tmp_path: Path) -> None:
    file = lay("p.tlog-proof", proof(ENTRIES, 2, GOLDEN).text)
    key = ("--key", GOLDEN.vkey.text)
    assert run(*key).code == 2
    assert run(file).code == 2
    assert run(tmp_path / "missing", *key).code == 2
    assert run(lay("broken.tlog-proof", f"{proof_file.HEADER}\nindex x\n\n"), *key).code == 2
    assert run(lay("broken.json", "{"), *key).code == 2
    assert run(file, *key, "--policy", tmp_path / "missing").code == 2
    ran = run(file, *key, "--policy", lay("policy", "quorum nobody\n"))
    assert ran.code == 2
    assert "line 1: nobody is not defined before" in ran.text
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    assert run(tmp_path / "binary", *key).code == 2
    assert run(file, "--key", "no key").failed.startswith("FAILED verifier key:")


def test_a_checkpoint_of_the_same_size_must_have_the_same_root(lay: Lay) -> None:
    item = proof(ENTRIES, 2, GOLDEN)
    file = lay("p.tlog-proof", item.text)
    same = lay("checkpoint", item.checkpoint)
    ran = run(file, "--key", GOLDEN.vkey.text, "--checkpoint", same)
    assert ran.code == 0, ran.text
    fork = lay("fork", GOLDEN.sign(Checkpoint(GOLDEN.vkey.name, 15, bytes(32)).text))
    ran = run(file, "--key", GOLDEN.vkey.text, "--checkpoint", fork)
    assert ran.code == 1
    assert "two roots for one size" in ran.failed
    assert note.parse_checkpoint(note.parse_note(item.checkpoint).text).size == 15
