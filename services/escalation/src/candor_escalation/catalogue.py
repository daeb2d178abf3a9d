"""The catalogues that transfers of technology are screened against: a file in the package, or the operator's own."""

from importlib.resources import files
from pathlib import Path
from typing import Annotated

from candor_packs import document
from candor_packs.schema import check
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictStr

from candor_escalation.domain.transfer import Item

_Word = Annotated[StrictStr, Field(min_length=2, max_length=100)]


class _Item(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    number: Annotated[StrictStr, Field(pattern=r"^[A-Za-z0-9.-]{1,64}$")]
    title: Annotated[StrictStr, Field(min_length=1, max_length=300)]
    citation: Annotated[StrictStr, Field(min_length=1, max_length=300)]
    origin: Annotated[StrictStr, Field(pattern=r"^[A-Z]{2}$")]
    prohibited: StrictBool
    words: Annotated[list[_Word], Field(min_length=1, max_length=200)]


class _Catalogue(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    items: Annotated[list[_Item], Field(max_length=2000)]


def load(file: Path | None) -> tuple[Item, ...]:
    """The items of a YAML file; without one, those that come with the service.

    Raises:
        PackError: The file, line and field that is wrong.
    """
    path = file or Path(str(files("candor_escalation") / "catalogue.yaml"))
    return tuple(
        Item(item.number, item.title, item.citation, item.origin, item.prohibited, tuple(map(str.lower, item.words)))
        for item in check(document.read(path), _Catalogue).items
    )
