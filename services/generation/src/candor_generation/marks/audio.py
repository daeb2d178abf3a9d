"""The audible label of sound: a rhythm, and if the operator gives one a spoken notice, first and every two minutes.

WAV is marked sample by sample (`marks.wav`); what is compressed is decoded and encoded again with the codec and the
rate it came in.

Source: GB 45438-2025 5.3; Generative AI Labelling Measures 4
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

from candor_generation.carriers.base import CarrierError, malformed, too_large
from candor_generation.carriers.wav import Wav
from candor_generation.marks import codecs, wav
from candor_generation.marks.pcm import AudibleLabel, Layout, Overlay

if TYPE_CHECKING:
    from av import AudioFrame, AudioResampler, AudioStream, Packet
    from av.container import InputContainer, OutputContainer

LONGEST: Final = 6 * 3600.0
"""The longest sound that is decoded, in seconds: what is compressed can be far longer than its size tells."""

_TYPES: Final = tuple(kind for kind in codecs.FORMATS if kind.startswith("audio/") or kind == "application/ogg")
_CHANNELS_LIMIT: Final = 8
_PACKED: Final = {"s16": "s16", "s32": "s32", "flt": "f32"}
_LOSSLESS: Final = frozenset({"flac"})
_RATE_OF_UNKNOWN: Final = 128_000  # bits a second


def media_types() -> tuple[str, ...]:
    """The media types of sound that can be marked here."""
    return (*Wav.media_types, *(_TYPES if codecs.installed() else ()))


def mark(
    source: BinaryIO,
    destination: BinaryIO,
    media_type: str,
    label: AudibleLabel | None = None,
    *,
    longest: float = LONGEST,
) -> None:
    """Write the sound with the label before it and over it.

    Args:
        source: seekable.
        destination: empty, seekable.
        media_type: one of `media_types()`.
        label: what is heard; by default the rhythm, every two minutes.
        longest: the longest sound that is decoded, in seconds.

    Raises:
        CarrierError: UNSUPPORTED_MEDIA, FILE_MALFORMED, FILE_TOO_LARGE, MARK_IMPOSSIBLE.

    Source: GB 45438-2025 5.3
    """
    label = label or AudibleLabel()
    if media_type in Wav.media_types:
        wav.mark(source, destination, label)
        return
    if media_type not in _TYPES:
        raise CarrierError("UNSUPPORTED_MEDIA", f"sound of type {media_type} cannot be marked")
    with codecs.opened(source, media_type) as old, codecs.written(destination, media_type, old) as new:
        _Sound(old, new, label, longest).write()


class _Sound:
    """One sound on its way through decoder, label and encoder; a picture beside it is copied."""

    def __init__(self, source: InputContainer, output: OutputContainer, label: AudibleLabel, longest: float) -> None:
        import av

        if len(source.streams.audio) != 1:
            raise malformed("it holds no sound, or several")
        self._source, self._output = source, output
        self._old: AudioStream = source.streams.audio[0]
        self._new = _encoder(self._old, output)
        packed = _packed_format(self._old)
        context = self._old.codec_context
        self._layout = Layout(_PACKED[packed], context.layout.nb_channels, context.sample_rate)
        self._frame = _make_frame(packed, context.layout.name, context.sample_rate)
        self._unpack = av.AudioResampler(packed, context.layout, context.sample_rate)
        self._pack = av.AudioResampler(self._new.format, self._new.layout, self._new.rate, self._new.frame_size or 0)
        self._overlay = Overlay(label, self._layout)
        self._left = round(longest * self._layout.rate)
        self._at = 0
        self._pictures = {
            stream.index: copied
            for stream in source.streams.video
            if (copied := codecs.copied(output, stream)) is not None
        }

    def write(self) -> None:
        """Write the whole of it."""
        opening = self._overlay.opening
        step = self._layout.frame * self._layout.rate
        for start in range(0, len(opening), step):
            self._encode(opening[start : start + step])
        for packet in self._source.demux():
            if packet.stream.index in self._pictures and packet.dts is not None:
                packet.stream = self._pictures[packet.stream.index]
                self._output.mux(packet)
            elif packet.stream.index == self._old.index:
                self._mark(cast("Packet[AudioStream]", packet))
        self._finish()

    def _mark(self, packet: Packet[AudioStream]) -> None:
        for frame in packet.decode():
            for data in self._unpacked(frame):
                self._left -= len(data) // self._layout.frame
                if self._left < 0:
                    raise too_large("its sound is longer than what is decoded")
                self._encode(self._overlay.over(data))

    def _unpacked(self, frame: AudioFrame | None) -> Iterator[bytes]:
        for part in self._unpack.resample(frame):
            yield bytes(part.planes[0])[: part.samples * self._layout.frame]

    def _encode(self, data: bytes) -> None:
        if not data:
            return
        frame = self._frame(data, len(data) // self._layout.frame, self._at)
        self._at += frame.samples
        self._mux(self._pack, frame)

    def _mux(self, pack: AudioResampler, frame: AudioFrame | None) -> None:
        for part in pack.resample(frame):
            self._output.mux(self._new.encode(part))

    def _finish(self) -> None:
        for data in self._unpacked(None):
            self._encode(self._overlay.over(data))
        self._mux(self._pack, None)
        self._output.mux(self._new.encode(None))


def _encoder(old: AudioStream, output: OutputContainer) -> AudioStream:
    """A stream of the codec, rate and channels that another has."""
    context = old.codec_context
    if not 1 <= context.layout.nb_channels <= _CHANNELS_LIMIT or context.sample_rate <= 0:
        raise CarrierError("UNSUPPORTED_MEDIA", "its sound has no channel, or more than eight")
    name = context.codec.canonical_name
    new = cast("Any", output).add_stream(name, context.sample_rate, layout=context.layout.name)
    if name in _LOSSLESS:
        new.codec_context.format = _packed_format(old)
    else:
        new.bit_rate = context.bit_rate or cast("InputContainer", old.container).bit_rate or _RATE_OF_UNKNOWN
        # FFmpeg's own Vorbis encoder calls itself experimental.
        new.codec_context.options = {"strict": "experimental"}
    new.metadata.update({key: value for key, value in old.metadata.items() if key not in ("encoder", "handler_name")})
    return cast("AudioStream", new)


def _packed_format(stream: AudioStream) -> str:
    """The interleaved format whose samples lose nothing."""
    name = stream.codec_context.format.packed.name
    if name in _PACKED:
        return str(name)
    return "s16" if name == "u8" else "flt"


def _make_frame(packed: str, layout: str, rate: int) -> Any:  # noqa: ANN401 - a maker of frames
    from fractions import Fraction

    import av

    def make(data: bytes, samples: int, at: int) -> AudioFrame:
        frame = av.AudioFrame(format=packed, layout=layout, samples=samples)
        plane = frame.planes[0]
        plane.update(data + bytes(plane.buffer_size - len(data)))
        frame.sample_rate, frame.pts, frame.time_base = rate, at, Fraction(1, rate)
        return frame

    return make
