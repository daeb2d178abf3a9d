"""What compressed sound and film have in common when they are decoded and encoded again.

FFmpeg's libraries do it, through PyAV. The wheels of PyAV bring encoders that are under the GPL: they are an extra that
an operator installs ("media"), and no encoder is asked for by name, only one for the codec that the file came in.
"""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from candor_generation.carriers.base import CarrierError, malformed

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer
    from av.stream import Stream

FORMATS = {
    "audio/mpeg": ("mp3", "mp3"),
    "audio/mp3": ("mp3", "mp3"),
    "audio/flac": ("flac", "flac"),
    "audio/x-flac": ("flac", "flac"),
    "audio/ogg": ("ogg", "ogg"),
    "audio/opus": ("ogg", "ogg"),
    "application/ogg": ("ogg", "ogg"),
    "audio/mp4": ("mov", "ipod"),
    "audio/x-m4a": ("mov", "ipod"),
    "video/mp4": ("mov", "mp4"),
    "video/x-m4v": ("mov", "mp4"),
    "video/quicktime": ("mov", "mov"),
}
"""For each media type the format to read it as and the one to write.

FFmpeg never guesses the first: what it guessed could be a playlist, which has it open other files.
"""


def installed() -> bool:
    """Whether the extra "media" is there."""
    return importlib.util.find_spec("av") is not None


@contextlib.contextmanager
def opened(source: BinaryIO, media_type: str) -> Iterator[InputContainer]:
    """A file to decode; whatever FFmpeg finds wrong while it is open becomes a refusal.

    Raises:
        CarrierError: UNSUPPORTED_MEDIA, the media type or the codec is unknown, or the extra is not installed;
            FILE_MALFORMED.
    """
    if media_type not in FORMATS:
        raise CarrierError("UNSUPPORTED_MEDIA", "no mark can be put on files of this media type")
    if not installed():
        raise CarrierError("UNSUPPORTED_MEDIA", "this server has no codecs: install its extra, media")
    import av

    source.seek(0)
    try:
        with av.open(source, "r", format=FORMATS[media_type][0]) as container:
            yield container
    except (av.error.DecoderNotFoundError, av.error.EncoderNotFoundError) as error:
        raise CarrierError("UNSUPPORTED_MEDIA", "this server has no codec for the file") from error
    except av.error.FFmpegError as error:
        raise malformed("it cannot be decoded") from error
    except (ValueError, IndexError, RuntimeError, UnicodeDecodeError) as error:
        # What PyAV raises of its own on frames that contradict their stream.
        raise malformed("it contradicts itself") from error


@contextlib.contextmanager
def written(destination: BinaryIO, media_type: str, source: InputContainer) -> Iterator[OutputContainer]:
    """A file to encode into, with the metadata of another."""
    import av

    output = FORMATS[media_type][1]
    options = {"movflags": "use_metadata_tags"} if _has_unknown_tags(source) else {}
    with av.open(destination, "w", format=output, container_options=options) as container:
        container.metadata.update({name: text for name, text in source.metadata.items() if name not in _OWN_TAGS})
        yield container


_OWN_TAGS = frozenset({"major_brand", "minor_version", "compatible_brands", "encoder", "creation_time"})
_KNOWN_TAGS = frozenset(
    {"title", "artist", "album_artist", "album", "genre", "date", "track", "comment", "composer", "copyright", "lyrics"}
)


def _has_unknown_tags(source: InputContainer) -> bool:
    """Whether some metadata would be left out of an MP4 file without its list of keys."""
    return bool(set(source.metadata) - _OWN_TAGS - _KNOWN_TAGS)


def copied(output: OutputContainer, stream: Stream) -> Any | None:  # noqa: ANN401 - PyAV's templates are of any kind
    """A stream to copy packets into as they are, or None where the format cannot carry them."""
    try:
        return output.add_stream_from_template(cast("Any", stream))
    except ValueError:
        return None
