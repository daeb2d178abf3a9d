"""The explicit label of a picture: a caption band along its lower edge.

Source: GB 45438-2025 5.2; Generative AI Labelling Measures 4
"""

from __future__ import annotations

import math
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image, ImageDraw, ImageFont, ImageOps, JpegImagePlugin, PngImagePlugin, UnidentifiedImageError

from candor_generation.carriers.base import CarrierError, malformed, too_large

SHARE = 0.05
"""The least height of the letters, of the picture's shortest side (GB 45438-2025 5.2)."""

SMALLEST = 10
"""The least height of the letters in pixels, so that they can be read."""

MAX_PIXELS = 40_000_000
"""The largest picture that is decoded, in pixels; it takes four bytes each."""

_FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/jpg": "JPEG", "image/webp": "WEBP"}
_MODES = ("L", "RGB", "RGBA", "CMYK")
_PAPER, _INK = (0, 0, 0), (255, 255, 255)
_MARGIN = 0.5
_QUALITY = 95
_HEAD = 4096
Font = ImageFont.FreeTypeFont


def media_types() -> tuple[str, ...]:
    """The media types of pictures that can be marked."""
    return tuple(_FORMATS)


def mark(
    source: BinaryIO,
    destination: BinaryIO,
    media_type: str,
    text: str,
    *,
    font_file: Path | None = None,
    max_pixels: int = MAX_PIXELS,
) -> None:
    """Write the picture with a caption band; it keeps its size, colour profile, EXIF and XMP.

    Raises:
        CarrierError: UNSUPPORTED_MEDIA, FILE_MALFORMED, FILE_TOO_LARGE, MARK_IMPOSSIBLE.

    Source: GB 45438-2025 5.2
    """
    kind = _FORMATS.get(media_type)
    if kind is None:
        raise CarrierError("UNSUPPORTED_MEDIA", f"a picture of type {media_type} cannot be marked")
    source.seek(0)
    try:
        with Image.open(source, formats=[kind]) as picture:
            _check_size(picture, max_pixels)
            picture.load()
            _mark(picture, _kept(picture, kind, source), destination, kind, text, font_file)
    except Image.DecompressionBombError as error:
        raise too_large("the picture has more pixels than are decoded") from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError) as error:
        # What Pillow's decoders raise on broken files; a full disk is told apart by its errno.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise malformed("the picture cannot be decoded") from error


def draw_band(image: Image.Image, text: str, *, font_file: Path | None = None) -> Image.Image:
    """A picture of the same size and mode with the text in a band along its lower edge.

    Args:
        image: of mode L, RGB, RGBA or CMYK.
        text: what is written, over as many lines as it needs.
        font_file: a font that has its letters; by default one that has those of the built-in texts.

    Raises:
        CarrierError: MARK_IMPOSSIBLE, the font lacks a letter, or the picture has no room.

    Source: GB 45438-2025 5.2; GB 45438-2025 5.4
    """
    height = max(SMALLEST, math.ceil(min(image.size) * SHARE))
    font = face(height, font_file)
    _check_letters(font, text)
    lines = _wrapped(text, font, image.width - 2 * round(height * _MARGIN))
    step = round(height * (1 + _MARGIN))
    tall = step * len(lines) + round(height * _MARGIN)
    if tall > image.height:
        raise CarrierError("MARK_IMPOSSIBLE", "the picture is too small for a caption that can be read")
    band = Image.new("RGB", (image.width, tall), _PAPER)
    pen = ImageDraw.Draw(band)
    for number, line in enumerate(lines):
        _, top, _, _ = font.getbbox("国Ag")
        pen.text((round(height * _MARGIN), round(height * _MARGIN) + number * step - top), line, _INK, font)
    marked = image.copy()
    marked.paste(band.convert(image.mode), (0, image.height - tall))
    return marked


@lru_cache(maxsize=32)
def face(height: int, font_file: Path | None = None) -> Font:
    """A font whose letters, capital and ideograph alike, are at least so many pixels high.

    Raises:
        OSError: the file is no font.
    """
    size = height
    while True:
        with _font_path(font_file) as path:
            font = ImageFont.truetype(str(path), size)
        if min(_height(font, "A"), _height(font, "工")) >= height:
            return font
        size += 1


def _font_path(font_file: Path | None) -> Any:  # noqa: ANN401 - a context manager of either kind
    given = (
        resources.files("candor_generation.marks") / "font" / "NotoSansSC-Label.otf" if font_file is None else font_file
    )
    return resources.as_file(given)


def _height(font: Font, letter: str) -> float:
    _, top, _, bottom = font.getbbox(letter)
    return bottom - top


def _check_letters(font: Font, text: str) -> None:
    missing = font.getmask("\uffff").getbbox(), bytes(font.getmask("\uffff"))
    for letter in set(text) - {" "}:
        mask = font.getmask(letter)
        if (mask.getbbox(), bytes(mask)) == missing:
            raise CarrierError("MARK_IMPOSSIBLE", f"the font has no letter U+{ord(letter):04X} of the text")


def _wrapped(text: str, font: Font, width: int) -> list[str]:
    """The text in lines that fit, broken at spaces where there are any and between ideographs where not."""
    lines = [""]
    for word in _words(text):
        if font.getlength(lines[-1] + word.rstrip()) <= width:
            lines[-1] += word
        elif font.getlength(word.rstrip()) <= width:
            lines.append(word)
        else:
            raise CarrierError("MARK_IMPOSSIBLE", "the picture is too narrow for a caption that can be read")
    return [line.rstrip() for line in lines if line.strip()]


def _words(text: str) -> list[str]:
    words: list[str] = []
    for letter in text:
        if words and letter.isascii() and words[-1][-1].isascii() and words[-1][-1] != " ":
            words[-1] += letter
        else:
            words.append(letter)
    return words


def _check_size(picture: Image.Image, max_pixels: int) -> None:
    if picture.width * picture.height > max_pixels:
        raise too_large(f"the picture has more than {max_pixels} pixels")
    if getattr(picture, "n_frames", 1) > 1:
        raise CarrierError("MARK_IMPOSSIBLE", "a picture that moves gets no caption here; show the label beside it")


def _mark(
    picture: Image.Image, kept: dict[str, Any], destination: BinaryIO, kind: str, text: str, font_file: Path | None
) -> None:
    upright = ImageOps.exif_transpose(picture)
    if upright.mode not in _MODES:
        upright = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    marked = draw_band(upright, text, font_file=font_file)
    exif = upright.getexif()
    if exif:
        kept["exif"] = exif.tobytes()
    marked.save(destination, kind, **kept)


def _kept(picture: Image.Image, kind: str, source: BinaryIO) -> dict[str, Any]:
    """What saving needs to leave all but the band as it was, as far as the format can."""
    kept = {name: picture.info[name] for name in ("icc_profile", "dpi") if picture.info.get(name)}
    if kind != "PNG" and picture.info.get("xmp"):
        kept["xmp"] = picture.info["xmp"]
    if isinstance(picture, JpegImagePlugin.JpegImageFile):
        kept |= {"qtables": picture.quantization, "subsampling": JpegImagePlugin.get_sampling(picture)}
    if isinstance(picture, PngImagePlugin.PngImageFile):
        kept["pnginfo"] = _texts(picture)
    if kind == "WEBP":
        source.seek(0)
        kept |= {"quality": _QUALITY, "lossless": b"VP8L" in source.read(_HEAD)}
    return kept


def _texts(picture: PngImagePlugin.PngImageFile) -> PngImagePlugin.PngInfo:
    """The text chunks of a PNG, its XMP packet among them."""
    info = PngImagePlugin.PngInfo()
    for key, value in picture.text.items():
        if isinstance(value, PngImagePlugin.iTXt):
            info.add_itxt(key, value, value.lang or "", value.tkey or "")
        else:
            info.add_text(key, value)
    return info
