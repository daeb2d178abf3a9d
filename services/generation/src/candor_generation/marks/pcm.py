"""The audible label, as samples: a rhythm, then what a voice says, and how both are laid over sound.

Source: GB 45438-2025 5.3
"""

from __future__ import annotations

import math
import sys
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from candor_generation.carriers.base import CarrierError

RHYTHM: Final = "短长 短短"
"""Short, long, a pause, short, short: A and I in Morse's code (GB 45438-2025 5.3 c)."""

EVERY: Final = 120.0
"""How long a listener may go without hearing the label, in seconds (DEEPFAKES Accountability Act, H.R. 3230, 2019)."""

LONGEST_NOTICE: Final = 30.0
"""The longest spoken notice, in seconds."""

_UNIT: Final = 0.1  # seconds: a short tone; a long one is three, as is the pause between letters (ITU-R M.1677)
_PITCH: Final = 800.0  # Hz: in the middle of what telephones pass
_LOUDNESS: Final = 0.35  # of full scale
_RAMP: Final = 0.005  # seconds, so that a tone does not click
_GAP: Final = 0.25  # seconds between the rhythm, the notice and the sound
_DUCKED: Final = 0.25  # what is left of the sound beneath the label

Notice = Callable[[int], Sequence[float]]
"""Gives a spoken notice as one channel of samples between -1 and 1, at a rate in Hz."""


@dataclass(frozen=True)
class AudibleLabel:
    """What is heard, and how often.

    Attributes:
        notice: a spoken notice that follows the rhythm, or None.
        every: seconds from one label to the next; None for only the one at the beginning.
    """

    notice: Notice | None = None
    every: float | None = EVERY

    def samples(self, rate: int) -> array[float]:
        """The whole of it in one channel.

        Raises:
            CarrierError: MARK_IMPOSSIBLE, the notice is longer than 30 seconds.
        """
        sound = rhythm(rate)
        if self.notice is not None:
            spoken = self.notice(rate)
            if len(spoken) > LONGEST_NOTICE * rate:
                raise CarrierError("MARK_IMPOSSIBLE", f"the spoken notice is longer than {LONGEST_NOTICE:g} seconds")
            sound += _silence(_GAP, rate) + array("f", (max(-1.0, min(1.0, sample)) for sample in spoken))
        return sound


def rhythm(rate: int) -> array[float]:
    """The rhythm in one channel.

    Source: GB 45438-2025 5.3
    """
    sound = array("f")
    for letter in RHYTHM.split():
        sound += _silence(3 * _UNIT, rate) if sound else array("f")
        tones = [_tone(_UNIT if sign == "短" else 3 * _UNIT, rate) for sign in letter]
        for number, tone in enumerate(tones):
            sound += (_silence(_UNIT, rate) if number else array("f")) + tone
    return sound


def _silence(seconds: float, rate: int) -> array[float]:
    return array("f", bytes(4 * round(seconds * rate)))


def _tone(seconds: float, rate: int) -> array[float]:
    count, ramp = round(seconds * rate), max(1, round(_RAMP * rate))
    turn = 2 * math.pi * _PITCH / rate
    return array(
        "f",
        (_LOUDNESS * min(1.0, at / ramp, (count - at) / ramp) * math.sin(turn * at) for at in range(count)),
    )


@dataclass(frozen=True)
class Layout:
    """How samples stand in memory, little-endian and interleaved.

    Attributes:
        kind: "u8", "s16", "s24", "s32", "f32" or "f64".
        channels: how many.
        rate: frames a second.
    """

    kind: str
    channels: int
    rate: int

    @property
    def width(self) -> int:
        """Bytes a sample."""
        return int(self.kind[1:]) // 8

    @property
    def frame(self) -> int:
        """Bytes a frame: a sample of every channel."""
        return self.width * self.channels

    def decode(self, data: bytes) -> Sequence[float]:
        """Samples between -1 and 1."""
        if self.kind[0] == "f":
            return _native(_CODES[self.kind], data)
        if self.kind == "u8":
            return [(value - 128) / 128 for value in data]
        full = 1 << 31
        wide = data if self.kind == "s32" else _widened(data, self.width)
        return [value / full for value in _native("i", wide)]

    def encode(self, samples: Sequence[float]) -> bytes:
        """Samples again, those beyond full scale cut off."""
        if self.kind[0] == "f":
            return _swapped(array(_CODES[self.kind], samples)).tobytes()
        if self.kind == "u8":
            return bytes(max(0, min(255, round(value * 128) + 128)) for value in samples)
        full = 1 << (8 * self.width - 1)
        whole = [max(-full, min(full - 1, round(value * full))) for value in samples]
        if self.kind == "s24":
            return b"".join((value & 0xFFFFFF).to_bytes(3, "little") for value in whole)
        return _swapped(array(_CODES[self.kind], whole)).tobytes()


_CODES: Final = {"s16": "h", "s32": "i", "f32": "f", "f64": "d"}


def _widened(data: bytes, width: int) -> bytes:
    """Samples of two or three bytes in four, their bytes moved up."""
    wide = bytearray(len(data) // width * 4)
    for byte in range(width):
        wide[4 - width + byte :: 4] = data[byte::width]
    return bytes(wide)


def _native(code: str, data: bytes) -> array[float]:
    return _swapped(array(code, data))


def _swapped(values: array[float]) -> array[float]:
    if sys.byteorder == "big":
        values.byteswap()
    return values


class Overlay:
    """Puts the label before a sound, and over it every so often; the sound comes and goes in pieces.

    Args:
        label: what is heard.
        layout: of the sound.

    Raises:
        CarrierError: MARK_IMPOSSIBLE, the label is longer than the time between two.
    """

    def __init__(self, label: AudibleLabel, layout: Layout) -> None:
        self._layout = layout
        self._samples = label.samples(layout.rate)
        self._period = None if label.every is None else round(label.every * layout.rate)
        self._at = 0
        if self._period is not None and len(self._samples) >= self._period:
            raise CarrierError("MARK_IMPOSSIBLE", "the audible label is longer than the time between two of them")

    @cached_property
    def opening(self) -> bytes:
        """What is heard before the sound: the label in every channel, and a short silence."""
        layout = self._layout
        alone = self._samples + _silence(_GAP, layout.rate)
        return layout.encode([sample for sample in alone for _ in range(layout.channels)])

    def over(self, data: bytes) -> bytes:
        """The next piece of the sound, in whole frames, with the label over it where it is due."""
        start, frame = self._at, self._layout.frame
        end = self._at = start + len(data) // frame
        if self._period is None:
            return data
        for number in range(max(1, (start - len(self._samples)) // self._period), end // self._period + 1):
            due = number * self._period
            first, last = max(start, due), min(end, due + len(self._samples))
            if first < last:
                low, high = (first - start) * frame, (last - start) * frame
                data = data[:low] + self._mixed(data[low:high], first - due) + data[high:]
        return data

    def _mixed(self, data: bytes, offset: int) -> bytes:
        channels = self._layout.channels
        sound = self._layout.decode(data)
        label = self._samples[offset : offset + len(sound) // channels]
        return self._layout.encode([_DUCKED * sample + label[index // channels] for index, sample in enumerate(sound)])


def resampled(samples: Sequence[float], old_rate: int, new_rate: int) -> array[float]:
    """One channel at another rate, by straight lines between samples: enough for a voice."""
    if old_rate == new_rate or len(samples) < 2:  # noqa: PLR2004 - no line through less than two
        return array("f", samples)
    count = len(samples) * new_rate // old_rate
    step = old_rate / new_rate
    last = len(samples) - 2
    made = array("f")
    for index in range(count):
        place = index * step
        whole = min(int(place), last)
        part = min(place - whole, 1.0)
        made.append(samples[whole] * (1 - part) + samples[whole + 1] * part)
    return made
