"""What a caller gets back: frozen values, no protobuf."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Modality(StrEnum):
    """What kind of content was generated."""

    TEXT = "text"
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"


class Decision(StrEnum):
    """What screening decided."""

    ALLOW = "allow"
    REVIEW = "review"
    """A person should look."""
    BLOCK = "block"
    """Must not be shown."""


class State(StrEnum):
    """How far a record has come; from each state on it is not lost."""

    RECORDED = "recorded"
    """Candor has it, and answered with label and decision."""
    SENT = "sent"
    """The broker has it. Candor takes it from there; label and decision ride the topic candor.generation.v1."""
    SPOOLED = "spooled"
    """It is on this machine's disk, and follows when Candor is back."""


@dataclass(frozen=True)
class Label:
    """The label to attach to the content.

    Attributes:
        json: what a file's metadata carries: {"AIGC":{…}}, seven keys.
        explicit_text: a text to show with the content; "" when the deployment shows its own.
    """

    json: str
    explicit_text: str


@dataclass(frozen=True)
class Hit:
    """A feature that screening found, and where: from `start` up to `end`, in code points of prompt or output."""

    feature_id: str
    category: str
    in_prompt: bool
    start: int
    end: int


@dataclass(frozen=True)
class Recorded:
    """A generation that is on record or on its way there.

    Attributes:
        generation_id: UUIDv7; the content's number for ever after.
        state: how far it has come.
        label: None unless `state` is RECORDED. A label needs the provider's code and the commitment that only Candor
            makes, so none is made up here.
        decision: None unless `state` is RECORDED.
        hits: what the decision rests on.
    """

    generation_id: str
    state: State
    label: Label | None = None
    decision: Decision | None = None
    hits: tuple[Hit, ...] = ()


@dataclass(frozen=True)
class Screened:
    """What screening decided about texts that are not on record.

    Attributes:
        library_version: of the feature library that decided.
    """

    decision: Decision
    hits: tuple[Hit, ...]
    library_version: int


@dataclass(frozen=True)
class Explicit:
    """Also put the explicit label into the content (GB 45438-2025, 5).

    Attributes:
        text: what is shown; "" is the built-in text of the locale.
        at_start: of a text; otherwise it stands at the end.
    """

    text: str = ""
    at_start: bool = False


@dataclass(frozen=True)
class Labelled:
    """Content with its label in it.

    Attributes:
        content: the labelled content; None where it went to a file.
        unlabelled_sha256: of the content as it came, 32 bytes; `output` of the record of an image, a sound, a video.
        labelled_sha256: of the content as it is now, 32 bytes.
        found: the labels that were in it before, as they stood there.
    """

    label: Label
    content: bytes | None
    size: int
    unlabelled_sha256: bytes
    labelled_sha256: bytes
    found: tuple[str, ...] = ()
