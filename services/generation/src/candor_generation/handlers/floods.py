"""What the flood guard does in one transaction (Deep Synthesis 10)."""

from __future__ import annotations

from datetime import timedelta

from candor_kit.transaction import Tx

from candor_generation import library_codec as codec
from candor_generation.domain import feature, flood
from candor_generation.domain.feature import Ceilings, Feature, Mode
from candor_generation.domain.flood import Limits, Seen
from candor_generation.store import hits, library

# Nothing goes to `ACTIVE` here, so no ceiling matters.
_NONE = Ceilings(1.0, 1.0)


async def demote(tx: Tx, limits: Limits, window: timedelta) -> list[str]:
    """Put active features that are found far too often into shadow, with a fact each; return their ids."""
    since = (tx.now - window).replace(second=0, microsecond=0)
    await hits.clear(tx.connection, since)
    if not await hits.seen(tx.connection, since, limits.least):
        return []
    await library.lock(tx.connection)
    # Counted again under the lock: a person may have changed a mode meanwhile.
    seen = await hits.seen(tx.connection, since, limits.least)
    found = await library.find(tx.connection, list(seen))
    flooding = [item for item in found.values() if flood.floods(seen[item.feature_id], item.estimate, limits)]
    if not flooding:
        return []
    await _to_shadow(tx, flooding, seen, limits)
    return [item.feature_id for item in flooding]


async def _to_shadow(tx: Tx, flooding: list[Feature], seen: dict[str, Seen], limits: Limits) -> None:
    changed = [
        feature.set_mode(
            item,
            Mode.SHADOW,
            tx.caller.name,
            tx.now,
            ceilings=_NONE,
            reason=_reason(seen[item.feature_id], item, limits),
        )
        for item in flooding
    ]
    await library.update(tx.connection, changed, Mode.SHADOW.value, tx.caller.name)
    in_force = await library.renew(tx.connection, [item.feature_id for item in changed], tx.now)
    for item in changed:
        fact = codec.mode_changed(item, Mode.ACTIVE, in_force, "")
        fact.flood.CopyFrom(codec.flood_message(seen[item.feature_id], tx.now))
        await tx.publish(fact, key=item.feature_id)


def _reason(seen: Seen, item: Feature, limits: Limits) -> str:
    share = seen.hits / seen.screened
    return (
        f"flood: found in {seen.hits} of {seen.screened} generations ({share:.2%}), more than {limits.multiple:g} times"
        f" the {flood.expected(item.estimate, limits):.2%} that its admission run let expect"
    )
