"""The visible label of films: a caption over the opening pictures for two seconds and more."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import av
import pytest
from candor_generation.carriers.base import CarrierError
from candor_generation.carriers.mp4 import Mp4
from candor_generation.marks import video
from hypothesis import given, settings
from media_samples import LABEL, film, labelled, metadata, mutations, sound, values
from PIL import Image

TEXT = "内容由人工智能（AI）生成"
SIZE = (320, 240)


def marked(content: bytes, media_type: str = "video/mp4", text: str = TEXT) -> bytes:
    out = io.BytesIO()
    video.mark(io.BytesIO(content), out, media_type, text)
    return out.getvalue()


def pictures(content: bytes) -> list[tuple[float, Image.Image]]:
    with av.open(io.BytesIO(content), "r") as container:
        frames: Any = container.decode(video=0)
        return [(frame.time, frame.to_image().convert("L")) for frame in frames]


def ink(picture: Image.Image) -> tuple[int, int]:
    """The first and the last row on which white letters stand on black."""
    rows = [
        row
        for row in range(picture.height)
        if picture.crop((0, row, picture.width, row + 1)).point(lambda value: 255 * (value > 160)).getbbox()
    ]
    return (rows[0], rows[-1]) if rows else (-1, -1)


def packets(content: bytes) -> list[bytes]:
    with av.open(io.BytesIO(content), "r") as container:
        return [bytes(packet) for packet in container.demux(audio=0)]


@pytest.mark.clause("GB 45438-2025 5.4", "Generative AI Labelling Measures 4")
@pytest.mark.parametrize(
    ("container", "codec", "media_type"),
    [("mp4", "mpeg4", "video/mp4"), ("mp4", "h264", "video/mp4"), ("mov", "mpeg4", "video/quicktime")],
)
def test_gb_45438_5_4_the_opening_pictures_carry_a_caption_for_two_seconds_of_a_height_of_5_percent(
    container: str, codec: str, media_type: str
) -> None:
    old = film(container, "", 3.2, SIZE, codec=codec)
    out = marked(old, media_type)
    shown, before = pictures(out), pictures(old)
    assert [time for time, _ in shown] == pytest.approx([time for time, _ in before])
    captioned = [time for time, picture in shown if ink(picture)[0] >= 0]
    assert captioned == [time for time, _ in shown if time < 2.5]
    first, last = ink(shown[0][1])
    assert last - first + 1 >= 0.05 * min(SIZE)
    assert first > SIZE[1] / 2
    assert packets(out) == packets(old)
    assert metadata(out)["title"] == "Probe"
    with av.open(io.BytesIO(out)) as new, av.open(io.BytesIO(old)) as was:
        assert new.streams.video[0].codec_context.name == was.streams.video[0].codec_context.name


@pytest.mark.clause("GB 45438-2025 5.4")
def test_gb_45438_5_4_a_film_that_is_too_short_shows_its_last_picture_on() -> None:
    shown = pictures(marked(film(seconds=0.4, size=SIZE)))
    times = [time for time, _ in shown]
    assert times[-1] + 0.04 >= 2.5
    assert times == sorted(set(times))
    assert all(ink(picture)[0] >= 0 for _, picture in shown)


def test_a_label_that_is_there_stays_to_be_extended() -> None:
    out = marked(labelled(Mp4(), film(seconds=0.4, size=SIZE)))
    assert values(Mp4(), out) == [LABEL.bare]


@pytest.mark.parametrize(
    ("content", "media_type", "reason"),
    [
        (b"", "video/mp4", "FILE_MALFORMED"),
        (b"\0\0\0\x10ftypisom\0\0\0\0", "video/mp4", "FILE_MALFORMED"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n", "video/mp4", "FILE_MALFORMED"),
        (b"", "video/webm", "UNSUPPORTED_MEDIA"),
        (b"", "audio/mp4", "UNSUPPORTED_MEDIA"),
    ],
)
def test_what_cannot_be_marked_is_refused(content: bytes, media_type: str, reason: str) -> None:
    with pytest.raises(CarrierError, match=reason):
        marked(content, media_type)


def test_a_file_without_a_film_is_refused() -> None:
    with pytest.raises(CarrierError, match="FILE_MALFORMED"):
        marked(sound("mp4", "aac", 0.2))


def test_pictures_too_small_for_the_caption_are_refused() -> None:
    with pytest.raises(CarrierError, match="MARK_IMPOSSIBLE"):
        marked(film(seconds=0.2, size=(32, 32)))


def test_films_too_long_or_too_large_are_refused() -> None:
    content = io.BytesIO(film(seconds=0.4))
    with pytest.raises(CarrierError, match="FILE_TOO_LARGE"):
        video.mark(content, io.BytesIO(), "video/mp4", TEXT, longest=0.1)
    with pytest.raises(CarrierError, match="FILE_TOO_LARGE"):
        video.mark(content, io.BytesIO(), "video/mp4", TEXT, max_pixels=100)


def test_without_the_extra_nothing_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("candor_generation.marks.codecs.installed", lambda: False)
    assert video.media_types() == ()
    with pytest.raises(CarrierError, match="UNSUPPORTED_MEDIA"):
        marked(film(seconds=0.1))


SMALL = film(seconds=0.1, size=(128, 96))


@settings(max_examples=25, deadline=None)
@given(mutations(SMALL, within=len(SMALL)))
def test_whatever_the_bytes_a_film_is_marked_or_refused(content: bytes) -> None:
    with contextlib.suppress(CarrierError):
        marked(content)
