"""What a provider allows for one channel is honoured by every process together: what was sent is counted in rows."""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

from candor_kit.transaction import Tx

from candor_escalation import store
from candor_escalation.channels import Channel
from candor_escalation.domain import throttle
from candor_escalation.domain.paging import Delivery
from candor_escalation.handlers.pages import Outgoing
from candor_escalation.oncall import OnCall
from candor_escalation.store import usages


class Throttling:
    """Counts what is sent. ``key`` gives what the channels' addresses are digested with: no address is stored."""

    def __init__(self, oncall: OnCall, key: Callable[[], bytes]) -> None:
        self._oncall = oncall
        self._key = key

    def channel(self, outgoing: Outgoing) -> Channel | None:
        """The channel that a page goes by; None where there is none (any more)."""
        if outgoing.contact is None or outgoing.dispatch is None:
            return None
        return self._oncall.channel(outgoing.contact.name, outgoing.dispatch.place)

    async def admit(self, tx: Tx, outgoing: Sequence[Outgoing]) -> list[Outgoing]:
        """Count those that may be sent now, and say of the others how long their channel takes nothing."""
        named = [(self._digest(outgoing), outgoing) for outgoing in outgoing]
        limited = sorted((pair for pair in named if pair[0]), key=lambda pair: pair[0])
        admitted = [outgoing for digest, outgoing in named if not digest]
        for digest, page in limited:
            channel = self.channel(page)
            limits = channel.limits if channel else ()
            usage = await usages.lock(tx.connection, digest)
            now = await store.now(tx.connection)
            held = throttle.wait(usage, limits, now)
            if held <= timedelta(0):
                await usages.save(tx.connection, digest, throttle.used(usage, limits, now))
            admitted.append(replace(page, held=max(held, timedelta(0))))
        return admitted

    async def block(self, tx: Tx, outgoing: Outgoing, delivery: Delivery) -> None:
        """Leave a channel alone for as long as its provider asked."""
        digest = self._digest(outgoing)
        if digest and delivery.retry_after is not None:
            now = await store.now(tx.connection)
            await usages.block(tx.connection, digest, now + delivery.retry_after)

    def _digest(self, outgoing: Outgoing) -> bytes:
        """A name for the channel's address that says nothing of it; empty where nothing is counted."""
        channel = self.channel(outgoing)
        if channel is None or not channel.limits:
            return b""
        address = "\0".join((channel.kind, channel.secrets[0]))
        return hmac.digest(self._key(), address.encode(), hashlib.sha256)
