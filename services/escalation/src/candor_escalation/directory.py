"""Ways to send a report: the recipients' addresses of the packs, and adapters that send by themselves."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Literal, Protocol

from candor_packs import document
from candor_packs.schema import check
from pydantic import BaseModel, ConfigDict, Field, StrictStr, field_validator

from candor_escalation.domain.guide import Address, is_way
from candor_escalation.domain.report import Draft, File

_FILE = "channels.json"
_EVERY = "*"


@dataclass(frozen=True)
class Answer:
    """What a recipient's interface answered: its reference is the receipt, ``proof`` the answer as it came."""

    reference: str
    received_at: datetime
    proof: bytes
    proof_media_type: str


class ApiChannel(Protocol):
    """An adapter to a recipient that takes reports by an interface.

    It is called outside any transaction and may be called again with the same report after a crash, so it MUST tell the
    recipient ``submission_id`` as the key of idempotency, and take the answer "you sent this before" for the first one.
    What it returns goes to `Submissions.confirmed` as the receipt.
    """

    @property
    def name(self) -> str:
        """The name of the channel: "dsa-transparency-database"."""

    def serves(self, pack_id: str, obligation_id: str) -> bool:
        """Whether the reports of that obligation can be sent so."""

    async def send(self, submission_id: str, draft: Draft, sent: File) -> Answer:
        """Send a report and wait for what the recipient answers.

        Raises:
            Exception: It was not accepted; it may be sent again.
        """


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Way(_Strict):
    name: StrictStr
    address: StrictStr = Field(min_length=1, max_length=300)

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        if not is_way(name):
            raise ValueError(f"there are no steps for a channel {name}")
        return name


class _Evidence(_Strict):
    mark: Literal["P", "Q", "S", "U"]
    checked: date


class _Recipient(_Strict):
    pack: str
    obligations: list[str] = Field(min_length=1)
    source: str = Field(min_length=1)
    evidence: _Evidence
    channels: list[_Way] = Field(min_length=1)


class _Book(_Strict):
    about: str = ""
    recipients: list[_Recipient]


class Directory:
    """Where the reports of each obligation can be sent."""

    def __init__(
        self, recipients: Mapping[tuple[str, str], tuple[Address, ...]], adapters: tuple[ApiChannel, ...] = ()
    ) -> None:
        self._recipients = recipients
        self._adapters = adapters

    def addresses(self, pack_id: str, obligation_id: str) -> tuple[Address, ...]:
        """The known addresses; those of the obligation before those of its pack."""
        exact = self._recipients.get((pack_id, obligation_id))
        return exact or self._recipients.get((pack_id, _EVERY), ())

    def automatic(self, pack_id: str, obligation_id: str) -> tuple[str, ...]:
        """The names of the adapters that send the reports of an obligation."""
        return tuple(adapter.name for adapter in self._adapters if adapter.serves(pack_id, obligation_id))


def load(packs: Path, adapters: tuple[ApiChannel, ...] = ()) -> Directory:
    """Read ``channels.json`` beside the packs; without the file no address is known.

    Raises:
        PackError: What is wrong in it.
    """
    file = packs / _FILE
    if not file.exists():
        return Directory({}, adapters)
    book = check(document.read(file), _Book)
    return Directory({key: value for entry in book.recipients for key, value in _addresses(entry)}, adapters)


def _addresses(entry: _Recipient) -> list[tuple[tuple[str, str], tuple[Address, ...]]]:
    ways = tuple(Address(way.name, way.address, entry.source) for way in entry.channels)
    return [((entry.pack, obligation), ways) for obligation in entry.obligations]
