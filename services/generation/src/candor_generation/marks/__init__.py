"""Explicit labels: what a person sees or hears, put into the content (GB 45438-2025 5)."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from candor_generation.carriers.base import CarrierError
from candor_generation.marks import audio, image, text, video
from candor_generation.marks.pcm import AudibleLabel
from candor_generation.marks.text import Place, has_both_elements

__all__ = ["Place", "has_both_elements", "mark"]


def mark(
    source: BinaryIO,
    destination: BinaryIO,
    media_type: str,
    words: str,
    place: Place,
    *,
    font_file: Path | None = None,
    audible: AudibleLabel | None = None,
) -> None:
    """Write a file with an explicit label in it.

    Args:
        source: seekable.
        destination: empty, seekable.
        media_type: of the file, without parameters, in lower case.
        words: what the label says.
        place: where in a text it stands; a picture has it at its lower edge, a film over its opening, sound all along.
        font_file: a font with the letters of `words`; by default one that has those of the built-in texts.

        audible: what is heard in sound; by default the rhythm, every two minutes.

    Raises:
        CarrierError: MARK_IMPOSSIBLE, FILE_MALFORMED, FILE_TOO_LARGE, UNSUPPORTED_MEDIA.

    Source: GB 45438-2025 5.1; GB 45438-2025 5.2; GB 45438-2025 5.3; GB 45438-2025 5.4
    """
    if media_type in text.MEDIA_TYPES:
        text.mark(source, destination, words, place)
    elif media_type in image.media_types():
        image.mark(source, destination, media_type, words, font_file=font_file)
    elif media_type in audio.media_types():
        audio.mark(source, destination, media_type, audible)
    elif media_type in video.media_types():
        video.mark(source, destination, media_type, words, font_file=font_file)
    else:
        raise CarrierError(
            "MARK_IMPOSSIBLE", "no explicit label can be put into a file of this type; show it beside it"
        )
