"""The label of WAV files: the chunk AIGC."""

from __future__ import annotations

import io
import struct
import wave

import pytest
from candor_generation.carriers.wav import Wav
from hypothesis import given, settings
from hypothesis import strategies as st
from media_samples import CEILING, LABEL, LARGE, Null, labelled, mutations, peak, refused, sparse, survives, values
from media_samples import wav as made

CARRIER = Wav()
PLAIN = made()


def chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def form(*chunks: bytes, kind: bytes = b"RIFF", size: int | None = None) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return kind + struct.pack("<I", len(body) if size is None else size) + body


FORMAT = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16))


def rf64(samples: bytes, *more: bytes) -> bytes:
    rest = FORMAT + b"data\xff\xff\xff\xff" + samples + b"".join(more)
    sizes = chunk(b"ds64", struct.pack("<QQQI", 4 + 36 + len(rest), len(samples), len(samples) // 2, 0))
    return form(sizes, rest, kind=b"RF64", size=0xFFFFFFFF)


@pytest.mark.clause("GB 45438-2025 6.1")
def test_gb_45438_6_1_the_label_is_read_back_and_every_sample_is_as_it_was() -> None:
    out = labelled(CARRIER, PLAIN)
    assert values(CARRIER, out) == [LABEL.bare]
    with wave.open(io.BytesIO(out)) as new, wave.open(io.BytesIO(PLAIN)) as old:
        assert new.getparams() == old.getparams()
        assert new.readframes(10**6) == old.readframes(10**6)


def test_the_file_is_the_old_one_with_a_chunk_at_its_end() -> None:
    content = LABEL.bare.encode()
    grown = len(PLAIN) - 8 + 8 + len(content) + len(content) % 2
    assert labelled(CARRIER, PLAIN) == b"RIFF" + struct.pack("<I", grown) + PLAIN[8:] + chunk(b"AIGC", content)


@pytest.mark.clause("GB 45438-2025 6.1")
def test_gb_45438_6_1_there_is_one_label_a_file_however_many_there_were() -> None:
    old = form(chunk(b"AIGC", b'{"Label":"2"}'), FORMAT, chunk(b"AIGC", b"odd"), chunk(b"data", b"\1\2"))
    assert values(CARRIER, old) == ['{"Label":"2"}', "odd"]
    assert labelled(CARRIER, old) == labelled(CARRIER, form(FORMAT, chunk(b"data", b"\1\2")))


def test_other_chunks_and_what_follows_the_form_stay() -> None:
    extra = chunk(b"LIST", b"INFOISFT\x06\0\0\0probe\0")
    out = labelled(CARRIER, form(FORMAT, extra, chunk(b"data", b"\1\2")) + b"after the end")
    assert extra in out
    assert out.endswith(b"after the end")
    assert values(CARRIER, out) == [LABEL.bare]


def test_a_last_chunk_of_odd_size_without_its_padding_gets_it() -> None:
    bare = form(FORMAT, chunk(b"data", b"\1\2\3")[:-1])
    assert values(CARRIER, labelled(CARRIER, bare)) == [LABEL.bare]


def test_a_file_that_was_written_to_a_pipe_has_its_label_before_the_samples() -> None:
    out = labelled(CARRIER, form(FORMAT, b"data\xff\xff\xff\xff" + bytes(10), size=0xFFFFFFFF))
    assert values(CARRIER, out) == [LABEL.bare]
    assert out.endswith(b"data\xff\xff\xff\xff" + bytes(10))


def test_rf64_states_its_sizes_in_64_bits() -> None:
    old = rf64(b"\1\2\3\4", chunk(b"AIGC", b"old"))
    assert values(CARRIER, old) == ["old"]
    out = labelled(CARRIER, old)
    assert values(CARRIER, out) == [LABEL.bare]
    assert struct.unpack_from("<QQQ", out, 20) == (len(out) - 8, 4, 2)


def test_a_large_file_takes_no_memory() -> None:
    head = form(FORMAT, b"data" + struct.pack("<I", LARGE), size=4 + len(FORMAT) + 8 + LARGE)
    with sparse(head) as file:
        sink = Null()
        assert peak(lambda: CARRIER.write(file, sink, LABEL)) < CEILING
        assert sink.size > LARGE
        assert sink.largest <= 64 * 1024


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"RIFF",
        form(FORMAT)[:-1],
        b"RIFX" + PLAIN[4:],
        form(FORMAT, b"data\xff\xff\xff\xff"),
        form(FORMAT, size=1 << 31),
        form(FORMAT, b"dat"),
        form(FORMAT, kind=b"RF64", size=0xFFFFFFFF),
        rf64(b"\1\2").replace(struct.pack("<Q", 2), struct.pack("<Q", 2**63), 1),
        form(chunk(b"ds64", struct.pack("<QQQI", 40, 2, 1, 0xFFFFFFFF)), kind=b"RF64"),
    ],
)
def test_a_broken_file_is_refused(content: bytes) -> None:
    assert refused(CARRIER, content) == "FILE_MALFORMED"


def test_a_file_of_nothing_but_chunks_is_refused() -> None:
    assert refused(CARRIER, form(chunk(b"xxxx", b"") * 70_000)) == "FILE_TOO_LARGE"


def test_a_label_that_is_no_text_is_refused_but_can_be_replaced() -> None:
    assert values(CARRIER, labelled(CARRIER, form(FORMAT, chunk(b"AIGC", b"\xff\xfe")))) == [LABEL.bare]


@settings(max_examples=120, deadline=None)
@given(mutations(form(FORMAT, chunk(b"AIGC", b"{}"), chunk(b"data", bytes(64)))) | mutations(rf64(bytes(64))))
def test_whatever_the_bytes_it_is_refused_or_labelled(content: bytes) -> None:
    survives(CARRIER, content)


@given(st.lists(st.tuples(st.sampled_from([b"LIST", b"AIGC", b"cue ", b"junk"]), st.binary(max_size=9)), max_size=6))
def test_all_but_the_label_is_kept(parts: list[tuple[bytes, bytes]]) -> None:
    out = labelled(CARRIER, form(FORMAT, *(chunk(*part) for part in parts)))
    kept = form(FORMAT, *(chunk(*part) for part in parts if part[0] != b"AIGC"))
    assert out[8 : len(kept)] == kept[8:]
