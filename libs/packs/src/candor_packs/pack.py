"""Policy packs: one law per file, dated, with its citation, its triggers and its duties.

A wrong pack never loads: the error names the file, the line and the field.
"""

from datetime import date, datetime
from pathlib import Path

from candor_packs import calendars, document
from candor_packs.assembly import assemble
from candor_packs.document import PackError
from candor_packs.model import Obligation, Pack

__all__ = ["Obligation", "Pack", "PackError", "in_force", "load"]


def load(directory: Path, part: Path | None = None) -> tuple[Pack, ...]:
    """Every pack under the directory, by file name; calendars/ and templates/ hold what packs refer to.

    Args:
        directory: The folder of the packs.
        part: A folder or a file in it, to read only what stands there.

    Raises:
        PackError: The first thing that is wrong in any of them.
    """
    if not directory.is_dir():
        raise PackError(directory, 1, "", "is no directory")
    if part is not None and not part.exists():
        raise PackError(part, 1, "", "is not there")
    known = calendars.load(directory / "calendars")
    packs = tuple(
        assemble(document.read(file), known, directory / "templates") for file in _files(directory, part or directory)
    )
    _refuse_overlap(packs)
    return packs


def _files(directory: Path, part: Path) -> list[Path]:
    files = [part] if part.is_file() else sorted(part.rglob("*.yaml"))
    return [file for file in files if file.parent != directory / "calendars"]


def in_force(packs: tuple[Pack, ...], at: datetime) -> tuple[Pack, ...]:
    """The packs that apply to what happened at ``at`` (an aware instant)."""
    return tuple(pack for pack in packs if pack.in_force(at))


def _refuse_overlap(packs: tuple[Pack, ...]) -> None:
    """One law has one reading at any instant."""
    for index, pack in enumerate(packs):
        for other in packs[:index]:
            apart = (other.until or date.max) < pack.since or (pack.until or date.max) < other.since
            if pack.id == other.id and not apart:
                raise PackError(pack.file, 1, "in_force", f"{pack.id} is in force twice, see {other.file.name}")
