"""Protobuf to domain and back."""

from datetime import UTC, datetime

from candor.rights.v1 import model_pb2, reasons_pb2, service_pb2
from candor_kit.errors import Reasons
from candor_rights import codec
from candor_rights.domain.holder import SERVICE_HOLDERS, Holder, HolderKind, Right
from candor_rights.domain.request import Regime, State
from candor_rights.domain.task import KindCount, Outcome, Proof
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

instants = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
proofs = st.builds(
    Proof,
    outcome=st.sampled_from(Outcome),
    kinds=st.lists(st.builds(KindCount, st.from_regex(r"\A[a-z]{1,9}\Z"), st.integers(0, 2**40))).map(tuple),
    completed_at=instants,
    last_copy_expires_at=st.none() | instants,
    restriction_basis=st.text(st.characters(codec="utf-8"), max_size=20),
    restricted_until=st.none() | instants,
)


@given(proofs)
def test_a_proof_survives_the_wire_whole(proof: Proof) -> None:
    raw = codec.wire_proof(proof).SerializeToString()
    assert codec.proof_of(model_pb2.Proof.FromString(raw)) == proof


@given(instants, st.integers(0, 999))
def test_an_instant_is_cut_to_the_microsecond_so_that_a_stored_proof_equals_the_same_sent_again(
    at: datetime, nanos: int
) -> None:
    stamp = Timestamp()
    stamp.FromDatetime(at)
    stamp.nanos += nanos
    assert codec.instant(stamp) == at


def test_every_name_of_the_wire_has_its_name_in_the_domain() -> None:
    assert {codec.right_of(value) for value in model_pb2.Right.values() if value} == set(Right)
    assert {codec.regime_of(value) for value in model_pb2.Regime.values() if value} == set(Regime)
    assert {codec.holder_kind_of(value) for value in model_pb2.HolderKind.values() if value} == set(HolderKind)
    assert {codec.wire_state(state) for state in State} == set(model_pb2.RequestState.values()) - {0}


def test_a_holder_is_shown_whole() -> None:
    holder = Holder("chat", "Chat", HolderKind.PRODUCT, frozenset({Right.ACCESS, Right.DELETION}), "chat:50051")
    wire = codec.wire_holder(holder)
    assert (wire.holder_id, wire.name, wire.address) == ("chat", "Chat", "chat:50051")
    assert list(wire.rights) == [model_pb2.RIGHT_ACCESS, model_pb2.RIGHT_DELETION]
    assert wire.kind == model_pb2.HOLDER_KIND_PRODUCT
    assert [shown.holder_id for shown in codec.holders(SERVICE_HOLDERS)] == [
        "consent", "escalation", "generation", "refutation",
    ]  # fmt: skip


def test_every_refusal_of_the_domain_has_a_declared_reason() -> None:
    reasons = Reasons(reasons_pb2.DESCRIPTOR.enum_types_by_name["Reason"])
    used = (
        "REQUEST_UNKNOWN", "TASK_UNKNOWN", "HOLDER_UNKNOWN", "WRONG_HOLDER", "IDENTITY_ALREADY_DECIDED",
        "TASK_ANSWERED", "PACKAGE_NOT_READY", "PACKAGE_GONE", "TIME_IN_FUTURE", "HOLDER_CONFLICT", "NO_RULE_IN_FORCE",
    )  # fmt: skip
    for reason in used:
        assert reasons.refusal(reason, "").domain == service_pb2.DESCRIPTOR.package
