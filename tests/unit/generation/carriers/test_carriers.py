"""What every carrier keeps to, whatever its format."""

from __future__ import annotations

import io
import tracemalloc

import pytest
from candor_generation import carriers
from candor_generation.carriers.base import CarrierError
from candor_generation.domain import label
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from label_samples import FILES, a_label

OTHER = "01933b2e-7f00-7000-8000-0000000000ff"
NAMES = sorted(FILES)
BYTES = {name: make() for name, (_, make) in FILES.items()}


def written(name: str, data: bytes, content_id: str = "") -> bytes:
    destination = io.BytesIO()
    made = a_label(content_id) if content_id else a_label()
    carriers.carrier_of(FILES[name][0]).write(io.BytesIO(data), destination, made)
    return destination.getvalue()


def read(name: str, data: bytes) -> list[str]:
    return carriers.carrier_of(FILES[name][0]).read(io.BytesIO(data))


@pytest.mark.parametrize("name", NAMES)
def test_a_file_without_label_says_so(name: str) -> None:
    assert read(name, BYTES[name]) == []


@pytest.mark.clause("GB 45438-2025 6.1", "GB 45438-2025 Annex E")
@pytest.mark.parametrize("name", NAMES)
def test_gb_45438_6_1_the_label_is_read_back_whole(name: str) -> None:
    (found,) = read(name, written(name, BYTES[name]))
    assert label.parse(found) == label.Found(a_label(), ())


@pytest.mark.clause("GB 45438-2025 6.1")
@pytest.mark.parametrize("name", NAMES)
def test_gb_45438_6_1_one_label_a_file_the_latest(name: str) -> None:
    twice = written(name, written(name, BYTES[name]), OTHER)
    (found,) = read(name, twice)
    assert label.parse(found).label == a_label(OTHER)


@pytest.mark.parametrize("name", NAMES)
def test_labelling_again_with_the_same_label_changes_nothing_that_is_read(name: str) -> None:
    once = written(name, BYTES[name])
    assert read(name, written(name, once)) == read(name, once)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kept", [0, 1, 7, 20, 0.3, 0.6, 0.95])
def test_a_truncated_file_is_refused_or_read_but_never_more(name: str, kept: float) -> None:
    whole = written(name, BYTES[name])
    _survives(name, whole[: int(kept) if kept > 1 else int(kept * len(whole))])


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_fuzz_a_mutated_file_is_refused_cleanly(name: str, data: st.DataObject) -> None:
    whole = bytearray(written(name, BYTES[name]))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(whole)))
        new = data.draw(st.one_of(st.binary(max_size=8), st.sampled_from([b"\xff\xff\xff\xff", b"\0\0\0\0", b"AIGC"])))
        whole[place : place + data.draw(st.integers(0, 12))] = new
    _survives(name, bytes(whole))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=50, deadline=None)
@given(data=st.binary(max_size=400))
def test_fuzz_bytes_that_are_no_file_are_refused_cleanly(name: str, data: bytes) -> None:
    _survives(name, data)
    _survives(name, BYTES[name][:16] + data)


def _survives(name: str, data: bytes) -> None:
    """Reading and writing do their work or refuse; whatever was written can be read."""
    carrier = carriers.carrier_of(FILES[name][0])
    try:
        carrier.read(io.BytesIO(data))
        destination = io.BytesIO()
        carrier.write(io.BytesIO(data), destination, a_label())
    except CarrierError:
        return
    assert a_label() in [label.parse(text).label for text in carrier.read(destination)]


class Endless(io.RawIOBase):
    """A file of the given head and a tail of zeros, that holds nothing in memory."""

    def __init__(self, head: bytes, size: int, foot: bytes = b"") -> None:
        self._head, self._size, self._foot, self._place = head, size, foot, 0

    def read(self, size: int = -1) -> bytes:
        end = len(self._head) + self._size + len(self._foot)
        size = min(size if size >= 0 else end, end - self._place)
        here = self._place
        self._place += size
        middle = len(self._head) + self._size
        pieces = self._head[here : here + size]
        zeros = min(here + size, middle) - max(here, len(self._head))
        pieces += bytes(max(0, zeros))
        if here + size > middle:
            pieces += self._foot[max(0, here - middle) : here + size - middle]
        return pieces

    def seek(self, place: int, whence: int = 0) -> int:
        end = len(self._head) + self._size + len(self._foot)
        self._place = {0: place, 1: self._place + place, 2: end + place}[whence]
        return self._place

    def tell(self) -> int:
        return self._place


class Sink(io.RawIOBase):
    """Counts what is written."""

    def __init__(self) -> None:
        self.size = self._place = 0

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._place += len(data)
        self.size = max(self.size, self._place)
        return len(data)

    def seek(self, place: int, whence: int = 0) -> int:
        self._place = place if whence == 0 else self.size
        return self._place

    def tell(self) -> int:
        return self._place


@pytest.mark.parametrize("name", ["text", "jpeg", "png", "pdf-table"])
def test_memory_stays_flat_whatever_the_size(name: str) -> None:
    size = 200 << 20
    data = BYTES[name]
    source = Endless(data, size)
    if name == "pdf-table":
        cut = data.index(b"xref\n")
        xref = data[cut:].replace(b"startxref\n%d\n" % cut, b"startxref\n%d\n" % (cut + size))
        source = Endless(data[:cut], size, xref)
    if name == "text":
        source = Endless(data + b" " * (256 << 10), 0, b"x" * (50 << 20))
    tracemalloc.start()
    sink = Sink()
    carriers.carrier_of(FILES[name][0]).write(source, sink, a_label())  # type: ignore[arg-type]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sink.size > 50 << 20
    assert peak < 10 << 20


def test_a_media_type_is_found_whatever_its_case_and_parameters() -> None:
    assert carriers.carrier_of("Text/Plain; charset=utf-8") is carriers.carrier_of("text/plain")
    with pytest.raises(CarrierError, match="UNSUPPORTED_MEDIA"):
        carriers.carrier_of("application/octet-stream")
