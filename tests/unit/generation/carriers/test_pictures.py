"""PNG, JPEG and WebP: labels that others wrote, metadata that must stay, and files made to do harm."""

from __future__ import annotations

import io
import json
import struct
import time
import zlib

import pytest
from candor_generation.carriers import exif, xmp
from candor_generation.carriers.base import METADATA_LIMIT, CarrierError
from candor_generation.carriers.jpeg import Jpeg
from candor_generation.carriers.png import Png
from candor_generation.carriers.webp import Webp
from candor_generation.domain import label
from label_samples import a_label, image_file, picture
from PIL import Image, PngImagePlugin

LABEL = a_label()
THEIRS = a_label("theirs-7")
XMP = (
    b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><r:Description r:about=""'
    b' xmlns:dc="http://purl.org/dc/elements/1.1/" dc:format="image/png">%s</r:Description></r:RDF></x:xmpmeta>'
    b'<?xpacket end="w"?>'
)
ELEMENT = b'<T:AIGC xmlns:T="http://www.tc260.org.cn/ns/AIGC/1.0/">%s</T:AIGC>'
BOMB = b'<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>'


def user_comment(text: bytes, code: bytes = b"ASCII\0\0\0") -> bytes:
    made = Image.Exif()
    made.get_ifd(0x8769)[0x9286] = code + text
    made[0x0131] = "a program"
    return made.tobytes()


def relabelled(carrier: Png | Jpeg | Webp, data: bytes) -> bytes:
    destination = io.BytesIO()
    carrier.write(io.BytesIO(data), destination, LABEL)
    (found,) = carrier.read(destination)
    assert label.parse(found).label == LABEL
    return destination.getvalue()


@pytest.mark.clause("TC260-PG-20259A")
@pytest.mark.parametrize(("carrier", "kind"), [(Png(), "PNG"), (Jpeg(), "JPEG"), (Webp(), "WEBP")])
@pytest.mark.parametrize(
    "packet",
    [
        XMP % (ELEMENT % json.dumps(THEIRS.keys).encode()),
        XMP % (ELEMENT % THEIRS.json.replace('"', "&quot;").encode()),
        XMP.replace(b"dc:format", b"xmlns:T='http://www.tc260.org.cn/ns/AIGC/1.0/' T:AIGC='%s' dc:format")
        % (THEIRS.json.encode(), b""),
    ],
    ids=["bare", "wrapped", "attribute"],
)
def test_tc260_a_label_in_xmp_is_read_and_replaced_and_the_rest_kept(
    carrier: Png | Jpeg | Webp, kind: str, packet: bytes
) -> None:
    if isinstance(carrier, Png):
        info = PngImagePlugin.PngInfo()
        info.add_itxt("XML:com.adobe.xmp", packet.decode())
        data = image_file("PNG", pnginfo=info)
    else:
        data = image_file(kind, xmp=packet)
    (found,) = carrier.read(io.BytesIO(data))
    assert label.parse(found).label == THEIRS
    after = Image.open(io.BytesIO(relabelled(carrier, data))).info["xmp"]
    assert b'dc:format="image/png"' in after
    assert b"theirs-7" not in after


@pytest.mark.clause("TC260-PG-20259A Annex B")
@pytest.mark.parametrize(("carrier", "kind"), [(Png(), "PNG"), (Jpeg(), "JPEG"), (Webp(), "WEBP")])
def test_tc260_a_label_in_a_user_comment_is_read_and_blanked_and_other_exif_kept(
    carrier: Png | Jpeg | Webp, kind: str
) -> None:
    data = image_file(kind, exif=user_comment(THEIRS.json.encode()))
    (found,) = carrier.read(io.BytesIO(data))
    assert label.parse(found).label == THEIRS
    after = Image.open(io.BytesIO(relabelled(carrier, data))).getexif()
    assert after[0x0131] == "a program"
    assert after.get_ifd(0x8769)[0x9286].strip(b" ") == b"ASCII\0\0\0"


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
def test_a_user_comment_in_utf_16_is_read(order: str) -> None:
    (found,) = exif.values(user_comment(THEIRS.json.encode(order), b"UNICODE\0").removeprefix(b"Exif\0\0"))
    assert label.parse(found).label == THEIRS


@pytest.mark.clause("TC260-PG-20259A")
@pytest.mark.parametrize("add", ["add_text", "add_itxt"])
@pytest.mark.parametrize("packed", [False, True])
def test_tc260_a_label_in_a_png_text_chunk_is_read_and_replaced(add: str, packed: bool) -> None:
    info = PngImagePlugin.PngInfo()
    getattr(info, add)("AIGC", THEIRS.json, zip=packed)
    info.add_text("Author", "someone")
    data = image_file("PNG", pnginfo=info)
    (found,) = Png().read(io.BytesIO(data))
    assert label.parse(found).label == THEIRS
    after = Image.open(io.BytesIO(relabelled(Png(), data)))
    assert isinstance(after, PngImagePlugin.PngImageFile)
    assert after.text["Author"] == "someone"
    assert "AIGC" not in after.text


@pytest.mark.clause("GB 45438-2025 6.1")
def test_gb_45438_6_1_every_label_of_a_file_is_reported() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("AIGC", THEIRS.json)
    info.add_itxt("XML:com.adobe.xmp", (XMP % (ELEMENT % LABEL.bare.encode())).decode())
    assert len(Png().read(io.BytesIO(image_file("PNG", pnginfo=info)))) == 2


@pytest.mark.parametrize("packet", [b"", b"\0\0", None])
def test_an_empty_packet_is_as_none(packet: bytes | None) -> None:
    assert xmp.values(xmp.packet(packet, LABEL)) == [LABEL.bare]


@pytest.mark.parametrize("mark", ["utf-16", "utf-8-sig"])
def test_a_packet_in_another_encoding_is_extended(mark: str) -> None:
    packet = xmp.packet((XMP % b"").decode().encode(mark), LABEL)
    assert xmp.values(packet) == [LABEL.bare]
    assert "dc:format" in packet.decode("utf-8")


@pytest.mark.parametrize(
    "root", [b"<rdf:RDF/>", b"<rdf:RDF ></rdf:RDF>", b"<rdf:RDF a='>'/>"], ids=["empty", "open", "quoted"]
)
def test_an_empty_root_is_filled(root: bytes) -> None:
    name = b' xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
    packet = root.replace(b"<rdf:RDF", b"<rdf:RDF" + name, 1)
    assert xmp.values(xmp.packet(packet, LABEL)) == [LABEL.bare]


@pytest.mark.parametrize("packet", [BOMB, b"<a>", b"\xff\xfe<", b"<a/>", b"<a>&undefined;</a>"])
def test_cwe_776_a_hostile_packet_is_refused(packet: bytes) -> None:
    with pytest.raises(CarrierError, match="FILE_MALFORMED"):
        xmp.packet(packet, LABEL)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def with_chunk(added: bytes) -> io.BytesIO:
    data = image_file("PNG")
    return io.BytesIO(data[:33] + added + data[33:])


def test_cwe_409_a_text_chunk_that_unpacks_without_end_is_refused() -> None:
    bomb = zlib.compress(bytes(METADATA_LIMIT + 1))
    with pytest.raises(CarrierError, match="FILE_TOO_LARGE"):
        Png().read(with_chunk(chunk(b"zTXt", b"AIGC\0\0" + bomb)))


def test_cwe_409_many_chunks_that_unpack_to_much_are_refused() -> None:
    with pytest.raises(CarrierError, match="FILE_TOO_LARGE"):
        Png().read(with_chunk(chunk(b"zTXt", b"AIGC\0\0" + zlib.compress(b"{}")) * 65))


@pytest.mark.parametrize(
    "packet",
    [
        b"<a" + b" " * 1_000_000 + b"x='1' xmlns:t='t' t:AIGC='1'/>",
        b"<a>" + b"<AIGC>" * 4000 + b"\n" * 500_000 + b"</AIGC>" * 4000 + b"</a>",
        b"<a>" * 300_000 + b"</a>" * 300_000,
    ],
    ids=["blank", "nested", "deep"],
)
def test_cwe_1333_a_packet_made_to_be_slow_is_not(packet: bytes) -> None:
    started = time.process_time()
    xmp.values(packet)
    xmp.without(packet)
    assert time.process_time() - started < 5


def test_a_chunk_longer_than_the_file_is_refused() -> None:
    with pytest.raises(CarrierError, match="FILE_MALFORMED"):
        Png().read(with_chunk(b"\x7f\xff\xff\xffiTXt"))


def test_a_text_chunk_with_a_wrong_crc_is_refused() -> None:
    broken = bytearray(chunk(b"tEXt", b"AIGC\0{}"))
    broken[-1] ^= 1
    with pytest.raises(CarrierError, match="FILE_MALFORMED"):
        Png().read(with_chunk(bytes(broken)))


def test_a_jpeg_packet_with_no_room_is_refused() -> None:
    full = XMP % (b"<dc:x>" + b"y" * 65_000 + b"</dc:x>")
    with pytest.raises(CarrierError, match="FILE_TOO_LARGE"):
        Jpeg().write(io.BytesIO(image_file("JPEG", xmp=full)), io.BytesIO(), LABEL)


@pytest.mark.parametrize("size", [-12, -2, -1, 1, 9])
def test_a_webp_of_another_size_than_it_says_is_refused_or_kept(size: int) -> None:
    data = image_file("WEBP")
    whole = data[:size] if size < 0 else data + bytes(size)
    if size < 0:
        with pytest.raises(CarrierError, match="FILE_MALFORMED"):
            Webp().read(io.BytesIO(whole))
    else:
        assert relabelled(Webp(), whole).endswith(bytes(size))


@pytest.mark.parametrize("options", [{"lossless": True}, {"quality": 50}])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_rfc_9649_a_simple_webp_becomes_an_extended_one(mode: str, options: dict[str, object]) -> None:
    file = io.BytesIO()
    made = picture(97, 31, mode)
    if mode == "RGBA":
        made.putalpha(128)
    made.save(file, "WEBP", **options)
    after = Image.open(io.BytesIO(relabelled(Webp(), file.getvalue())))
    assert (after.size, after.mode) == ((97, 31), mode)
    assert after.tobytes() == Image.open(file).tobytes()


def test_what_moves_still_moves() -> None:
    file = io.BytesIO()
    picture().save(file, "WEBP", save_all=True, append_images=[picture(64, 48, "L").convert("RGB")], duration=40)
    after = Image.open(io.BytesIO(relabelled(Webp(), file.getvalue())))
    assert getattr(after, "n_frames", 1) == 2
