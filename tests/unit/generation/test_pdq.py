"""PDQ: the hash of images, and finding near ones among many."""

from __future__ import annotations

import contextlib
import io
import random

import numpy as np
import pytest
from candor_generation.domain.refusal import Refused
from candor_generation.matcher import pdq
from candor_generation.matcher.imageindex import LARGEST_DISTANCE, ImageIndex
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

KNOWN = {  # computed with pdqhash 0.2.8, which wraps the C++ reference
    (64, 64, 1): ("22103264bbfdb755aaaa72aa66ffdfbfc0000008ccc7401a5cffc828dcff48bb", 100),
    (128, 128, 2): ("cd7fcca5dc4fdf4bfd95d40a0000000500df145781ffd4f58c2d4953ccef89bb", 100),
    (100, 200, 3): ("ddfffc8ffcbfc84d0000002000ab00f988be88fa84f5cc2bcd6dc9aaccfec8bf", 100),
    (333, 477, 4): ("dffd003f000000bf800040ff8054d5ffd55044ffd554dcff555c5eff55545555", 100),
    (512, 512, 5): ("0000024c001b99bb126c09f399b393ed9efb093b9bec91db91fb996598fb975f", 100),
    (50, 70, 6): ("ccbf4422ccef0088dc77406327ff9818cc5f44a8ce6f4028ecef46aecefec82a", 100),
}


def picture(rows: int, columns: int, seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Waves of integers, so that every machine draws the same."""
    down, across = np.mgrid[0:rows, 0:columns].astype(np.int64)
    layers = [
        (down * (3 + seed) * 256 // rows + across * (5 + 2 * shade) * 256 // columns + (down * across) // (7 + seed))
        % 256
        for shade in range(3)
    ]
    return np.stack(layers, axis=-1).astype(np.uint8)


def encoded(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], form: str = "PNG") -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, form)
    return stream.getvalue()


def distance(left: bytes, right: bytes) -> int:
    return (int.from_bytes(left, "big") ^ int.from_bytes(right, "big")).bit_count()


@pytest.mark.parametrize(("size", "expected"), KNOWN.items())
def test_hashes_are_those_of_the_reference_implementation(
    size: tuple[int, int, int], expected: tuple[str, int]
) -> None:
    made = pdq.of_pixels(picture(*size))
    # The reference computes in single precision, so that a bit at the median may fall either way.
    assert distance(made.value, bytes.fromhex(expected[0])) <= 2
    assert made.quality == expected[1]


def test_an_image_without_structure_has_no_quality() -> None:
    assert pdq.of_pixels(np.full((100, 100, 3), 128, np.uint8)).quality == 0
    assert pdq.of_pixels(np.zeros((4, 400, 3), np.uint8)) == pdq.Pdq(bytes(32), 0)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_copy_in_another_format_and_size_is_near(form: str) -> None:
    pixels = np.asarray(Image.fromarray(picture(16, 12, 1)).resize((900, 700), Image.Resampling.BICUBIC), np.uint8)
    smaller = np.asarray(Image.fromarray(pixels).resize((320, 256)), np.uint8)
    original, copy = pdq.of_file(encoded(pixels)), pdq.of_file(encoded(smaller, form))
    assert original.quality >= 50
    assert distance(original.value, copy.value) <= LARGEST_DISTANCE


def test_images_that_cannot_be_read_are_refused() -> None:
    whole = encoded(picture(64, 64, 1))
    bomb = io.BytesIO()
    Image.new("1", (9000, 9000)).save(bomb, "PNG")
    bmp = encoded(picture(8, 8, 1), "BMP")
    for content in (b"", b"\x89PNG\r\n\x1a\n", whole[:200], bomb.getvalue(), bmp, b"<svg/>"):
        with pytest.raises(Refused) as refused:
            pdq.of_file(content)
        assert (refused.value.reason, refused.value.field) == ("IMAGE_INVALID", "image")


@settings(deadline=None)
@given(st.binary(max_size=200), st.integers(0, 300))
def test_broken_images_are_refused_and_nothing_else_happens(noise: bytes, at: int) -> None:
    content = encoded(picture(16, 16, 2))
    with contextlib.suppress(Refused):
        pdq.of_file(content[:at] + noise + content[at + len(noise) :])


def test_near_hashes_are_found_and_far_ones_are_not() -> None:
    chance = random.Random(1)  # noqa: S311 - a test's numbers
    hashes = [chance.randbytes(32) for _ in range(20_000)]
    index = ImageIndex(hashes)
    for bits in (0, 1, 16, 30, 31, 32):
        number = chance.randrange(len(hashes))
        flipped = int.from_bytes(hashes[number], "big")
        for bit in chance.sample(range(256), bits):
            flipped ^= 1 << bit
        assert index.near(flipped.to_bytes(32, "big")) == ([number] if bits <= LARGEST_DISTANCE else [])
    assert ImageIndex([]).near(bytes(32)) == []


@settings(deadline=None)
@given(st.lists(st.binary(min_size=32, max_size=32), max_size=30), st.integers(0, 40), st.randoms())
def test_the_index_finds_what_comparing_with_each_finds(hashes: list[bytes], bits: int, chance: random.Random) -> None:
    base = int.from_bytes(hashes[0] if hashes else bytes(32), "big")
    for bit in chance.sample(range(256), bits):
        base ^= 1 << bit
    wanted = base.to_bytes(32, "big")
    expected = [number for number, value in enumerate(hashes) if distance(value, wanted) <= LARGEST_DISTANCE]
    assert ImageIndex(hashes).near(wanted) == expected
