"""Bad input before the real service: refused or set aside with a reason, and what is good goes on."""

from __future__ import annotations

import asyncio
import http
import http.client
import io
import struct
import urllib.parse
import zipfile
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import grpc
import label_samples
import media_samples
import psutil
import pytest
from aiokafka import AIOKafkaProducer
from candor.generation.v1 import label_pb2, label_pb2_grpc, service_pb2
from candor_cli.session import command_id
from candor_generation.carriers import CARRIERS
from candor_kit import envelope
from candor_kit.errors import Refusal
from candor_kit.ids import uuid7
from confluent_kafka import Producer
from label_samples import FILES

from .backend import PATIENCE, Backend, until

_CHUNK = 64 * 1024
_MEBIBYTE = 1024 * 1024
_FLAT = 120 * _MEBIBYTE


@pytest.fixture
async def labels(backend: Backend) -> Any:
    return label_pb2_grpc.LabelServiceStub(backend.deployment.channel("generation", "backend", "auditor"))


async def refusal(call: Awaitable[Any]) -> str:
    """The reason that a call is refused with, the service's own or the edge's."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    found = Refusal.from_rpc(caught.value)
    assert found is not None, caught.value
    return found.reason


async def letters(backend: Backend, identifiers: Iterable[str]) -> dict[str, str]:
    """Wait until commands are dead letters; for each the reason."""
    wanted = set(identifiers)
    found: dict[str, str] = {}
    for identifier in wanted:
        for headers in await backend.deployment.dead_letters("generation", of(identifier), timeout=PATIENCE):
            found[identifier] = headers["candor_reason"]
    return found


def of(identifier: str) -> Callable[[dict[str, str]], bool]:
    return lambda headers: headers.get("ce_id") == identifier


async def pack(backend: Backend, command: service_pb2.RecordRequest) -> None:
    """Put a command on the intake topic packed, as the broker lets more through than it would as it is."""
    headers = envelope.headers_of(
        identifier=command.command_id,
        message_type=command.DESCRIPTOR.full_name,
        source="demo-backend",
        at=datetime.now(UTC),
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=backend.deployment.kafka, compression_type="gzip", max_request_size=64 * _MEBIBYTE
    )
    await producer.start()
    try:
        await producer.send_and_wait("candor.generation.intake.v1", value=command.SerializeToString(), headers=headers)
    finally:
        await producer.stop()


async def stored(backend: Backend, identifiers: Sequence[str]) -> set[str]:
    rows = await backend.deployment.rows(
        "generation", "SELECT generation_id::text FROM record WHERE generation_id = ANY(%s::uuid[])", list(identifiers)
    )
    return {row["generation_id"] for row in rows}


def made_at(at: datetime) -> str:
    return str(uuid7(at))


def memory(backend: Backend) -> int:
    """What the service has in memory, in bytes."""
    pid = backend.deployment.runner._child("generation").pid
    return int(psutil.Process(pid).memory_info().rss)


@asynccontextmanager
async def flat(backend: Backend) -> AsyncIterator[None]:
    """What happens in between leaves the service's memory where it was, within what its libraries take at first."""
    before, highest = memory(backend), 0

    async def watch() -> None:
        nonlocal highest
        while True:
            highest = max(highest, memory(backend))
            await asyncio.sleep(0.05)

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()
    assert highest - before < _FLAT, f"{(highest - before) // _MEBIBYTE} MiB more than before"


class TestPaths:
    """Paths that lead out of the log."""

    SECRETS = ("PRIVATE+KEY", "BEGIN", "root:")

    @pytest.mark.parametrize(
        "path",
        [
            "/log/generation/{period}/../../../log.key",
            "/log/generation/{period}/%2e%2e/%2e%2e/%2e%2e/log.key",
            "/log/generation/{period}/..%2f..%2f..%2flog.key",
            "/log/generation/{period}/%252e%252e%252f%252e%252e%252flog.key",
            "/log/generation/{period}/tile/0/..%2f..%2fcheckpoint",
            "/log/generation/{period}/tile/entries/%2e%2e/0/000",
            "/log/generation/{period}/tile//etc/passwd",
            "/log/generation/{period}//etc/passwd",
            "/log/generation/{period}/tile/0/000%00.p/1",
            "/log/generation/{period}/tile/0/%c0%ae%c0%ae/000",
            "/log/generation/{period}/tile\\0\\..\\..\\..\\log.key",
            "/log/generation/{period}/" + "tile/0/" + "x000/" * 4000 + "000",
            "/log/../log.key",
            "/log/%2e%2e/log.key/checkpoint",
            "/log/generation/%2e%2e/checkpoint",
            "/log/generation/..%2f..%2f/checkpoint",
            "/log/generation/%2e/checkpoint",
            "/log/generation/２０２６h2/checkpoint",
            "/log/generation/" + "a" * 5000 + "/checkpoint",
            "/log/services/{period}/checkpoint",
            "/log/generation/{period}/labelkey/..%2f..%2f..%2flog.key",
            "/log/generation/{period}/labelkey/%2e%2e",
        ],
    )
    async def test_a_path_that_leads_out_of_the_log_is_not_found(self, backend: Backend, path: str) -> None:
        period = backend.log_url.rsplit("/", 1)[1]
        status, body = await asyncio.to_thread(self._raw, backend, path.replace("{period}", period))
        assert status in {400, 404, 414, 431}, (status, body[:200])
        assert not [secret for secret in self.SECRETS if secret.encode() in body]

    @staticmethod
    def _raw(backend: Backend, path: str) -> tuple[int, bytes]:
        """GET a path as it is written, with nothing made tidy on the way."""
        address = urllib.parse.urlsplit(backend.deployment.http("generation"))
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=20)
        try:
            connection._validate_path = lambda _path: None  # type: ignore[attr-defined]
            connection._encode_request = str.encode  # type: ignore[attr-defined]
            connection.request("GET", path)
            answer = connection.getresponse()
            if answer.status != http.HTTPStatus.TEMPORARY_REDIRECT:
                return answer.status, answer.read()
            # A slash at the end is what the router adds, and nothing else.
            answer.read()
            assert urllib.parse.urlsplit(answer.headers["Location"]).path == f"{path}/"
            connection.request("GET", f"{path}/")
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


class TestRecords:
    """Records."""

    async def test_what_is_too_large_is_refused_by_rpc_and_set_aside_from_the_topic(self, backend: Backend) -> None:
        prompt = backend.generation(prompt="x" * 262_145)
        output = backend.generation(output="语" * 174_763)
        whole = backend.generation(output="x" * 1_100_000)
        for command in (prompt, output, whole):
            assert await refusal(backend.backend.Record(command)) == "INVALID_FIELD"
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await backend.backend.Record(backend.generation(output="x" * 5_000_000))
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        for command in (prompt, output):
            await backend.deployment.emit("generation", command)
        whole.output *= 20
        async with flat(backend):
            await pack(backend, whole)
            assert await letters(backend, [whole.command_id]) == {whole.command_id: "TOO_LARGE"}
        # What unpacks to more than the dead letters' topic takes stands in nobody's way.
        (letter,) = await backend.deployment.dead_letters("generation", of(whole.command_id))
        assert int(letter["candor_left_out"]) == whole.ByteSize()
        found = await letters(backend, [prompt.command_id, output.command_id])
        assert found == {prompt.command_id: "INVALID_FIELD", output.command_id: "INVALID_FIELD"}
        largest = backend.generation(prompt="x" * 262_144, output="x" * 524_288)
        await backend.deployment.emit("generation", largest)
        await backend.recorded(largest.command_id)
        assert len((await backend.evidence(largest.command_id)).opening.output) == 524_288

    async def test_a_record_of_nothing_is_set_aside(self, backend: Backend) -> None:
        """Neither key nor value: the broker takes it, and no client of ours could send it on."""
        identifier = command_id()
        kind = service_pb2.RecordRequest.DESCRIPTOR.full_name
        headers: list[tuple[str, str | bytes | None]] = [
            ("ce_id", identifier), ("ce_type", kind), ("ce_source", "demo-backend")
        ]  # fmt: skip
        producer = Producer({"bootstrap.servers": backend.deployment.kafka})
        producer.produce("candor.generation.intake.v1", headers=headers)
        assert await asyncio.to_thread(producer.flush, 10) == 0
        assert await letters(backend, [identifier]) == {identifier: "INVALID_FIELD"}

    async def test_ids_of_the_past_the_future_and_of_other_kinds(self, backend: Backend) -> None:
        now = datetime.now(UTC)
        refused = {
            str(uuid4()): "COMMAND_ID_INVALID",
            made_at(now - timedelta(days=36)): "COMMAND_TOO_OLD",
            made_at(now + timedelta(hours=1)): "TIME_IN_FUTURE",
            made_at(now + timedelta(days=2)): "COMMAND_ID_INVALID",
            made_at(now + timedelta(days=36_500)): "COMMAND_ID_INVALID",
            "ffffffff-ffff-7fff-bfff-ffffffffffff": "COMMAND_ID_INVALID",
            "00000000-0000-7000-8000-000000000000": "COMMAND_TOO_OLD",
        }
        for identifier, reason in refused.items():
            assert await refusal(backend.record(command_id=identifier)) == reason, identifier
        assert await refusal(backend.record(command_id="{" + command_id() + "}")) == "INVALID_FIELD"
        for identifier in refused:
            await backend.deployment.emit("generation", backend.generation(command_id=identifier))
        assert await letters(backend, refused) == refused
        old, young = made_at(now - timedelta(days=34)), made_at(now + timedelta(minutes=2))
        for identifier in (old, young):
            assert await backend.record(command_id=identifier) == identifier
        upper = backend.generation(command_id=command_id().upper())
        assert (await backend.backend.Record(upper)).generation_id == upper.command_id.lower()
        assert await stored(backend, [old, young, upper.command_id.lower()]) == {
            old, young, upper.command_id.lower()
        }  # fmt: skip
        upper.output = "another"
        upper.command_id = upper.command_id.lower()
        assert await refusal(backend.backend.Record(upper)) == "COMMAND_ID_REUSED"

    async def test_one_id_for_several_bodies_is_the_first_ones(self, backend: Backend) -> None:
        first = backend.generation()
        others = [backend.generation(command_id=first.command_id, output=f"other {number}") for number in range(6)]
        # In one batch, through another batch, through RPC, through a stream, and after the service was started again.
        await backend.deployment.emit_many("generation", [first, others[0], first])
        aside = await backend.deployment.dead_letters("generation", of(first.command_id))
        assert {letter["candor_reason"] for letter in aside} == {"COMMAND_ID_REUSED"}
        await backend.recorded(first.command_id)
        await backend.deployment.emit("generation", others[1])
        assert await refusal(backend.backend.Record(others[2])) == "COMMAND_ID_REUSED"
        (answer,) = await self._streamed(backend, [others[3], first])
        assert (answer.accepted, [item.reason for item in answer.refused]) == (1, ["COMMAND_ID_REUSED"])
        await asyncio.to_thread(backend.deployment.runner.restart_service, "generation")
        assert await refusal(backend.backend.Record(others[4])) == "COMMAND_ID_REUSED"
        assert (await backend.backend.Record(first)).generation_id == first.command_id
        assert (await backend.evidence(first.command_id)).opening.output == first.output
        (letter,) = {letter["candor_offset"]: letter for letter in aside}.values()

        def another(headers: dict[str, str]) -> bool:
            return headers.get("ce_id") == first.command_id and headers["candor_offset"] != letter["candor_offset"]

        (later,) = await backend.deployment.dead_letters("generation", another)
        assert later["candor_reason"] == "COMMAND_ID_REUSED"

    async def test_one_poisoned_record_among_two_thousand_is_set_aside_alone(self, backend: Backend) -> None:
        commands = [backend.generation(output=f"{backend.word} {number}") for number in range(2_000)]
        poisons = {
            commands[300].command_id: "MALFORMED",
            commands[900].command_id: "INVALID_FIELD",
            commands[901].command_id: "TIME_IN_FUTURE",
            commands[1500].command_id: "BAD_ENVELOPE",
        }
        commands[900].subject = "some body@example.com"
        commands[901].occurred_at.FromDatetime(datetime.now(UTC) + timedelta(days=1))

        async def send(command: service_pb2.RecordRequest) -> None:
            value = b"\xff\xff\xff" if command is commands[300] else None
            headers: dict[str, str | None] | None = {"ce_id": commands[1500].command_id, "ce_source": None}
            await backend.deployment.emit(
                "generation",
                command,
                key=backend.subject,
                value=value,
                headers=headers if command is commands[1500] else None,
            )

        async with asyncio.TaskGroup() as group:
            for command in commands:
                group.create_task(send(command))
        assert await letters(backend, poisons) == poisons
        good = [command.command_id for command in commands if command.command_id not in poisons]
        facts = await backend.recorded(*good)
        assert [fact.generation_id for fact in facts] == good  # one key, one order
        assert await stored(backend, list(poisons)) == set()

    async def test_twenty_thousand_subjects_that_nobody_knows_at_once(self, backend: Backend) -> None:
        count = 20_000
        commands = [backend.generation(subject=f"{backend.subject}-{number}") for number in range(count)]
        async with flat(backend):
            await backend.deployment.emit_many("generation", list(commands))

            async def all_stored() -> bool:
                rows = await backend.deployment.rows(
                    "generation", "SELECT count(*) AS stored FROM record WHERE subject LIKE %s", f"{backend.subject}-%"
                )
                return bool(rows[0]["stored"] == count)

            await until(all_stored, seconds=120)
        spot = await backend.recorded(*[commands[number].command_id for number in (0, count // 2, count - 1)])
        assert len(spot) == 3
        evidence = await backend.evidence(commands[count // 2].command_id)
        assert evidence.opening.subject == f"{backend.subject}-{count // 2}"

    async def test_a_stream_that_is_too_long_or_broken_off_keeps_what_was_taken(self, backend: Backend) -> None:
        long = [backend.generation(output=f"{number}") for number in range(10_001)]
        assert await refusal(self._streamed(backend, long)) == "STREAM_TOO_LONG"
        taken = [command.command_id for command in long]
        assert await stored(backend, taken) == set(taken[:-1])

        broken = [backend.generation(output=f"{number}") for number in range(1_200)]
        call = backend.backend.RecordStream()
        for command in broken:
            await call.write(service_pb2.RecordStreamRequest(record=command))
        identifiers = [command.command_id for command in broken]

        async def some_taken() -> bool:
            return len(await stored(backend, identifiers)) >= 1_000

        await until(some_taken)
        call.cancel()
        # Every batch is whole, in order, and the rest can be sent again.
        kept = await stored(backend, identifiers)
        assert kept == set(identifiers[: len(kept)])
        (answer,) = await self._streamed(backend, broken)
        assert (answer.accepted, list(answer.refused)) == (1_200, [])
        assert await stored(backend, identifiers) == set(identifiers)

    async def test_a_poisoned_record_in_a_stream_is_named_and_the_others_are_taken(self, backend: Backend) -> None:
        commands = [backend.generation(output=f"{number}") for number in range(50)]
        commands[7].command_id = str(uuid4())
        commands[9].occurred_at.FromDatetime(datetime.now(UTC) + timedelta(days=1))
        (answer,) = await self._streamed(backend, commands)
        assert answer.accepted == 48
        assert {item.command_id: item.reason for item in answer.refused} == {
            commands[7].command_id: "COMMAND_ID_INVALID", commands[9].command_id: "TIME_IN_FUTURE"
        }  # fmt: skip

    @staticmethod
    async def _streamed(backend: Backend, commands: Iterable[service_pb2.RecordRequest]) -> list[Any]:
        async def requests() -> AsyncIterator[service_pb2.RecordStreamRequest]:
            for command in commands:
                yield service_pb2.RecordStreamRequest(record=command)

        answer = backend.backend.RecordStream(requests())
        return [await answer] if isinstance(answer, grpc.aio.StreamUnaryCall) else [item async for item in answer]


def png_bomb() -> bytes:
    """A PNG whose one text chunk unpacks to 256 MiB."""
    packed = zlib.compress(bytes(256 * _MEBIBYTE))
    text = b"XML:com.adobe.xmp\0\1\0\0\0" + packed
    chunk = struct.pack(">I", len(text)) + b"iTXt" + text + struct.pack(">I", zlib.crc32(b"iTXt" + text))
    whole = label_samples.image_file("PNG")
    return whole[:33] + chunk + whole[33:]


def office_bomb() -> bytes:
    """A DOCX whose properties unpack to 256 MiB."""
    file = io.BytesIO(label_samples.docx_file())
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as out:
        out.writestr("docProps/custom.xml", b"<a>" + bytes(256 * _MEBIBYTE))
    return file.getvalue()


def laughs() -> bytes:
    """A DOCX whose properties are a small XML that grows to billions of letters."""
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    text = f'<?xml version="1.0"?><!DOCTYPE p [<!ENTITY l0 "lol">{entities}]><Properties>&l9;</Properties>'
    file = io.BytesIO(label_samples.docx_file())
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as out:
        out.writestr("docProps/custom.xml", text)
    return file.getvalue()


def pdf_bomb() -> bytes:
    """A PDF whose table of objects unpacks to 256 MiB."""
    packed = zlib.compress(bytes(256 * _MEBIBYTE))
    head = b"%PDF-1.7\n"
    table = (
        b"1 0 obj\n<</Type/XRef/Size 99999999/W[1 2 1]/Root 2 0 R/Filter/FlateDecode/Length %d>>\nstream\n"
        % len(packed)
        + packed
        + b"\nendstream\nendobj\n"
    )
    return head + table + b"startxref\n%d\n%%%%EOF\n" % len(head)


# Files that say that they hold far more than they do.
DECLARED = {
    "wav": b"RIFF\xff\xff\xff\xffWAVEAIGC\xff\xff\xff\xff" + bytes(100),
    "mp3": b"ID3\x04\0\0\x7f\x7f\x7f\x7fTXXX\x7f\x7f\x7f\x7f\0\0" + bytes(100),
    "flac": b"fLaC\x84\xff\xff\xff" + b"\xff" * 8 + bytes(100),
    "ogg": b"OggS\0\2" + bytes(20) + b"\xff" + b"\xff" * 255 + bytes(100),
    "mp4": struct.pack(">I4s4sI", 16, b"ftyp", b"isom", 0) + struct.pack(">I4sQ", 1, b"moov", 1 << 62),
    "webp": b"RIFF\xff\xff\xff\xffWEBPXMP \xff\xff\xff\xff" + bytes(100),
    "jpeg": b"\xff\xd8" + (b"\xff\xe1\xff\xff" + bytes(65_533)) * 40,
}
OFFICE = FILES["docx"][0]
POISONS: dict[str, tuple[str, Any]] = {
    "png bomb": ("image/png", png_bomb),
    "docx bomb": (OFFICE, office_bomb),
    "docx laughs": (OFFICE, laughs),
    "pdf bomb": ("application/pdf", pdf_bomb),
    "pdf without end": ("application/pdf", lambda: b"%PDF-1.7\n" + b"<<" * 200_000),
    "text": ("text/plain", lambda: b"---\nAIGC: {" + b"a" * (5 * _MEBIBYTE) + b"}\n---\n"),
    "wav": ("audio/wav", lambda: DECLARED["wav"]),
    "mp3": ("audio/mpeg", lambda: DECLARED["mp3"]),
    "flac": ("audio/flac", lambda: DECLARED["flac"]),
    "ogg": ("audio/ogg", lambda: DECLARED["ogg"]),
    "mp4": ("video/mp4", lambda: DECLARED["mp4"]),
    "webp": ("image/webp", lambda: DECLARED["webp"]),
    "jpeg": ("image/jpeg", lambda: DECLARED["jpeg"]),
}


class TestFiles:
    """Files that mean harm, through the RPCs."""

    async def test_poisoned_files_are_refused_with_reasons_and_take_no_memory(
        self, backend: Backend, labels: Any
    ) -> None:
        assert {type_ for type_, _ in POISONS.values()} >= {carrier.media_types[0] for carrier in CARRIERS}
        # Warm: the libraries that reading needs are loaded.
        await self._both(labels, *FILES["docx"])
        reasons: dict[str, set[str]] = {}
        async with flat(backend):
            for name, (media_type, make) in POISONS.items():
                reasons[name] = await self._both(labels, media_type, make)
        wrong = {name: found for name, found in reasons.items() if not found <= media_samples.REASONS}
        assert not wrong
        whole = await self._both(labels, *FILES["docx"])
        assert whole == {""}

    async def _both(self, labels: Any, media_type: str, make: Any) -> set[str]:
        """The reasons for which Label and ReadLabel refuse a file; "" where one takes it."""
        data = await asyncio.to_thread(make)
        header = {"generation_id": command_id(), "media_type": media_type, "locale": "zh-CN"}
        return {
            await self._reason(labels.Label(self._parts(label_pb2.LabelRequest, header, data))),
            await self._reason(labels.ReadLabel(self._parts(label_pb2.ReadLabelRequest, {}, data))),
        }

    @staticmethod
    async def _reason(call: Any) -> str:
        try:
            if isinstance(call, grpc.aio.StreamUnaryCall):
                await call
            else:
                async for _ in call:
                    pass
        except grpc.aio.AioRpcError as error:
            found = Refusal.from_rpc(error)
            return found.reason if found else str(error.code())
        return ""

    @staticmethod
    async def _parts(kind: Any, header: dict[str, str], data: bytes) -> AsyncIterator[Any]:
        yield kind(header=header)
        for start in range(0, len(data), _CHUNK):
            yield kind(chunk=data[start : start + _CHUNK])

    async def test_a_file_that_never_begins_or_begins_twice_is_refused(self, labels: Any) -> None:
        async def parts(*made: Any) -> AsyncIterator[Any]:
            for item in made:
                yield item

        header = label_pb2.ReadLabelRequest(header=label_pb2.ReadLabelHeader())
        chunk = label_pb2.ReadLabelRequest(chunk=b"x")
        for order in ((), (chunk,), (header, chunk, header), (label_pb2.ReadLabelRequest(),)):
            assert await self._reason(labels.ReadLabel(parts(*order))) in {"STREAM_ORDER", "INVALID_FIELD"}, order
