"""Runs the test vectors that every pack carries."""

from collections.abc import Iterator
from dataclasses import dataclass

from candor_packs import situation
from candor_packs.duties import Duty, arising
from candor_packs.model import Pack
from candor_packs.schema import Expectation, Vector


@dataclass(frozen=True)
class Mistake:
    """A vector that came out otherwise than its pack says."""

    pack: Pack
    vector: Vector
    message: str


def run(pack: Pack) -> Iterator[Mistake]:
    """The vectors of a pack that come out wrong, each with what differs."""
    for vector in pack.vectors:
        case = situation.of_vector(pack, vector)
        found = arising((pack,), case.facts, case.profile, case.anchors)
        duties = {duty.obligation.id: duty for duty in found}
        expected = {expectation.obligation: expectation for expectation in vector.expect}
        for name in sorted(duties.keys() | expected.keys()):
            difference = _difference(duties.get(name), expected.get(name))
            if difference:
                yield Mistake(pack, vector, f"{name}: {difference}")


def _difference(duty: Duty | None, expected: Expectation | None) -> str:
    if duty is None:
        return "does not arise"
    if expected is None:
        return f"arises ({duty.answer.value})"
    if duty.answer.value != expected.answer:
        return f"is {duty.answer.value}, not {expected.answer}"
    if duty.missing != frozenset(expected.missing):
        return f"misses {sorted(duty.missing)}, not {sorted(expected.missing)}"
    found = (duty.due.strict, duty.due.latest, duty.due.provisional) if duty.due else (None, None, False)
    wanted = (expected.strict, expected.latest, expected.provisional)
    return "" if found == wanted else f"falls due {_shown(found)}, not {_shown(wanted)}"


def _shown(due: tuple[object, object, bool]) -> str:
    return f"strict {due[0]}, latest {due[1]}, {'provisional' if due[2] else 'final'}"
