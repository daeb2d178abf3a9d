"""The witness client against witnesses over real sockets: faithful, stale, lying and broken ones."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import hashlib
import socket
import ssl
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import httpx2
import pytest
from candor_generation.domain import cosignature, merkle, note, policy, tiles
from candor_generation.domain.policy import Policy
from candor_generation.domain.witnessing import Outcome
from candor_generation.signing import Signer, holds
from candor_generation.witness import Cosigned, WitnessClient, Witnesses, check_witnesses
from candor_kit import metrics
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from witness import Reply, Witness, listening, served

ORIGIN = "candor.example/log/2026"
NAMES = ("alpha", "beta", "gamma")


class Log:
    """A log of any size whose leaves are known; `fork` gives it another history."""

    def __init__(self, origin: str = ORIGIN, fork: str = "") -> None:
        self.signer = Signer(origin, bytes(range(32)))
        self.leaves = [merkle.leaf_hash(f"{fork}{index}".encode()) for index in range(300)]
        self.proved: list[tuple[int, int]] = []

    def checkpoint(self, size: int) -> str:
        root = merkle.tree_hash(self.leaves[:size])
        return self.signer.sign(note.Checkpoint(self.signer.vkey.name, size, root).text)

    def prove(self, old: int, size: int) -> Sequence[bytes]:
        self.proved.append((old, size))
        return [merkle.tree_hash(self.leaves[start:end]) for start, end in merkle.consistency_spans(old, size)]

    async def cosigned(self, client: WitnessClient, size: int) -> Cosigned:
        return await client.cosign(self.checkpoint(size), size, self.prove)


def policy_of(witnesses: Sequence[Witness], urls: Sequence[str], quorum: str = "group q 2 alpha beta gamma") -> Policy:
    lines = [f"witness {name} {item.vkey.text} {url}" for name, item, url in zip(NAMES, witnesses, urls, strict=False)]
    return policy.parse_policy("\n".join([*lines, quorum, f"quorum {quorum.split()[1]}"]).encode())


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def witnesses(log: Log, tmp_path: Path) -> list[Witness]:
    return [
        Witness(f"{name}.example/w", bytes([at]) * 32, [log.signer.vkey], tmp_path / f"{name}.json")
        for at, name in enumerate(NAMES)
    ]


@contextlib.asynccontextmanager
async def asking(trust: Policy, **options: Any) -> AsyncIterator[WitnessClient]:
    client = WitnessClient(trust, client=httpx2.AsyncClient(trust_env=False), **options)
    try:
        yield client
    finally:
        await client.close()


@contextlib.asynccontextmanager
async def all_served(handles: Sequence[Any]) -> AsyncIterator[list[str]]:
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(served(handle)) for handle in handles]


def gauge(origin: str = ORIGIN) -> float | None:
    return metrics.REGISTRY.get_sample_value("candor_generation_witness_missing", {"origin": origin})


@pytest.mark.clause("C2SP tlog-witness", "C2SP tlog-policy")
async def test_a_growing_log_is_cosigned_by_all_and_each_proof_is_made_once(log: Log, witnesses: list[Witness]) -> None:
    async with (
        all_served([item.handle for item in witnesses]) as urls,
        asking(policy_of(witnesses, urls), grace=5) as client,
    ):
        for size in (1, 2, 2, 7, 256, 257):
            answer = await log.cosigned(client, size)
            assert answer.quorum
            assert answer.publish
            assert answer.witnesses == set(NAMES)
            trust = policy_of(witnesses, urls, "group all all alpha beta gamma")
            trusted = policy.check_checkpoint(
                answer.checkpoint,
                policy.Policy((policy.Log(log.signer.vkey),), trust.witnesses, trust.groups, "all"),
                holds,
            )
            assert trusted.checkpoint.size == size
            assert answer.checkpoint.startswith(log.checkpoint(size))
    assert log.proved == [(1, 2), (2, 7), (7, 256), (256, 257)]
    assert [item.asked for item in witnesses] == [[0, 1, 2, 2, 7, 256]] * 3
    assert gauge() == 0


@pytest.mark.clause("C2SP tlog-witness")
async def test_a_stale_witness_and_one_that_others_fed_are_caught_up(log: Log, witnesses: list[Witness]) -> None:
    async with all_served([item.handle for item in witnesses]) as urls:
        async with asking(policy_of(witnesses, urls), grace=5) as client:
            await log.cosigned(client, 5)
        # Another client, as after a restart: it knows no size; the second witness is ahead of the others meanwhile.
        async with asking(policy_of(witnesses[1:2], urls[1:2], "group q 1 alpha")) as other:
            await log.cosigned(other, 9)
        async with asking(policy_of(witnesses, urls), grace=5) as client:
            answer = await log.cosigned(client, 20)
            assert answer.witnesses == set(NAMES)
            # And while this client runs, somebody else submits to the third one.
            async with asking(policy_of(witnesses[2:], urls[2:], "group q 1 alpha")) as other:
                await log.cosigned(other, 33)
            answer = await log.cosigned(client, 40)
            assert answer.witnesses == set(NAMES)
    assert witnesses[1].asked == [0, 0, 5, 0, 9, 20]
    assert witnesses[2].asked == [0, 0, 5, 0, 20, 20, 33]


@pytest.mark.clause("C2SP tlog-witness")
async def test_a_witness_keeps_its_state_over_a_restart(log: Log, witnesses: list[Witness], tmp_path: Path) -> None:
    async with (
        all_served([witnesses[0].handle]) as urls,
        asking(policy_of(witnesses[:1], urls, "group q all alpha")) as client,
    ):
        await log.cosigned(client, 5)
    again = Witness("alpha.example/w", bytes(32), [log.signer.vkey], tmp_path / "alpha.json")
    latest = again.latest(ORIGIN)
    assert latest is not None
    assert latest.size == 5
    async with all_served([again.handle]) as urls, asking(policy_of([again], urls, "group q all alpha")) as client:
        assert (await log.cosigned(client, 6)).quorum
    assert again.asked == [0, 5]


@pytest.mark.clause("C2SP tlog-witness")
async def test_several_logs_are_kept_apart(tmp_path: Path) -> None:
    one, two = Log("candor.example/log/one"), Log("candor.example/log/two")
    both = Witness("w.example", bytes(32), [one.signer.vkey, two.signer.vkey], tmp_path / "state.json")
    async with all_served([both.handle]) as urls, asking(policy_of([both], urls, "group q all alpha")) as client:
        for log, size in ((one, 4), (two, 2), (one, 5), (two, 3)):
            assert (await log.cosigned(client, size)).quorum
    assert both.asked == [0, 0, 4, 2]


@pytest.mark.clause("C2SP tlog-policy")
@pytest.mark.parametrize("hold", [False, True])
async def test_a_missing_quorum_raises_the_alarm_and_is_published_or_held(
    log: Log, witnesses: list[Witness], hold: bool
) -> None:
    async def away(_method: str, _path: str, _body: bytes) -> Reply:
        return Reply(503)

    async with (
        all_served([witnesses[0].handle, away, away]) as urls,
        asking(policy_of(witnesses, urls), hold=hold) as client,
    ):
        answer = await log.cosigned(client, 3)
        assert not answer.quorum
        assert answer.publish is not hold
        assert answer.witnesses == {"alpha"}
        assert answer.outcomes == {"alpha": Outcome.COSIGNED, "beta": Outcome.REFUSED, "gamma": Outcome.REFUSED}
        assert gauge() == 1
        # Who failed just now is let alone for a second, so that the log does not wait for it with each checkpoint.
        answer = await log.cosigned(client, 4)
        assert answer.outcomes["beta"] is Outcome.RESTING
        assert answer.witnesses == {"alpha"}


async def test_no_witness_is_waited_for_once_the_quorum_is_met(log: Log, witnesses: list[Witness]) -> None:
    async def never(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with all_served([item.handle for item in witnesses[:2]]) as urls, listening(never) as silent:
        async with asking(policy_of(witnesses, [*urls, silent]), timeout=30, grace=0.05) as client:
            started = time.monotonic()
            answer = await log.cosigned(client, 3)
        assert answer.quorum
        assert answer.witnesses == {"alpha", "beta"}
        assert time.monotonic() - started < 15


@pytest.mark.clause("C2SP tlog-witness")
@pytest.mark.parametrize("second_root", [409, 422])
async def test_a_second_history_of_one_size_is_told_as_a_fork(log: Log, tmp_path: Path, second_root: int) -> None:
    keeper = Witness("w.example", bytes(32), [log.signer.vkey], tmp_path / "state.json", second_root=second_root)
    forked = Log(fork="other")
    async with all_served([keeper.handle]) as urls:
        for size, outcome in ((8, Outcome.FORKED), (9, Outcome.FORKED), (7, Outcome.AHEAD)):
            trust = policy_of([keeper], urls, "group q all alpha")
            async with asking(trust) as client:
                assert (await log.cosigned(client, 8)).quorum
            async with asking(trust) as client:
                answer = await forked.cosigned(client, size)
            assert answer.outcomes == {"alpha": outcome}
            assert not answer.quorum
    assert keeper.latest(ORIGIN) == note.parse_checkpoint(note.parse_note(log.checkpoint(8)).text)


@pytest.mark.clause("C2SP tlog-witness")
async def test_an_unknown_log_and_a_strange_key_are_refused(log: Log, tmp_path: Path) -> None:
    stranger = Signer(ORIGIN, bytes([9]) * 32)
    knows_none = Witness("w.example/1", bytes(32), [], tmp_path / "1.json")
    knows_other = Witness("w.example/2", bytes([1]) * 32, [stranger.vkey], tmp_path / "2.json")
    both = [knows_none, knows_other]
    async with (
        all_served([item.handle for item in both]) as urls,
        asking(policy_of(both, urls, "group q all alpha beta")) as client,
    ):
        answer = await log.cosigned(client, 3)
    assert set(answer.outcomes.values()) == {Outcome.REFUSED}


def _bad_answers() -> Iterator[tuple[str, Reply, Outcome]]:
    size = "text/x.tlog.size"
    yield "html", Reply(200, b"<html><body>Welcome to the hotel</body></html>\n", "text/html"), Outcome.MALFORMED
    yield "nothing", Reply(200), Outcome.MALFORMED
    yield "no utf-8", Reply(200, b"\xff\xfe\n"), Outcome.MALFORMED
    yield "gzip", Reply(200, gzip.compress(bytes(1 << 26)), headers={"Content-Encoding": "gzip"}), Outcome.MALFORMED
    yield "redirect", Reply(307, headers={"Location": "http://127.0.0.1:1/add-checkpoint"}), Outcome.REFUSED
    yield "server error", Reply(500, b"stack trace"), Outcome.REFUSED
    yield "conflict without type", Reply(409, b"2\n"), Outcome.MALFORMED
    yield "conflict with the same size", Reply(409, b"0\n", size), Outcome.MALFORMED
    yield "conflict with a negative size", Reply(409, b"-1\n", size), Outcome.MALFORMED
    yield "conflict with a huge size", Reply(409, b"9" * 5000 + b"\n", size), Outcome.MALFORMED
    yield "conflict beyond our size", Reply(409, b"1000000\n", size), Outcome.AHEAD
    yield "unprocessable from zero", Reply(422), Outcome.REFUSED


@pytest.mark.clause("C2SP tlog-witness")
@pytest.mark.parametrize(
    ("reply", "outcome"), [item[1:] for item in _bad_answers()], ids=[item[0] for item in _bad_answers()]
)
async def test_a_wrong_answer_is_counted_and_costs_nothing(
    log: Log, witnesses: list[Witness], reply: Reply, outcome: Outcome
) -> None:
    async def wrong(_method: str, _path: str, _body: bytes) -> Reply:
        return reply

    async with (
        all_served([witnesses[0].handle, wrong]) as urls,
        asking(policy_of(witnesses[:2], urls, "group q all alpha beta")) as client,
    ):
        answer = await log.cosigned(client, 3)
    assert answer.outcomes == {"alpha": Outcome.COSIGNED, "beta": outcome}
    assert answer.witnesses == {"alpha"}
    labels = {"witness": "beta", "outcome": str(outcome)}
    assert (metrics.REGISTRY.get_sample_value("candor_generation_witness_answers_total", labels) or 0) > 0


@pytest.mark.clause("C2SP tlog-cosignature")
async def test_a_forged_cosignature_never_reaches_the_checkpoint(
    log: Log, witnesses: list[Witness], tmp_path: Path
) -> None:
    alpha, beta, _ = witnesses
    impostor = Witness(alpha.vkey.name, bytes([77]) * 32, [log.signer.vkey], tmp_path / "impostor.json")

    def lying(change: Any) -> Any:
        async def handle(_method: str, _path: str, body: bytes) -> Reply:
            return Reply(200, change(alpha.add_checkpoint(body).content.decode()).encode())

        return handle

    def other_time(line: str) -> str:
        (signature,) = note.parse_signatures(line)
        blob = (1).to_bytes(8, "big") + signature.blob[8:]
        return note.Signature(signature.name, signature.key_id, blob).line

    handles = [impostor.handle, lying(other_time), lying(lambda line: line * 2 + "— a b\n"), beta.handle]
    for handle, outcome in zip(handles, ["forged", "forged", "malformed", "forged"], strict=True):
        async with all_served([handle]) as urls, asking(policy_of([alpha], urls, "group q all alpha")) as client:
            answer = await log.cosigned(client, 3)
        assert answer.outcomes == {"alpha": outcome}
        assert answer.checkpoint == log.checkpoint(3)


async def test_lines_of_other_keys_are_ignored(log: Log, witnesses: list[Witness]) -> None:
    alpha, beta, _ = witnesses

    async def both(_method: str, _path: str, body: bytes) -> Reply:
        return Reply(200, beta.add_checkpoint(body).content + alpha.add_checkpoint(body).content)

    async with all_served([both]) as urls, asking(policy_of([alpha], urls, "group q all alpha")) as client:
        answer = await log.cosigned(client, 3)
    assert answer.quorum
    assert beta.vkey.name not in answer.checkpoint


async def test_a_body_of_a_gigabyte_and_a_drip_are_cut_off(log: Log, witnesses: list[Witness]) -> None:
    sent = 0

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
        while sent < 1 << 30:
            writer.write(bytes(65536))
            sent += 65536
            await writer.drain()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    async with (
        listening(flood) as one,
        listening(drip) as two,
        asking(policy_of(witnesses[:2], [one, two], "group q all alpha beta"), timeout=1) as client,
    ):
        answer = await log.cosigned(client, 3)
    assert answer.outcomes == {"alpha": Outcome.MALFORMED, "beta": Outcome.SLOW}
    assert sent < 1 << 26


async def test_nobody_there_and_no_http_there(log: Log, witnesses: list[Witness]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        closed = f"http://127.0.0.1:{taken.getsockname()[1]}"

    async def ssh(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.9\r\n")
        await writer.drain()

    async with listening(ssh) as other:
        secure = other.replace("http:", "https:")
        async with asking(policy_of(witnesses, [closed, other, secure])) as client:
            answer = await log.cosigned(client, 3)
    assert answer.outcomes == dict.fromkeys(NAMES, Outcome.AWAY)


async def test_a_certificate_that_nobody_vouches_for_is_not_taken(
    log: Log, witnesses: list[Witness], tmp_path: Path
) -> None:
    context = self_signed(tmp_path)
    async with served(witnesses[0].handle, context) as url:
        client = WitnessClient(policy_of(witnesses[:1], [url], "group q all alpha"))  # as the service makes it
        try:
            answer = await log.cosigned(client, 3)
        finally:
            await client.close()
        assert answer.outcomes == {"alpha": Outcome.AWAY}
        assert witnesses[0].asked == []
        vouched = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
        client = WitnessClient(
            policy_of(witnesses[:1], [url], "group q all alpha"), client=httpx2.AsyncClient(verify=vouched)
        )
        try:
            assert (await log.cosigned(client, 3)).quorum
        finally:
            await client.close()


def self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "witness.example")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(key.private_bytes(*pem))
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


async def test_a_proof_that_cannot_be_made_does_not_stop_the_log(log: Log, witnesses: list[Witness]) -> None:
    def broken(_old: int, _size: int) -> Sequence[bytes]:
        raise FileNotFoundError("tile/0/000")

    async with (
        all_served([witnesses[0].handle]) as urls,
        asking(policy_of(witnesses[:1], urls, "group q all alpha")) as client,
    ):
        await log.cosigned(client, 3)
        answer = await client.cosign(log.checkpoint(4), 4, broken)
    assert answer.outcomes == {"alpha": Outcome.UNPROVEN}


def test_a_witness_without_an_address_is_told_at_the_start(witnesses: list[Witness]) -> None:
    check_witnesses(policy_of(witnesses, ["https://w.example/a", "http://127.0.0.1:1", "https://w.example/c/"]))
    for url in ("", "file:///etc/passwd", "w.example"):
        with pytest.raises(ValueError, match="no URL"):
            check_witnesses(policy_of(witnesses[:1], [url], "group q all alpha"))


async def test_what_a_witness_keeps_is_a_checkpoint_with_its_cosignature(log: Log, witnesses: list[Witness]) -> None:
    alpha = witnesses[0]
    async with all_served([alpha.handle]) as urls:
        async with asking(policy_of([alpha], urls, "group q all alpha")) as client:
            answer = await log.cosigned(client, 3)
        async with httpx2.AsyncClient(trust_env=False) as anybody:
            kept = await anybody.get(f"{urls[0]}/{hashlib.sha256(ORIGIN.encode()).hexdigest()}/checkpoint")
    assert kept.text == answer.checkpoint
    found = cosignature.verify(note.parse_note(kept.text), alpha.vkey, holds)
    assert found is not None
    assert abs(found.timestamp - time.time()) < 600


@pytest.mark.parametrize("hold", [False, True])
async def test_the_writer_gets_its_checkpoint_back_with_proofs_out_of_tiles(
    log: Log, witnesses: list[Witness], hold: bool
) -> None:
    laid: dict[str, bytes] = {}
    frontier = tiles.Frontier()

    def grow(size: int) -> tuple[str, tiles.TileReader]:
        nonlocal frontier
        frontier, full = tiles.grow(frontier, [str(index).encode() for index in range(frontier.size, size)])
        laid.update({tile.path: content for tile, content in [*full, *frontier.partials()]})
        return log.checkpoint(size), tiles.TileReader(size, lambda tile: laid[tile.path])

    async with (
        all_served([witnesses[0].handle]) as urls,
        asking(policy_of(witnesses[:1], urls, "group q all alpha"), hold=hold) as client,
    ):
        writer = Witnesses(client)
        assert await writer.cosign(*grow(0)) == log.checkpoint(0)
        for size in (3, 256, 300):
            published = await writer.cosign(*grow(size))
            assert published is not None
            assert witnesses[0].vkey.name in published
        assert witnesses[0].asked == [0, 3, 256]
    async with asking(policy_of(witnesses[:1], ["http://127.0.0.1:1"], "group q all alpha"), hold=hold) as client:
        assert await Witnesses(client).cosign(*grow(300)) == (None if hold else log.checkpoint(300))
