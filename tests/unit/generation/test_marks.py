"""Explicit labels of texts and pictures."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from candor_generation import marks
from candor_generation.carriers.base import CarrierError
from candor_generation.domain import label
from candor_generation.marks import Place, image, text
from hypothesis import given, settings
from hypothesis import strategies as st
from label_samples import image_file, picture
from PIL import Image

ZH = label.explicit_text("zh-CN")
EN = label.explicit_text("en")
FILES = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}
texts = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200)


def marked(data: bytes, media_type: str, words: str = ZH, place: Place = Place.END) -> bytes:
    destination = io.BytesIO()
    marks.mark(io.BytesIO(data), destination, media_type, words, place)
    return destination.getvalue()


@pytest.mark.clause("GB 45438-2025 5.1")
@pytest.mark.parametrize(
    ("words", "both"),
    [
        ("内容由AI生成", True),
        ("人工智能合成", True),
        ("AI generated", True),
        ("AI", False),
        ("生成内容", False),
        ("人工智能", False),
        ("", False),
    ],
)
def test_gb_45438_5_1_both_elements(words: str, both: bool) -> None:
    assert marks.has_both_elements(words) is both


@pytest.mark.clause("GB 45438-2025 5.1", "Generative AI Labelling Measures 4")
@given(texts, st.sampled_from([ZH, EN]), st.sampled_from(Place))
def test_gb_45438_5_1_a_text_is_marked_once_where_asked(content: str, words: str, place: Place) -> None:
    once = text.mark_text(content, words, place)
    lines = once.strip().splitlines()
    assert lines[0 if place is Place.START else -1].strip() in label.EXPLICIT_TEXTS
    assert content in once
    assert text.mark_text(once, words, place) == once


@given(texts, st.sampled_from(Place))
def test_a_text_file_is_marked_as_a_text(content: str, place: Place) -> None:
    once = marked(content.encode(), "text/plain", ZH, place)
    assert marked(once, "text/plain", ZH, place) == once
    assert once.decode().count(ZH) == max(1, content.count(ZH))
    assert content in once.decode()


def test_front_matter_stays_in_front() -> None:
    data = b"---\ntitle: x\n---\n# Heading\n"
    assert marked(data, "text/markdown", EN, Place.START) == f"---\ntitle: x\n---\n{EN}\n\n# Heading\n".encode()


def test_a_long_text_is_marked_at_its_end() -> None:
    data = ("很长的一行\n" * 100_000).encode()
    assert marked(data, "text/plain") == data + f"\n{ZH}\n".encode()


def test_a_text_that_is_not_utf_8_gets_no_letters_in_another_encoding() -> None:
    with pytest.raises(CarrierError, match="FILE_MALFORMED"):
        marked("正文".encode("gb18030"), "text/plain")


def _ink(before: Image.Image, after: Image.Image) -> tuple[int, int, int, int]:
    """Where letters are: the light pixels of the dark band."""
    grey = after.convert("L").point(lambda value: 255 if value > 128 else 0)
    top = next(
        row
        for row in range(after.height)
        if after.crop((0, row, after.width, row + 1)).tobytes()
        != before.crop((0, row, before.width, row + 1)).tobytes()
    )
    found = grey.crop((0, top, after.width, after.height)).getbbox()
    assert found is not None
    return found[0], found[1] + top, found[2], found[3] + top


@pytest.mark.clause("GB 45438-2025 5.2", "Generative AI Labelling Measures 4")
@pytest.mark.parametrize("words", ["AI生成", "AI generated", *label.EXPLICIT_TEXTS])
@pytest.mark.parametrize("size", [(640, 480), (480, 640), (2000, 300), (1024, 1024), (220, 900)])
def test_gb_45438_5_2_letters_are_at_least_a_twentieth_of_the_shortest_side(size: tuple[int, int], words: str) -> None:
    before = Image.new("RGB", size, (90, 120, 200))
    after = image.draw_band(before, words)
    assert after.size == before.size
    left, top, right, bottom = _ink(before, after)
    # One line of it, measured on the drawn pixels: the letters of every text here reach the full height.
    line = image.draw_band(Image.new("RGB", (6000, min(size))), words)
    one = line.convert("L").point(lambda value: 255 if value > 128 else 0).getbbox()
    assert one is not None
    assert one[3] - one[1] >= image.SHARE * min(size)
    assert bottom - top >= image.SHARE * min(size)
    assert 0 < left < right < size[0]
    assert bottom <= size[1]


def test_the_rest_of_the_picture_is_untouched() -> None:
    before = picture(640, 480)
    after = image.draw_band(before, ZH)
    _, top, _, _ = _ink(before, after)
    height = top - 40
    assert after.crop((0, 0, 640, height)).tobytes() == before.crop((0, 0, 640, height)).tobytes()


@pytest.mark.parametrize("media_type", sorted(FILES))
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "LA", "1", "CMYK"])
def test_every_kind_of_picture_can_be_marked(media_type: str, mode: str) -> None:
    kind = FILES[media_type]
    file = io.BytesIO()
    made = picture(400, 300)
    try:
        made.convert(mode).save(file, kind)
    except OSError:
        made.save(file, kind)
    after = Image.open(io.BytesIO(marked(file.getvalue(), media_type)))
    assert after.size == (400, 300)
    assert after.format == kind


@pytest.mark.parametrize("media_type", sorted(FILES))
def test_metadata_stays_and_a_turned_picture_is_captioned_at_its_lower_edge(media_type: str) -> None:
    made = Image.Exif()
    made[0x0112] = 6
    made[0x0131] = "a program"
    file = io.BytesIO()
    picture(400, 300).save(file, FILES[media_type], exif=made, icc_profile=b"profile")
    after = Image.open(io.BytesIO(marked(file.getvalue(), media_type)))
    assert after.size == (300, 400)
    assert after.getexif().get(0x0112, 1) == 1
    assert after.getexif()[0x0131] == "a program"
    assert after.info["icc_profile"] == b"profile"


def test_a_letter_that_the_font_lacks_is_refused_not_drawn_as_a_box() -> None:
    with pytest.raises(CarrierError, match=r"MARK_IMPOSSIBLE.*U\+9F98"):
        image.draw_band(picture(640, 480), "AI生成龘")


@pytest.mark.parametrize("size", [(8, 8), (40, 12), (12, 400)])
def test_a_picture_with_no_room_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(CarrierError, match="MARK_IMPOSSIBLE"):
        image.draw_band(Image.new("RGB", size), EN)


def test_a_picture_that_moves_is_refused() -> None:
    file = io.BytesIO()
    picture().save(file, "WEBP", save_all=True, append_images=[picture(64, 48, "L").convert("RGB")], duration=40)
    with pytest.raises(CarrierError, match="MARK_IMPOSSIBLE"):
        marked(file.getvalue(), "image/webp")


def test_cwe_409_a_huge_picture_is_refused_before_it_is_decoded() -> None:
    for side in (8_000, 20_000, 0x7FFFFFFF):
        header = struct.pack(">II", side, side)
        small = image_file("PNG")
        whole = (
            small[:16]
            + header
            + small[24:29]
            + struct.pack(">I", zlib.crc32(b"IHDR" + header + small[24:29]))
            + small[33:]
        )
        with pytest.raises(CarrierError, match="FILE_TOO_LARGE"):
            marked(whole, "image/png")


@pytest.mark.parametrize("media_type", sorted(FILES))
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_fuzz_a_broken_picture_is_refused_cleanly(media_type: str, data: st.DataObject) -> None:
    whole = bytearray(WHOLE[media_type])
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(whole)))
        whole[place : place + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    try:
        written = marked(bytes(whole), media_type, "AI生成")
    except CarrierError:
        return
    assert Image.open(io.BytesIO(written)).format == FILES[media_type]


WHOLE = {media_type: image_file(kind) for media_type, kind in FILES.items()}


@pytest.mark.parametrize("media_type", ["application/pdf", "audio/unknown"])
def test_what_has_no_mark_says_so(media_type: str) -> None:
    with pytest.raises(CarrierError, match="MARK_IMPOSSIBLE"):
        marked(b"x", media_type)
