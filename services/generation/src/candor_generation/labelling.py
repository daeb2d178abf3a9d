"""One file labelled or read, start to end, with nothing of it in memory: explicit mark, metadata label, hashes.

What the label service and `candor label` have in common.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from candor_generation import carriers, marks
from candor_generation.carriers.base import PIECE
from candor_generation.domain import label, labelcode
from candor_generation.domain.label import Found, Grounds, Label
from candor_generation.domain.labelcode import LabelCode, LabelCodeError
from candor_generation.domain.refusal import Refused
from candor_generation.marks import Place, wav
from candor_generation.marks.pcm import AudibleLabel

_IN_MEMORY = 1 << 20
Signer = Callable[[str], str]
Sealer = Callable[[BinaryIO, BinaryIO, str, BinaryIO], None]


@dataclass(frozen=True)
class Explicit:
    """The explicit label to put into the content: its words, where, a font that has their letters, what is heard."""

    words: str
    place: Place
    font_file: Path | None = None
    audible: AudibleLabel | None = None


@dataclass(frozen=True)
class Passed:
    """Content of others that is passed on: why it is marked, and the propagator's number of it."""

    grounds: Grounds
    propagate_id: str


@dataclass(frozen=True)
class Order:
    """What to write to a file.

    Attributes:
        media_type: of the file.
        locale: of those who see it.
        provider_code: of this deployment, 27 characters.
        content: the generation id of content of ours, or how content of others is passed on.
        supersede: whether another label may be replaced.
    """

    media_type: str
    locale: str
    provider_code: str
    content: str | Passed
    supersede: bool = False


@dataclass(frozen=True)
class Reading:
    """The labels of a file, each as it stands there and as it is understood."""

    media_type: str
    found: tuple[tuple[str, Found], ...]

    @property
    def violations(self) -> list[str]:
        """What breaks the rules of the file as a whole.

        Source: GB 45438-2025 6.1
        """
        violations = [
            f"label {number}: {problem}" for number, (_, one) in enumerate(self.found, 1) for problem in one.problems
        ]
        if len(self.found) > 1:
            violations.insert(0, f"the file carries {len(self.found)} labels; one is allowed")
        return violations


def spool(folder: Path | None = None) -> BinaryIO:
    """A temporary file that stays in memory while it is small and is gone once closed."""
    return cast("BinaryIO", tempfile.SpooledTemporaryFile(_IN_MEMORY, dir=None if folder is None else str(folder)))


def sha256(source: BinaryIO) -> bytes:
    """The hash of a whole file, 32 bytes."""
    digest = hashlib.sha256()
    source.seek(0)
    while piece := source.read(PIECE):
        digest.update(piece)
    return digest.digest()


def size(source: BinaryIO) -> int:
    """The size of a file in bytes."""
    return source.seek(0, os.SEEK_END)


def read(source: BinaryIO, media_type: str) -> Reading:
    """Read the labels of a file.

    Args:
        source: seekable.
        media_type: of the file; "" to tell it by its first bytes.

    Raises:
        CarrierError: UNSUPPORTED_MEDIA, FILE_MALFORMED, FILE_TOO_LARGE.
    """
    kind = carriers.plain(media_type) or carriers.detect(source)
    texts = carriers.carrier_of(kind).read(source)
    return Reading(kind, tuple((text, label.parse(text)) for text in texts))


def write(
    source: BinaryIO,
    destination: BinaryIO,
    media_type: str,
    made: Label,
    *,
    explicit: Explicit | None = None,
    sealer: Sealer | None = None,
    folder: Path | None = None,
) -> None:
    """Write a file with its label, the explicit one first, the signature over the whole last.

    Args:
        source: seekable.
        destination: empty, seekable.
        media_type: of the file, without parameters, in lower case.
        made: the label, in the place of any that is there.
        explicit: the explicit label to put into the content.
        sealer: signs the labelled file: `(labelled, destination, media type, the file as it came)`.
        folder: for what lies between two steps.

    Raises:
        CarrierError: UNSUPPORTED_MEDIA, FILE_MALFORMED, FILE_TOO_LARGE, MARK_IMPOSSIBLE.

    Source: GB 45438-2025 5.1; GB 45438-2025 6.1; Generative AI Labelling Measures 4
    Source: Generative AI Labelling Measures 5
    """
    with spool(folder) as marked, spool(folder) as labelled:
        here = source
        if explicit is not None:
            marks.mark(
                source,
                marked,
                media_type,
                explicit.words,
                explicit.place,
                font_file=explicit.font_file,
                audible=explicit.audible,
            )
            here = marked
        carriers.carrier_of(media_type).write(here, labelled if sealer else destination, made)
        if sealer is not None:
            labelled.seek(0)
            sealer(labelled, destination, media_type, source)


def decide(order: Order, sign: Signer, reading: Reading) -> Label:
    """The label that a file gets, given what it carries: what is there is kept, or replaced only when told to.

    Raises:
        Refused: LABEL_EXISTS, LABEL_DUPLICATE, LABEL_MALFORMED, LABEL_MISSING.

    Source: GB 45438-2025 6.1; Generative AI Labelling Measures 6; Generative AI Labelling Measures 10
    """
    if isinstance(order.content, Passed):
        return _passed_on(order, order.content, sign, reading)
    made = label.make(
        order.content,
        order.provider_code,
        order.locale,
        integrity=sign(order.content),
        explicit=True,
    )
    check_replaceable(reading, made, supersede=order.supersede)
    return made


def check_replaceable(reading: Reading, made: Label, *, supersede: bool) -> None:
    """A label of other content, or of another producer, is replaced only when told to.

    Raises:
        Refused: LABEL_EXISTS.

    Source: Generative AI Labelling Measures 10
    """
    others = [one.label for _, one in reading.found if not _is_same(one.label, made)]
    if others and not supersede:
        raise Refused("LABEL_EXISTS", "the file carries another label; pass it on, or say that this one supersedes it")


def check(found: Found, verify: Callable[[str, str], LabelCode]) -> LabelCode | LabelCodeError | None:
    """Whether the producer's signature of a label holds; None where it carries none of this kind.

    Args:
        found: the label.
        verify: `(reserved code, content id)` to what the code says, or raises LabelCodeError.
    """
    if found.label is None:
        return None
    try:
        labelcode.parse(found.label.reserved_code1)
    except LabelCodeError:
        return None
    try:
        return verify(found.label.reserved_code1, found.label.produce_id)
    except LabelCodeError as error:
        return error


def _passed_on(order: Order, passed: Passed, sign: Signer, reading: Reading) -> Label:
    if len(reading.found) > 1:
        raise Refused("LABEL_DUPLICATE", "the file carries more labels than one, so which to keep is not clear")
    found = reading.found[0][1] if reading.found else None
    if found is not None and (found.label is None or found.label.label not in {grounds.value for grounds in Grounds}):
        raise Refused("LABEL_MALFORMED", f"the label of the file cannot be kept: {'; '.join(found.problems)}")
    code = label.propagator_code(order.provider_code)
    return label.propagate(
        found.label if found else None, passed.grounds, code, passed.propagate_id, protection=sign(passed.propagate_id)
    )


def _is_same(found: Label | None, made: Label) -> bool:
    """Whether a label in the file is of the same content and producer as the one to be written."""
    return found is not None and (found.content_producer, found.produce_id) == (made.content_producer, made.produce_id)


def explicit_label(
    given: str,
    place: Place,
    locale: str,
    made: Label,
    *,
    font_file: Path | None = None,
    audible: AudibleLabel | None = None,
) -> Explicit:
    """The explicit label that goes with a label: the words given, or the built-in ones of the locale.

    Raises:
        Refused: MARK_IMPOSSIBLE, the words name not both AI and generation.

    Source: GB 45438-2025 5.1
    """
    return Explicit(_words(given, locale, made.label), place, font_file, audible)


def spoken(notice: Path) -> AudibleLabel:
    """The audible label with a spoken notice after the rhythm, from a WAV file of at most 30 seconds.

    Raises:
        CarrierError: the file is none.
        OSError: it cannot be read.
    """
    with notice.open("rb") as source:
        return AudibleLabel(notice=wav.notice(source))


def _words(given: str, locale: str, attribute: str) -> str:
    words = given or label.explicit_text(locale, attribute)
    if not marks.has_both_elements(words):
        raise Refused("MARK_IMPOSSIBLE", "an explicit label names both AI and generation (GB 45438-2025, 5.1)")
    return words
