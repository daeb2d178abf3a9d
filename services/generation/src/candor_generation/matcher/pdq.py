"""PDQ, the perceptual hash that platforms exchange: 256 bits of an image's coarse structure, and how much it has.

Steps (numbers in the code): 1 luminance, 2 two passes of a box filter of half a cell, 3 the middles of 64 x 64 cells,
4 their gradients give the quality, 5 the 16 x 16 lowest frequencies of the cosine transform but the constant ones, 6 a
bit each: above their median or not.

Spec: PDQ, facebook/ThreatExchange pdq/README.md and hashing.pdf
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from candor_generation.domain.refusal import Refused

MOST_PIXELS = 64_000_000
_LARGEST_SIDE = 512
_SMALLEST_SIDE = 5
_CELLS, _FREQUENCIES = 64, 16
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF")

Plane = NDArray[np.float64]


@dataclass(frozen=True)
class Pdq:
    """A hash, 32 bytes (its 64 hex digits in order), and a quality from 0 to 100."""

    value: bytes
    quality: int


def of_file(content: bytes) -> Pdq:
    """The hash of an image file: PNG, JPEG, WebP or GIF (its first frame).

    Raises:
        Refused: IMAGE_INVALID, it is none of these, is broken, or has more than 64 million pixels.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
                if image.width * image.height > MOST_PIXELS:
                    raise Refused("IMAGE_INVALID", "the image has more than 64 million pixels", field="image")
                return of_pixels(_pixels(image))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Refused(
            "IMAGE_INVALID", "the image cannot be read; send PNG, JPEG, WebP or GIF", field="image"
        ) from error


def _pixels(image: Image.Image) -> NDArray[np.uint8]:
    """Red, green and blue, at most 512 a side: more is averaged away by the hash in any case."""
    if max(image.size) > _LARGEST_SIDE:
        image.draft("RGB", (_LARGEST_SIDE, _LARGEST_SIDE))
        smaller = image.convert("RGB").resize((_LARGEST_SIDE, _LARGEST_SIDE), Image.Resampling.BILINEAR)
        return np.asarray(smaller, np.uint8)
    return np.asarray(image.convert("RGB"), np.uint8)


def of_pixels(pixels: NDArray[np.uint8]) -> Pdq:
    """The hash of an image of rows x columns x 3 (red, green, blue); without structure if a side is under 5 pixels."""
    if min(pixels.shape[:2]) < _SMALLEST_SIDE:
        return Pdq(bytes(32), 0)
    luminance = pixels.astype(np.float64) @ np.array([0.299, 0.587, 0.114])  # 1
    cells = _cells(luminance)  # 2, 3
    transform = _transform()
    spectrum = transform @ cells @ transform.T  # 5
    median = np.sort(spectrum, axis=None)[spectrum.size // 2 - 1]
    bits = (spectrum > median).reshape(-1)[::-1]  # 6
    return Pdq(np.packbits(bits).tobytes(), _quality(cells))


def _cells(luminance: Plane) -> Plane:
    """Steps 2 and 3; an image of 64 x 64 is its own cells."""
    rows, columns = luminance.shape
    if (rows, columns) == (_CELLS, _CELLS):
        return luminance
    for _ in range(2):
        luminance = _box(luminance, -(-columns // (2 * _CELLS)))
        luminance = _box(luminance.T, -(-rows // (2 * _CELLS))).T
    middles = np.arange(_CELLS) + 0.5
    chosen: Plane = luminance[
        np.ix_((middles * rows / _CELLS).astype(np.intp), (middles * columns / _CELLS).astype(np.intp))
    ]
    return chosen


def _box(plane: Plane, window: int) -> Plane:
    """The mean of a window along each row; at the edges of what of it there is."""
    length = plane.shape[1]
    ahead = (window + 2) // 2
    sums = np.concatenate((np.zeros((plane.shape[0], 1)), np.cumsum(plane, axis=1)), axis=1)
    at = np.arange(length)
    first, last = np.maximum(at + ahead - window, 0), np.minimum(at + ahead, length)
    means: Plane = (sums[:, last] - sums[:, first]) / (last - first)
    return means


def _quality(cells: Plane) -> int:
    """Step 4."""
    steps = (np.diff(cells, axis=0), np.diff(cells, axis=1))
    total = sum(int(np.abs(np.trunc(step * 100 / 255)).sum()) for step in steps)
    return min(total // 90, 100)


def _transform() -> Plane:
    frequency, cell = np.arange(1, _FREQUENCIES + 1)[:, None], np.arange(_CELLS)[None, :]
    matrix: Plane = np.sqrt(2 / _CELLS) * np.cos(np.pi / (2 * _CELLS) * frequency * (2 * cell + 1))
    return matrix
