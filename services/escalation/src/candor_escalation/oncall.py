"""The on-call chain: who is paged first, and who when nobody answers."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from candor_packs import document
from candor_packs.schema import check
from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr

from candor_escalation.domain.paging import Contact


class _Contact(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[StrictStr, Field(pattern=r"^[A-Za-z0-9_.:@-]{1,128}$")]
    webhook: Annotated[StrictStr, Field(pattern=r"^https?://[^\s]+$", max_length=2000)]
    ack_timeout_seconds: Annotated[StrictInt, Field(ge=1, le=86_400)]


class _Chain(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    contacts: Annotated[list[_Contact], Field(min_length=1, max_length=50)]


def load(file: Path) -> tuple[Contact, ...]:
    """The contacts of a YAML file, in the order they are paged.

    Raises:
        PackError: The file, line and field that is wrong.
    """
    chain = check(document.read(file), _Chain)
    return tuple(
        Contact(contact.name, contact.webhook, timedelta(seconds=contact.ack_timeout_seconds))
        for contact in chain.contacts
    )
