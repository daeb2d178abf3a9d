"""One typed error that crosses gRPC and topics intact: a refusal with a reason, and the fields it is about.

Spec: google.rpc.Status, ErrorInfo and BadRequest (AIP-193).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import grpc
from candor.edge.v1 import options_pb2, reasons_pb2
from google.protobuf.descriptor import EnumDescriptor
from google.rpc import error_details_pb2, status_pb2

STATUS_DETAILS_KEY = "grpc-status-details-bin"
_PREFIX = "REASON_"


@dataclass(frozen=True)
class Violation:
    """A field that breaks a constraint, and which one."""

    field: str
    description: str


class Refusal(Exception):
    """A command or question that is refused. Raised by the edge and by clients; a domain raises its own `Refused`.

    Attributes:
        reason: a name of a reasons.proto, without its prefix.
        message: what is wrong and what to do, without any personal data.
        domain: the proto package that the reason belongs to.
        status: the gRPC status that answers it.
        violations: the fields it is about.
    """

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        domain: str,
        status: grpc.StatusCode,
        violations: Sequence[Violation] = (),
    ) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message
        self.domain = domain
        self.status = status
        self.violations = tuple(violations)

    def to_status(self) -> status_pb2.Status:
        """Return the google.rpc.Status with ErrorInfo and, where fields are concerned, BadRequest."""
        status = status_pb2.Status(code=self.status.value[0], message=self.message)
        status.details.add().Pack(error_details_pb2.ErrorInfo(reason=self.reason, domain=self.domain))
        if self.violations:
            bad = error_details_pb2.BadRequest()
            for violation in self.violations:
                bad.field_violations.add(field=violation.field, description=violation.description)
            status.details.add().Pack(bad)
        return status

    @classmethod
    def from_rpc(cls, error: grpc.aio.AioRpcError) -> Refusal | None:
        """Read the refusal that a called service answered with; None when it was no refusal of ours."""
        for key, value in error.trailing_metadata() or ():
            if key == STATUS_DETAILS_KEY and isinstance(value, bytes):
                return _from_status(status_pb2.Status.FromString(value), error.code())
        return None


class Unavailable(Exception):
    """A part this service stands on does not answer; nothing was changed and trying again is right."""

    def __init__(self, part: str) -> None:
        super().__init__(f"{part} does not answer")
        self.part = part


class ConfigError(Exception):
    """The configuration is wrong; the message says which setting or file, where and why."""


class Reasons:
    """The reasons of one proto package, with the gRPC status each is answered with."""

    def __init__(self, enum: EnumDescriptor) -> None:
        self.domain = enum.file.package
        self._statuses: dict[str, grpc.StatusCode] = {}
        for value in enum.values:
            if value.number == 0:
                continue
            status = value.GetOptions().Extensions[options_pb2.grpc_status]
            self._statuses[value.name.removeprefix(_PREFIX)] = grpc.StatusCode[status]

    def refusal(self, reason: str, message: str, *, field: str = "", violations: Sequence[Violation] = ()) -> Refusal:
        """Make the refusal for a reason of this package.

        Raises:
            LookupError: the package has no such reason; a refusal nobody declared is a fault of the program.
        """
        if reason not in self._statuses:
            msg = f"{self.domain} declares no reason {reason}"
            raise LookupError(msg)
        if field and not violations:
            violations = (Violation(field, message),)
        return Refusal(reason, message, domain=self.domain, status=self._statuses[reason], violations=violations)


EDGE = Reasons(reasons_pb2.DESCRIPTOR.enum_types_by_name["Reason"])


def _from_status(status: status_pb2.Status, code: grpc.StatusCode) -> Refusal | None:
    info = error_details_pb2.ErrorInfo()
    bad = error_details_pb2.BadRequest()
    for detail in status.details:
        if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            detail.Unpack(info)
        elif detail.Is(error_details_pb2.BadRequest.DESCRIPTOR):
            detail.Unpack(bad)
    if not info.reason:
        return None
    violations = [Violation(item.field, item.description) for item in bad.field_violations]
    return Refusal(info.reason, status.message, domain=info.domain, status=code, violations=violations)
