"""What can go wrong, each with a type: refused, not reached, no room.

Spec: google.rpc.Status, ErrorInfo and BadRequest (AIP-193).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

_STATUS_DETAILS = "grpc-status-details-bin"


class CandorError(Exception):
    """What this package raises.

    Attributes:
        generation_id: the generation that it is about; "" when it is about none. Send it again with this id.
    """

    def __init__(self, message: str, *, generation_id: str = "") -> None:
        super().__init__(message)
        self.generation_id = generation_id


@dataclass(frozen=True)
class Violation:
    """A field that breaks a constraint, and which one."""

    field: str
    description: str


class Refused(CandorError):
    """Candor answered, and refuses. The same call again is refused again, unless the refusal is about the caller.

    Attributes:
        reason: a name of a reasons.proto without its prefix ("INVALID_FIELD"), or the name of the gRPC status when the
            answer came from something before Candor, a proxy for one.
        message: what is wrong and what to do.
        domain: the proto package of the reason; "" with the name of a status.
        status: the gRPC status.
        violations: the fields it is about.
    """

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        status: grpc.StatusCode,
        domain: str = "",
        violations: Sequence[Violation] = (),
        generation_id: str = "",
    ) -> None:
        fields = "".join(f"; {violation.field}: {violation.description}" for violation in violations)
        super().__init__(f"{reason}: {message}{fields}", generation_id=generation_id)
        self.reason = reason
        self.message = message
        self.domain = domain
        self.status = status
        self.violations = tuple(violations)


class Unavailable(CandorError):
    """Candor did not answer in time. It may have the record all the same: a repeat with the same id is safe."""


class SpoolFull(CandorError):
    """The spool has no room for the record, which is nowhere. The message says how large the spool may get."""


class SpoolDamaged(CandorError):
    """Bytes within the spool are not what was written. They are kept aside; what stands after them goes on."""


class SpoolSealed(CandorError):
    """The spool holds records that the key given does not open. They stay where they are."""


class SpoolDropped(CandorError):
    """The oldest records made room for new ones, as the spool was told to. The message says how many are lost."""


def from_rpc(error: grpc.RpcError, generation_id: str = "") -> Refused | Unavailable:
    """Translate what gRPC raised."""
    code, details = _code(error), _details(error)
    if code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED):
        return Unavailable(f"{code.name}: {details}", generation_id=generation_id)
    return _refusal(_metadata(error), code, details, generation_id)


def _refusal(
    metadata: Iterable[tuple[str, str | bytes]], code: grpc.StatusCode, details: str, generation_id: str
) -> Refused:
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in _status(metadata).details:
        if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            detail.Unpack(info)
        elif detail.Is(error_details_pb2.BadRequest.DESCRIPTOR):
            detail.Unpack(bad)
    violations = [Violation(item.field, item.description) for item in bad.field_violations]
    return Refused(
        info.reason or code.name,
        details,
        status=code,
        domain=info.domain,
        violations=violations,
        generation_id=generation_id,
    )


def _status(metadata: Iterable[tuple[str, str | bytes]]) -> status_pb2.Status:
    for key, value in metadata:
        if key == _STATUS_DETAILS and isinstance(value, bytes):
            try:
                return status_pb2.Status.FromString(value)
            except DecodeError:
                break
    return status_pb2.Status()


def _code(error: grpc.RpcError) -> grpc.StatusCode:
    return error.code() if isinstance(error, grpc.Call) else grpc.StatusCode.UNKNOWN


def _details(error: grpc.RpcError) -> str:
    return (error.details() or "") if isinstance(error, grpc.Call) else str(error)


def _metadata(error: grpc.RpcError) -> Iterable[tuple[str, str | bytes]]:
    return (error.trailing_metadata() or ()) if isinstance(error, grpc.Call) else ()
