"""Labels: the files that carry them, the value, the code that signs it."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from functools import cache, partial

import label_samples
import media_samples
from candor_generation import label_codec, labelkey, labelling
from candor_generation.carriers import CARRIERS
from candor_generation.carriers.base import Carrier, CarrierError
from candor_generation.domain import label, labelcode, note
from candor_generation.domain.label import Label
from candor_generation.domain.labelcode import LabelCodeError
from candor_generation.domain.note import NoteError
from candor_generation.signing import Signer

from . import reshaping
from .target import Target

_LABEL = label_samples.a_label()
_REASONS = media_samples.REASONS | {"LABEL_MALFORMED"}
_LOG = Signer("candor.example/log", bytes(range(32)))
_KEY = Signer(labelcode.key_name(_LOG.vkey.name), bytes(range(1, 33)))
_CERTIFICATE = _LOG.sign(labelcode.certificate_text(_LOG.vkey.name, _KEY.vkey))
_SIGNATURE = _KEY.vkey.key_id + bytes(64)


def _carry(carrier: Carrier, data: bytes) -> None:
    """A file is refused with a reason, or read; it is labelled so that the label reads back alone, or refused."""
    _answer(carrier, data)
    out = io.BytesIO()
    try:
        carrier.write(io.BytesIO(data), out, _LABEL)
    except CarrierError as error:
        _clean(error)
        return
    found = [_said(text) for text in carrier.read(out)]
    assert found == [_LABEL.keys], found


def _clean(error: CarrierError) -> None:
    assert error.reason in _REASONS, error


def _answer(carrier: Carrier, data: bytes) -> None:
    """What ReadLabel would answer, down to the message."""
    try:
        reading = labelling.read(io.BytesIO(data), carrier.media_types[0])
        labelling.read(io.BytesIO(data), "")
    except CarrierError as error:
        _clean(error)
        return
    assert isinstance(reading.violations, list)
    for text, found in reading.found:
        label_codec.found_message(text, found).SerializeToString()


def _said(text: str) -> dict[str, str] | None:
    found = label.parse(text).label
    return found.keys if found else None


def _value(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    found = label.parse(text)
    label_codec.found_message(text, found).SerializeToString()
    if found.label is not None and not found.problems:
        again = label.parse(found.label.json)
        assert again.label == found.label
        assert again.problems == ()


def _code(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    with contextlib.suppress(LabelCodeError):
        assert labelcode.parse(text).text == text
    with contextlib.suppress(LabelCodeError):
        labelkey.verify(text, label_samples.ID, [_CERTIFICATE], _LOG.vkey)


def _certificate(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    with contextlib.suppress(NoteError):
        origin, key = labelcode.parse_certificate(text)
        assert labelcode.certificate_text(origin, key) == text


def _carrier(name: str) -> Carrier:
    return next(carrier for carrier in CARRIERS if type(carrier).__name__ == name)


@cache
def _files(name: str) -> tuple[bytes, ...]:
    """Files without a label, and the same with ours."""
    carrier = _carrier(name)
    plain = _plain(carrier)
    return (*plain, *(media_samples.labelled(carrier, data, _LABEL) for data in plain))


def _plain(carrier: Carrier) -> list[bytes]:
    match type(carrier).__name__:
        case "Wav":
            return [media_samples.wav()]
        case "Mp3":
            return [media_samples.sound("mp3", "libmp3lame", seconds=0.1)]
        case "Flac":
            return [media_samples.sound("flac", "flac", seconds=0.1)]
        case "Ogg":
            return [media_samples.sound("ogg", codec, seconds=0.1) for codec in ("vorbis", "libopus")]
        case "Mp4":
            return [media_samples.film(seconds=0.2, flags=flags) for flags in ("", "faststart", "frag_keyframe")]
    made = [make() for media_type, make in label_samples.FILES.values() if media_type in carrier.media_types]
    assert made, carrier
    return made


def _parts() -> Sequence[bytes]:
    return [*_files("Ooxml"), *(reshaping.flat(data) for data in _files("Ooxml"))]


def _opened(check: partial[None], data: bytes) -> None:
    check(reshaping.archive(data))


def _labels() -> list[bytes]:
    made: list[Label] = [_LABEL, label.make(label_samples.ID, label_samples.CODE, "en", integrity="", explicit=False)]
    return [text.encode() for item in made for text in (item.json, item.bare)]


def _target(name: str) -> Target:
    check = partial(_carry, _carrier(name))
    if name == "Ooxml":
        return Target("label-ooxml", "labels", partial(_opened, check), _parts)
    reshape = {"Png": reshaping.png, "Ogg": reshaping.ogg}.get(name)
    return Target(f"label-{name.lower()}", "labels", check, partial(_files, name), reshape)


TARGETS = (
    *(_target(type(carrier).__name__) for carrier in CARRIERS),
    Target("label-value", "labels", _value, _labels),
    Target(
        "label-code",
        "labels",
        _code,
        lambda: [labelcode.LabelCode(_LOG.vkey.name, _KEY.vkey.key_id, bytes(64)).text.encode()],
    ),
    Target("label-certificate", "labels", _certificate, lambda: [note.parse_note(_CERTIFICATE).text.encode()]),
)
