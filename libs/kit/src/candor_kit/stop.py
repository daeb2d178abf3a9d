"""How a service is told to stop, and how its loops wait."""

from __future__ import annotations

import asyncio


class Stop:
    """Set once; every loop waits on it instead of sleeping."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def set(self) -> None:
        """Ask every loop to end."""
        self._event.set()

    def is_set(self) -> bool:
        """Return whether the service is stopping."""
        return self._event.is_set()

    async def wait(self, seconds: float | None = None) -> bool:
        """Wait until the service stops or `seconds` have passed; return whether it stops."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return False
        return True


class Wake:
    """Lets one loop sleep until somebody has work for it, at most for a while."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def set(self) -> None:
        """There is work."""
        self._event.set()

    async def wait(self, seconds: float, stop: Stop) -> None:
        """Wait for work, for `seconds` to pass, or for the service to stop."""
        stopping = asyncio.ensure_future(stop.wait())
        woken = asyncio.ensure_future(self._event.wait())
        try:
            await asyncio.wait({stopping, woken}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            woken.cancel()
            await asyncio.gather(stopping, woken, return_exceptions=True)
        self._event.clear()
