"""Sound and film made for the tests, files that are large but take no room, and what measures memory."""

from __future__ import annotations

import io
import math
import struct
import tempfile
import tracemalloc
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any, BinaryIO

import av
from candor_generation.carriers.base import Carrier, CarrierError
from candor_generation.domain.label import Label
from hypothesis import strategies as st

REASONS = {"FILE_MALFORMED", "FILE_TOO_LARGE", "UNSUPPORTED_MEDIA"}
"""What a carrier may refuse a file for."""

LARGE = 200 * 1024 * 1024
"""The size of a file that must not be held in memory, in bytes."""

CEILING = 4 * 1024 * 1024
"""The memory that a carrier may take for such a file, in bytes."""

LABEL = Label(
    label="1",
    content_producer="001191110102MAD55U9H0F10002",
    produce_id="01933b2e-7f00-7000-8000-000000000001",
    reserved_code1="c2ln",
    content_propagator="001191110102MAD55U9H0F10002",
    propagate_id="01933b2e-7f00-7000-8000-000000000001",
    reserved_code2="",
    explicit_text="",
)


class Null(io.BytesIO):
    """A file that keeps nothing but its size, as far as it was written in order."""

    def __init__(self) -> None:
        super().__init__()
        self.size = 0
        self.largest = 0

    def write(self, data: Any, /) -> int:
        size = memoryview(data).nbytes
        self.size += size
        self.largest = max(self.largest, size)
        return size


@contextmanager
def sparse(head: bytes, size: int = LARGE, tail: bytes = b"") -> Iterator[BinaryIO]:
    """A file of zeros between two ends, which takes no room on the disk."""
    with tempfile.TemporaryFile() as file:
        file.write(head)
        file.truncate(len(head) + size)
        file.seek(0, 2)
        file.write(tail)
        file.seek(0)
        yield file


def peak(work: Callable[[], object]) -> int:
    """The most memory that some work took at once, in bytes."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def samples(seconds: float, rate: int, channels: int) -> bytes:
    """A tone of 220 Hz in 16 bits, as loud as speech."""
    tone = (round(9000 * math.sin(2 * math.pi * 220 * index / rate)) for index in range(int(seconds * rate)))
    return b"".join(struct.pack("<h", value) * channels for value in tone)


def wav(seconds: float = 0.25, rate: int = 8000, channels: int = 1) -> bytes:
    """A WAV file of 16 bits."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setparams((channels, 2, rate, 0, "NONE", ""))
        out.writeframes(samples(seconds, rate, channels))
    return file.getvalue()


def sound(container: str, codec: str, seconds: float = 1.0, rate: int = 48000, channels: int = 2) -> bytes:
    """A compressed file with a title in its metadata."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as out:
        out.metadata["title"] = "Probe"
        stream = out.add_stream(codec, rate, layout="stereo" if channels > 1 else "mono")
        assert isinstance(stream, av.AudioStream)
        stream.codec_context.options = {"strict": "experimental"}
        _encode_sound(out, stream, seconds, rate, channels)
    return file.getvalue()


def _encode_sound(
    out: av.container.OutputContainer, stream: av.AudioStream, seconds: float, rate: int, channels: int
) -> None:
    frame = av.AudioFrame("s16", "stereo" if channels > 1 else "mono", int(seconds * rate))
    data = samples(seconds, rate, channels)
    frame.planes[0].update(data + bytes(frame.planes[0].buffer_size - len(data)))
    frame.sample_rate = rate
    frame.pts = 0
    frame.time_base = Fraction(1, rate)
    resampler = av.AudioResampler(stream.format, stream.layout, rate, frame_size=stream.frame_size or 0)
    for part in [*resampler.resample(frame), *resampler.resample(None)]:
        out.mux(stream.encode(part))
    out.mux(stream.encode(None))


def film(
    container: str = "mp4",
    flags: str = "",
    seconds: float = 1.0,
    size: tuple[int, int] = (160, 120),
    metadata: dict[str, str] | None = None,
    *,
    codec: str = "mpeg4",
) -> bytes:
    """A film with sound; the flags are those of FFmpeg's `-movflags`."""
    with tempfile.NamedTemporaryFile(suffix=f".{container}") as file:
        _write_film(file.name, container, flags, seconds, size, metadata or {"title": "Probe"}, codec)
        return file.read()


def _write_film(
    path: str, container: str, flags: str, seconds: float, size: tuple[int, int], tags: dict[str, str], codec: str
) -> None:
    with av.open(path, "w", format=container, options={"movflags": flags} if flags else {}) as out:
        out.metadata.update(tags)
        video = out.add_stream(codec, 25)
        assert isinstance(video, av.VideoStream)
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        audio = out.add_stream("aac", 48000, layout="stereo")
        assert isinstance(audio, av.AudioStream)
        for number in range(int(seconds * 25)):
            frame = av.VideoFrame(*size, "rgb24")
            line = bytes((number * 5 % 256, 128, 64)) * size[0]
            plane = frame.planes[0]
            plane.update(line.ljust(plane.line_size, b"\0") * size[1])
            frame.pts = number
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        _encode_sound(out, audio, seconds, 48000, 2)


def metadata(content: bytes) -> dict[str, str]:
    """What FFmpeg reads of a file's metadata, the container's and that of its streams."""
    with av.open(io.BytesIO(content)) as container:
        found = dict(container.metadata)
        for stream in container.streams:
            found |= stream.metadata
        return found


def decoded(content: bytes) -> list[bytes]:
    """Every packet of every stream, decoded by FFmpeg: the bytes that a listener or a viewer gets."""
    frames: list[bytes] = []
    with av.open(io.BytesIO(content), "r") as container:
        for frame in container.decode():
            assert isinstance(frame, av.VideoFrame | av.AudioFrame)
            frames += [bytes(plane) for plane in frame.planes]
    return frames


def labelled(carrier: Carrier, content: bytes, label: Label = LABEL) -> bytes:
    """The file as a carrier writes it."""
    out = io.BytesIO()
    carrier.write(io.BytesIO(content), out, label)
    return out.getvalue()


def values(carrier: Carrier, content: bytes) -> list[str]:
    """What a carrier reads of a file."""
    return carrier.read(io.BytesIO(content))


def refused(carrier: Carrier, content: bytes) -> str:
    """The reason for which a carrier neither reads nor labels a file."""
    reasons = set()
    for work in (lambda: values(carrier, content), lambda: labelled(carrier, content)):
        try:
            work()
        except CarrierError as error:
            reasons.add(error.reason)
        else:
            reasons.add("")
    assert len(reasons) == 1, reasons
    return reasons.pop()


def survives(carrier: Carrier, content: bytes) -> None:
    """Whatever a file holds, it is refused with a reason, or labelled so that the label reads back alone."""
    try:
        out = labelled(carrier, content)
        found = values(carrier, out)
    except CarrierError as error:
        refused_for = error.reason
    else:
        assert found == [LABEL.bare]
        return
    assert refused_for in REASONS


def mutations(content: bytes, within: int = 4096) -> st.SearchStrategy[bytes]:
    """A file with some bytes of its beginning changed, left out, doubled, or its end cut off."""
    place = st.integers(0, min(within, len(content)) - 1)
    words = st.sampled_from([b"\0", b"\xff", b"\x7f\xff\xff\xff", b"\xff" * 4, b"\0" * 4, b"\x80" + b"\0" * 7, b"AIGC"])
    change = st.one_of(
        st.tuples(st.just("set"), place, words | st.binary(min_size=1, max_size=8)),
        st.tuples(st.just("cut"), place, st.just(b"")),
        st.tuples(st.just("drop"), place, st.binary(min_size=1, max_size=32)),
        st.tuples(st.just("double"), place, st.binary(min_size=1, max_size=64)),
    )
    return st.lists(change, min_size=1, max_size=3).map(lambda changes: _mutated(content, changes))


def _mutated(content: bytes, changes: list[tuple[str, int, bytes]]) -> bytes:
    for kind, place, data in changes:
        if kind == "set":
            content = content[:place] + data + content[place + len(data) :]
        elif kind == "cut":
            content = content[:place]
        elif kind == "drop":
            content = content[:place] + content[place + len(data) :]
        else:
            content = content[:place] + content[place : place + len(data)] * 2 + content[place + len(data) :]
    return content
