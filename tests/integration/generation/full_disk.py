"""A sequencer in a process of its own whose files may not grow beyond a few hundred bytes: its disk is full.

`python -m tests.integration.generation.full_disk DATABASE_URL FOLDER`
"""

from __future__ import annotations

import asyncio
import resource
import sys
from pathlib import Path

from candor_kit import log
from candor_kit.stop import Stop

from .writers import InFolder, writers

TOO_LARGE = 600
"""The size in bytes that no file may have."""


async def main(url: str, folder: Path) -> None:
    """Write the log until killed."""
    log.configure("full-disk", "INFO")
    async with writers(url, folder, InFolder(folder / "log")) as made:
        resource.setrlimit(resource.RLIMIT_FSIZE, (TOO_LARGE, resource.RLIM_INFINITY))
        await made.sequencer().run(Stop())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
