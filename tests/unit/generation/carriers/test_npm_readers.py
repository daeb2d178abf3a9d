"""The label read by ExifTool and by ffprobe, in files as they go out."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any, BinaryIO

import npm_readers
import pytest
from candor_generation import identity, labelling
from candor_generation.credentials import Credentials, Maker, Pointer
from label_samples import FILES, ID, image_file
from media_samples import LABEL, film, sound, wav
from npm_readers import told
from PIL import PngImagePlugin

KEYS = [
    "Label", "ContentProducer", "ProduceID", "ReservedCode1", "ContentPropagator", "PropagateID", "ReservedCode2",
]  # fmt: skip
MEDIA: dict[str, tuple[str, Callable[[], bytes]]] = {
    "wav": ("audio/wav", wav),
    "mp3": ("audio/mpeg", partial(sound, "mp3", "libmp3lame", 0.3)),
    "flac": ("audio/flac", partial(sound, "flac", "flac", 0.3)),
    "ogg-vorbis": ("audio/ogg", partial(sound, "ogg", "vorbis", 0.3)),
    "ogg-opus": ("audio/ogg", partial(sound, "ogg", "libopus", 0.3)),
    "ogg-flac": ("audio/ogg", partial(sound, "ogg", "flac", 0.3)),
    "m4a": ("audio/mp4", partial(sound, "ipod", "aac", 0.3)),
    "mp4": ("video/mp4", partial(film, "mp4", "faststart", 0.3)),
    "mp4-fragments": ("video/mp4", partial(film, "mp4", "frag_keyframe+empty_moov", 0.3)),
    "mov": ("video/quicktime", partial(film, "mov", "", 0.3)),
}
# Neither reader looks into the front matter of a text.
SAMPLES = {name: sample for name, sample in FILES.items() if name not in ("text", "markdown")} | MEDIA
# FFmpeg skips every chunk of a WAV file that it does not know, and practice puts the label in one (TC260-PG-202510A).
PROBED = [name for name in MEDIA if name != "wav"]
SIGNED = [
    "png", "jpeg", "webp-lossy", "webp-lossless", "pdf-table", "pdf-streams", "pdf-linear",
    "wav", "mp3", "flac", "m4a", "mp4", "mp4-fragments", "mov",
]  # fmt: skip


@pytest.fixture(scope="session")
def exiftool(jar_cache: Path) -> list[str]:
    return npm_readers.exiftool(jar_cache / "npm")


@pytest.fixture(scope="session")
def ffprobe(jar_cache: Path) -> list[str]:
    return [*npm_readers.ffprobe(jar_cache / "npm"), "-show_format", "-show_streams", "-of", "json"]


@cache
def signer() -> Credentials:
    return Credentials(identity.self_made("Probe Ltd", datetime(2026, 3, 1, tzinfo=UTC)))


def seal(labelled: BinaryIO, destination: BinaryIO, media_type: str, original: BinaryIO) -> None:
    signer().sign(
        labelled,
        destination,
        media_type,
        pointer=Pointer("log.example/gen", ID),
        maker=Maker("probe-model", "3"),
        when=datetime(2026, 3, 1, tzinfo=UTC),
        parent=original,
    )


def written(folder: Path, media_type: str, data: bytes, sealer: labelling.Sealer | None = None) -> Path:
    path = folder / "file"
    with path.open("w+b") as out:
        labelling.write(io.BytesIO(data), out, media_type, LABEL, sealer=sealer)
    return path


def variants(names: Iterable[str]) -> list[Any]:
    """Every sample with its label, and again with a C2PA manifest over that."""
    plain = [pytest.param(name, None, id=name) for name in names]
    return plain + [pytest.param(name, seal, id=f"{name}-signed") for name in names if name in SIGNED]


def labels(tags: Mapping[str, object]) -> dict[str, str]:
    """Every value that is called AIGC, and every label by another name."""
    return {name: text(value) for name, value in tags.items() if "AIGC" in name.upper() or "ProduceID" in str(value)}


def check(found: Mapping[str, str]) -> None:
    """Ours is the one label, whole, and under its name; ExifTool makes its own capitals."""
    ((name, value),) = found.items()
    assert name.upper().endswith("AIGC")
    assert value == LABEL.bare
    assert list(json.loads(value)) == KEYS


def text(value: object) -> str:
    whole = str(value)
    if not whole.startswith("base64:"):
        return whole
    # ExifTool gives the byte that pads a chunk of odd size with the chunk.
    return base64.b64decode(whole.removeprefix("base64:")).decode().rstrip("\0")


def exif_tags(exiftool: list[str], path: Path, *options: str) -> dict[str, object]:
    # Without the group 4, that of copies, JSON would name two labels alike and show one.
    (tags,) = told([*exiftool, "-json", "-G0:4", "-a", *options, path])
    complaints = [value for name, value in tags.items() if name.endswith((":Warning", ":Error"))]
    # The C2PA library writes ID3 tags without padding, of which ExifTool makes a minor warning.
    assert all(str(each).startswith("[minor]") for each in complaints), complaints
    return dict(tags)


def probed_tags(found: dict[str, Any]) -> dict[str, object]:
    parts = {"format": found["format"]} | {f"stream {each['index']}": each for each in found["streams"]}
    return {f"{where} {name}": value for where, part in parts.items() for name, value in part.get("tags", {}).items()}


@pytest.mark.clause("GB 45438-2025 6.1")
@pytest.mark.parametrize(("name", "sealer"), variants(SAMPLES))
def test_gb_45438_6_1_exiftool_finds_the_one_label(
    exiftool: list[str], tmp_path: Path, name: str, sealer: labelling.Sealer | None
) -> None:
    media_type, make = SAMPLES[name]
    # It shows a chunk of a WAV file that it does not know only when asked for the unknown (-u), and as bytes (-b).
    options = ["-u", "-b"] if name == "wav" else []
    check(labels(exif_tags(exiftool, written(tmp_path, media_type, make(), sealer), *options)))


@pytest.mark.clause("GB 45438-2025 6.1")
@pytest.mark.parametrize(("name", "sealer"), variants(PROBED))
def test_gb_45438_6_1_ffprobe_finds_the_one_label(
    ffprobe: list[str], tmp_path: Path, name: str, sealer: labelling.Sealer | None
) -> None:
    media_type, make = SAMPLES[name]
    check(labels(probed_tags(told([*ffprobe, written(tmp_path, media_type, make(), sealer)]))))


def test_ffprobe_passes_over_the_label_of_a_wav_file_and_finds_the_same_sound(
    ffprobe: list[str], tmp_path: Path
) -> None:
    plain = tmp_path / "plain"
    plain.write_bytes(wav())
    after = told([*ffprobe, written(tmp_path, "audio/wav", wav())])
    assert after["streams"] == told([*ffprobe, plain])["streams"]
    assert labels(probed_tags(after)) == {}


@pytest.mark.clause("GB 45438-2025 6.1")
def test_gb_45438_6_1_of_the_labels_that_exiftool_finds_one_is_left(exiftool: list[str], tmp_path: Path) -> None:
    info = PngImagePlugin.PngInfo()
    for value in ("first", "second"):
        info.add_text("AIGC", json.dumps({"Label": value}))
    before = tmp_path / "before"
    before.write_bytes(image_file("PNG", pnginfo=info))
    assert len(labels(exif_tags(exiftool, before))) == 2
    check(labels(exif_tags(exiftool, written(tmp_path, "image/png", before.read_bytes()))))
