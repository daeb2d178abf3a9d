"""Files labelled and read through the service's streams and through `candor label`."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from candor.generation.v1 import label_pb2
from candor.generation.v1.label_pb2 import LabelHeader, LabelRequest, Propagation, ReadLabelHeader, ReadLabelRequest
from candor_generation import carriers, credentials, identity, label_command
from candor_generation.domain import label
from candor_generation.domain.refusal import Refused
from candor_generation.handlers.labelling import Known, Labelling
from candor_generation.labelkey import LabelKey
from candor_generation.signing import LogKey
from label_samples import CODE, FILES, ID, a_label, image_file
from media_samples import wav
from typer.testing import CliRunner

ORIGIN = "log.example.com/generation"
OTHER_ID = "01933b2e-7f00-7000-8000-000000000002"
PLACED_IN = "candor.example/log/generation/2026h1"
INDEX = 41
LIMIT = 1 << 20


class AnExchange:
    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        yield None


async def lookup(_connection: object, generation_id: str) -> Known | None:
    return Known(PLACED_IN, INDEX, "model-1", datetime(2026, 3, 1, tzinfo=UTC)) if generation_id == ID else None


@pytest.fixture
def log_key(tmp_path: Path) -> LogKey:
    return LogKey(tmp_path / "log.key", ORIGIN)


@pytest.fixture
def service(tmp_path: Path, log_key: LogKey) -> Labelling:
    key = LabelKey(tmp_path / "label.key", tmp_path / "label-certificates", log_key)
    return Labelling(key, CODE, lookup, LIMIT, tmp_path)


async def written(
    service: Labelling, data: bytes, media_type: str, **fields: Any
) -> tuple[label_pb2.LabelledHeader, bytes]:
    """What the service answers to one file, sent in chunks of a thousand bytes."""
    act = fields if "propagation" in fields else {"generation_id": ID} | fields
    header = LabelHeader(media_type=media_type, locale="zh-CN", **act)

    async def requests() -> AsyncIterator[LabelRequest]:
        yield LabelRequest(header=header)
        for start in range(0, len(data), 1000):
            yield LabelRequest(chunk=data[start : start + 1000])

    replies = [reply async for reply in service.label(AnExchange(), requests())]
    return replies[0].header, b"".join(reply.chunk for reply in replies[1:])


async def read(service: Labelling, data: bytes, media_type: str = "") -> label_pb2.ReadLabelResponse:
    async def requests() -> AsyncIterator[ReadLabelRequest]:
        yield ReadLabelRequest(header=ReadLabelHeader(media_type=media_type))
        yield ReadLabelRequest(chunk=data)

    (reply,) = [reply async for reply in service.read_label(AnExchange(), requests())]
    return reply


@pytest.mark.clause("GB 45438-2025 6.1", "Generative AI Labelling Measures 5")
@pytest.mark.parametrize("name", sorted(FILES))
async def test_a_found_file_leads_back_to_its_log_entry(service: Labelling, name: str) -> None:
    media_type, make = FILES[name]
    data = make()
    header, content = await written(service, data, media_type)
    assert header.unlabelled_sha256 == hashlib.sha256(data).digest()
    assert header.labelled_sha256 == hashlib.sha256(content).digest()
    assert header.labelled_size == len(content)
    found = await read(service, content)
    assert found.signature == label_pb2.SIGNATURE_STATE_HOLDS
    assert (found.origin, found.generation_id, found.log_index) == (PLACED_IN, ID, INDEX)
    assert not found.violations
    assert found.sha256 == header.labelled_sha256


async def test_a_generation_that_is_not_sequenced_has_no_index_yet(service: Labelling) -> None:
    _, content = await written(service, b"text", "text/plain", generation_id=OTHER_ID)
    found = await read(service, content)
    assert found.signature == label_pb2.SIGNATURE_STATE_HOLDS
    assert not found.HasField("log_index")


async def test_a_label_moved_to_other_content_fails(service: Labelling) -> None:
    header, _ = await written(service, b"text", "text/plain")
    forged = label.make(OTHER_ID, CODE, "zh-CN", integrity=header.label.reserved_code1, explicit=False)
    file = io.BytesIO()
    carriers.carrier_of("text/plain").write(io.BytesIO(b"other"), file, forged)
    found = await read(service, file.getvalue())
    assert found.signature == label_pb2.SIGNATURE_STATE_FAILS
    assert not found.generation_id


async def test_a_label_of_others_is_foreign_and_one_that_is_not_there_is_nothing(service: Labelling) -> None:
    file = io.BytesIO()
    carriers.carrier_of("text/plain").write(io.BytesIO(b"other"), file, a_label())
    assert (await read(service, file.getvalue())).signature == label_pb2.SIGNATURE_STATE_FOREIGN
    nothing = await read(service, b"plain words")
    assert nothing.signature == label_pb2.SIGNATURE_STATE_UNSPECIFIED
    assert not nothing.found


@pytest.mark.clause("Generative AI Labelling Measures 4", "GB 45438-2025 5.1")
async def test_labelling_measures_4_the_file_holds_the_explicit_label_too(service: Labelling) -> None:
    options = label_pb2.ExplicitOptions(place=label_pb2.PLACE_START)
    header, content = await written(service, b"text", "text/plain", explicit=options)
    assert content.decode().endswith(f"---\n{label.explicit_text('zh-CN')}\n\ntext")
    assert header.label.produce_id == ID


@pytest.mark.clause("GB 45438-2025 5.1")
async def test_gb_45438_5_1_words_without_both_elements_are_refused(service: Labelling) -> None:
    with pytest.raises(Refused, match="MARK_IMPOSSIBLE"):
        await written(service, b"text", "text/plain", explicit=label_pb2.ExplicitOptions(text="made by AI"))


@pytest.mark.clause("Generative AI Labelling Measures 10")
async def test_labelling_measures_10_another_label_is_replaced_only_when_told_to(service: Labelling) -> None:
    _, theirs = await written(service, b"text", "text/plain", generation_id=OTHER_ID)
    with pytest.raises(Refused, match="LABEL_EXISTS"):
        await written(service, theirs, "text/plain")
    header, content = await written(service, theirs, "text/plain", supersede=True)
    assert [found.label.produce_id for found in header.found] == [OTHER_ID]
    assert (await read(service, content)).generation_id == ID
    again, same = await written(service, content, "text/plain")
    assert (same, again.label) == (content, header.label)


@pytest.mark.clause("Generative AI Labelling Measures 6")
async def test_labelling_measures_6_what_is_passed_on_keeps_its_producer(service: Labelling) -> None:
    _, produced = await written(service, image_file("PNG"), "image/png")
    passing = Propagation(grounds=label_pb2.GROUNDS_METADATA, propagate_id="post-9")
    header, content = await written(service, produced, "image/png", propagation=passing)
    assert (header.label.label, header.label.produce_id, header.label.propagate_id) == ("1", ID, "post-9")
    assert header.label.content_propagator == label.propagator_code(CODE)
    assert service.key.check(header.label.reserved_code2, "post-9").origin == ORIGIN
    assert (await read(service, content)).generation_id == ID


@pytest.mark.clause("Generative AI Labelling Measures 6")
@pytest.mark.parametrize(("grounds", "attribute"), [(label_pb2.GROUNDS_DECLARED, "2"), (label_pb2.GROUNDS_TRACES, "3")])
async def test_labelling_measures_6_without_metadata_it_may_be_or_is_suspected(
    service: Labelling, grounds: label_pb2.Grounds.ValueType, attribute: str
) -> None:
    passing = Propagation(grounds=grounds, propagate_id="post-9")
    header, _ = await written(service, b"text", "text/plain", propagation=passing)
    assert (header.label.label, header.label.content_producer, header.label.produce_id) == (attribute, "", "")


async def test_metadata_that_is_none_or_no_label_is_not_passed_on(service: Labelling) -> None:
    passing = Propagation(grounds=label_pb2.GROUNDS_METADATA, propagate_id="post-9")
    with pytest.raises(Refused, match="LABEL_MISSING"):
        await written(service, b"text", "text/plain", propagation=passing)
    with pytest.raises(Refused, match="LABEL_MALFORMED"):
        await written(service, b"---\nAIGC: nonsense\n---\n", "text/plain", propagation=passing)


@pytest.mark.clause("GB 45438-2025 6.1")
async def test_gb_45438_6_1_more_labels_than_one_are_reported(service: Labelling) -> None:
    block = "AIGC: " + a_label().bare + "\n"
    data = f"---\n{block}{block}---\n".encode()
    found = await read(service, data)
    assert found.violations[0] == "the file carries 2 labels; one is allowed"
    passing = Propagation(grounds=label_pb2.GROUNDS_METADATA, propagate_id="post-9")
    with pytest.raises(Refused, match="LABEL_DUPLICATE"):
        await written(service, data, "text/plain", propagation=passing)


async def test_what_carriers_refuse_is_refused_with_their_reason(service: Labelling) -> None:
    with pytest.raises(Refused, match="FILE_MALFORMED"):
        await written(service, b"no picture", "image/png")
    with pytest.raises(Refused, match="UNSUPPORTED_MEDIA"):
        await written(service, b"x", "application/x-unknown")
    with pytest.raises(Refused, match="FILE_TOO_LARGE"):
        await written(service, bytes(LIMIT + 1), "text/plain")
    with pytest.raises(Refused, match="CREDENTIALS_ABSENT"):
        await written(service, b"x", "image/png", credentials=True)


async def test_content_credentials_lead_to_the_same_entry(service: Labelling) -> None:
    signer = credentials.Credentials(identity.self_made("Example", datetime(2026, 3, 1, tzinfo=UTC)))
    signing = dataclasses.replace(service, credentials=lambda: signer)
    header, content = await written(signing, image_file("PNG"), "image/png", credentials=True)
    manifest = credentials.read(io.BytesIO(content), "image/png")
    assert manifest is not None
    assert manifest.pointer == credentials.Pointer(PLACED_IN, ID)
    assert (await read(service, content)).found[0].label.json == header.label.json
    with pytest.raises(Refused, match="GENERATION_UNKNOWN"):
        await written(signing, image_file("PNG"), "image/png", generation_id=OTHER_ID, credentials=True)


@pytest.mark.parametrize("order", [[], ["chunk"], ["header", "header"], ["header", "chunk", "header"]])
async def test_a_stream_out_of_order_is_refused(service: Labelling, order: list[str]) -> None:
    parts = {
        "chunk": LabelRequest(chunk=b"x"),
        "header": LabelRequest(header=LabelHeader(generation_id=ID, media_type="text/plain", locale="en")),
    }

    async def requests() -> AsyncIterator[LabelRequest]:
        for part in order:
            yield parts[part]

    with pytest.raises(Refused, match="STREAM_ORDER"):
        [reply async for reply in service.label(AnExchange(), requests())]


async def test_nothing_is_left_in_the_spool_folder(service: Labelling, tmp_path: Path) -> None:
    def names() -> list[str]:
        return sorted(path.name for path in tmp_path.iterdir())

    await written(service, b"x" * 900_000, "text/plain")
    assert await asyncio.to_thread(names) == ["label-certificates", "label.key", "log.key"]


@pytest.fixture
def shell(tmp_path: Path, service: Labelling) -> tuple[CliRunner, list[str], list[str]]:
    made = label.make(ID, CODE, "zh-CN", integrity=service.key.sign(ID), explicit=False)
    (tmp_path / "picture.png").write_bytes(image_file("PNG"))
    (tmp_path / "label.json").write_text(made.json)
    certificate = tmp_path / "label-certificates" / service.key.signer.vkey.key_id.hex()
    writing = [
        "write",
        str(tmp_path / "picture.png"),
        str(tmp_path / "out.png"),
        "--label",
        str(tmp_path / "label.json"),
    ]
    reading = ["read", str(tmp_path / "out.png"), "--certificate", str(certificate), "--json"]
    return CliRunner(), writing, reading


def test_candor_label_writes_and_reads_offline(shell: tuple[CliRunner, list[str], list[str]], log_key: LogKey) -> None:
    runner, writing, reading = shell
    assert runner.invoke(label_command.app, writing).exit_code == 0
    result = runner.invoke(label_command.app, [*reading, "--vkey", log_key.signer.vkey.text])
    assert result.exit_code == 0, result.output
    report = json.loads(result.output)
    assert (report["signature"], report["log"], report["generation_id"]) == ("holds", ORIGIN, ID)
    assert runner.invoke(label_command.app, writing).exit_code == 2


def test_candor_label_says_what_is_wrong_by_its_exit_code(
    shell: tuple[CliRunner, list[str], list[str]], tmp_path: Path
) -> None:
    runner, writing, reading = shell
    assert runner.invoke(label_command.app, ["read", writing[1]]).exit_code == 1
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert runner.invoke(label_command.app, ["read", str(tmp_path / "broken.png")]).exit_code == 2
    assert runner.invoke(label_command.app, ["read", str(tmp_path / "absent.png")]).exit_code == 2
    assert runner.invoke(label_command.app, [*writing[:-1], '{"AIGC":{}}']).exit_code == 2
    runner.invoke(label_command.app, writing)
    impostor = LogKey(tmp_path / "impostor.key", ORIGIN).signer.vkey.text
    result = runner.invoke(label_command.app, [*reading, "--vkey", impostor])
    assert (result.exit_code, json.loads(result.output)["signature"]) == (1, "fails")


def test_candor_label_speaks_the_notice_that_it_is_given(
    shell: tuple[CliRunner, list[str], list[str]], tmp_path: Path
) -> None:
    runner, writing, _ = shell
    notice, plain, spoken = (tmp_path / name for name in ("notice.wav", "plain.wav", "spoken.wav"))
    notice.write_bytes(wav(2.0))
    marking = ["write", str(notice), str(plain), *writing[3:], "--explicit"]
    assert runner.invoke(label_command.app, marking).exit_code == 0
    marking[2] = str(spoken)
    ran = runner.invoke(label_command.app, [*marking, "--notice", str(notice)])
    assert ran.exit_code == 0, ran.output
    assert spoken.stat().st_size - plain.stat().st_size >= 2 * 8000 * 2
    marking[2] = str(tmp_path / "other.wav")
    assert runner.invoke(label_command.app, [*marking, "--notice", str(tmp_path / "label.json")]).exit_code == 1
    assert runner.invoke(label_command.app, [*marking, "--notice", str(tmp_path / "absent.wav")]).exit_code == 2


def test_candor_label_puts_the_explicit_label_in_and_keeps_labels_of_others(
    shell: tuple[CliRunner, list[str], list[str]], tmp_path: Path
) -> None:
    runner, writing, _ = shell
    text, out, again = tmp_path / "a.md", tmp_path / "b.md", tmp_path / "c.md"
    text.write_text("# Title\n")
    options = ["--label", writing[-1], "--explicit", "--at", "start", "--locale", "en"]
    assert runner.invoke(label_command.app, ["write", str(text), str(out), *options]).exit_code == 0
    assert out.read_text().endswith(f"{label.explicit_text('en')}\n\n# Title\n")
    other = ["--label", a_label(OTHER_ID).json]
    assert runner.invoke(label_command.app, ["write", str(out), str(again), *other]).exit_code == 1
    assert runner.invoke(label_command.app, ["write", str(out), str(again), *other, "--supersede"]).exit_code == 0
