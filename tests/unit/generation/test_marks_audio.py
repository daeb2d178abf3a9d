"""The audible label: short, long, a pause, short, short; before the sound and every two minutes over it."""

from __future__ import annotations

import contextlib
import io
import math
import struct
import wave
from array import array
from collections.abc import Sequence

import av
import pytest
from candor_generation.carriers import wav as wav_form
from candor_generation.carriers.base import CarrierError
from candor_generation.marks import audio, pcm
from candor_generation.marks import wav as wav_marks
from candor_generation.marks.pcm import AudibleLabel, Layout, Overlay, rhythm
from hypothesis import given, settings
from hypothesis import strategies as st
from media_samples import CEILING, LARGE, Null, metadata, mutations, peak, sound, sparse
from media_samples import wav as made

RATE = 8000
UNIT = RATE // 10
LENGTH = 11 * UNIT
GAP = RATE // 4


def marked(media_type: str, content: bytes, label: AudibleLabel | None = None) -> bytes:
    out = io.BytesIO()
    audio.mark(io.BytesIO(content), out, media_type, label)
    return out.getvalue()


def samples(content: bytes) -> array[int]:
    with wave.open(io.BytesIO(content)) as file:
        return array("h", file.readframes(file.getnframes()))


def heard(sound_samples: Sequence[float], rate: int) -> str:
    """Where a tone of 800 Hz sounds, a sign for every tenth of a second."""
    unit = rate // 10
    turn = 2 * math.pi * 800 / rate
    signs = ""
    for start in range(0, len(sound_samples) - unit + 1, unit):
        part = sound_samples[start : start + unit]
        real = sum(value * math.cos(turn * at) for at, value in enumerate(part))
        imaginary = sum(value * math.sin(turn * at) for at, value in enumerate(part))
        signs += "x" if math.hypot(real, imaginary) / unit > 0.05 else "."
    return signs


AI = "x.xxx...x.x"  # dot dash, dot dot


@pytest.mark.clause("GB 45438-2025 5.3")
@pytest.mark.parametrize("rate", [8000, 11025, 44100, 48000])
def test_gb_45438_5_3_the_rhythm_is_short_long_short_short(rate: int) -> None:
    assert heard(rhythm(rate), rate) == AI
    assert abs(len(rhythm(rate)) - 1.1 * rate) < 10
    assert 0.3 < max(rhythm(rate)) < 0.4


@pytest.mark.clause("GB 45438-2025 5.3", "Generative AI Labelling Measures 4")
def test_gb_45438_5_3_a_wav_begins_with_the_rhythm_and_then_is_as_it_was() -> None:
    old = made(2.0)
    out = samples(marked("audio/wav", old))
    assert heard([value / 32768 for value in out[:LENGTH]], RATE) == AI
    assert not any(out[LENGTH : LENGTH + GAP])
    assert out[LENGTH + GAP :] == samples(old)


@pytest.mark.clause("GB 45438-2025 5.3")
def test_gb_45438_5_3_the_label_comes_again_every_two_minutes() -> None:
    before = array("h", [1000, -1000] * (245 * RATE // 2))
    out = samples(marked("audio/wav", form(described(), (b"data", before.tobytes()))))[LENGTH + GAP :]
    for minute in (2, 4):
        due = minute * 60 * RATE
        over = [value / 32768 for value in out[due : due + LENGTH]]
        assert heard(over, RATE) == AI
        assert out[due - 4000 : due] == before[due - 4000 : due]
        assert out[due + LENGTH : due + LENGTH + 4000] == before[due + LENGTH : due + LENGTH + 4000]


def test_a_spoken_notice_follows_the_rhythm() -> None:
    spoken = wav_marks.notice(io.BytesIO(made(1.0, 16000, 2)))
    label = AudibleLabel(notice=spoken)
    with_notice = label.samples(RATE)
    assert with_notice[:LENGTH] == rhythm(RATE)
    notice = with_notice[LENGTH + GAP :]
    assert len(notice) == RATE
    turn = 2 * math.pi * 220 / RATE
    strength = abs(sum(value * complex(math.cos(turn * at), math.sin(turn * at)) for at, value in enumerate(notice)))
    assert strength / len(notice) == pytest.approx(9000 / 32768 / 2, rel=0.05)
    once = samples(marked("audio/wav", made(0.5), label))
    assert len(once) == len(with_notice) + GAP + RATE // 2


def test_a_notice_that_is_too_long_is_refused() -> None:
    with pytest.raises(CarrierError, match="MARK_IMPOSSIBLE"):
        marked("audio/wav", made(), AudibleLabel(notice=lambda rate: [0.0] * (31 * rate)))
    with pytest.raises(CarrierError, match="MARK_IMPOSSIBLE"):
        marked("audio/wav", made(), AudibleLabel(every=1.0))
    with pytest.raises(CarrierError, match="FILE_TOO_LARGE"):
        wav_marks.notice(io.BytesIO(made(31.0)))


@pytest.mark.parametrize("kind", ["u8", "s16", "s24", "s32", "f32", "f64"])
def test_samples_of_every_kind_are_read_and_written_alike(kind: str) -> None:
    layout = Layout(kind, 1, RATE)
    values = [-1.0, -0.5, 0.0, 0.25, 0.5]
    assert list(layout.decode(layout.encode(values))) == pytest.approx(values, abs=1 / 128)
    assert layout.decode(layout.encode([1.5]))[0] == pytest.approx(1.5 if kind[0] == "f" else 1.0, abs=1 / 64)
    content = layout.encode([sample / 2 for sample in rhythm(RATE)])
    assert len(content) == LENGTH * layout.width
    assert layout.encode(layout.decode(content)) == content


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 700), min_size=1, max_size=30), st.sampled_from([1, 2, 3]))
def test_it_does_not_matter_in_which_pieces_a_sound_comes(sizes: list[int], channels: int) -> None:
    layout = Layout("s16", channels, 100)
    label = AudibleLabel(every=2.0)
    content = struct.pack("<h", 1000) * (sum(sizes) * channels)
    whole = Overlay(label, layout).over(content)
    pieces, at, overlay = b"", 0, Overlay(label, layout)
    for size in sizes:
        pieces += overlay.over(content[at : at + size * layout.frame])
        at += size * layout.frame
    assert pieces == whole


def form(*parts: tuple[bytes, bytes], kind: bytes = b"RIFF") -> bytes:
    body = b"WAVE"
    for name, content in parts:
        size = b"\xff\xff\xff\xff" if kind == b"RF64" and name == b"data" else struct.pack("<I", len(content))
        body += name + size + content + b"\0" * (len(content) % 2)
    return kind + (b"\xff\xff\xff\xff" if kind == b"RF64" else struct.pack("<I", len(body))) + body


def described(code: int = 1, channels: int = 1, rate: int = RATE, bits: int = 16) -> tuple[bytes, bytes]:
    frame = channels * bits // 8
    return b"fmt ", struct.pack("<HHIIHH", code, channels, rate, rate * frame, frame, bits)


def test_places_in_a_wav_move_with_its_sound_and_all_else_stays() -> None:
    cue = struct.pack("<IIIIIII", 1, 7, 100, 0, 0, 0, 100)
    loop = struct.pack("<9I", *[0] * 7, 1, 0) + struct.pack("<6I", 1, 0, 10, 20, 0, 0)
    old = form(described(), (b"cue ", cue), (b"smpl", loop), (b"LIST", b"odd"), (b"data", bytes(7))) + b"rest"
    out = marked("audio/wav", old)
    moved = LENGTH + GAP
    found = {
        chunk.name: out[chunk.payload : chunk.payload + chunk.size] for chunk in wav_form.parse(io.BytesIO(out)).chunks
    }
    assert found[b"cue "] == struct.pack("<IIIIIII", 1, 7, 100 + moved, 0, 0, 0, 100 + moved)
    assert found[b"smpl"][36:] == struct.pack("<6I", 1, 0, 10 + moved, 20 + moved, 0, 0)
    assert found[b"LIST"] == b"odd"
    assert len(found[b"data"]) == 7 + 2 * moved
    assert out.endswith(b"rest")


def test_rf64_and_extensible_formats_are_marked() -> None:
    plain = described(0xFFFE, 2, RATE, 24)[1] + struct.pack("<HHIH", 22, 24, 3, 1) + bytes(14)
    body = (b"fmt ", plain), (b"data", bytes(6))
    sizes = struct.pack("<QQQI", 4 + 36 + 8 + 40 + 8 + 6, 6, 1, 0)
    out = marked("audio/wav", form((b"ds64", sizes), *body, kind=b"RF64"))
    parsed = wav_form.parse(io.BytesIO(out))
    assert parsed.sizes == (len(out) - 8, 6 + 6 * (LENGTH + GAP), 1 + LENGTH + GAP)
    data = parsed.find(b"data")
    assert data is not None
    assert data.size == 6 + 6 * (LENGTH + GAP)


def test_a_large_wav_takes_no_memory() -> None:
    head = form(described(), (b"data", b""))[:-4] + struct.pack("<I", LARGE)
    head = head[:4] + struct.pack("<I", 36 + LARGE) + head[8:]
    with sparse(head) as file:
        sink = Null()
        label = AudibleLabel(every=3600.0)
        assert peak(lambda: audio.mark(file, sink, "audio/wav", label)) < CEILING
        assert sink.size > LARGE


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "FILE_MALFORMED"),
        (form(described()), "FILE_MALFORMED"),
        (form((b"data", b""), described()), "FILE_MALFORMED"),
        (form((b"fmt ", b"\1\0"), (b"data", b"")), "FILE_MALFORMED"),
        (form(described(channels=0), (b"data", b"")), "FILE_MALFORMED"),
        (form(described(rate=0), (b"data", b"")), "FILE_MALFORMED"),
        (form(described(2, 1, RATE, 4), (b"data", b"")), "UNSUPPORTED_MEDIA"),
    ],
)
def test_a_wav_that_cannot_be_marked_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(CarrierError, match=reason):
        marked("audio/wav", content)


@settings(max_examples=60, deadline=None)
@given(
    mutations(form(described(), (b"cue ", bytes(28)), (b"smpl", bytes(60)), (b"fact", bytes(4)), (b"data", bytes(90))))
)
def test_whatever_the_bytes_a_wav_is_marked_or_refused(content: bytes) -> None:
    try:
        out = marked("audio/wav", content)
    except CarrierError:
        return
    wav_form.parse(io.BytesIO(out))


COMPRESSED = [
    ("audio/mpeg", "mp3", "libmp3lame"),
    ("audio/flac", "flac", "flac"),
    ("audio/ogg", "ogg", "vorbis"),
    ("audio/opus", "ogg", "libopus"),
    ("audio/mp4", "ipod", "aac"),
]


def decoded(content: bytes, rate: int = 48000) -> array[float]:
    out = array("f")
    with av.open(io.BytesIO(content), "r") as container:
        resampler = av.AudioResampler("flt", "mono", rate)
        for frame in container.decode(audio=0):
            assert isinstance(frame, av.AudioFrame)
            for part in resampler.resample(frame):
                out.frombytes(bytes(part.planes[0])[: part.samples * 4])
    return out


@pytest.mark.clause("GB 45438-2025 5.3", "Generative AI Labelling Measures 4")
@pytest.mark.parametrize(("media_type", "container", "codec"), COMPRESSED)
def test_gb_45438_5_3_compressed_sound_begins_with_the_rhythm(media_type: str, container: str, codec: str) -> None:
    old = sound(container, codec, 3.5)
    out = marked(media_type, old, AudibleLabel(every=2.0))
    whole, before = decoded(out), decoded(old)
    assert abs(len(whole) - len(before) - round(1.35 * 48000)) < 2048
    delay = next(at for at, value in enumerate(whole) if abs(value) > 0.05) - 100
    assert heard(whole[max(0, delay) :][: 11 * 4800], 48000) == AI
    again = max(0, delay) + round(3.35 * 48000)
    assert heard(whole[again : again + 11 * 4800], 48000) == AI
    assert metadata(out)["title"] == "Probe"
    with av.open(io.BytesIO(out)) as new, av.open(io.BytesIO(old)) as was:
        assert new.streams.audio[0].codec_context.name == was.streams.audio[0].codec_context.name
        assert new.streams.audio[0].rate == was.streams.audio[0].rate


def test_flac_loses_nothing_but_the_time_of_the_label() -> None:
    old = sound("flac", "flac", 1.0, 8000, 1)
    assert decoded(marked("audio/flac", old), RATE)[LENGTH + GAP :] == decoded(old, RATE)


def test_sound_that_is_longer_than_its_size_tells_is_refused() -> None:
    with pytest.raises(CarrierError, match="FILE_TOO_LARGE"):
        audio.mark(io.BytesIO(sound("flac", "flac", 2.0)), io.BytesIO(), "audio/flac", longest=1.0)


@pytest.mark.parametrize(
    ("media_type", "content", "reason"),
    [
        ("audio/mpeg", b"", "FILE_MALFORMED"),
        ("audio/flac", b"fLaC" + bytes(99), "FILE_MALFORMED"),
        ("audio/mpeg", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n", "FILE_MALFORMED"),
        ("audio/ogg", b"OggS" + bytes(99), "FILE_MALFORMED"),
        ("audio/midi", b"MThd", "UNSUPPORTED_MEDIA"),
        ("video/mp4", b"", "UNSUPPORTED_MEDIA"),
    ],
)
def test_sound_that_cannot_be_marked_is_refused(media_type: str, content: bytes, reason: str) -> None:
    with pytest.raises(CarrierError, match=reason):
        marked(media_type, content)


MP3 = sound("mp3", "libmp3lame", 0.2, 16000, 1)


@settings(max_examples=10, deadline=None)
@given(mutations(MP3))
def test_whatever_the_bytes_compressed_sound_is_marked_or_refused(content: bytes) -> None:
    with contextlib.suppress(CarrierError):
        marked("audio/mpeg", content)


def test_without_the_extra_only_wav_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("candor_generation.marks.codecs.installed", lambda: False)
    assert set(audio.media_types()) == set(wav_form.Wav.media_types)
    assert marked("audio/wav", made())
    with pytest.raises(CarrierError, match="UNSUPPORTED_MEDIA"):
        marked("audio/mpeg", MP3)


def test_a_voice_at_another_rate_keeps_its_length_and_pitch() -> None:
    tone = [math.sin(2 * math.pi * 200 * at / 16000) for at in range(16000)]
    half = pcm.resampled(tone, 16000, 8000)
    assert len(half) == 8000
    assert half[10] == pytest.approx(tone[20], abs=1e-6)
