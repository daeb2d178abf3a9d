"""The register of the places that hold personal data."""

from dataclasses import dataclass
from enum import StrEnum

from candor_rights.domain.refusal import Refused


class Right(StrEnum):
    """A right of the data subject."""

    ACCESS = "ACCESS"
    DELETION = "DELETION"
    CONSENT_WITHDRAWAL = "CONSENT_WITHDRAWAL"
    TRAINING_REFUSAL = "TRAINING_REFUSAL"


class HolderKind(StrEnum):
    """What kind of place holds the data."""

    SERVICE = "SERVICE"
    PRODUCT = "PRODUCT"
    DATA_SET = "DATA_SET"
    MODEL = "MODEL"


@dataclass(frozen=True)
class Holder:
    """A place that holds personal data, and the rights it is asked to carry out.

    A data set or a model is a holder of its own, because deleting at the source leaves the copies made from it.
    `address` is where its DataHolderService listens, empty when it has none.
    """

    holder_id: str
    name: str
    kind: HolderKind
    rights: frozenset[Right]
    address: str = ""


_ALL_RIGHTS = frozenset(Right)

SERVICE_HOLDERS = (
    Holder("consent", "Consents and their proofs", HolderKind.SERVICE, _ALL_RIGHTS),
    Holder("escalation", "Complaints, appeals and sanctions", HolderKind.SERVICE, _ALL_RIGHTS),
    Holder("generation", "Generation records", HolderKind.SERVICE, _ALL_RIGHTS),
    Holder("refutation", "Matches of claims in texts", HolderKind.SERVICE, _ALL_RIGHTS),
)
"""The services of this deployment that hold personal data. Their addresses are settings, not rows."""

RIGHTS_HOLDER_ID = "rights"
"""This service as a holder: requests and contact identities. It needs no ask, it acts in the same transaction."""

_OWN = {holder.holder_id: holder for holder in SERVICE_HOLDERS}


def register(registered: Holder | None, wanted: Holder) -> Holder:
    """Return the holder as it is to stand in the register from now on.

    Name, rights and address may change. The kind may not: it decides who may answer for the holder. Nor may anything of
    the services of this deployment, so that no setting of the register takes one of them out of a deletion.

    Raises:
        Refused: HOLDER_CONFLICT.

    Source: GDPR 30(1)
    """
    if wanted.holder_id == RIGHTS_HOLDER_ID or _OWN.get(wanted.holder_id, wanted) != wanted:
        raise Refused("HOLDER_CONFLICT", f"{wanted.holder_id} is a service of this deployment", field="holder_id")
    if registered is not None and registered.kind is not wanted.kind:
        message = f"{wanted.holder_id} is registered as {registered.kind}; register another kind under an id of its own"
        raise Refused("HOLDER_CONFLICT", message, field="kind")
    return wanted
