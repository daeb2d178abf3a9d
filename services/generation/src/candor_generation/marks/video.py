"""The visible label of films: a caption over the opening pictures, for two seconds and more.

The film is decoded and encoded again with the codec it came in; its sound and all other streams are copied.

Source: GB 45438-2025 5.4; Generative AI Labelling Measures 4
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

from candor_generation.carriers.base import CarrierError, malformed, too_large
from candor_generation.marks import codecs
from candor_generation.marks.image import MAX_PIXELS, draw_band

if TYPE_CHECKING:
    from av import Packet, VideoFrame, VideoStream
    from av.container import InputContainer, OutputContainer
    from av.stream import Stream

SHOWN: Final = Fraction(5, 2)
"""How long the caption is shown, in seconds; no less than two are allowed (GB 45438-2025 5.4)."""

LONGEST: Final = 6 * 3600.0
"""The longest film that is decoded, in seconds: what is compressed can be far longer than its size tells."""

_TYPES: Final = tuple(kind for kind in codecs.FORMATS if kind.startswith("video/"))
_RATE: Final = Fraction(25)  # pictures a second, where the film states none
_BITS_A_PIXEL: Final = Fraction(1, 10)  # at least, so that letters stay sharp
_FORMAT: Final = "yuv420p"


def media_types() -> tuple[str, ...]:
    """The media types of films that can be marked here."""
    return _TYPES if codecs.installed() else ()


def mark(
    source: BinaryIO,
    destination: BinaryIO,
    media_type: str,
    text: str,
    *,
    font_file: Path | None = None,
    longest: float = LONGEST,
    max_pixels: int = MAX_PIXELS,
) -> None:
    """Write the film with a caption over its opening pictures; the last picture of a shorter film is held.

    Args:
        source: seekable.
        destination: empty, seekable.
        media_type: one of `media_types()`.
        text: the caption.
        font_file: a font that has its letters; by default one that has those of the built-in texts.
        longest: the longest film that is decoded, in seconds.
        max_pixels: the largest picture that is decoded.

    Raises:
        CarrierError: UNSUPPORTED_MEDIA, FILE_MALFORMED, FILE_TOO_LARGE, MARK_IMPOSSIBLE.

    Source: GB 45438-2025 5.4
    """
    if media_type not in _TYPES:
        raise CarrierError("UNSUPPORTED_MEDIA", f"a film of type {media_type} cannot be marked")
    with codecs.opened(source, media_type) as old:
        film = _film(old, longest, max_pixels)
        with codecs.written(destination, media_type, old) as new:
            _Film(old, film, new, text, font_file, longest).write()


def _film(source: InputContainer, longest: float, max_pixels: int) -> VideoStream:
    """The one stream that moves."""
    import av

    moving = [stream for stream in source.streams.video if not stream.disposition & av.stream.Disposition.attached_pic]
    if len(moving) != 1:
        raise malformed("it holds no film, or several")
    context = moving[0].codec_context
    if not 0 < context.width * context.height <= max_pixels:
        raise too_large(f"its pictures have no pixels, or more than {max_pixels}")
    if source.duration is not None and source.duration > longest * av.time_base:
        raise too_large("it is longer than what is decoded")
    return moving[0]


class _Film:
    """One film on its way through decoder, caption and encoder."""

    def __init__(
        self,
        source: InputContainer,
        old: VideoStream,
        output: OutputContainer,
        text: str,
        font_file: Path | None,
        longest: float,
    ) -> None:
        self._source, self._old, self._output = source, old, output
        self._text, self._font_file, self._longest = text, font_file, longest
        self._new = _encoder(old, output)
        self._copies: dict[int, Any] = {}
        for stream in source.streams:
            if stream.index != old.index:
                self._copies[stream.index] = self._copied(stream)
        self._first: Fraction | None = None
        self._last: VideoFrame | None = None
        self._went_on = False

    def _copied(self, stream: Stream) -> Any:  # noqa: ANN401 - a stream of any kind
        copied = codecs.copied(self._output, stream)
        if copied is None:
            raise CarrierError("UNSUPPORTED_MEDIA", "it holds a stream that cannot be copied")
        return copied

    def write(self) -> None:
        """Write the whole of it."""
        for packet in self._source.demux():
            if packet.stream.index == self._old.index:
                for frame in cast("Packet[VideoStream]", packet).decode():
                    self._show(frame)
            elif packet.dts is not None:
                packet.stream = self._copies[packet.stream.index]
                self._output.mux(packet)
        self._hold()
        self._output.mux(self._new.encode(None))

    def _show(self, frame: VideoFrame) -> None:
        if frame.pts is None or frame.time_base is None:
            raise malformed("a picture of it states no time")
        if frame.rotation:
            raise CarrierError("MARK_IMPOSSIBLE", "its pictures are turned when they are shown")
        time = frame.pts * frame.time_base
        self._first = time if self._first is None else self._first
        if time - self._first > self._longest:
            raise too_large("it is longer than what is decoded")
        if time - self._first < SHOWN:
            frame = self._last = self._captioned(frame)
        else:
            self._went_on = True
        self._encode(frame)

    def _captioned(self, frame: VideoFrame) -> VideoFrame:
        import av

        shown = cast("Any", frame).to_image()
        drawn = draw_band(shown, self._text, font_file=self._font_file)
        picture = cast("VideoFrame", cast("Any", av.VideoFrame).from_image(drawn))
        made = picture.reformat(format=frame.format.name, dst_colorspace=frame.colorspace)
        made.pts, made.time_base = frame.pts, frame.time_base
        return made

    def _encode(self, frame: VideoFrame) -> None:
        from av.video.frame import PictureType

        # What kind of picture it was is the old encoder's business.
        frame.pict_type = PictureType.NONE
        if frame.format.name != self._new.pix_fmt:
            pts, base = frame.pts, frame.time_base
            frame = frame.reformat(format=self._new.pix_fmt)
            frame.pts, frame.time_base = pts, base
        self._output.mux(self._new.encode(frame))

    def _hold(self) -> None:
        """Show the last picture of a film that is too short until the caption was seen long enough.

        Source: GB 45438-2025 5.4
        """
        if self._first is None or self._last is None:
            raise malformed("it holds no picture")
        base = cast("Fraction", self._last.time_base)
        step = 1 / (self._old.average_rate or _RATE)
        time = cast("int", self._last.pts) * base + step
        while time - self._first < SHOWN and not self._went_on:
            self._last.pts = round(time / base)
            self._encode(self._last)
            time += step


def _encoder(old: VideoStream, output: OutputContainer) -> VideoStream:
    """A stream of the codec, size, rate and colours that another has."""
    context = old.codec_context
    rate = old.average_rate or _RATE
    new = cast("VideoStream", cast("Any", output).add_stream(context.codec.canonical_name, rate))
    encoder = new.codec_context
    new.width, new.height = context.width, context.height
    formats = [each.name for each in encoder.codec.video_formats or []]
    new.pix_fmt = context.pix_fmt if not formats or context.pix_fmt in formats else _FORMAT
    encoder.time_base = cast("Fraction", old.time_base)
    encoder.bit_rate = max(context.bit_rate or 0, int(context.width * context.height * rate * _BITS_A_PIXEL))
    if context.sample_aspect_ratio is not None:
        encoder.sample_aspect_ratio = context.sample_aspect_ratio
    for name in ("color_range", "color_primaries", "color_trc", "colorspace"):
        setattr(encoder, name, getattr(context, name))
    return new
